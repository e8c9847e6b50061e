using Polyseme.Numerics;
using Polyseme.Zoo.Attention;

namespace Polyseme.Tests.Zoo.Attention;

public sealed class SkipTrigramsTests
{
    [Theory]
    [InlineData(1, 0, 1e-4)]
    [InlineData(2, 1e-3, 1)]
    public void What_one_head_adds_has_rank_one_and_what_two_add_has_not(int heads, double low, double high)
    {
        var network = SkipTrigrams.Train(heads, 1, 3, 0, null, TestContext.Current.CancellationToken).RequireAll()[0];
        var singular = LinearAlgebra.Svd(SkipTrigrams.Contributions(network, 0)).S;
        Assert.InRange(singular[1] / singular[0], low, high);
    }

    [Fact]
    public void The_direct_path_is_zero()
    {
        var network = SkipTrigrams.Train(1, 1, 1, 0, null, TestContext.Current.CancellationToken).RequireAll()[0];
        Assert.All(new Polyseme.Networks.HeadCircuits(network).Direct.Data, value => Assert.Equal(0, value));
    }

    [Fact]
    public void Raised_is_relative_to_the_words_that_no_trigram_speaks_of()
    {
        var contributions = Matrix.FromRows(
            [5, 4, .. Enumerable.Repeat(1.0, 10)],
            [.. Enumerable.Repeat(3.0, 12)],
            [.. Enumerable.Repeat(0.0, 11), 10]
        );
        Assert.Equal(3, SkipTrigrams.Raised(contributions, 0, SkipTrigrams.Bay), 1e-12);
        Assert.Equal(0, SkipTrigrams.Raised(contributions, 1, SkipTrigrams.Mind), 1e-12);
        Assert.Equal(-1, SkipTrigrams.Raised(contributions, 2, SkipTrigrams.Mind), 1e-12);
    }
}
