using Polyseme.Evidence;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Verdicts;

/// <summary>How each concept is represented, from the probe ladder.</summary>
public static class ConceptJudge
{
    /// <summary>Only a non-linear read-out gets it: the gap to every read-out that directions allow exceeds .2.</summary>
    public static bool IsNonlinear(ConceptReadout readout) => readout.Best > 0.3 && readout.Best - readout.BestOfDirections > 0.2;

    /// <summary>One verdict per concept given, in the order given.</summary>
    public static IReadOnlyList<ConceptVerdict> Decide(LayerMeasures measures)
    {
        if (measures.Input.Concepts is not { } table)
            return [];
        return
        [
            .. table.Concepts.Select(
                (concept, index) =>
                {
                    if (measures.Concepts?.Unusable.TryGetValue(index, out var reason) == true)
                        return new ConceptVerdict(concept.Name, "undetermined", null, null, reason);
                    return measures.Probes?.Readouts.FirstOrDefault(readout => readout.Concept == index) is { } read
                        ? new ConceptVerdict(concept.Name, VerdictOf(read, measures.Probes.Floor), read.Linear, read.Best)
                        : new ConceptVerdict(concept.Name, "undetermined", null, null, "too few rows to learn on some and test on others");
                }
            ),
        ];
    }

    /// <summary>How many non-linear concepts are functions of concepts that the layer holds linearly: labels derived from features, as XOR is of its bits.</summary>
    public static int DerivedFromLinear(LayerMeasures measures, ConceptReadout[] hidden, ConceptReadout[] represented)
    {
        var linear = represented.Except(hidden).Where(readout => readout.Linear >= 0.8).Select(readout => readout.Concept).ToHashSet();
        if (linear.Count == 0 || hidden.Length == 0 || measures.Concepts is not { } concepts)
            return 0;
        var columns = Enumerable.Range(0, concepts.ConceptOf.Length).Where(column => linear.Contains(concepts.ConceptOf[column])).ToArray();
        var rows = Enumerable.Range(0, Math.Min(4_000, concepts.Values.Rows)).ToArray();
        var from = concepts.Values.SelectRows(rows).SelectColumns(columns);
        var to = concepts.Values.SelectRows(rows);
        using var scope = torch.NewDisposeScope();
        var points = LinearAlgebra.ToTensor(from);
        var distance = torch.cdist(points, points);
        distance.masked_fill_(torch.eye(rows.Length, dtype: torch.@bool), double.PositiveInfinity);
        var nearest = distance.topk(5, dim: 1, largest: false).indexes.data<long>().ToArray();
        return hidden.Count(readout =>
            concepts
                .ColumnsOf(readout.Concept)
                .All(column =>
                {
                    double wrong = 0,
                        total = 0;
                    for (var i = 0; i < rows.Length; i++)
                    {
                        var guess = 0.0;
                        for (var k = 0; k < 5; k++)
                            guess += to[(int)nearest[(i * 5) + k], column] / 5;
                        wrong += Math.Pow(to[i, column] - guess, 2);
                        total += Math.Pow(to[i, column], 2);
                    }
                    return total > 0 && 1 - (wrong / total) > 0.8;
                })
        );
    }

    private static string VerdictOf(ConceptReadout read, double floor)
    {
        if (read.Best <= floor)
            return "not_represented";
        if (IsNonlinear(read))
            return "nonlinear";
        return read.Best - read.Linear <= Math.Max(0.1, 0.15 * read.Best) ? "linear" : "relu_linear";
    }
}
