using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>Labels of items that say nothing about other items: each is true for a random half of them.</summary>
internal static class ItemTables
{
    /// <summary>The value of every item. Shape: <c>[tables][items]</c>, 0 or 1; each table is true for half of the items, rounded down.</summary>
    /// <param name="items">Number of items.</param>
    /// <param name="tables">Number of labels.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="stream">Whose tables: table k draws from the stream <c>NAME/table/k</c>.</param>
    public static double[][] Of(int items, int tables, ulong seed, string stream) =>
        [
            .. Enumerable
                .Range(0, tables)
                .Select(table =>
                {
                    var order = new RandomStream(seed, $"{stream}/table/{table}").Permutation(items);
                    return Array.ConvertAll(order, place => (double)(place % 2));
                }),
        ];

    /// <summary>The tables as concepts <c>table_0</c>, … of rows that show these items.</summary>
    public static ConceptTable Concepts(double[][] tables, IReadOnlyList<long> items) =>
        new(
            items.Count,
            [
                .. tables.Select(
                    (table, k) =>
                    {
                        var values = new double[items.Count];
                        for (var row = 0; row < values.Length; row++)
                            values[row] = table[items[row]];
                        return new Concept($"table_{k}", ConceptKind.Binary, values);
                    }
                ),
            ]
        );
}
