using System.Diagnostics;
using System.Globalization;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Cli;

/// <summary>
/// The unfinished training of a run folder: saved now and then beside <c>run.json</c>, so that a run that is interrupted or killed can be
/// continued, and gone when the run is finished.
/// </summary>
internal sealed class KeptTraining
{
    /// <summary>Seconds between two saves, where the environment names another number.</summary>
    public const string IntervalVariable = "POLYSEME_SAVE_SECONDS";

    // So that saving large models takes at most a twentieth of the time, unless somebody asks for more.
    private const int ShareOfTime = 20;
    private static readonly TimeSpan s_usual = TimeSpan.FromSeconds(30);
    private readonly RunFolder _folder;
    private readonly RunManifest _manifest;
    private readonly Stopwatch _sinceSave = Stopwatch.StartNew();
    private readonly TimeSpan? _asked = Asked(Environment.GetEnvironmentVariable(IntervalVariable));
    private TimeSpan _interval;
    private bool _begun;

    /// <param name="folder">The run's folder.</param>
    /// <param name="manifest">The run.</param>
    /// <param name="from">What it has trained before; empty = nothing.</param>
    public KeptTraining(RunFolder folder, RunManifest manifest, IReadOnlyList<PopulationState> from)
    {
        (_folder, _manifest, _interval) = (folder, manifest, _asked ?? s_usual);
        // The folder of a run that goes on holds this run and no other.
        _begun = from.Count > 0;
        Checkpoint = new PopulationCheckpoint(from, () => _sinceSave.Elapsed >= _interval, Save);
    }

    /// <summary>Seconds between two saves, as the environment asks or as usual.</summary>
    public static TimeSpan Interval => Asked(Environment.GetEnvironmentVariable(IntervalVariable)) ?? s_usual;

    /// <summary>What the training is handed.</summary>
    public PopulationCheckpoint Checkpoint { get; }

    /// <summary>Makes the folder that of this run: from here on it can be resumed. What an older run left does not count as this one's.</summary>
    public void Begin()
    {
        if (_begun)
            return;
        File.Delete(_folder.File(ZooRunFiles.Checkpoint));
        File.Delete(_folder.File(ZooRunFiles.Result));
        _folder.WriteManifest(_manifest);
        _begun = true;
    }

    /// <summary>Saves what has been trained so far.</summary>
    /// <returns>Whether there was anything.</returns>
    public bool Save()
    {
        var state = Checkpoint.State;
        if (state.Count == 0)
            return false;
        Save(state);
        return true;
    }

    /// <summary>The run is finished, or cannot be.</summary>
    public void Remove() => File.Delete(_folder.File(ZooRunFiles.Checkpoint));

    private void Save(IReadOnlyList<PopulationState> state)
    {
        var clock = Stopwatch.StartNew();
        Begin();
        PopulationStateFile.Write(_folder.File(ZooRunFiles.Checkpoint), _manifest, state);
        var needed = clock.Elapsed * ShareOfTime;
        _interval = _asked ?? (needed > s_usual ? needed : s_usual);
        _sinceSave.Restart();
    }

    private static TimeSpan? Asked(string? text) =>
        text is null or "" ? null
        : double.TryParse(text, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= 1e6 ? TimeSpan.FromSeconds(seconds)
        : throw new UsageException($"{IntervalVariable} is '{text}', but must be seconds from 0 to 1000000.");
}
