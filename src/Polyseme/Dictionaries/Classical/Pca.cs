using System.Numerics.Tensors;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Classical;

/// <summary>Principal components: the orthogonal directions of most variance.</summary>
/// <remarks>
/// Pearson 1901; Hotelling 1933. By the eigenvectors of the covariance. Directions are unit vectors, the largest coordinate positive; of components with
/// equal variance only their span is determined.
/// </remarks>
public sealed record Pca : ClassicalMethod
{
    /// <summary>Components to keep; 0 keeps all that carry variance.</summary>
    public int Components
    {
        get;
        init => field = Allowed.Between(value, 0, int.MaxValue);
    }

    /// <inheritdoc/>
    public override string Name => "pca";

    /// <inheritdoc/>
    public override string Summary => "orthogonal directions of most variance";

    /// <inheritdoc/>
    public override string Source => "Pearson 1901; Hotelling 1933";

    /// <inheritdoc/>
    public override ClassicalFit Fit(FloatMatrix rows, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        CheckRows(rows, 0);
        var (mean, variances, axes) = RowStatistics.PrincipalAxes(rows);
        var count = RowStatistics.Dimensions(variances, Components);
        var kept = axes.SelectRows([.. Enumerable.Range(0, count)]);
        for (var c = 0; c < count; c++)
        {
            var axis = kept.Row(c);
            var largest = 0;
            for (var j = 1; j < axis.Length; j++)
            {
                if (Math.Abs(axis[j]) > Math.Abs(axis[largest]))
                    largest = j;
            }
            if (axis[largest] < 0)
                TensorPrimitives.Negate<double>(axis, axis);
        }
        var directions = RowStatistics.ToSingle(kept);
        return new ClassicalFit(new LinearDictionary(directions, directions, RowStatistics.ToSingle(mean)), 0, null, []);
    }
}
