using Polyseme.Numerics;
using Polyseme.Zoo;
using Polyseme.Zoo.MagnitudeCodes;

namespace Polyseme.Tests.Zoo.MagnitudeCodes;

public sealed class MagnitudeLevelsTests
{
    [Fact]
    public void Planted_levels_are_counted_with_the_concepts_they_hold()
    {
        var stream = new RandomStream(3, "levels");
        var labels = Enumerable.Range(0, 600).Select(row => row % 3).ToArray();
        var levels = MagnitudeLevels.Of([.. labels.Select(label => 1 + label + (0.05 * stream.NextNormal()))], 8);
        Assert.Equal(3, levels.Centres.Length);
        Assert.Equal(3, levels.ConceptsOf(labels));
        Assert.True(MagnitudeLevels.Of([.. labels.Select(_ => stream.NextNormal())], 8).Centres.Length <= 4);
    }

    [Fact]
    public void Sums_of_two_factors_add_and_their_product_does_not()
    {
        var sums = Matrix.FromRows([0], [1], [2], [3]);
        Assert.Equal(0, AdditivityDefect.OfFactors(sums, 2)!.Value, 1e-12);
        var products = Matrix.FromRows([0], [0], [0], [1]);
        Assert.Equal(1, AdditivityDefect.OfFactors(products, 2)!.Value, 1e-12);
        Assert.Null(AdditivityDefect.OfFactors(new Matrix(4, 1), 2));
    }

    [Fact]
    public void Only_levels_between_others_of_their_neuron_are_interior() =>
        Assert.Equal([1], ForcedSparsity.InteriorLevels([(0, 1), (0, 2), (0, 3), (1, 1), (1, 5)]));
}
