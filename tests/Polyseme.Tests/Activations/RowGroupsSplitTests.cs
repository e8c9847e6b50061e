using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.Tests.Activations;

public sealed class RowGroupsSplitTests
{
    [Fact]
    public void Rows_at_rest_stand_on_both_sides_of_a_split()
    {
        // 600 equal rows among 2,000: on one side as a whole they would give the two sides different laws.
        var groups = RowGroups.Of(Layer(2_000, i => i < 600 ? 0 : i));
        var (learn, test) = groups.Split(0.5, new RandomStream(1, "split"));
        // A fair coin for each of 600 rows: 300 ± 5 deviations of 12.2.
        Assert.InRange(learn.Count(row => row < 600), 239, 361);
        Assert.Equal(2_000, learn.Length + test.Length);
    }

    [Fact]
    public void Few_levels_are_kept_whole_since_each_may_be_an_item()
    {
        var groups = RowGroups.Of(Layer(2_000, i => i % 8));
        var (learn, test) = groups.Split(0.5, new RandomStream(1, "split"));
        Assert.Empty(learn.Select(row => row % 8).Intersect(test.Select(row => row % 8)));
    }

    [Fact]
    public void Items_are_never_parted_however_many_rows_they_have()
    {
        var layer = Layer(2_000, i => i) with
        {
            Rows = new RowIdentities { Item = [.. Enumerable.Range(0, 2_000).Select(i => i < 600 ? 0L : i)] },
        };
        var (learn, _) = RowGroups.Of(layer).Split(0.5, new RandomStream(1, "split"));
        Assert.Contains(learn.Count(row => row < 600), new[] { 0, 600 });
    }

    private static ActivationSet Layer(int rows, Func<int, int> level) =>
        new()
        {
            NSamples = rows,
            NNeurons = 1,
            Values = [.. Enumerable.Range(0, rows).Select(i => (float)level(i))],
        };
}
