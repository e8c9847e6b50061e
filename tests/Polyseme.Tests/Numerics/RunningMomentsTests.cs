using CsCheck;
using Polyseme.Numerics;

namespace Polyseme.Tests.Numerics;

public sealed class RunningMomentsTests
{
    /// <summary>Products are summed in float32 within a block: about 2^-24 times the square root of its rows, here 1300, with room for a factor of two.</summary>
    private const double BlockRounding = 4e-6;

    [Theory]
    [InlineData(0f)]
    [InlineData(1e6f)]
    [InlineData(-3e7f)]
    public void A_common_offset_costs_no_digits(float offset)
    {
        // Multiples of 4 are exact in float32 up to 6.7e7, so the offset changes nothing but the mean.
        var random = new RandomStream(5, "moments");
        const int rows = 3000,
            columns = 7;
        var plain = new float[rows * columns];
        for (var i = 0; i < plain.Length; i++)
            plain[i] = 4 * (random.NextInt(200) - 100) * (i % columns == 2 ? 1 : 2);
        for (var row = 0; row < rows; row++)
            plain[(row * columns) + 5] = plain[(row * columns) + 1] - plain[(row * columns) + 2];
        var expected = PlainCovariance(plain, columns);
        var shifted = plain.Select(value => value + offset).ToArray();
        var (mean, covariance) = Moments(shifted, columns, [700, 1, 1299, 1000]);
        for (var i = 0; i < columns; i++)
        {
            Assert.Equal(plain.Where((_, k) => k % columns == i).Average(value => (double)value) + offset, mean[i], 1e-6);
            for (var j = 0; j < columns; j++)
                Assert.Equal(expected[i, j], covariance![i, j], BlockRounding * Math.Sqrt(expected[i, i] * expected[j, j]));
        }
    }

    [Fact]
    public void Blocks_with_far_apart_means_join_exactly_enough()
    {
        // Half of the rows at 0 ± 1, half at 1e6 ± 1: between the blocks lies almost all of the variance.
        var values = new float[2000];
        for (var i = 0; i < values.Length; i++)
            values[i] = (i < 1000 ? 0 : 1e6f) + (i % 2 == 0 ? 1 : -1);
        var (_, covariance) = Moments(values, 1, [1000, 1000]);
        Assert.Equal(((2000 * 0.25e12) + 2000) / 1999, covariance![0, 0], 1e-3);
    }

    [Fact]
    public void The_blocks_do_not_matter() =>
        (
            from columns in Gen.Int[1, 20]
            from cut in Gen.Int[0, 12]
            from values in Gen.Float[-100, 100].Array[12 * columns]
            select (columns, cut, values)
        ).Sample(sample =>
        {
            var (mean, covariance) = Moments(sample.values, sample.columns, [sample.cut, 12 - sample.cut]);
            var expected = PlainCovariance(sample.values, sample.columns);
            for (var i = 0; i < sample.columns; i++)
            for (var j = 0; j < sample.columns; j++)
                Assert.Equal(expected[i, j], covariance![i, j], BlockRounding * Math.Sqrt(expected[i, i] * expected[j, j]) + 1e-9);
            Assert.Equal(sample.values.Where((_, k) => k % sample.columns == 0).Average(value => (double)value), mean[0], 1e-10);
        });

    [Fact]
    public void One_row_has_no_covariance() => Assert.Null(Moments([1, 2], 2, [1]).Covariance);

    private static (double[] Mean, Matrix? Covariance) Moments(float[] values, int columns, int[] blocks)
    {
        using var moments = new RunningMoments(columns, withCovariance: true);
        var at = 0;
        foreach (var rows in blocks)
        {
            moments.Add(values.AsSpan(at, rows * columns));
            at += rows * columns;
        }
        Assert.Equal(values.Length, at);
        return (moments.Mean(), moments.Covariance());
    }

    private static Matrix PlainCovariance(float[] values, int columns)
    {
        var rows = values.Length / columns;
        var mean = new double[columns];
        for (var k = 0; k < values.Length; k++)
            mean[k % columns] += values[k] / (double)rows;
        var covariance = new Matrix(columns, columns);
        for (var row = 0; row < rows; row++)
        for (var i = 0; i < columns; i++)
        for (var j = 0; j < columns; j++)
            covariance[i, j] += (values[(row * columns) + i] - mean[i]) * (values[(row * columns) + j] - mean[j]) / (rows - 1);
        return covariance;
    }
}
