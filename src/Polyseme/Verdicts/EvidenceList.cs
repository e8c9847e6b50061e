using Polyseme.Activations;
using Polyseme.Evidence;

namespace Polyseme.Verdicts;

/// <summary>Measures as evidence: a value, its nulls, a unit, what it speaks for, and where it comes from. Each name has a page in <c>docs/evidence/</c>.</summary>
public static class EvidenceList
{
    /// <summary>The evidence of a measured layer, in the order of the measures.</summary>
    public static IEnumerable<EvidenceItem> Of(LayerMeasures measures)
    {
        if (measures.Input.Reconstruction is { } reconstruction)
            yield return OfReconstruction(reconstruction);
        if (measures.Subspace is not { } subspace)
            yield break;
        yield return new EvidenceItem
        {
            Measure = "signal_rank",
            Value = subspace.Rank,
            // Independent columns have a flat spectrum, which has no floor to fall to: every live neuron is a dimension.
            Nulls = [new NullSummary("independent_columns", subspace.Live.Length, 0, 0)],
            Unit = "dimensions",
            Source = "rank above the largest drop of the correlation spectrum onto a flat floor (Marchenko and Pastur 1967 for its width)",
            Reason =
                subspace.Dimensions < subspace.Rank
                    ? $"later measures work on the leading {subspace.Dimensions} dimensions, {subspace.Captured:P0} of the standardised variance"
                    : null,
        };
        if (measures.Components is not { } components)
        {
            yield return Undefined(
                "independent_components",
                "nats",
                $"{measures.Input.Activations.NSamples} rows in {measures.Groups.Count} groups are too few"
            );
            yield break;
        }
        foreach (var item in OfComponents(components, LayerFeatures.Of(measures)))
            yield return item;
        if (measures.Alignment is { } alignment)
            yield return OfAlignment(alignment);
        if (measures.Rays is { } rays)
            yield return OfRays(rays, subspace);
        if (measures.Sparse is { } sparse)
        {
            foreach (var item in OfSparse(sparse, subspace, measures.Groups))
                yield return item;
        }
        foreach (var item in OfConcepts(measures, subspace))
            yield return item;
    }

    private static EvidenceItem OfReconstruction(Reconstruction reconstruction) =>
        new()
        {
            Measure = "reconstruction_gap",
            Value = ReconstructionGap.Of(reconstruction),
            // Of a network without memory the gap is 0 up to sampling; there is nothing to draw.
            Nulls = [new NullSummary("no_memory", 0, 0, 0)],
            Unit = "fraction of variance",
            Favours = ReconstructionGap.IsMemory(reconstruction) ? Cause.Compositional : null,
            Source = "Henighan et al. 2023, train against test loss",
        };

    private static IEnumerable<EvidenceItem> OfComponents(IndependentComponents components, LayerFeatures features)
    {
        yield return new EvidenceItem
        {
            Measure = "non_gaussianity",
            Value = components.MeanNegentropy,
            Nulls = [components.NegentropyNull],
            PValue = components.NegentropyPValue,
            Unit = "nats",
            Source = "Hyvärinen 1998 negentropy of FastICA components, against ICA of the elliptical null",
        };
        yield return new EvidenceItem
        {
            Measure = "component_stability",
            Value = components.MeanStability,
            Nulls = [components.StabilityNull, components.StabilityTwin],
            Unit = "|cosine|",
            Favours = features.Complete ? Cause.Rotated : null,
            Source = "components found again in each half of the groups",
            Reason =
                features.SignalComponents < components.Count
                    ? $"{features.SignalComponents} of {components.Count} components carry signal"
                    : null,
        };
        yield return new EvidenceItem
        {
            Measure = "energy_correlation",
            Value = components.MedianEnergyCorrelation,
            Nulls = [components.EnergyNull],
            Unit = "correlation",
            Favours = features.Complete ? Cause.Rotated : null,
            Source = "median corr(s_a², s_b²) of components, winsorised at 99 %",
        };
    }

    private static EvidenceItem OfAlignment(NeuronAlignment alignment) =>
        new()
        {
            Measure = "neuron_alignment",
            Value = alignment.Median,
            Nulls = [alignment.Null],
            PValue = alignment.PValue,
            Unit = "fraction of variance",
            Favours = alignment.AlignedNeurons >= 0.9 ? Cause.Monosemantic : null,
            Source = "largest share of a neuron's variance in one independent component, median over neurons, against random rotations",
        };

    private static EvidenceItem OfRays(Rays rays, SignalSubspace subspace) =>
        new()
        {
            Measure = "rays",
            Value = rays.NLine,
            Nulls = [new NullSummary("isotropic", 0, 0, rays.Null.N)],
            Unit = "lines",
            Favours =
                rays.NLine > subspace.Dimensions && rays.ShareOnRays >= 0.1 && rays.MagnitudeSpread >= 0.05 ? Cause.Superposition : null,
            Source = "directions from the resting point that hold three times the rows of the fullest direction of an isotropic null",
            Reason = $"{rays.ShareOnRays:P0} of {rays.Rows} rows lie on a ray; half-angle {rays.Angle:F1}°",
        };

