using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>The best of several seeds: chosen by its loss on fresh rows, the same rows for every seed, never by its looks.</summary>
/// <param name="Best">The model with the lowest loss.</param>
/// <param name="Loss">Its loss.</param>
/// <param name="Losses">The loss of every model that did not diverge, in seed order.</param>
/// <param name="Diverged">The others, with the step at which their gradient stopped being a number.</param>
internal sealed record BestOfSeeds(ToyModel Best, double Loss, IReadOnlyList<double> Losses, IReadOnlyList<Divergence> Diverged)
{
    /// <summary>The models that did not diverge, in the order of <see cref="Losses"/>.</summary>
    public required IReadOnlyList<ToyModel> Sound { get; init; }

    /// <summary>Trains and chooses.</summary>
    /// <param name="training">What and how.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="seeds">Models trained.</param>
    /// <param name="positive">Whether weights start positive.</param>
    /// <param name="judged">The rows that choose.</param>
    /// <param name="progress">Told the steps.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <param name="checkpoint">What was trained before, and is kept from now on.</param>
    /// <exception cref="DivergenceException">Every model diverged; says at which step each did.</exception>
    public static BestOfSeeds Train(
        ToyTraining training,
        ulong seed,
        int seeds,
        bool positive,
        SparseRows judged,
        IProgress<Step>? progress,
        CancellationToken cancellation,
        PopulationCheckpoint? checkpoint = null
    )
    {
        var initial = Enumerable.Range(0, seeds).Select(model => ToyParameters.Initial(training.Shape, seed, model, positive)).ToArray();
        var models = PopulationTrainer.Train(training, seed, initial, checkpoint, progress, cancellation);
        return Choose(models, training.Shape, judged, training.Threads, cancellation);
    }

    /// <summary>Chooses among models that have been trained.</summary>
    /// <param name="models">One per seed.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="judged">The rows that choose.</param>
    /// <param name="threads">Workers.</param>
    /// <param name="cancellation">Stops between two models.</param>
    /// <exception cref="DivergenceException">Every model diverged; says at which step each did.</exception>
    public static BestOfSeeds Choose(
        IReadOnlyList<ToyModel> models,
        ToyShape shape,
        SparseRows judged,
        int threads,
        CancellationToken cancellation
    )
    {
        var diverged = models
            .Where(model => model.DivergedAt is not null)
            .Select(model => new Divergence(model.Model, model.DivergedAt!.Value))
            .ToArray();
        var sound = models.Where(model => model.DivergedAt is null).ToArray();
        if (sound.Length == 0)
        {
            throw new DivergenceException(
                $"no model is left of {models.Count}: {string.Join(", ", diverged.Select(model => model.ToString()))}"
            );
        }
        var losses = new double[sound.Length];
        Parallel.For(
            0,
            sound.Length,
            new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation },
            model => losses[model] = ToyReference.Loss(shape, sound[model].Parameters, judged)
        );
        var best = Array.IndexOf(losses, losses.Min());
        return new BestOfSeeds(sound[best], losses[best], losses, diverged) { Sound = sound };
    }
}
