namespace Polyseme.PolyBench;

/// <summary>How good a judge is, over cases.</summary>
public sealed record BenchmarkSummary
{
    private const double FloorOfPosterior = 1e-6;

    /// <summary>Cases.</summary>
    public required int Cases { get; init; }

    /// <summary>Families.</summary>
    public required int Families { get; init; }

    /// <summary>Cases in which a cause was named, over cases that are not noise.</summary>
    public required double? Decided { get; init; }

    /// <summary>Of those, the share that is right.</summary>
    public required double? RightOfDecided { get; init; }

    /// <summary>Share of cases that give enough in which nothing was named.</summary>
    public required double? AbstainedOfSufficient { get; init; }

    /// <summary>Share of cases in which the prediction set holds the cause, noise left out.</summary>
    public required double? Coverage { get; init; }

    /// <summary>The same in the tenth of the families where it is least.</summary>
    public required double? CoverageOfWorstTenth { get; init; }

    /// <summary>Mean causes in the set, noise left out.</summary>
    public required double? MeanSetSize { get; init; }

    /// <summary>Share of noise that was called a cause.</summary>
    public required double? NullsCalledACause { get; init; }

    /// <summary>Mean over cases of −ln of the posterior of the cause, nats; ln 5 = 1.61 knows nothing.</summary>
    public required double? LogScore { get; init; }

    /// <summary>Mean Brier score over cases, in [0, 2].</summary>
    public required double? Brier { get; init; }

    /// <summary>Mean absolute error of neurons' budgets, where both are known.</summary>
    public required double? BudgetError { get; init; }

    /// <summary>Median |lines − true lines| / true lines of superposition with 2 to 8 features a dimension that gives enough and was counted.</summary>
    public required double? LineError { get; init; }

    /// <summary>Median seconds of a case.</summary>
    public required double MedianSeconds { get; init; }

    /// <summary>By cause and verdict, cases that give enough; noise under <c>null</c>.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>> Confusion { get; init; }

    /// <summary>Sums up.</summary>
    public static BenchmarkSummary Of(IReadOnlyCollection<CaseResult> results)
    {
        var real = results.Where(result => result.Cause is not null).ToArray();
        var (single, nulls) = (real.Where(result => result.Possible.Count == 1).ToArray(), results.Where(result => result.Cause is null));
        var byFamily = real.GroupBy(result => result.Family)
            .Select(group => Share(group, result => result.Covered)!.Value)
            .Order()
            .ToArray();
        return new BenchmarkSummary
        {
            Cases = results.Count,
            Families = results.Select(result => result.Family).Distinct().Count(),
            Decided = Share(real, result => result.Decided),
            RightOfDecided = Share(real.Where(result => result.Decided), result => result.Right),
            AbstainedOfSufficient = Share(real.Where(result => result.Sufficient), result => !result.Decided),
            Coverage = Share(real, result => result.Covered),
            CoverageOfWorstTenth = byFamily.Length == 0 ? null : byFamily.Take((byFamily.Length + 9) / 10).Average(),
            MeanSetSize = Mean(real.Select(result => (double?)result.Set.Count)),
            NullsCalledACause = Share(nulls, result => result.Decided),
            LogScore = Mean(
                single.Select(result => (double?)-Math.Log(Math.Max(FloorOfPosterior, result.Posterior[Causes.Id(result.Cause!.Value)])))
            ),
            Brier = Mean(
                single.Select(result =>
                    (double?)Causes.All.Sum(cause => Math.Pow(result.Posterior[Causes.Id(cause)] - (cause == result.Cause ? 1 : 0), 2))
                )
            ),
            BudgetError = Mean(real.Select(result => result.BudgetError)),
            LineError = Median(
                real.Where(result =>
                        result is { Sufficient: true, Cause: Cause.Superposition, TrueLines: not null, Lines: not null }
                        && result.TrueLines >= 2 * DimensionsOf(result)
                        && result.TrueLines <= 8 * DimensionsOf(result)
                    )
                    .Select(result => Math.Abs(result.Lines!.Value - result.TrueLines!.Value) / (double)result.TrueLines.Value)
            ),
            MedianSeconds = Median(results.Select(result => result.Seconds)) ?? 0,
            Confusion = results
                .Where(result => result.Sufficient || result.Cause is null)
                .GroupBy(NameOf)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .ToDictionary(
                    group => group.Key,
                    IReadOnlyDictionary<string, int> (group) =>
                        group.CountBy(result => result.Verdict).OrderBy(pair => pair.Key, StringComparer.Ordinal).ToDictionary()
                ),
        };
    }

    private static string NameOf(CaseResult result) =>
        result.Possible.Count is > 1 and < 5 ? "mixed"
        : result.Cause is { } cause ? Causes.Id(cause)
        : "noise";

    private static int DimensionsOf(CaseResult result) => (int?)result.Settings["rank"] ?? (int)result.Settings["d"]!;

    private static double? Share(IEnumerable<CaseResult> results, Func<CaseResult, bool> holds) =>
        Mean(results.Select(result => (double?)(holds(result) ? 1 : 0)));

    private static double? Mean(IEnumerable<double?> values) => values.Average();

    private static double? Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? null : sorted[sorted.Length / 2];
    }
}