    private static IEnumerable<EvidenceItem> OfSparse(SparseDirections sparse, SignalSubspace subspace, RowGroups groups)
    {
        var reliable =
            subspace.Dimensions >= 4 && sparse.Transfers && sparse.Best.Agreement >= Math.Max(0.5, sparse.AgreementNull.Mean + 0.2);
        yield return new EvidenceItem
        {
            Measure = "dictionary_agreement",
            Value = sparse.Best.Agreement,
            Nulls = [sparse.AgreementNull],
            Unit = "fraction of activation",
            Source =
                $"share of squared activation in latents that two TopK dictionaries of different seeds share (cosine > {sparse.Config.Match}), k = {sparse.Best.K}",
        };
        yield return new EvidenceItem
        {
            Measure = "sparse_lines",
            Value = sparse.Lines,
            Nulls = [new NullSummary("dimensions", subspace.Dimensions, 0, 0)],
            Unit = "lines",
            Favours = reliable && sparse.Lines > 1.1 * subspace.Dimensions ? Cause.Superposition : null,
            Source =
                "directions up to sign that both dictionaries found and that are not sums of two others; compared with the number of dimensions",
            Reason = reliable
                ? null
                : "the dictionaries do not agree, or do not explain unseen rows, enough for the count to mean features",
        };
        yield return new EvidenceItem
        {
            Measure = "item_transfer",
            Value = sparse.Transfer,
            Nulls = [new NullSummary("elliptical_by_item", 1, 0, sparse.Pairs.Count)],
            Unit = "FVU / FVU of the null",
            Favours = groups.RowsPerGroup >= 2 && groups.AreItems && sparse.Transfer >= 0.95 ? Cause.Compositional : null,
            Source = "held-out FVU of a dictionary learned on other groups, over the same on the elliptical null matched by group",
            Reason = groups.AreItems
                ? null
                : "no item ids: transfer is between documents or rows, and stored items cannot be excluded by it",
        };
    }

    private static IEnumerable<EvidenceItem> OfConcepts(LayerMeasures measures, SignalSubspace subspace)
    {
        if (measures.Probes is not { } probes || measures.Input.Concepts is not { } table)
            yield break;
        if (measures.Encoding is { } encoding)
        {
            yield return new EvidenceItem
            {
                Measure = "concept_encoding",
                Value = encoding.Explained,
                Nulls = [encoding.Null],
                Unit = "R²",
                Favours = encoding.Explained >= 0.8 && encoding.NLine > 1.05 * subspace.Dimensions ? Cause.Superposition : null,
                Source = "held-out share of the whitened layer that a sum of concept directions explains",
                Reason = $"{encoding.NLine} reliable lines, {encoding.NRay} rays",
            };
        }
        yield return new EvidenceItem
        {
            Measure = "probe_budget",
            Value = probes.Readouts.Sum(readout => Math.Max(0, readout.Linear)),
            Nulls = [probes.LinearNull],
            Unit = "Σ R²",
            Source = "Σ R² of linear probes is at most the rank for independent concepts",
        };
        if (measures.Memory is { } memory)
        {
            yield return new EvidenceItem
            {
                Measure = "item_memory",
                Value = memory.Seen - memory.Unseen,
                Nulls = [memory.Null],
                Unit = "R²",
                Favours = memory.Seen >= 0.5 && memory.Unseen <= 0.1 ? Cause.Compositional : null,
                Source = "nearest-neighbour R² of the concepts with other rows of the item at hand, less that with the item held out",
                Reason = $"seen {memory.Seen:F2}, unseen {memory.Unseen:F2}, {memory.RepeatedItems} items with several rows",
            };
        }
        foreach (var readout in probes.Readouts)
        {
            yield return new EvidenceItem
            {
                Measure = "nonlinear_gap",
                Scope = $"concept:{table.Concepts[readout.Concept].Name}",
                Value = readout.Best - readout.BestOfDirections,
                Nulls = [probes.MlpNull],
                Unit = "R²",
                Favours = ConceptJudge.IsNonlinear(readout) ? Cause.Nonlinear : null,
                Source =
                    "best read-out of the ladder less the best that directions allow (linear, ReLU-linear, sparse code), on unseen groups",
                Reason =
                    $"linear {readout.Linear:F2}, ReLU-linear {readout.ReluLinear:F2}, sparse code {readout.SparseCode:F2}, binned {readout.Binned:F2}, MLP {readout.Mlp:F2}",
            };
        }
    }

    private static EvidenceItem Undefined(string measure, string unit, string reason) =>
        new()
        {
            Measure = measure,
            Value = null,
            Nulls = [],
            Unit = unit,
            Source = "not measured",
            Reason = reason,
        };
}
