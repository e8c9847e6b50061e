using System.Text.Json.Nodes;
using Polyseme.Verdicts;

namespace Polyseme.PolyBench;

/// <summary>What the judge said of one case, beside what is true of it.</summary>
public sealed record CaseResult
{
    /// <summary>The contract this object follows.</summary>
    public const string SchemaId = "polyseme.polybench-case/1";

    /// <summary>Always <see cref="SchemaId"/>.</summary>
    public string Schema { get; init; } = SchemaId;

    /// <summary>The family.</summary>
    public required string Family { get; init; }

    /// <summary>What is left out with it.</summary>
    public required string Mechanism { get; init; }

    /// <summary>The number in the family.</summary>
    public required int Index { get; init; }

    /// <summary>The cause; <c>null</c> for noise.</summary>
    public required Cause? Cause { get; init; }

    /// <summary>Verdicts that are right.</summary>
    public required IReadOnlyList<string> Accepted { get; init; }

    /// <summary>Causes that the prediction set has to hold.</summary>
    public required IReadOnlyList<Cause> Possible { get; init; }

    /// <summary>Whether the case gives enough for a decision.</summary>
    public required bool Sufficient { get; init; }

    /// <summary>Which labels it came with.</summary>
    public required CaseConcepts Labels { get; init; }

    /// <summary>How it was drawn.</summary>
    public required JsonObject Settings { get; init; }

    /// <summary>The verdict.</summary>
    public required string Verdict { get; init; }

    /// <summary>Why it is undetermined.</summary>
    public required string? ReasonCode { get; init; }

    /// <summary>Posterior over the causes.</summary>
    public required IReadOnlyDictionary<string, double> Posterior { get; init; }

    /// <summary>The prediction set.</summary>
    public required IReadOnlyList<Cause> Set { get; init; }

    /// <summary>Lines that there are; <c>null</c> where features are no directions.</summary>
    public required int? TrueLines { get; init; }

    /// <summary>Lines that were counted.</summary>
    public required int? Lines { get; init; }

    /// <summary>Mean absolute error of the live neurons' shares of signal; <c>null</c> without either.</summary>
    public required double? BudgetError { get; init; }

    /// <summary>Value of each measure of the layer, with the mean of its null; <c>null</c> where undefined.</summary>
    public required IReadOnlyDictionary<string, Measured> Evidence { get; init; }

    /// <summary>Wall time.</summary>
    public required double Seconds { get; init; }

    /// <summary>Whether a cause (or <c>mixed</c>) was named.</summary>
    public bool Decided => Verdict != "undetermined";

    /// <summary>Whether the verdict is one of those that are right.</summary>
    public bool Right => Accepted.Contains(Verdict);

    /// <summary>Whether the prediction set holds what it has to.</summary>
    public bool Covered => Possible.All(Set.Contains);

    /// <summary>A measure in short.</summary>
    /// <param name="Value">The value.</param>
    /// <param name="NullMean">Mean of its deciding null.</param>
    public sealed record Measured(double? Value, double? NullMean);

    /// <summary>From a diagnosis.</summary>
    public static CaseResult Of(BenchmarkCase one, DiagnosisResult diagnosis) =>
        new()
        {
            Family = one.Family,
            Mechanism = one.Mechanism,
            Index = one.Index,
            Cause = one.Truth.Cause,
            Accepted = one.Truth.Accepted,
            Possible = one.Truth.Possible,
            Sufficient = one.Truth.Sufficient,
            Labels = one.Labels,
            Settings = (JsonObject)one.Settings.DeepClone(),
            Verdict = diagnosis.Layer.Verdict,
            ReasonCode = diagnosis.Layer.ReasonCode,
            Posterior = diagnosis.Layer.Posterior,
            Set = diagnosis.Layer.Set,
            TrueLines = one.Truth.NLine,
            Lines = diagnosis.Layer.NLine,
            BudgetError = ErrorOf(one.Truth.Budget, diagnosis.Neurons),
            Evidence = diagnosis
                .Evidence.Where(item => item.Scope == "layer")
                .GroupBy(item => item.Measure)
                .ToDictionary(group => group.Key, group => new Measured(group.First().Value, group.First().NullMean)),
            Seconds = diagnosis.Seconds,
        };

    /// <summary>Shares of what is explained, since how much is noise is not what is asked.</summary>
    private static double? ErrorOf(Numerics.Matrix? budget, IReadOnlyList<NeuronVerdict> neurons)
    {
        if (budget is null)
            return null;
        var errors = new List<double>();
        foreach (var neuron in neurons)
        {
            if (neuron.Budget is not { } found)
                continue;
            double[] shares = [found.Aligned, found.Rotated, found.Superposed, found.Multidimensional, found.Unstructured];
            for (var k = 0; k < shares.Length; k++)
                errors.Add(Math.Abs(shares[k] - budget[neuron.Index, k]));
        }
        return errors.Count == 0 ? null : errors.Average();
    }
}
