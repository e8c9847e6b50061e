using Polyseme.Activations;
using Polyseme.Evidence;

namespace Polyseme.Verdicts;

/// <summary>What each neuron carries, and why it carries more than one thing where it does.</summary>
public static class NeuronJudge
{
    private const int MostConcepts = 5;
    private const double LeastAuc = 0.6;

    /// <summary>One verdict per neuron asked for, in that order.</summary>
    public static IReadOnlyList<NeuronVerdict> Decide(LayerMeasures measures, LayerVerdict layer, IReadOnlyList<int> neurons)
    {
        var features = measures.Components is null ? null : LayerFeatures.Of(measures);
        var liveAt = new Dictionary<int, int>();
        for (var j = 0; j < (measures.Subspace?.Live.Length ?? 0); j++)
            liveAt[measures.Subspace!.Live[j]] = j;
        var detectors = Detectors(measures);
        return
        [
            .. neurons.Select(neuron =>
            {
                if (!liveAt.TryGetValue(neuron, out var live))
                    return Undecided(neuron, layer, "dead: its activation does not vary over the rows given");
                var concepts = ConceptsOf(measures, neuron, detectors);
                if (features is null)
                    return Undecided(neuron, layer, layer.Reason ?? "too few rows to look for features") with { Concepts = concepts };
                return features.Complete || features.Agreed
                    ? Verdict(neuron, live, layer, features, concepts)
                    : Undecided(neuron, layer, layer.Reason ?? "no features come back") with
                    {
                        Concepts = concepts,
                        // The largest component still says how much of the neuron one direction could explain; that it is a feature, nothing says.
                        Score = Math.Clamp(1 - features.Largest(live), 0, 1),
                        Budget = new NeuronBudget(0, 0, 0, 0, 1),
                    };
            }),
        ];
    }

    private static NeuronVerdict Undecided(int neuron, LayerVerdict layer, string reason) =>
        new()
        {
            Index = neuron,
            Verdict = "undetermined",
            Posterior = layer.Posterior,
            Set = layer.Set,
            Reason = reason,
            Polysemantic = null,
            Score = null,
            Budget = null,
            Flags = [],
            Concepts = [],
        };

    private static NeuronVerdict Verdict(
        int neuron,
        int live,
        LayerVerdict layer,
        LayerFeatures features,
        IReadOnlyList<NeuronConcept> concepts
    )
    {
        var explained = features.Explained[live];
        var largest = Math.Min(features.Largest(live), explained);
        var aligned = largest >= NeuronAlignment.OneFeature * explained && explained > 0.05;
        var posterior = Posterior(layer, aligned);
        var (best, mass) = posterior.MaxBy(pair => pair.Value);
        var decided = mass >= JudgeCalibration.Current.Decide;
        return new NeuronVerdict
        {
            Index = neuron,
            Verdict = decided ? best : "undetermined",
            Posterior = posterior,
            Set = LayerJudge.SmallestSet(Causes.All.ToDictionary(cause => cause, cause => posterior[Causes.Id(cause)])),
            Reason = decided
                ? null
                : layer.Reason ?? $"the layer's cause is open for neurons that mix features (largest share {largest:F2} of {explained:F2})",
            Polysemantic = !aligned && RaisedBy(features, live, 0.1 * explained) >= 2,
            Score = Math.Clamp(1 - largest, 0, 1),
            Budget = BudgetOf(live, layer, features, explained, aligned ? largest : 0),
            Flags = [],
            Concepts = concepts,
        };
    }

    /// <summary>An aligned neuron is monosemantic whatever the layer is; any other is what the layer is among the causes that mix.</summary>
    private static Dictionary<string, double> Posterior(LayerVerdict layer, bool aligned)
    {
        var mono = Causes.Id(Cause.Monosemantic);
        var kept = aligned ? 0.95 : 0.02;
        var rest = layer.Posterior.Where(pair => pair.Key != mono).ToDictionary(pair => pair.Key, pair => pair.Value);
        // In a monosemantic layer the exception is a neuron that mixes features of an invertible map.
        rest[Causes.Id(Cause.Rotated)] += aligned ? 0 : layer.Posterior[mono];
        var total = rest.Values.Sum();
        return Causes.All.ToDictionary(
            Causes.Id,
            cause => cause == Cause.Monosemantic ? kept : (1 - kept) * (total > 0 ? rest[Causes.Id(cause)] / total : 0.25)
        );
    }

    /// <summary>Features with at least the share given that raise the neuron: a feature that only lowers it does not make it fire.</summary>
    private static int RaisedBy(LayerFeatures features, int live, double share)
    {
        var count = 0;
        for (var f = 0; f < features.Shares.Columns; f++)
            count += features.Shares[live, f] >= share && features.Direction[live, f] >= 0 ? 1 : 0;
        return count;
    }

