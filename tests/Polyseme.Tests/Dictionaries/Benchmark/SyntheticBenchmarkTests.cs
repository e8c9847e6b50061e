using Polyseme.Dictionaries.Benchmark;
using Polyseme.Dictionaries.Classical;
using Polyseme.Numerics;

namespace Polyseme.Tests.Dictionaries.Benchmark;

public sealed class SyntheticBenchmarkTests
{
    private static readonly SyntheticBenchmark s_default = new(new SyntheticConfig());
    private static readonly SyntheticRows s_rows = s_default.Rows(8192);

    [Fact]
    public void Children_are_on_only_with_their_parent_and_of_siblings_one_at_most()
    {
        Assert.Equal(16 * 20, s_default.Parents.Count(parent => parent >= 0));
        Assert.Equal(16 * 5, s_default.Exclusive.Count);
        for (var row = 0; row < s_rows.Rows.Rows; row++)
        {
            var values = s_rows.Features.Row(row);
            for (var i = 0; i < values.Length; i++)
                Assert.True(values[i] == 0 || s_default.Parents[i] < 0 || values[s_default.Parents[i]] > 0);
            foreach (var group in s_default.Exclusive)
            {
                var on = 0;
                foreach (var i in group)
                    on += values[i] > 0 ? 1 : 0;
                Assert.True(on <= 1);
            }
        }
    }

    [Fact]
    public void Features_without_a_parent_are_on_as_often_as_zipfs_law_says()
    {
        for (var i = 0; i < 512; i++)
        {
            if (s_default.Parents[i] >= 0)
                continue;
            var p = s_default.Probabilities[i];
            var on = Enumerable.Range(0, 8192).Count(row => s_rows.Features[row, i] > 0) / 8192.0;
            Assert.Equal(p, on, 5.5 * Math.Sqrt(p * (1 - p) / 8192)); // 5.5 standard errors over 192 features
        }
        Assert.Equal((0.2, 0.002), (s_default.Probabilities[0], s_default.Probabilities[^1]));
        Assert.Equal(s_default.Probabilities.OrderDescending(), s_default.Probabilities);
    }

    [Fact]
    public void Each_of_the_siblings_keeps_its_place_equally_often()
    {
        // All alike and always drawn: each is on in a quarter of the rows.
        var flat = new SyntheticBenchmark(
            new SyntheticConfig
            {
                Features = 5,
                Trees = 1,
                Depth = 1,
                Width = 8,
                Exponent = 0,
                MostFrequent = 1,
                LeastFrequent = 1,
                CorrelationRank = 0,
            }
        ).Rows(8192);
        for (var child = 1; child < 5; child++)
            Assert.Equal(0.25, Enumerable.Range(0, 8192).Count(row => flat.Features[row, child] > 0) / 8192.0, 0.025);
    }

    [Fact]
    public void Rows_are_the_features_along_their_directions_plus_the_bias()
    {
        for (var row = 0; row < 100; row++)
        for (var j = 0; j < 64; j++)
        {
            var expected = s_default.Bias[j];
            for (var i = 0; i < 512; i++)
                expected += s_rows.Features[row, i] * s_default.Directions[i, j];
            Assert.Equal(expected, s_rows.Rows[row, j], 1e-4);
        }
        Assert.Equal(0.5, Math.Sqrt(s_default.Bias.Sum(value => value * value)), 1e-12);
    }

    [Fact]
    public void Pushing_directions_apart_lowers_their_overlap_to_near_the_least_there_can_be()
    {
        double MeanSquare(Matrix directions)
        {
            var gram = LinearAlgebra.MultiplyTranspose(directions, directions);
            return (gram.Data.Sum(value => value * value) - directions.Rows) / ((double)directions.Rows * (directions.Rows - 1));
        }
        var random = MeanSquare(new SyntheticBenchmark(new SyntheticConfig { OrthogonalisationSteps = 0 }).Directions);
        var pushed = MeanSquare(s_default.Directions);
        // Welch: the mean square cosine is at least (n − d)/(d(n − 1)).
        var least = (512.0 - 64) / (64 * 511);
        Assert.InRange(pushed, least - 1e-12, least * 1.01);
        Assert.True(random > least * 1.05);
    }

    [Fact]
    public void Correlated_features_are_on_together_more_often_than_independent_ones()
    {
        double Spread(double scale)
        {
            // Variance of the number of features that are on: of independent ones Σ p(1 − p).
            var rows = new SyntheticBenchmark(
                new SyntheticConfig
                {
                    Trees = 0,
                    CorrelationScale = scale,
                    CorrelationRank = 3,
                }
            ).Rows(4096);
            var counts = Enumerable
                .Range(0, 4096)
                .Select(row => (double)rows.Features.Row(row).ToArray().Count(value => value > 0))
                .ToArray();
            var mean = counts.Average();
            return counts.Average(count => (count - mean) * (count - mean));
        }
        var independent = s_default.Probabilities.Sum(p => p * (1 - p));
        Assert.Equal(independent, Spread(0), 0.1 * independent);
        Assert.True(Spread(0.3) > 1.2 * independent);
    }

    [Fact]
    public void A_block_is_the_same_whatever_came_before_it_and_held_out_rows_are_others()
    {
        Assert.Equal(s_default.Block(3).Rows.Data, s_rows.Rows.Data.AsSpan(3 * 1024 * 64, 1024 * 64).ToArray());
        Assert.NotEqual(s_default.Block(0).Rows.Data, s_default.Block(0, "held-out").Rows.Data);
        Assert.Throws<ArgumentException>(() => new SyntheticBenchmark(new SyntheticConfig { Features = 100 }));
        Assert.Throws<ArgumentException>(() => new SyntheticBenchmark(new SyntheticConfig { CorrelationScale = 0.5 }));
    }

    [Fact]
    public void True_directions_score_fully_on_geometry_and_random_ones_do_not()
    {
        var offset = Array.ConvertAll(s_default.Bias, value => (float)value);
        SyntheticScore Score(Matrix directions) =>
            SyntheticScore.Of(
                new SparseCodeDictionary(
                    new FloatMatrix(512, 64, Array.ConvertAll(directions.Data, value => (float)value)),
                    offset,
                    new CodeMethod.Lasso(0.2, NonNegative: true)
                ),
                s_default,
                1,
                TestContext.Current.CancellationToken
            );
        var truth = Score(s_default.Directions);
        Assert.Equal(1, truth.Mcc, 1e-6);
        Assert.Equal(1, truth.Uniqueness);
        var random = new RandomStream(1, "random").NormalMatrix(512, 64);
        for (var i = 0; i < 512; i++)
            System.Numerics.Tensors.TensorPrimitives.Divide(
                random.Row(i),
                System.Numerics.Tensors.TensorPrimitives.Norm<double>(random.Row(i)),
                random.Row(i)
            );
        var chance = Score(random);
        Assert.True(truth.F1 > 0.5 && truth.F1 > chance.F1 + 0.3, $"{truth.F1} against {chance.F1}");
        Assert.True(chance.Mcc < 0.5, $"{chance.Mcc}");
        // Reconstruction hardly tells them apart: better reconstruction is not better recovery.
        Assert.True(chance.ExplainedVariance > 0.5, $"{chance.ExplainedVariance}");
    }
}
