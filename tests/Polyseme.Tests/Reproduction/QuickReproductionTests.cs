using Polyseme.Reproduction;

namespace Polyseme.Tests.Reproduction;

/// <summary>Every experiment at its smallest size: what <c>polyseme zoo reproduce --quick</c> runs.</summary>
public sealed class QuickReproductionTests
{
    public static TheoryData<string> Names { get; } = new(Reproductions.All.Select(experiment => experiment.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_claim_of_the_quick_size_holds(string name)
    {
        var result = Reproductions
            .Find(name)
            .Run(new ReproductionConfig(ReproductionSize.Quick), null, TestContext.Current.CancellationToken);
        Assert.NotEmpty(result.Rows);
        Assert.NotEmpty(result.Ran);
        var failed = result.Rows.Where(row => row.Status == ClaimStatus.Failed).ToList();
        Assert.True(
            failed.Count == 0,
            string.Join("; ", failed.Select(row => $"{row.Claim}: {row.Ours} is not {ReproductionTable.Tolerance(row)}"))
        );
        foreach (var figure in result.Figures)
        {
            Assert.StartsWith("<?xml", figure.Svg(), StringComparison.Ordinal);
            Assert.NotEmpty(figure.Caption);
        }
        Assert.Equal(result.Figures.Count, result.Figures.DistinctBy(figure => figure.Name).Count());
    }

    [Fact]
    public void Names_are_unique() =>
        Assert.Equal(Reproductions.All.Count, Reproductions.All.DistinctBy(experiment => experiment.Name).Count());
}
