using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Evidence;

public sealed class NullDataTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(17)]
    public void A_rotation_is_orthogonal(int size)
    {
        var rotation = NullData.Rotation(size, new RandomStream(1, "rotation"));
        var gram = LinearAlgebra.MultiplyTranspose(rotation, rotation);
        for (var i = 0; i < size; i++)
        for (var j = 0; j < size; j++)
            Assert.Equal(i == j ? 1 : 0, gram[i, j], 1e-12);
    }

    [Fact]
    public void The_elliptical_null_keeps_every_norm_and_no_direction()
    {
        var rows = PlantedLayers.Superposed(500);
        var matched = NullData.Elliptical(rows, new RandomStream(2, "null"));
        var cosine = 0.0;
        for (var i = 0; i < rows.Rows; i++)
        {
            double norm = Norm(rows.Row(i)),
                dot = 0;
            Assert.Equal(norm, Norm(matched.Row(i)), 1e-9);
            for (var k = 0; k < rows.Columns; k++)
                dot += rows[i, k] * matched[i, k];
            cosine += norm > 0 ? dot / (norm * norm) / rows.Rows : 0;
        }
        // The mean of 500 cosines in 16 dimensions has standard deviation 1/√(16·500) = .011; five of them.
        Assert.InRange(cosine, -0.056, 0.056);
    }

    [Fact]
    public void The_null_by_group_keeps_distances_within_a_group()
    {
        var rows = PlantedLayers.Gaussian(60, 5);
        int[] groups = [.. Enumerable.Range(0, 60).Select(i => i / 4)];
        var matched = NullData.EllipticalByGroup(rows, groups, new RandomStream(3, "null"));
        for (var i = 0; i < 60; i++)
        {
            Assert.Equal(Norm(rows.Row(i)), Norm(matched.Row(i)), 1e-9);
            var first = i / 4 * 4;
            Assert.Equal(Distance(rows, i, first), Distance(matched, i, first), 1e-9);
        }
        Assert.NotEqual(Distance(rows, 0, 59), Distance(matched, 0, 59), 1e-3);
    }

    [Fact]
    public void A_row_of_zeros_stays_zero() =>
        Assert.All(NullData.Elliptical(new Matrix(3, 4), new RandomStream(4, "null")).Data, value => Assert.Equal(0, value));

    [Fact]
    public void Shuffled_columns_keep_their_values_and_lose_their_company()
    {
        var rows = PlantedLayers.Gaussian(4_000, 3);
        for (var i = 0; i < rows.Rows; i++)
            rows[i, 1] = rows[i, 0];
        var matched = NullData.ShuffledColumns(rows, new RandomStream(5, "null"));
        for (var j = 0; j < 3; j++)
            Assert.Equal(rows.Column(j).Order(), matched.Column(j).Order());
        double together = 0,
            alone = 0;
        for (var i = 0; i < rows.Rows; i++)
        {
            together += matched[i, 0] * matched[i, 1];
            alone += matched[i, 0] * matched[i, 0];
        }
        // A correlation of 4000 independent pairs has standard deviation .016; five of them.
        Assert.InRange(together / alone, -0.08, 0.08);
    }

    private static double Norm(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value * value;
        return Math.Sqrt(sum);
    }

    private static double Distance(Matrix rows, int a, int b)
    {
        var sum = 0.0;
        for (var k = 0; k < rows.Columns; k++)
            sum += Math.Pow(rows[a, k] - rows[b, k], 2);
        return Math.Sqrt(sum);
    }
}
