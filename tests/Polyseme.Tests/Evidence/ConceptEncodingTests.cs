using Polyseme.Activations;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Evidence;

public sealed class ConceptEncodingTests
{
    private const int Rows = 2_000;
    private readonly Matrix _features = Coins(Rows, 10);

    [Fact]
    public void A_sum_of_concept_directions_is_explained_whole_along_more_lines_than_dimensions()
    {
        var directions = PlantedLayers.Directions(10, 6, 40);
        var encoding = Measure(LinearAlgebra.Multiply(_features, directions), 10);
        Assert.Equal(1, encoding.Explained, 1e-6); // single precision and a ridge of 1e-6 a row
        Assert.Equal((10, 10), (encoding.NLine, encoding.NRay));
        Assert.InRange(encoding.Null.Mean, -0.05, 0.05);
    }

    [Fact]
    public void Opposite_directions_are_two_rays_on_one_line()
    {
        var directions = PlantedLayers.Directions(10, 6, 41);
        for (var k = 0; k < 6; k++)
            directions[1, k] = -directions[0, k];
        var encoding = Measure(LinearAlgebra.Multiply(_features, directions), 10);
        Assert.Equal((9, 10), (encoding.NLine, encoding.NRay));
    }

    [Fact]
    public void Concepts_that_the_layer_ignores_have_no_direction()
    {
        var directions = PlantedLayers.Directions(10, 6, 42);
        for (var k = 0; k < 6; k++)
            (directions[8, k], directions[9, k]) = (0, 0);
        var rows = LinearAlgebra.Multiply(_features, directions);
        var noise = new RandomStream(43, "noise");
        for (var i = 0; i < rows.Data.Length; i++)
            rows.Data[i] += 0.05 * noise.NextNormal();
        var encoding = Measure(rows, 10);
        Assert.Equal(Enumerable.Range(0, 8), encoding.ConceptOf.Order());
    }

    [Fact]
    public void Coin_flips_explain_nothing_of_noise()
    {
        var encoding = Measure(PlantedLayers.Gaussian(Rows, 6), 10);
        Assert.InRange(encoding.Explained, -0.05, 0.02);
    }

    private ConceptEncoding Measure(Matrix rows, int concepts)
    {
        Concept[] table = [.. Enumerable.Range(0, concepts).Select(f => PlantedLayers.Binary($"f{f}", Rows, i => _features[i, f] > 0.5))];
        return ConceptEncoding.Measure(
            PlantedLayers.Subspace(rows).Whitened,
            ConceptColumns.Of(new ConceptTable(Rows, table)),
            PlantedLayers.RowByRow(Rows),
            44
        );
    }

    private static Matrix Coins(int rows, int columns)
    {
        var random = new RandomStream(45, "coins");
        var coins = new Matrix(rows, columns);
        for (var i = 0; i < coins.Data.Length; i++)
            coins.Data[i] = random.NextDouble() < 0.5 ? 1 : 0;
        return coins;
    }
}
