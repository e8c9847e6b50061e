using Polyseme.Zoo;

namespace Polyseme.Tests.Zoo;

public sealed class AurocTests
{
    [Fact]
    public void Ranks_pairs_and_halves_ties()
    {
        Assert.Equal(1, Auroc.Of([1, 2, 3, 4], [0, 0, 1, 1]));
        Assert.Equal(0, Auroc.Of([4, 3, 2, 1], [0, 0, 1, 1]));
        Assert.Equal(0.5, Auroc.Of([1, 1, 1], [0, 1, 0]));
        Assert.Equal(0.875, Auroc.Of([1, 2, 2, 3], [0, 1, 0, 1]));
        Assert.Null(Auroc.Of([1, 2], [1, 1]));
    }
}
