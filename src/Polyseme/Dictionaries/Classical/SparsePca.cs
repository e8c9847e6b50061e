using System.Numerics.Tensors;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Classical;

/// <summary>Sparse principal components: directions of much variance that use few neurons each.</summary>
/// <remarks>
/// Shen and Huang 2008, "Sparse principal component analysis via regularized low rank matrix approximation" (sPCA-rSVD, soft threshold), with the threshold
/// a share of the largest loading, and deflation of the fitted part. Directions have unit length and need not be orthogonal, so codes are least squares.
/// </remarks>
public sealed record SparsePca : ClassicalMethod
{
    /// <summary>Components.</summary>
    public int Components
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 8;

    /// <summary>The soft threshold as a share of a component's largest loading, in [0, 1); 0 gives PCA.</summary>
    public double Sparsity
    {
        get;
        init => field = Allowed.Between(value, 0, Math.BitDecrement(1.0));
    } = 0.3;

    /// <summary>Most iterations of a component.</summary>
    public int MaxIterations
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 1000;

    /// <inheritdoc/>
    public override string Name => "sparse-pca";

    /// <inheritdoc/>
    public override string Summary => "directions of much variance that use few neurons each";

    /// <inheritdoc/>
    public override string Source => "Shen and Huang 2008 (sPCA-rSVD)";

    /// <inheritdoc/>
    public override ClassicalFit Fit(FloatMatrix rows, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        CheckRows(rows, 0);
        var (mean, variances, axes) = RowStatistics.PrincipalAxes(rows);
        RowStatistics.Dimensions(variances, Components);
        var d = rows.Columns;
        var scaled = axes.Copy();
        for (var c = 0; c < d; c++)
            TensorPrimitives.Multiply(scaled.Row(c), Math.Sqrt(variances[c]), scaled.Row(c));
        var covariance = LinearAlgebra.TransposeMultiply(scaled, scaled);
        var directions = new Matrix(Components, d);
        var (iterations, converged) = (0, true);
        for (var c = 0; c < Components; c++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (loading, product, rounds) = Component(covariance);
            iterations += rounds;
            converged &= rounds < MaxIterations;
            loading.CopyTo(directions.Row(c));
            RowStatistics.Normalise(directions.Row(c));
            // (X − u·vᵀ)ᵀ(X − u·vᵀ) with w = Xᵀu: C − v·wᵀ − w·vᵀ + v·vᵀ.
            for (var i = 0; i < d; i++)
            for (var j = 0; j < d; j++)
                covariance[i, j] += (loading[i] * loading[j]) - (loading[i] * product[j]) - (product[i] * loading[j]);
            progress?.Report((c + 1.0) / Components);
        }
        return new ClassicalFit(
            new LinearDictionary(
                RowStatistics.ToSingle(LinearAlgebra.Ridge(directions.Transpose(), Matrix.Identity(d), 1e-9)),
                RowStatistics.ToSingle(directions),
                RowStatistics.ToSingle(mean)
            ),
            iterations,
            converged,
            []
        );
    }

    /// <summary>The loadings v and w = Xᵀu of the best sparse rank-one part: v = soft(w), u = X·v/‖X·v‖.</summary>
    private (double[] Loading, double[] Product, int Iterations) Component(Matrix covariance)
    {
        var (_, vectors) = LinearAlgebra.SymmetricEigen(covariance);
        var v = vectors.Column(0);
        for (var iteration = 1; ; iteration++)
        {
            var w = LinearAlgebra.Multiply(covariance, new Matrix(v.Length, 1, v)).Data;
            var length = Math.Sqrt(Math.Max(TensorPrimitives.Dot<double>(v, w), 1e-300)); // ‖X·v‖
            TensorPrimitives.Divide(w, length, w);
            var threshold = Sparsity * w.Max(Math.Abs);
            var next = Array.ConvertAll(w, value => Math.Sign(value) * Math.Max(0, Math.Abs(value) - threshold));
            var difference = Math.Sqrt(next.Zip(v, (a, b) => (a - b) * (a - b)).Sum());
            var size = TensorPrimitives.Norm<double>(next);
            v = next;
            if (difference <= 1e-9 * size || iteration == MaxIterations)
                return (v, w, iteration);
        }
    }
}
