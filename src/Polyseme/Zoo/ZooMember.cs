using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>The configuration of a zoo network. Each member has its own, a sealed record whose defaults are those of <c>polyseme zoo train</c>.</summary>
public abstract record ZooConfig
{
    /// <summary>The one seed; every consumer takes a stream of its own from it.</summary>
    public ulong Seed { get; init; }

    /// <summary>Rows of fresh inputs in the sample that is diagnosed. In 100 … 1,000,000.</summary>
    public int Samples
    {
        get;
        init => field = Allowed.Between(value, 100, 1_000_000);
    } = 20_000;
}

/// <summary>One number that a network must reproduce.</summary>
/// <param name="Claim">What it is, in words.</param>
/// <param name="Value">What was measured.</param>
/// <param name="Low">Lowest accepted value.</param>
/// <param name="High">Highest accepted value.</param>
/// <param name="Source">Who published or derived the reference.</param>
public sealed record Acceptance(string Claim, double Value, double Low, double High, string Source)
{
    /// <summary>Whether the value lies in the accepted range.</summary>
    public bool Passed => Value >= Low && Value <= High;
}

/// <summary>A point of a training curve.</summary>
public sealed record CurvePoint(int Step, double Loss);

/// <summary>Inputs that a network was not trained on, kept apart from the sample that is diagnosed: what a judge with ground truth compares it with.</summary>
/// <param name="Activations">At the same hook.</param>
/// <param name="Features">The true features, row for row.</param>
/// <param name="TrainLoss">Reconstruction loss on the training set.</param>
/// <param name="FreshLoss">Reconstruction loss on these rows.</param>
public sealed record FreshInputs(ActivationSet Activations, ConceptTable Features, double TrainLoss, double FreshLoss);

/// <summary>A zoo network, made: the network, its truth, a sample to diagnose, and the numbers it reproduces.</summary>
public sealed record ZooRun
{
    /// <summary>The member's name.</summary>
    public required string Member { get; init; }

    /// <summary>The full configuration.</summary>
    public required ZooConfig Config { get; init; }

    /// <summary>The network.</summary>
    public required Network Network { get; init; }

    /// <summary>The hook whose activations are diagnosed.</summary>
    public required string Hook { get; init; }

    /// <summary>What is true of it.</summary>
    public required GroundTruth Truth { get; init; }

    /// <summary>Activations at the hook.</summary>
    public required ActivationSet Activations { get; init; }

    /// <summary>The true features as concepts, row for row with the activations.</summary>
    public required ConceptTable Features { get; init; }

    /// <summary>The numbers it must reproduce, checked.</summary>
    public required IReadOnlyList<Acceptance> Acceptances { get; init; }

    /// <summary>The training curve of the best seed; empty for a constructed network.</summary>
    public IReadOnlyList<CurvePoint> Curve { get; init; } = [];

    /// <summary>Of a language model, the token ids that the activations come from, each text with the token after its last; else <c>null</c>. Shape: <c>[n_texts, n_tokens]</c>.</summary>
    public Matrix? Texts { get; init; }

    /// <summary>Fresh inputs, where the sample that is diagnosed is the training set; else <c>null</c>.</summary>
    public FreshInputs? Fresh { get; init; }

    /// <summary>Seeds whose training diverged, with the step whose gradient was not finite. They have no loss and are not chosen.</summary>
    public IReadOnlyList<Divergence> Diverged { get; init; } = [];

    /// <summary>Loss on fresh rows of every seed that did not diverge, in seed order; empty for a constructed network.</summary>
    public IReadOnlyList<double> SeedLosses { get; init; } = [];
}

/// <summary>A family of networks with known truth.</summary>
public abstract class ZooMember
{
    /// <summary>Its name on the command line, in kebab-case.</summary>
    public abstract string Name { get; }

    /// <summary>What it shows, in one sentence.</summary>
    public abstract string Summary { get; }

    /// <summary>Author, year, title, section.</summary>
    public abstract string Source { get; }

    /// <summary>The configuration that <c>polyseme zoo train</c> starts from.</summary>
    public abstract ZooConfig DefaultConfig { get; }

    /// <summary>Makes the network: trains or constructs it, samples it, and checks its numbers.</summary>
    /// <exception cref="ArgumentException">The configuration is of another member, or impossible; says which value and what range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public abstract ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation);

    /// <summary>As the other one, for a run that can be stopped and continued to the same bytes.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="checkpoint">What was trained before, and is kept from now on; <c>null</c> = everything is made, nothing is kept.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <remarks>A member that trains no populations of toy models is made from the beginning every time.</remarks>
    /// <exception cref="ArgumentException">The configuration is of another member, or impossible; says which value and what range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public virtual ZooRun Run(
        ZooConfig config,
        PopulationCheckpoint? checkpoint,
        IProgress<Step>? progress,
        CancellationToken cancellation
    ) => Run(config, progress, cancellation);

    /// <summary>Builds the network again from its configuration and its saved weights.</summary>
    /// <param name="config">The configuration that it was made with.</param>
    /// <param name="weights">What <see cref="Network.Weights"/> gave.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>A network that computes what the saved one did.</returns>
    /// <exception cref="ArgumentException">The weights are not those of such a network; says which and how.</exception>
    /// <remarks>Unless a member knows better, the network is made again — the same configuration gives the same bytes — and held against the weights.</remarks>
    public virtual Network Restore(
        ZooConfig config,
        IReadOnlyDictionary<string, Matrix> weights,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var network = Run(config, progress, cancellation).Network;
        foreach (var (name, made) in network.Weights)
        {
            if (!weights.TryGetValue(name, out var saved) || (saved.Rows, saved.Columns) != (made.Rows, made.Columns))
                throw new ArgumentException($"there is no weight '{name}' of {made.Rows} × {made.Columns}", nameof(weights));
            // Another machine adds in another order, and training carries that on. This tells the same optimum from another one.
            for (var i = 0; i < made.Data.Length; i++)
            {
                if (Math.Abs(saved.Data[i] - made.Data[i]) > 1e-2 * (1 + Math.Abs(made.Data[i])))
                    throw new ArgumentException(
                        $"weight '{name}' differs from what this version makes of the same configuration, at {i}: {saved.Data[i]} against {made.Data[i]}",
                        nameof(weights)
                    );
            }
        }
        return network;
    }

    /// <summary>The configuration as this member's own type.</summary>
    /// <exception cref="ArgumentException">It is another member's.</exception>
    protected TConfig Of<TConfig>(ZooConfig config)
        where TConfig : ZooConfig =>
        config as TConfig
        ?? throw new ArgumentException($"{Name} takes a {typeof(TConfig).Name}, not a {config.GetType().Name}", nameof(config));
}
