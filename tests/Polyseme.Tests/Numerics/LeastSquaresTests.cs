using Polyseme.Numerics;

namespace Polyseme.Tests.Numerics;

public sealed class LeastSquaresTests
{
    [Fact]
    public void A_line_and_a_power_law_are_found()
    {
        Assert.Equal(-2, LeastSquares.Slope([(0, 1), (1, -1), (3, -5)]), 1e-12);
        Assert.Equal(1.5, LeastSquares.Exponent([(1, 2), (4, 16), (9, 54)]), 1e-12);
        Assert.Equal(double.NaN, LeastSquares.Slope([(1, 2), (1, 3)]));
    }

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1.959964, 0.975)]
    [InlineData(-2.326348, 0.01)]
    public void The_normal_distribution_has_its_quantiles(double x, double below) => Assert.Equal(below, NormalDistribution.Cdf(x), 1e-6);
}
