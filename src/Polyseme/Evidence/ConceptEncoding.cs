using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.Evidence;

/// <summary>
/// The layer as a sum of concept directions: whether the concepts given explain the layer additively on rows never seen, along how many directions, and
/// how well each is read back.
/// </summary>
/// <remarks>
/// Linear representation is addition and scaling (Circuits Updates, July 2024), so the model is h = b + Σ_i x_i d_i, fitted on some groups and tested on others.
/// With independent concepts the linear read-outs obey Σ R² ≤ rank (the probe budget): more than r directions cannot all be read linearly, and need not be.
/// </remarks>
public sealed record ConceptEncoding
{
    /// <summary>Share of the whitened variance that the sum of concept directions explains on held-out groups; at most 1.</summary>
    public required double Explained { get; init; }

    /// <summary>The same with the rows of the concepts permuted by group.</summary>
    public required NullSummary Null { get; init; }

    /// <summary>Distinct reliable directions up to sign.</summary>
    public required int NLine { get; init; }

    /// <summary>Distinct reliable directions with sign.</summary>
    public required int NRay { get; init; }

    /// <summary>Unit directions of the reliable columns in whitened coordinates. Shape: <c>[n_reliable, dimensions]</c>.</summary>
    public required Matrix Directions { get; init; }

    /// <summary>Concept of each direction. Shape: <c>[n_reliable]</c>.</summary>
    public required int[] ConceptOf { get; init; }

    /// <summary>Measures a layer.</summary>
    public static ConceptEncoding Measure(Matrix whitened, ConceptColumns concepts, RowGroups groups, ulong seed)
    {
        var (learn, test) = groups.Split(0.3, new RandomStream(seed, "encoding/split"));
        var (x, z) = (concepts.Values, whitened);
        var ridge = 1e-6 * learn.Length;
        var weights = LinearAlgebra.Ridge(x.SelectRows(learn), z.SelectRows(learn), ridge);
        var explained = 1 - SparseDirections.Fvu(z.SelectRows(test), LinearAlgebra.Multiply(x.SelectRows(test), weights));
        var random = new RandomStream(seed, "encoding/null");
        var draws = new List<double>();
        for (var draw = 0; draw < 5; draw++)
        {
            var shuffled = x.SelectRows(random.Permutation(x.Rows));
            var fitted = LinearAlgebra.Ridge(shuffled.SelectRows(learn), z.SelectRows(learn), ridge);
            draws.Add(1 - SparseDirections.Fvu(z.SelectRows(test), LinearAlgebra.Multiply(shuffled.SelectRows(test), fitted)));
        }
        var (half, other) = groups.Split(0.5, new RandomStream(seed, "encoding/halves"));
        var first = LinearAlgebra.Ridge(x.SelectRows(half), z.SelectRows(half), ridge);
        var second = LinearAlgebra.Ridge(x.SelectRows(other), z.SelectRows(other), ridge);
        // Two halves must agree on a direction for it to count, and it must matter: a concept that a network ignores keeps a tiny weight, and without
        // noise even that is found again. A tenth of an even share among the concepts that matter is the line.
        var energy = Enumerable.Range(0, x.Columns).Select(i => Dot(weights.Row(i), weights.Row(i))).ToArray();
        var evenShare = energy.Sum(value => value * value) / Math.Max(energy.Sum(), 1e-300);
        var reliable = Enumerable
            .Range(0, x.Columns)
            .Where(i => energy[i] > 0.1 * evenShare && Cosine(first.Row(i), second.Row(i)) > 0.9)
            .ToArray();
        var directions = weights.SelectRows(reliable);
        for (var i = 0; i < directions.Rows; i++)
        {
            var norm = Norm(directions.Row(i));
            for (var k = 0; k < directions.Columns; k++)
                directions[i, k] /= norm;
        }
        var nLine = SparseDirections.LinesOf(directions, 0.98);
        return new ConceptEncoding
        {
            Explained = explained,
            Null = NullSummary.Of("permuted_rows", draws),
            NLine = nLine,
            NRay = Rays(directions),
            Directions = directions,
            ConceptOf = Array.ConvertAll(reliable, i => concepts.ConceptOf[i]),
        };
    }

    private static int Rays(Matrix directions)
    {
        var cosines = LinearAlgebra.MultiplyTranspose(directions, directions);
        var kept = new List<int>();
        for (var i = 0; i < directions.Rows; i++)
        {
            if (kept.TrueForAll(j => cosines[i, j] <= 0.98))
                kept.Add(i);
        }
        return kept.Count;
    }

    private static double Norm(ReadOnlySpan<double> a) => Math.Sqrt(Dot(a, a));

    private static double Cosine(ReadOnlySpan<double> a, ReadOnlySpan<double> b) => Dot(a, b) / Math.Max(1e-300, Norm(a) * Norm(b));

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
