using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Tests.Zoo.Training;

public sealed class ToyBatchTests
{
    [Theory]
    [InlineData(0.02, 1)]
    [InlineData(0.3, 1)]
    [InlineData(0.05, 2)]
    [InlineData(0.9, 3)]
    [InlineData(1.0, 1)]
    public void Features_are_active_as_often_as_asked_and_uniform_when_active(double density, int groupSize)
    {
        const int rows = 20_000,
            features = 12;
        var x = new ToyBatch(new ToyInputs.Fresh(density, groupSize), features, rows, 3, 8).ToMatrix(5);
        for (var i = 0; i < features; i++)
        {
            var active = x.Column(i).Where(value => value != 0).ToArray();
            // Five standard errors of a share and of a mean of uniforms.
            Assert.Equal(density, (double)active.Length / rows, (5 * Math.Sqrt(density * (1 - density) / rows)) + 1e-4);
            Assert.Equal(0.5, active.Average(), 5 / Math.Sqrt(12.0 * active.Length));
            Assert.Equal(1.0 / 3, active.Average(value => value * value), 5 * 0.3 / Math.Sqrt(active.Length));
            Assert.All(active, value => Assert.InRange(value, 0, 1));
        }
    }

    [Fact]
    public void Members_of_a_group_switch_together_and_groups_do_not()
    {
        var x = new ToyBatch(new ToyInputs.Fresh(0.3, 2), 6, 50_000, 1, 1).ToMatrix(0);
        double Together(int i, int j) => Enumerable.Range(0, x.Rows).Count(row => (x[row, i] != 0) == (x[row, j] != 0)) / (double)x.Rows;
        // A uniform of exactly zero (one in 16 million) looks inactive.
        Assert.Equal(1, Together(2, 3), 1e-3);
        // Independent: p² + (1 − p)² = .58; the standard error is .0022.
        Assert.Equal(0.58, Together(1, 2), 0.011);
    }

    [Fact]
    public void Steps_and_streams_differ_and_each_repeats_itself()
    {
        double[] Draw(ulong lane, int step) => new ToyBatch(new ToyInputs.Fresh(0.2), 8, 40, 7, lane).ToMatrix(step).Data;
        Assert.Equal<double>(Draw(1, 2), Draw(1, 2));
        Assert.NotEqual<double>(Draw(1, 2), Draw(1, 3));
        Assert.NotEqual<double>(Draw(1, 2), Draw(2, 2));
    }

    [Fact]
    public void The_values_of_a_sparse_batch_are_the_upper_half_of_the_steps_counters()
    {
        var batch = new ToyBatch(new ToyInputs.Fresh(0.1), 50, 64, 9, 4);
        batch.Make(3);
        for (var entry = 0; entry < batch.Rows.Entries; entry++)
        {
            var (w0, w1, w2, w3) = RandomStream.Block((3ul << 32) + (1ul << 31) + ((ulong)entry / 4), 4, 9, 0);
            Assert.Equal((new[] { w0, w1, w2, w3 }[entry % 4] >> 8) / (float)(1 << 24), batch.Rows.Value[entry]);
        }
    }

    [Fact]
    public void A_batch_of_a_data_set_holds_its_rows()
    {
        var points = SparseRows.FromMatrix(Matrix.FromRows([1, 0, 2], [0, 3, 0], [0, 0, 4]));
        var batch = new ToyBatch(new ToyInputs.DataSet(points, WholeSetEveryStep: false), 3, 3000, 1, 1);
        var x = batch.ToMatrix(0);
        var counts = new int[3];
        for (var row = 0; row < x.Rows; row++)
        {
            var point = Enumerable.Range(0, 3).Single(candidate => points.ToMatrix().Row(candidate).SequenceEqual(x.Row(row)));
            counts[point]++;
        }
        // Each a third of 3,000; five standard errors are 129.
        Assert.All(counts, count => Assert.InRange(count, 871, 1129));
    }
}
