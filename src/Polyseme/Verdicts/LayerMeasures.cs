using Polyseme.Activations;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Verdicts;

/// <summary>Everything that was measured on a layer; what could not be measured is <c>null</c>.</summary>
public sealed record LayerMeasures
{
    /// <summary>The input.</summary>
    public required DiagnosisInput Input { get; init; }

    /// <summary>What the judge was given.</summary>
    public required IReadOnlyList<AccessLevel> Access { get; init; }

    /// <summary>The unit of every split.</summary>
    public required RowGroups Groups { get; init; }

    /// <summary>The signal subspace; <c>null</c> when nothing varies.</summary>
    public SignalSubspace? Subspace { get; init; }

    /// <summary>Independent components; <c>null</c> with too few rows.</summary>
    public IndependentComponents? Components { get; init; }

    /// <summary>Neurons against components.</summary>
    public NeuronAlignment? Alignment { get; init; }

    /// <summary>Rays.</summary>
    public Rays? Rays { get; init; }

    /// <summary>Sparse directions.</summary>
    public SparseDirections? Sparse { get; init; }

    /// <summary>Latent activations of the best dictionary on every row. Shape: <c>[n_samples, n_latents]</c>.</summary>
    public Matrix? Codes { get; init; }

    /// <summary>The concepts in columns.</summary>
    public ConceptColumns? Concepts { get; init; }

    /// <summary>The probe ladder.</summary>
    public ProbeLadder? Probes { get; init; }

    /// <summary>The additive model of concept directions.</summary>
    public ConceptEncoding? Encoding { get; init; }

    /// <summary>Seen against unseen items.</summary>
    public ItemMemory? Memory { get; init; }

    /// <summary>Rows that measures which split the data need: below it they are not taken.</summary>
    public const int FewestRows = 100;

    /// <summary>Takes every measure that the input allows.</summary>
    public static LayerMeasures Take(
        DiagnosisInput input,
        DiagnosisConfig config,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var groups = RowGroups.Of(input.Activations, config.Groups);
        progress?.Report(new Step("signal subspace", 0, 6));
        var measures = new LayerMeasures
        {
            Input = input,
            Access = Levels(input),
            Groups = groups,
            Subspace = SignalSubspace.Find(input.Activations, new SignalSubspaceConfig(), input.Mean, input.Covariance),
        };
        if (measures.Subspace is not { } subspace || input.Activations.NSamples < FewestRows || groups.Count < 4)
            return measures;
        measures = measures.WithoutConcepts(subspace, config, progress, cancellation);
        return input.Concepts is { } concepts ? measures.WithConcepts(subspace, concepts, config, progress, cancellation) : measures;
    }

    /// <summary>The measures as evidence, each with its nulls.</summary>
    public IEnumerable<EvidenceItem> ToEvidence() => EvidenceList.Of(this);

    private LayerMeasures WithoutConcepts(
        SignalSubspace subspace,
        DiagnosisConfig config,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        progress?.Report(new Step("independent components", 1, 6));
        var icaConfig = new IndependentComponentsConfig { NullDraws = config.FullNulls ? 20 : 3 };
        var components = IndependentComponents.Measure(subspace, Groups, icaConfig, config.Seed, cancellation);
        var alignment = NeuronAlignment.Measure(subspace, components.Rotation, 20, new RandomStream(config.Seed, "alignment"));
        cancellation.ThrowIfCancellationRequested();
        progress?.Report(new Step("rays", 2, 6));
        var rays = subspace.Dimensions < 2 ? null : Rays.Measure(subspace, Groups, new RaysConfig(), new RandomStream(config.Seed, "rays"));
        progress?.Report(new Step("sparse directions", 3, 6));
        var directions = new SparseDirectionsConfig();
        var sparse =
            subspace.Dimensions < 2
                ? null
                : SparseDirections.Measure(
                    subspace,
                    Groups,
                    directions with
                    {
                        Steps = config.StepsOf(directions.Steps),
                    },
                    config.Seed,
                    cancellation
                );
        return this with
        {
            Components = components,
            Alignment = alignment,
            Rays = rays,
            Sparse = sparse,
            Codes = sparse?.Best.First.Encode(subspace.PrincipalRows()),
        };
    }

    private LayerMeasures WithConcepts(
        SignalSubspace subspace,
        ConceptTable table,
        DiagnosisConfig config,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        progress?.Report(new Step("concept probes", 4, 6));
        var concepts = ConceptColumns.Of(table);
        if (concepts.Usable.Count == 0)
            return this with { Concepts = concepts };
        var ladder = new ProbeLadderConfig();
        var probes = ProbeLadder.Measure(
            subspace.Whitened,
            Components!.Values,
            Codes ?? subspace.Whitened,
            concepts,
            Groups,
            ladder with
            {
                Steps = config.StepsOf(ladder.Steps),
            },
            config.Seed,
            cancellation
        );
        progress?.Report(new Step("concept directions", 5, 6));
        return this with
        {
            Concepts = concepts,
            Probes = probes,
            Encoding = ConceptEncoding.Measure(subspace.Whitened, concepts, Groups, config.Seed),
            Memory = Groups.Name == "document" ? null : ItemMemory.Measure(subspace.Whitened, concepts, Groups, config.Seed),
        };
    }

    private static List<AccessLevel> Levels(DiagnosisInput input)
    {
        List<AccessLevel> levels = [AccessLevel.A];
        if (input.Concepts is not null)
            levels.Add(AccessLevel.C);
        if (input.Reconstruction is not null)
            levels.Add(AccessLevel.W);
        return levels;
    }
}
