using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Verdicts;

/// <summary>How a layer is diagnosed.</summary>
public sealed record DiagnosisConfig
{
    /// <summary>The one seed; every measure and every null takes a stream of its own from it.</summary>
    public ulong Seed { get; init; }

    /// <summary>First and last neuron reported, both included; <c>null</c> reports all. The layer is always analysed whole.</summary>
    public (int First, int Last)? Neurons { get; init; }

    /// <summary>The unit of every train/test split: <c>item</c>, <c>document</c>, …; <c>null</c> takes item, else document, else exact duplicates.</summary>
    public string? Groups { get; init; }

    /// <summary>Run every null of every measure, not the one each measure's page names.</summary>
    public bool FullNulls { get; init; }

    /// <summary>Seconds to spend, or <c>null</c>: fewer null draws and smaller dictionaries when short, and the verdict says so.</summary>
    public double? BudgetSeconds { get; init; }
}

/// <summary>What a diagnosis is given. What is absent lowers the access level, and the verdict knows it.</summary>
public sealed record DiagnosisInput
{
    /// <summary>The activations, or the stated sample of them.</summary>
    public required ActivationSet Activations { get; init; }

    /// <summary>Concepts, row for row with the activations.</summary>
    public ConceptTable? Concepts { get; init; }

    /// <summary>Token text, row for row with the activations.</summary>
    public IReadOnlyList<string>? Tokens { get; init; }

    /// <summary>Mean over all rows, where the set is a sample of a larger file. Shape: <c>[n_neurons]</c>.</summary>
    public double[]? Mean { get; init; }

    /// <summary>Covariance over all rows, where the set is a sample of a larger file. Shape: <c>[n_neurons, n_neurons]</c>.</summary>
    public Matrix? Covariance { get; init; }

    /// <summary>The network and the hook that the activations come from (level W).</summary>
    public (Network Network, string Hook)? Network { get; init; }

    /// <summary>Ground truth (level T).</summary>
    public GroundTruth? Truth { get; init; }

    /// <summary>The file or directory that was read.</summary>
    public string? Path { get; init; }

    /// <summary>Its hash.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Rows in the file after dropping; <c>null</c> when the set is all there is.</summary>
    public long? TotalSamples { get; init; }

    /// <summary>Rows dropped because they held NaN or infinity.</summary>
    public long DroppedSamples { get; init; }
}

/// <summary>From activations to a verdict: measures, then evidence, then the judge.</summary>
public static class Diagnosis
{
    /// <summary>Diagnoses a layer.</summary>
    public static DiagnosisResult Run(
        DiagnosisInput input,
        DiagnosisConfig config,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        throw new NotSupportedException($"not built yet: {input}{config}{progress}{cancellation}");
    }
}
