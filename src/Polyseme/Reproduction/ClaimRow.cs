using Polyseme.Zoo;

namespace Polyseme.Reproduction;

/// <summary>What became of a claim.</summary>
public enum ClaimStatus
{
    /// <summary>Our number lies in the accepted range.</summary>
    Passed,

    /// <summary>It does not.</summary>
    Failed,

    /// <summary>Measured and printed; nothing is asserted about it.</summary>
    Measured,

    /// <summary>Its check needs something that is not built yet; never counted as passed.</summary>
    Pending,
}

/// <summary>One published claim: its number, our number, the check.</summary>
public sealed record ClaimRow
{
    /// <summary>The claim, in words, with the configuration it holds for.</summary>
    public required string Claim { get; init; }

    /// <summary>Who published, derived or measured the reference: author and year; "derived"; "reference program".</summary>
    public required string Source { get; init; }

    /// <summary>The published or reference number as text; <c>null</c> where there is none.</summary>
    public string? Reference { get; init; }

    /// <summary>Ours; <c>null</c> when pending or undefined.</summary>
    public double? Ours { get; init; }

    /// <summary>Lowest accepted value; <c>null</c> without a lower bound.</summary>
    public double? Low { get; init; }

    /// <summary>Highest accepted value; <c>null</c> without an upper bound.</summary>
    public double? High { get; init; }

    /// <summary>What became of it.</summary>
    public required ClaimStatus Status { get; init; }

    /// <summary>What a reader must know beside it: counts, steps, why pending, what was measured instead.</summary>
    public string? Note { get; init; }

    /// <summary>A claim that is checked: passed when <paramref name="ours"/> lies in [<paramref name="low"/>, <paramref name="high"/>], bounds included.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="source">Its source.</param>
    /// <param name="reference">The reference number as text.</param>
    /// <param name="ours">Our number; not a number fails.</param>
    /// <param name="low">Lowest accepted; negative infinity for none.</param>
    /// <param name="high">Highest accepted; positive infinity for none.</param>
    /// <param name="note">What to know beside it.</param>
    public static ClaimRow Check(
        string claim,
        string source,
        string? reference,
        double ours,
        double low,
        double high,
        string? note = null
    ) =>
        new()
        {
            Claim = claim,
            Source = source,
            Reference = reference,
            Ours = double.IsFinite(ours) ? ours : null,
            Low = double.IsFinite(low) ? low : null,
            High = double.IsFinite(high) ? high : null,
            Status = ours >= low && ours <= high ? ClaimStatus.Passed : ClaimStatus.Failed,
            Note = note,
        };

    /// <summary>A claim that holds or does not: ours is 1 or 0, 1 is accepted.</summary>
    public static ClaimRow Check(string claim, string source, bool holds, string? note = null) =>
        Check(claim, source, "holds", holds ? 1 : 0, 1, 1, note);

    /// <summary>A number that is printed and not asserted.</summary>
    public static ClaimRow Measure(string claim, string source, string? reference, double? ours, string? note = null) =>
        new()
        {
            Claim = claim,
            Source = source,
            Reference = reference,
            Ours = ours is { } value && double.IsFinite(value) ? value : null,
            Status = ClaimStatus.Measured,
            Note = note,
        };

    /// <summary>A claim whose check needs something that is not built yet.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="source">Its source.</param>
    /// <param name="reference">The reference number as text.</param>
    /// <param name="needs">What it waits for.</param>
    public static ClaimRow Pending(string claim, string source, string? reference, string needs) =>
        new()
        {
            Claim = claim,
            Source = source,
            Reference = reference,
            Status = ClaimStatus.Pending,
            Note = $"needs {needs}",
        };

    /// <summary>A network's acceptance as a claim.</summary>
    /// <param name="acceptance">The acceptance.</param>
    /// <param name="configuration">The configuration it holds for, put before the claim; may be empty.</param>
    public static ClaimRow Of(Acceptance acceptance, string configuration) =>
        Check(
            configuration.Length == 0 ? acceptance.Claim : $"{configuration}: {acceptance.Claim}",
            acceptance.Source,
            null,
            acceptance.Value,
            acceptance.Low,
            acceptance.High
        );
}
