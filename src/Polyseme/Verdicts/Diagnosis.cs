using Polyseme.Activations;
using Polyseme.Evidence;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

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

    /// <summary>Draw twenty times from the elliptical null of the components, not three.</summary>
    public bool FullNulls { get; init; }

    /// <summary>
    /// Seconds to spend, or <c>null</c>. Below sixty, dictionaries and probes take proportionally fewer steps (at least a quarter), which loses lines
    /// first; a guide, not a deadline. The configuration in the result shows it.
    /// </summary>
    public double? BudgetSeconds { get; init; }

    /// <summary>Steps to take where a full diagnosis takes <paramref name="full"/>.</summary>
    internal int StepsOf(int full) => (int)(full * Math.Clamp((BudgetSeconds ?? 60) / 60, 0.25, 1));
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

    /// <summary>The network and the hook that the activations come from; the hook must be as wide as the layer.</summary>
    public (Network Network, string Hook)? Network { get; init; }

    /// <summary>How well the network gives back the items it was trained on and items it never saw (level W); <c>null</c> when not known.</summary>
    public Reconstruction? Reconstruction { get; init; }

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
    /// <param name="input">Activations and whatever else is known.</param>
    /// <param name="config">Seed, report range, groups.</param>
    /// <param name="progress">Told each stage.</param>
    /// <param name="cancellation">Checked between and inside the stages.</param>
    /// <exception cref="ArgumentException">The groups asked for are not in the rows, the neurons asked for are not in the layer, or concepts do not fit.</exception>
    public static DiagnosisResult Run(
        DiagnosisInput input,
        DiagnosisConfig config,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var reported = ReportedNeurons(input, config);
        if (input.Concepts is { } given && given.NSamples != input.Activations.NSamples)
            throw new ArgumentException(
                $"concepts have {given.NSamples} rows, but the activations have {input.Activations.NSamples}",
                nameof(input)
            );
        if (
            input.Network is var (network, hook)
            && network.Hooks.Single(h => h.Name == hook).Width is var width
            && width != input.Activations.NNeurons
        )
            throw new ArgumentException(
                $"the hook {hook} is {width} wide, but the activations have {input.Activations.NNeurons} neurons",
                nameof(input)
            );
        var started = TimeProvider.System.GetTimestamp();
        var measures = LayerMeasures.Take(input, config, progress, cancellation);
        progress?.Report(new Step("judging", 0, 0));
        var layer = LayerJudge.Decide(measures);
        var concepts = ConceptJudge.Decide(measures);
        var neurons = NeuronJudge.Decide(measures, layer, reported);
        return new DiagnosisResult
        {
            Polyseme = CodeVersion.Full,
            Input = new DiagnosisSource(
                input.Path,
                input.Sha256,
                input.TotalSamples ?? input.Activations.NSamples,
                input.DroppedSamples,
                input.Activations.NNeurons,
                measures.Access,
                measures.Groups.Name
            ),
            Layer = layer,
            Neurons = neurons,
            Concepts = concepts,
            Evidence = [.. measures.ToEvidence()],
            Config = Json.ToObject(config),
            Seed = config.Seed,
            Seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds,
        };
    }

    private static int[] ReportedNeurons(DiagnosisInput input, DiagnosisConfig config)
    {
        var (first, last) = config.Neurons ?? (0, input.Activations.NNeurons - 1);
        if (first < 0 || last >= input.Activations.NNeurons || last < first)
            throw new ArgumentException($"neurons {first}-{last} are not in 0-{input.Activations.NNeurons - 1}", nameof(config));
        return [.. Enumerable.Range(first, last - first + 1)];
    }
}