    private static NeuronBudget BudgetOf(int live, LayerVerdict layer, LayerFeatures features, double explained, double aligned)
    {
        var circles = 0.0;
        for (var f = 0; f < features.Shares.Columns; f++)
            circles += features.OnCircle[f] ? features.Shares[live, f] : 0;
        circles = Math.Min(circles, explained - aligned);
        var rest = Math.Max(0, explained - aligned - circles);
        var superposed = layer.NLine > layer.R || layer.Verdict == Causes.Id(Cause.Superposition);
        return new NeuronBudget(aligned, superposed ? 0 : rest, superposed ? rest : 0, circles, 1 - aligned - circles - rest);
    }

    /// <summary>Concepts as yes or no: binary ones, every category, and numeric ones above their mean.</summary>
    private static List<(string Name, bool[] Is, bool[] Present)> Detectors(LayerMeasures measures)
    {
        var detectors = new List<(string, bool[], bool[])>();
        foreach (var concept in measures.Input.Concepts?.Concepts ?? [])
        {
            var present = Array.ConvertAll(concept.Values, value => !double.IsNaN(value));
            switch (concept.Kind)
            {
                case ConceptKind.Categorical:
                    for (var category = 0; category < (concept.Categories?.Length ?? 0); category++)
                        detectors.Add(
                            (
                                $"{concept.Name}={concept.Categories![category]}",
                                Array.ConvertAll(concept.Values, value => value == category),
                                present
                            )
                        );
                    break;
                case ConceptKind.Binary:
                    detectors.Add((concept.Name, Array.ConvertAll(concept.Values, value => value > 0.5), present));
                    break;
                case ConceptKind.Numeric:
                    var mean = concept.Values.Where(value => !double.IsNaN(value)).DefaultIfEmpty(0).Average();
                    detectors.Add((concept.Name, Array.ConvertAll(concept.Values, value => value > mean), present));
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(measures), concept.Kind, "not a kind of concept");
            }
        }
        return detectors;
    }

    private static List<NeuronConcept> ConceptsOf(
        LayerMeasures measures,
        int neuron,
        List<(string Name, bool[] Is, bool[] Present)> detectors
    )
    {
        if (detectors.Count == 0)
            return [];
        var activations = measures.Input.Activations;
        var values = new float[activations.NSamples];
        for (var i = 0; i < values.Length; i++)
            values[i] = activations.Values[((long)i * activations.NNeurons) + neuron];
        var ranks = MidRanks(values);
        return
        [
            .. detectors
                .Select(detector => (detector.Name, Auc: Auc(ranks, values, detector.Is, detector.Present)))
                .Where(concept => concept.Auc >= LeastAuc)
                .OrderByDescending(concept => concept.Auc)
                .ThenBy(concept => concept.Name, StringComparer.Ordinal)
                .Take(MostConcepts)
                .Select(concept => new NeuronConcept(concept.Name, concept.Auc!.Value)),
        ];
    }

    /// <summary>Ranks from 1, ties sharing their mean.</summary>
    private static double[] MidRanks(float[] values)
    {
        var order = new int[values.Length];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        var sorted = (float[])values.Clone();
        Array.Sort(sorted, order);
        var ranks = new double[values.Length];
        for (var start = 0; start < order.Length; )
        {
            var end = start;
            while (end < order.Length && sorted[end] == sorted[start])
                end++;
            for (var i = start; i < end; i++)
                ranks[order[i]] = (start + end + 1) / 2.0;
            start = end;
        }
        return ranks;
    }

    /// <summary>Area under the ROC curve by Mann and Whitney's rank sum; <c>null</c> with fewer than ten rows on a side.</summary>
    private static double? Auc(double[] ranks, float[] values, bool[] positive, bool[] present)
    {
        // With missing rows the ranks of all rows are not those of the present ones; rank anew.
        if (Array.Exists(present, row => !row))
        {
            var kept = Enumerable.Range(0, values.Length).Where(i => present[i]).ToArray();
            ranks = MidRanks(Array.ConvertAll(kept, i => values[i]));
            positive = Array.ConvertAll(kept, i => positive[i]);
        }
        double sum = 0,
            yes = 0;
        for (var i = 0; i < ranks.Length; i++)
        {
            if (!positive[i])
                continue;
            sum += ranks[i];
            yes++;
        }
        var no = ranks.Length - yes;
        return yes < 10 || no < 10 ? null : (sum - (yes * (yes + 1) / 2)) / (yes * no);
    }
}
