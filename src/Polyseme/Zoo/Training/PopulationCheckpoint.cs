namespace Polyseme.Zoo.Training;

/// <summary>
/// Lets a training be stopped and continued: populations that it has trained before, whole or in part, are not trained again, and what
/// is trained is handed out when it is due. One of them serves all populations of a run.
/// </summary>
/// <remarks>It reads no clock and writes no file: its owner decides when to save, and where. After a cancellation the owner saves <see cref="State"/>.</remarks>
public sealed class PopulationCheckpoint
{
    private readonly Func<bool> _isDue;
    private readonly Action<IReadOnlyList<PopulationState>> _save;
    private readonly Lock _lock = new();
    private readonly Lock _saving = new();
    private readonly List<(string Fingerprint, ToyProgress?[] Models)> _populations = [];

    /// <summary>Starts from what an earlier run has kept.</summary>
    /// <param name="from">Its state; empty = nothing was trained.</param>
    /// <param name="isDue">Whether to save now. Asked often, by any worker, never by two at once.</param>
    /// <param name="save">Saves the state of all populations. Called by a worker, the others go on meanwhile; what it throws ends the training.</param>
    public PopulationCheckpoint(IReadOnlyList<PopulationState> from, Func<bool> isDue, Action<IReadOnlyList<PopulationState>> save)
    {
        (_isDue, _save) = (isDue, save);
        foreach (var population in from)
            _populations.Add((population.Fingerprint, [.. population.Models]));
    }

    /// <summary>All populations as they are now, those that the training has not come to again included. A model in work is as it last was handed in.</summary>
    public IReadOnlyList<PopulationState> State
    {
        get
        {
            lock (_lock)
                return [.. _populations.Select(population => new PopulationState(population.Fingerprint, [.. population.Models]))];
        }
    }

    /// <summary>The models of a population as an earlier run left them; every change of the array's elements is kept.</summary>
    /// <exception cref="ArgumentException">What was kept are models of other shapes.</exception>
    internal ToyProgress?[] Begin(IReadOnlyList<ToyJob> jobs)
    {
        var fingerprint = PopulationFingerprint.Of(jobs);
        lock (_lock)
        {
            foreach (var (known, models) in _populations)
            {
                if (known != fingerprint)
                    continue;
                Check(jobs, models);
                return models;
            }
            var begun = new ToyProgress?[jobs.Count];
            _populations.Add((fingerprint, begun));
            return begun;
        }
    }

    /// <summary>Saves if that is due and nobody is at it.</summary>
    internal void Offer()
    {
        if (!_saving.TryEnter())
            return;
        try
        {
            if (_isDue())
                _save(State);
        }
        finally
        {
            _saving.Exit();
        }
    }

    private static void Check(IReadOnlyList<ToyJob> jobs, ToyProgress?[] models)
    {
        ToyTraining.Require(models.Length == jobs.Count, $"the checkpoint holds {models.Length} models, but there are {jobs.Count} jobs");
        for (var at = 0; at < models.Length; at++)
        {
            if (models[at] is not { } kept)
                continue;
            var training = jobs[at].Training;
            ToyTraining.Require(
                kept.Step >= 0 && kept.Step <= training.Steps,
                $"the checkpoint's model {at} is at step {kept.Step}; they range from 0 to {training.Steps}"
            );
            training.Shape.Check(kept.Model.Parameters);
            if (kept.Moments is not { } moments)
                continue;
            training.Shape.Check(moments.First);
            training.Shape.Check(moments.Second);
        }
    }
}
