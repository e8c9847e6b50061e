using Polyseme.Numerics;

namespace Polyseme.Tests.Numerics;

public sealed class IncompleteBetaTests
{
    [Theory]
    // I_x(1, 1) = x; I_x(a, 1) = x^a; I_x(2, 3) = x²(6 − 8x + 3x²); I_x(½, ½) = (2/π)·asin √x.
    [InlineData(0.3, 1, 1, 0.3)]
    [InlineData(0.7, 5, 1, 0.16807)]
    [InlineData(0.4, 2, 3, 0.5248)]
    [InlineData(0.25, 0.5, 0.5, 1.0 / 3)]
    public void Closed_forms(double x, double a, double b, double expected) =>
        Assert.Equal(expected, IncompleteBeta.Regularised(x, a, b), 1e-12);

    [Fact]
    public void Swapping_the_arguments_gives_the_rest()
    {
        foreach (var (x, a, b) in new[] { (0.1, 0.5, 40.0), (0.9, 12.5, 0.5), (0.5, 300, 290) })
            Assert.Equal(1, IncompleteBeta.Regularised(x, a, b) + IncompleteBeta.Regularised(1 - x, b, a), 1e-11);
    }

    [Fact]
    public void Gamma_is_the_factorial()
    {
        var factorial = 1.0;
        for (var k = 1; k < 20; k++)
        {
            Assert.Equal(Math.Log(factorial), IncompleteBeta.LogGamma(k), 1e-11);
            factorial *= k;
        }
        Assert.Equal(Math.Log(Math.PI) / 2, IncompleteBeta.LogGamma(0.5), 1e-12);
    }

    [Fact]
    public void Arguments_out_of_range_are_refused()
    {
        Assert.Contains("1.5", Assert.Throws<ArgumentException>(() => IncompleteBeta.Regularised(1.5, 1, 1)).Message);
        Assert.Throws<ArgumentException>(() => IncompleteBeta.Regularised(0.5, 0, 1));
    }
}
