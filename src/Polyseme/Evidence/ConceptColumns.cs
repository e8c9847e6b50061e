using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.Evidence;

/// <summary>Concepts as numbers that a read-out can be fitted to: a binary or numeric concept is one column, a categorical one a column per category.</summary>
/// <param name="Values">Each column scaled to mean zero and unit variance over the rows that have it; a missing value is 0. Shape: <c>[n_samples, n_columns]</c>.</param>
/// <param name="Present">Which rows have the concept, one array per concept. Shape: <c>[n_samples]</c> each.</param>
/// <param name="ConceptOf">The concept of each column. Shape: <c>[n_columns]</c>.</param>
/// <param name="Usable">The concepts that vary, by their position in the table.</param>
/// <param name="Unusable">The others, with the reason.</param>
public sealed record ConceptColumns(
    Matrix Values,
    IReadOnlyDictionary<int, bool[]> Present,
    int[] ConceptOf,
    IReadOnlyList<int> Usable,
    IReadOnlyDictionary<int, string> Unusable
)
{
    /// <summary>The columns of one concept.</summary>
    public IEnumerable<int> ColumnsOf(int concept) => Enumerable.Range(0, ConceptOf.Length).Where(column => ConceptOf[column] == concept);

    /// <summary>Lays a table out in columns.</summary>
    /// <param name="table">The concepts.</param>
    /// <param name="fewest">Rows that a value must have (and not have) for its column to be used.</param>
    public static ConceptColumns Of(ConceptTable table, int fewest = 10)
    {
        var columns = new List<double[]>();
        var conceptOf = new List<int>();
        var present = new Dictionary<int, bool[]>();
        var unusable = new Dictionary<int, string>();
        for (var index = 0; index < table.Concepts.Count; index++)
        {
            var concept = table.Concepts[index];
            var rows = Array.ConvertAll(concept.Values, value => !double.IsNaN(value));
            var raw = concept.Kind switch
            {
                ConceptKind.Binary or ConceptKind.Numeric => (double[][])[concept.Values],
                ConceptKind.Categorical =>
                [
                    .. concept
                        .Values.Where(value => !double.IsNaN(value))
                        .Distinct()
                        .Order()
                        .Select(category => Array.ConvertAll(concept.Values, value => value == category ? 1.0 : 0.0)),
                ],
                _ => throw new ArgumentOutOfRangeException(nameof(table), concept.Kind, "not a kind of concept"),
            };
            var before = columns.Count;
            foreach (var values in raw)
            {
                var rare = concept.Kind != ConceptKind.Numeric && Rarer(values, rows) < fewest;
                if (!rare && Standardised(values, rows) is { } column)
                {
                    columns.Add(column);
                    conceptOf.Add(index);
                }
            }
            if (columns.Count == before)
                unusable[index] =
                    rows.Count(row => row) < 2 * fewest ? "too few rows have a value" : "constant, or one value in nearly every row";
            else
                present[index] = rows;
        }
        var matrix = new Matrix(table.NSamples, columns.Count);
        for (var j = 0; j < columns.Count; j++)
        for (var i = 0; i < table.NSamples; i++)
            matrix[i, j] = columns[j][i];
        return new ConceptColumns(matrix, present, [.. conceptOf], [.. present.Keys], unusable);
    }

    private static int Rarer(double[] values, bool[] rows)
    {
        var held = values.Where((_, i) => rows[i]).ToArray();
        return held.Length == 0 ? 0 : Math.Min(held.Count(value => value == held[0]), held.Count(value => value != held[0]));
    }

    private static double[]? Standardised(double[] values, bool[] rows)
    {
        var count = rows.Count(row => row);
        if (count < 2)
            return null;
        double mean = 0,
            variance = 0;
        for (var i = 0; i < values.Length; i++)
            mean += rows[i] ? values[i] / count : 0;
        for (var i = 0; i < values.Length; i++)
            variance += rows[i] ? (values[i] - mean) * (values[i] - mean) / count : 0;
        if (variance < 1e-20 * Math.Max(1, mean * mean))
            return null;
        var scale = 1 / Math.Sqrt(variance);
        return [.. values.Select((value, i) => rows[i] ? (value - mean) * scale : 0)];
    }
}
