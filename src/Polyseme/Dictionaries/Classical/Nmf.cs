using System.Numerics.Tensors;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Classical;

/// <summary>Non-negative matrix factorisation: non-negative rows as non-negative sums of non-negative parts, by hierarchical alternating least squares.</summary>
/// <remarks>
/// Lee and Seung 1999; the updates are Cichocki and Phan 2009, "Fast local algorithms for large scale nonnegative matrix and tensor factorizations",
/// algorithm 2 (HALS). Directions have unit length. Codes of new rows are the exact non-negative least squares for the learned parts.
/// </remarks>
public sealed record Nmf : ClassicalMethod
{
    /// <summary>Parts.</summary>
    public int Latents
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 16;

    /// <summary>Most iterations.</summary>
    public int MaxIterations
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 500;

    /// <summary>It has converged when an iteration lowers the relative squared error by less.</summary>
    public double Tolerance
    {
        get;
        init => field = Allowed.Above(value, 0);
    } = 1e-5;

    /// <inheritdoc/>
    public override string Name => "nmf";

    /// <inheritdoc/>
    public override string Summary => "non-negative parts of non-negative rows";

    /// <inheritdoc/>
    public override string Source => "Lee and Seung 1999; Cichocki and Phan 2009 (HALS)";

    /// <inheritdoc/>
    public override ClassicalFit Fit(FloatMatrix rows, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        CheckRows(rows, Latents);
        if (Array.FindIndex(rows.Data, value => value < 0) is var negative && negative >= 0)
            throw new ArgumentException(
                $"row {negative / rows.Columns} holds {rows.Data[negative]} in column {negative % rows.Columns}, but NMF needs rows that are not negative",
                nameof(rows)
            );
        var x = RowStatistics.Centred(rows, new double[rows.Columns]);
        var total = TensorPrimitives.SumOfSquares<double>(x.Data);
        var random = Random("start");
        var parts = RowStatistics.UnitRows(x, Latents, random);
        for (var i = 0; i < parts.Data.Length; i++)
            parts.Data[i] = Math.Abs(parts.Data[i]) + (0.01 * random.NextDouble()); // a zero would stay
        var codes = new SparseCoder(parts, new CodeMethod.NonNegativeLeastSquares()).Code(x);
        var curve = new List<double>();
        var converged = false;
        while (curve.Count < MaxIterations && !converged)
        {
            cancellation.ThrowIfCancellationRequested();
            // Each part in turn, the others held: rows of H, then columns of W.
            Update(parts, LinearAlgebra.TransposeMultiply(codes, x), LinearAlgebra.TransposeMultiply(codes, codes));
            var normsMoved = codes.Transpose();
            for (var k = 0; k < Latents; k++)
            {
                var norm = RowStatistics.Normalise(parts.Row(k));
                TensorPrimitives.Multiply(normsMoved.Row(k), norm, normsMoved.Row(k));
            }
            var products = LinearAlgebra.MultiplyTranspose(parts, x);
            var gram = LinearAlgebra.MultiplyTranspose(parts, parts);
            Update(normsMoved, products, gram);
            codes = normsMoved.Transpose();
            // ‖X − WH‖² = ‖X‖² − 2·tr(W·HXᵀ) + tr(WᵀW·HHᵀ)
            var inner = TensorPrimitives.Dot<double>(normsMoved.Data, products.Data);
            var square = TensorPrimitives.Dot<double>(LinearAlgebra.MultiplyTranspose(normsMoved, normsMoved).Data, gram.Data);
            var error = total > 0 ? Math.Max(0, (total - (2 * inner) + square) / total) : 0;
            converged = curve.Count > 0 && curve[^1] - error < Tolerance;
            curve.Add(error);
            progress?.Report((double)curve.Count / MaxIterations);
        }
        return new ClassicalFit(
            new SparseCodeDictionary(RowStatistics.ToSingle(parts), new float[rows.Columns], new CodeMethod.NonNegativeLeastSquares()),
            curve.Count,
            converged,
            curve
        );
    }

    /// <summary>One sweep over the factors' rows: a_k ← max(0, a_k + (B_k − Σ_j G_kj·a_j)/G_kk).</summary>
    private static void Update(Matrix factors, Matrix products, Matrix gram)
    {
        var change = new double[factors.Columns];
        for (var k = 0; k < factors.Rows; k++)
        {
            var norm = gram[k, k];
            if (norm <= 0)
                continue;
            products.Row(k).CopyTo(change);
            for (var j = 0; j < factors.Rows; j++)
            {
                if (gram[k, j] != 0)
                    TensorPrimitives.MultiplyAdd(factors.Row(j), -gram[k, j], change, change);
            }
            var row = factors.Row(k);
            for (var i = 0; i < row.Length; i++)
                row[i] = Math.Max(0, row[i] + (change[i] / norm));
        }
    }
}
