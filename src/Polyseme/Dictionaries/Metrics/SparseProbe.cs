using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Metrics;

/// <summary>Rows of latents or neurons with a label each, divided for learning and testing.</summary>
/// <param name="Values">Shape: <c>[n_rows, n_columns]</c>.</param>
/// <param name="Labels">Shape: <c>[n_rows]</c>.</param>
/// <param name="Learn">Rows to learn from.</param>
/// <param name="Test">Rows to test on.</param>
public sealed record ProbeData(FloatMatrix Values, bool[] Labels, int[] Learn, int[] Test)
{
    /// <summary>Whether both kinds of label occur on both sides; without that there is nothing to probe.</summary>
    public bool IsDecidable => new[] { Learn, Test }.All(side => side.Any(row => Labels[row]) && side.Any(row => !Labels[row]));
}

/// <summary>A probe on k columns.</summary>
/// <param name="K">Columns it may use.</param>
/// <param name="Columns">Which, the best first. Shape: <c>[k]</c>.</param>
/// <param name="Score">On the rows tested on.</param>
public sealed record KSparseProbe(int K, int[] Columns, ProbeScore Score);

/// <summary>k-sparse probing: how well a concept is read from its k best latents or neurons.</summary>
/// <remarks>
/// Gurnee et al. 2023, "Finding neurons in a haystack" (arXiv 2305.01610), section 3: columns by difference of class means |μ₁ − μ₀| on the rows learned from,
/// then a logistic regression on the first k. A greedy choice: a better set of k may exist.
/// </remarks>
public static class SparseProbe
{
    /// <summary>Columns by |mean where true − mean where false| on the rows learned from, largest first.</summary>
    /// <param name="data">Rows and labels.</param>
    /// <param name="count">How many.</param>
    public static int[] ByMeanDifference(ProbeData data, int count)
    {
        var difference = new double[data.Values.Columns];
        var positives = data.Learn.Count(row => data.Labels[row]);
        foreach (var row in data.Learn)
        {
            var weight = data.Labels[row] ? 1.0 / positives : -1.0 / (data.Learn.Length - positives);
            var values = data.Values.Row(row);
            for (var j = 0; j < values.Length; j++)
                difference[j] += weight * values[j];
        }
        return
        [
            .. Enumerable
                .Range(0, difference.Length)
                .OrderByDescending(j => Math.Abs(difference[j]))
                .Take(Math.Min(count, difference.Length)),
        ];
    }

    /// <summary>Probes of each size.</summary>
    /// <param name="data">Rows and labels with both labels on both sides.</param>
    /// <param name="sizes">Each k in [1, n_columns].</param>
    /// <exception cref="ArgumentException">A size is out of range, or a side lacks a label.</exception>
    public static KSparseProbe[] Measure(ProbeData data, params IReadOnlyList<int> sizes)
    {
        if (!data.IsDecidable)
            throw new ArgumentException("each side needs both labels", nameof(data));
        if (sizes.Count == 0 || sizes.Min() < 1 || sizes.Max() > data.Values.Columns)
            throw new ArgumentException($"k is {string.Join(", ", sizes)}, but must lie in [1, {data.Values.Columns}]", nameof(sizes));
        var order = ByMeanDifference(data, sizes.Max());
        return
        [
            .. sizes.Select(k =>
            {
                var (_, score, _) = Probe(data, order[..k]);
                return new KSparseProbe(k, order[..k], score);
            }),
        ];
    }

    /// <summary>A logistic regression on the named columns, with its score and its predictions for the rows tested on.</summary>
    internal static (LogisticRegression Model, ProbeScore Score, bool[] Predicted) Probe(ProbeData data, int[] columns)
    {
        var model = LogisticRegression.Fit(Pick(data, data.Learn, columns), [.. data.Learn.Select(row => data.Labels[row])]);
        var test = Pick(data, data.Test, columns);
        var predicted = Enumerable.Range(0, test.Rows).Select(i => model.Score(test.Row(i)) > 0).ToArray();
        return (model, ProbeScore.Of(predicted, data.Test.Select(row => data.Labels[row]).ToArray()), predicted);
    }

    private static Matrix Pick(ProbeData data, int[] rows, int[] columns)
    {
        var picked = new Matrix(rows.Length, columns.Length);
        for (var i = 0; i < rows.Length; i++)
        for (var j = 0; j < columns.Length; j++)
            picked[i, j] = data.Values[rows[i], columns[j]];
        return picked;
    }
}
