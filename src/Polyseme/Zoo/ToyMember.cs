using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>A member that trains populations of toy models: its training can be stopped and continued.</summary>
public abstract class ToyMember : ZooMember
{
    /// <inheritdoc/>
    public sealed override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation) =>
        Run(config, null, progress, cancellation);

    /// <inheritdoc/>
    public abstract override ZooRun Run(
        ZooConfig config,
        PopulationCheckpoint? checkpoint,
        IProgress<Step>? progress,
        CancellationToken cancellation
    );
}
