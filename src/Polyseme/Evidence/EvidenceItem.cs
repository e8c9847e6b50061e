namespace Polyseme.Evidence;

/// <summary>One measured number with what it would be if there were nothing to find.</summary>
public sealed record EvidenceItem
{
    /// <summary>The measure's name, that of its page in <c>docs/evidence/</c>.</summary>
    public required string Measure { get; init; }

    /// <summary><c>layer</c>, <c>neuron:INDEX</c> or <c>concept:NAME</c>.</summary>
    public string Scope { get; init; } = "layer";

    /// <summary>The value; <c>null</c> where it is undefined, with the <see cref="Reason"/>.</summary>
    public required double? Value { get; init; }

    /// <summary>Mean over the deciding null's draws.</summary>
    public double? NullMean => Nulls.Count == 0 ? null : Nulls[0].Mean;

    /// <summary>Standard deviation over the deciding null's draws.</summary>
    public double? NullSd => Nulls.Count == 0 ? null : Nulls[0].Sd;

    /// <summary>Every null that was run, the deciding one first.</summary>
    public required IReadOnlyList<NullSummary> Nulls { get; init; }

    /// <summary>Share of draws of the deciding null at least as extreme, (1 + k) / (1 + n).</summary>
    public double? PValue { get; init; }

    /// <summary>For instance <c>nats</c>, <c>fraction</c>, <c>count</c>, <c>R²</c>.</summary>
    public required string Unit { get; init; }

    /// <summary>The cause that this value speaks for; <c>null</c> when it speaks for none.</summary>
    public Cause? Favours { get; init; }

    /// <summary>Author, year, equation or section.</summary>
    public required string Source { get; init; }

    /// <summary>Why the value is <c>null</c>, or what it does not see here.</summary>
    public string? Reason { get; init; }
}

/// <summary>A null distribution in short.</summary>
/// <param name="Kind"><c>elliptical</c>, <c>copula</c>, <c>gaussian</c>, <c>rotation</c>, <c>permuted_labels</c>, <c>matched_items</c>, …</param>
/// <param name="Mean">Mean of the draws.</param>
/// <param name="Sd">Standard deviation of the draws.</param>
/// <param name="N">Number of draws.</param>
public sealed record NullSummary(string Kind, double Mean, double Sd, int N)
{
    /// <summary>Summarises the draws of a null.</summary>
    public static NullSummary Of(string kind, IReadOnlyCollection<double> draws)
    {
        var mean = draws.Count == 0 ? 0 : draws.Average();
        var variance = draws.Count < 2 ? 0 : draws.Sum(draw => (draw - mean) * (draw - mean)) / (draws.Count - 1);
        return new NullSummary(kind, mean, Math.Sqrt(variance), draws.Count);
    }
}
