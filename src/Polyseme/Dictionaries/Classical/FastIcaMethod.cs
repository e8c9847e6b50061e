using System.Numerics.Tensors;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Classical;

/// <summary>Independent components by FastICA: whitening, then the rotation whose components are least Gaussian. As many as there are dimensions, at most.</summary>
/// <remarks>See <see cref="FastIca"/>. A latent has unit variance; its direction is what one standard deviation of it adds to a row.</remarks>
public sealed record FastIcaMethod : ClassicalMethod
{
    /// <summary>Components to find, in the principal subspace of as many dimensions; 0 finds as many as carry variance.</summary>
    public int Components
    {
        get;
        init => field = Allowed.Between(value, 0, int.MaxValue);
    }

    /// <summary>All at once, or one after the other.</summary>
    public FastIcaOrder Order { get; init; }

    /// <summary>Most iterations.</summary>
    public int MaxIterations
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 200;

    /// <summary>It has converged when no component turns by more.</summary>
    public double Tolerance
    {
        get;
        init => field = Allowed.Above(value, 0);
    } = 1e-4;

    /// <inheritdoc/>
    public override string Name => "fastica";

    /// <inheritdoc/>
    public override string Summary => "as many independent components as dimensions; undoes a rotation of non-Gaussian features";

    /// <inheritdoc/>
    public override string Source => "Hyvärinen 1999, eq. 20";

    /// <inheritdoc/>
    public override ClassicalFit Fit(FloatMatrix rows, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        CheckRows(rows, 0);
        using var scope = torch.NewDisposeScope();
        var (mean, variances, axes) = RowStatistics.PrincipalAxes(rows);
        var count = RowStatistics.Dimensions(variances, Components);
        var whitened = RowStatistics.Whitened(rows, mean, variances, axes, count);
        var config = new FastIcaConfig
        {
            MaxIterations = MaxIterations,
            Tolerance = Tolerance,
            Order = Order,
            Shortcuts = true,
        };
        var fit = FastIca.Fit(whitened, config, Random("start"), cancellation);
        return new ClassicalFit(Unwhitened(fit.Rotation, mean, variances, axes), fit.Iterations, fit.Converged, []);
    }

    /// <summary>A linear dictionary from directions in whitened space: W·K reads, and W·K⁻¹ᵀ writes.</summary>
    internal static LinearDictionary Unwhitened(Matrix rotation, double[] mean, double[] variances, Matrix axes)
    {
        var kept = axes.SelectRows([.. Enumerable.Range(0, rotation.Columns)]);
        Matrix Scaled(Func<double, double> scale)
        {
            var scaled = kept.Copy();
            for (var c = 0; c < scaled.Rows; c++)
                TensorPrimitives.Multiply(scaled.Row(c), scale(variances[c]), scaled.Row(c));
            return LinearAlgebra.Multiply(rotation, scaled);
        }
        return new LinearDictionary(
            RowStatistics.ToSingle(Scaled(variance => 1 / Math.Sqrt(variance))),
            RowStatistics.ToSingle(Scaled(Math.Sqrt)),
            RowStatistics.ToSingle(mean)
        );
    }
}
