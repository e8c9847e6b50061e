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

    [Theory]
    [InlineData(0.02, 1)]
    [InlineData(0.2, 1)]
    [InlineData(0.1, 3)]
    public void Samples_have_binomial_numbers_of_active_groups_and_every_pair_of_groups_is_as_likely(double density, int groupSize)
    {
        const int rows = 60_000,
            groups = 8;
        var batch = new ToyBatch(new ToyInputs.Fresh(density, groupSize), groups * groupSize, rows, 3, 8);
        batch.Make(5);
        var counts = new int[groups + 1];
        var pairs = new int[groups, groups];
        var x = batch.Rows.ToMatrix();
        for (var row = 0; row < rows; row++)
        {
            // A uniform of exactly zero looks inactive; the members of a group share their fate.
            var active = Enumerable
                .Range(0, groups)
                .Where(group => Enumerable.Range(0, groupSize).Any(member => x[row, (group * groupSize) + member] != 0))
                .ToArray();
            counts[active.Length]++;
            foreach (var a in active)
            foreach (var b in active)
                pairs[a, b]++;
        }
        var probability = Math.Pow(1 - density, groups);
        for (var count = 0; count <= groups; count++)
        {
            // Five standard errors; the last term is for counts that are expected less than once.
            var deviation = Math.Sqrt(rows * probability * (1 - probability));
            Assert.Equal(rows * probability, counts[count], (5 * deviation) + 3);
            probability *= (groups - count) / (count + 1.0) * density / (1 - density);
        }
        for (var a = 0; a < groups; a++)
        for (var b = 0; b < a; b++)
            Assert.Equal(rows * density * density, pairs[a, b], (5 * Math.Sqrt(rows * density * density)) + 3);
    }

    [Theory]
    [InlineData(0.05, 1)]
    [InlineData(0.1, 2)]
    public void The_sorted_batch_holds_the_samples_of_the_rows(double density, int groupSize)
    {
        var batch = new ToyBatch(new ToyInputs.Fresh(density, groupSize), 30, 333, 9, 4);
        batch.Make(3);
        AssertSameSamples(batch.Rows, batch.Sets);
        var sorted = new ActiveSets();
        sorted.Sort(batch.Rows);
        AssertSameSamples(batch.Rows, sorted);
    }

    /// <summary>Rows in any order, as text.</summary>
    private static void AssertSameSamples(SparseRows rows, ActiveSets sets)
    {
        var expected = Enumerable
            .Range(0, rows.Count)
            .Select(row =>
                string.Join(
                    ' ',
                    Enumerable
                        .Range(rows.Start[row], rows.Start[row + 1] - rows.Start[row])
                        .Select(e => $"{rows.Feature[e]}:{rows.Value[e]}")
                )
            );
        var found = new List<string>();
        var before = -1;
        foreach (var run in sets.Runs)
        {
            Assert.True(run.Entries > before && run.Samples > 0);
            before = run.Entries;
            for (var sample = 0; sample < run.Samples; sample++)
            {
                found.Add(
                    string.Join(
                        ' ',
                        Enumerable
                            .Range(0, run.Entries)
                            .Select(j => run.Start + (j * run.Pitch) + sample)
                            .OrderBy(at => sets.Feature[at])
                            .Select(at => $"{sets.Feature[at]}:{sets.Value[at]}")
                    )
                );
            }
        }
        Assert.Equal(expected.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Tiles_are_asked_for_in_their_order()
    {
        var batch = new ToyBatch(new ToyInputs.Fresh(1), 2, 64, 9, 4);
        var values = new float[2 * ToyBatch.Tile];
        unsafe
        {
            fixed (float* tile = values)
            {
                var at = tile;
                batch.Make(0);
                batch.FillTile(0, at);
                Assert.Throws<InvalidOperationException>(() => batch.FillTile(0, at));
            }
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
