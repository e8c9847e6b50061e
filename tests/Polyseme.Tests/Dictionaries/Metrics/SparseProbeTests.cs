using Polyseme.Dictionaries.Metrics;
using Polyseme.Numerics;

namespace Polyseme.Tests.Dictionaries.Metrics;

public sealed class SparseProbeTests
{
    [Fact]
    public void One_neuron_that_is_the_concept_is_found_and_is_enough()
    {
        var data = Data(8, (values, label, random) => values[5] = label ? 2 : 0.1f * (float)random.NextNormal());
        var probe = Assert.Single(SparseProbe.Measure(data, 1));
        Assert.Equal([5], probe.Columns);
        Assert.True(probe.Score.F1 >= 0.98, $"{probe.Score.F1}");
    }

    [Fact]
    public void A_concept_spread_over_neurons_needs_several()
    {
        var data = Data(
            16,
            (values, label, random) =>
            {
                for (var j = 0; j < 8; j++)
                    values[j] = (float)random.NextNormal() + (label ? 1 : 0);
            }
        );
        var probes = SparseProbe.Measure(data, 1, 2, 4, 8);
        Assert.True(probes[0].Score.F1 < 0.8, $"{probes[0].Score.F1}");
        Assert.True(probes[^1].Score.F1 > probes[0].Score.F1 + 0.1, $"{probes[^1].Score.F1}");
    }

    [Fact]
    public void Labels_that_mean_nothing_are_read_at_chance()
    {
        var data = Data(16, (values, _, random) => Fill(values, random));
        Assert.InRange(SparseProbe.Measure(data, 4)[0].Score.Accuracy, 0.4, 0.6);
    }

    [Fact]
    public void A_k_beyond_the_columns_and_one_class_alone_are_refused()
    {
        var data = Data(4, (values, _, random) => Fill(values, random));
        Assert.Throws<ArgumentException>(() => SparseProbe.Measure(data, 5));
        Assert.Throws<ArgumentException>(() => SparseProbe.Measure(data with { Labels = new bool[1000] }, 1));
    }

    [Fact]
    public void Scores_are_counts()
    {
        var score = ProbeScore.Of([true, true, false, false], [true, false, true, true]);
        Assert.Equal((0.25, 0.5, 1.0 / 3, 0.4), (score.Accuracy, score.Precision!.Value, score.Recall!.Value, score.F1));
        Assert.Null(ProbeScore.Of([false], [true]).Precision);
    }

    internal static ProbeData Data(int columns, Action<float[], bool, RandomStream> fill, int rows = 1000)
    {
        var random = new RandomStream(21, "probe");
        var labels = new bool[rows];
        var values = new float[rows * columns];
        for (var i = 0; i < rows; i++)
        {
            labels[i] = random.NextDouble() < 0.4;
            var row = new float[columns];
            fill(row, labels[i], random);
            row.CopyTo(values, i * columns);
        }
        return new ProbeData(
            new FloatMatrix(rows, columns, values),
            labels,
            [.. Enumerable.Range(0, rows).Where(i => i % 4 != 0)],
            [.. Enumerable.Range(0, rows).Where(i => i % 4 == 0)]
        );
    }

    private static void Fill(float[] values, RandomStream random)
    {
        for (var j = 0; j < values.Length; j++)
            values[j] = (float)random.NextNormal();
    }
}
