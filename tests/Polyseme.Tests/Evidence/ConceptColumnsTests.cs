using Polyseme.Activations;
using Polyseme.Evidence;

namespace Polyseme.Tests.Evidence;

public sealed class ConceptColumnsTests
{
    private const int Rows = 60;

    private static readonly ConceptTable s_table = new(
        Rows,
        [
            Of("binary", ConceptKind.Binary, i => i % 2),
            Of("category", ConceptKind.Categorical, i => i % 3),
            Of("number", ConceptKind.Numeric, i => 1e6 + (i * 0.5)),
            Of("constant", ConceptKind.Binary, _ => 1),
            Of("rare", ConceptKind.Binary, i => i == 7 ? 1 : 0),
            Of("missing", ConceptKind.Numeric, _ => double.NaN),
            Of("partly", ConceptKind.Binary, i => i < 20 ? double.NaN : i % 2),
        ]
    );

    [Fact]
    public void Categories_get_a_column_each_and_everything_else_one()
    {
        var columns = ConceptColumns.Of(s_table);
        Assert.Equal([0, 1, 1, 1, 2, 6], columns.ConceptOf);
        Assert.Equal([0, 1, 2, 6], columns.Usable.Order());
        Assert.Equal([1, 2, 3], columns.ColumnsOf(1));
    }

    [Fact]
    public void Concepts_that_do_not_vary_enough_are_named_with_a_reason()
    {
        var columns = ConceptColumns.Of(s_table);
        Assert.Equal([3, 4, 5], columns.Unusable.Keys.Order());
        Assert.Contains("constant", columns.Unusable[3], StringComparison.Ordinal);
        Assert.Contains("too few", columns.Unusable[5], StringComparison.Ordinal);
    }

    [Fact]
    public void Columns_have_mean_zero_and_unit_variance_over_the_rows_that_have_a_value()
    {
        var columns = ConceptColumns.Of(s_table);
        for (var j = 0; j < columns.ConceptOf.Length; j++)
        {
            var present = columns.Present[columns.ConceptOf[j]];
            var values = columns.Values.Column(j).Where((_, i) => present[i]).ToArray();
            Assert.Equal(0, values.Average(), 1e-6); // a number near a million keeps ten digits
            Assert.Equal(1, values.Average(value => value * value), 1e-6);
        }
        Assert.All(columns.Values.Column(5).Take(20), value => Assert.Equal(0, value));
        Assert.Equal(40, columns.Present[6].Count(present => present));
    }

    private static Concept Of(string name, ConceptKind kind, Func<int, double> value) =>
        new(name, kind, [.. Enumerable.Range(0, Rows).Select(value)]);
}
