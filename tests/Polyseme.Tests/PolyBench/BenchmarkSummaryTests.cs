using System.Text.Json.Nodes;
using Polyseme.PolyBench;

namespace Polyseme.Tests.PolyBench;

public sealed class BenchmarkSummaryTests
{
    [Fact]
    public void Numbers_are_those_of_cases_counted_by_hand()
    {
        var summary = BenchmarkSummary.Of([
            Case("a", Cause.Rotated, "rotated", [Cause.Rotated]),
            Case("a", Cause.Rotated, "undetermined", [Cause.Rotated, Cause.Superposition]),
            Case("b", Cause.Superposition, "rotated", [Cause.Rotated]),
            Case("b", Cause.Superposition, "superposition", [Cause.Superposition], lines: 30),
            Case("c", null, "undetermined", [.. Causes.All]),
            Case("c", null, "rotated", [Cause.Rotated]),
        ]);
        Assert.Equal((6, 3), (summary.Cases, summary.Families));
        Assert.Equal(0.75, summary.Decided);
        Assert.Equal(2.0 / 3, summary.RightOfDecided!.Value, 1e-12);
        Assert.Equal(0.25, summary.AbstainedOfSufficient);
        Assert.Equal(0.75, summary.Coverage);
        Assert.Equal(0.5, summary.CoverageOfWorstTenth);
        Assert.Equal(1.25, summary.MeanSetSize);
        Assert.Equal(0.5, summary.NullsCalledACause);
        Assert.Equal(-((3 * Math.Log(0.6)) + Math.Log(0.1)) / 4, summary.LogScore!.Value, 1e-12);
        Assert.Equal(0.25, summary.LineError!.Value, 1e-12); // 30 of 40
        Assert.Equal(1, summary.Confusion["superposition"]["rotated"]);
        Assert.Equal(1, summary.Confusion["noise"]["rotated"]);
    }

    [Fact]
    public void Of_no_cases_nothing_is_claimed()
    {
        var summary = BenchmarkSummary.Of([]);
        Assert.Null(summary.RightOfDecided);
        Assert.Null(summary.Coverage);
        Assert.Empty(summary.Confusion);
    }

    /// <summary>Posterior .6 on the verdict (of an undetermined case on the cause), .1 on the others.</summary>
    private static CaseResult Case(string family, Cause? cause, string verdict, Cause[] set, int? lines = null)
    {
        var likely = verdict == "undetermined" ? cause : Causes.All.First(known => Causes.Id(known) == verdict);
        return new CaseResult
        {
            Family = family,
            Mechanism = family,
            Index = 0,
            Cause = cause,
            Accepted = [cause is { } known ? Causes.Id(known) : "undetermined"],
            Possible = cause is { } one ? [one] : Causes.All,
            Sufficient = cause is not null,
            Labels = CaseConcepts.None,
            Settings = new JsonObject { ["d"] = 10 },
            Verdict = verdict,
            ReasonCode = null,
            Posterior = Causes.All.ToDictionary(Causes.Id, other => other == likely ? 0.6 : 0.1),
            Set = set,
            TrueLines = 40,
            Lines = lines,
            BudgetError = null,
            Evidence = new Dictionary<string, CaseResult.Measured>(),
            Seconds = 1,
        };
    }
}
