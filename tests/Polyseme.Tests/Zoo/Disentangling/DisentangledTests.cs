using Polyseme.Numerics;
using Polyseme.Zoo.Disentangling;

namespace Polyseme.Tests.Zoo.Disentangling;

public sealed class DisentangledTests
{
    [Theory]
    [InlineData("sparse", 0.95, 1)]
    [InlineData("gaussian", 0, 0.8)]
    [InlineData("superposition", 0, 0.6)]
    public void Ica_undoes_a_rotation_of_factors_that_are_not_gaussian_and_nothing_else(string data, double low, double high)
    {
        var run = new Disentangled().Run(
            new DisentangledConfig { Data = data, Samples = 200 },
            null,
            TestContext.Current.CancellationToken
        );
        Assert.InRange(run.Acceptances.Single().Value, low, high);
    }

    [Fact]
    public void Latents_that_are_the_factors_are_disentangled_and_their_rotation_is_not()
    {
        var factors = Disentangled.Sample(new DisentangledConfig { Data = "dense", Neurons = 4 }, 4_000, "test");
        var same = Disentanglement.Of(factors, factors);
        Assert.Equal(1, same.MeanCorrelation, 1e-9);
        Assert.Equal(4, same.Recovered);
        var turn = Matrix.FromRows([.5, .5, .5, .5], [.5, -.5, .5, -.5], [.5, .5, -.5, -.5], [.5, -.5, -.5, .5]);
        var turned = Disentanglement.Of(LinearAlgebra.Multiply(factors, turn), factors);
        Assert.InRange(turned.MeanCorrelation, 0.45, 0.55);
        Assert.Equal(0, turned.Recovered);
        Assert.InRange(turned.InformationGap, 0, 0.05);
        Assert.True(same.InformationGap > 0.9);
    }
}
