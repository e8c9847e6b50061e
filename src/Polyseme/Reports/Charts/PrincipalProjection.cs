using Polyseme.Numerics;

namespace Polyseme.Reports.Charts;

/// <summary>Directions seen along the plane that holds most of their squared length. The origin stays: directions start there.</summary>
internal static class PrincipalProjection
{
    /// <summary>Coordinates on the first two principal axes, and the share of squared length they hold.</summary>
    /// <param name="directions">At least one row, all finite. Shape: <c>[n, d]</c>, d ≥ 2.</param>
    public static (IReadOnlyList<(double X, double Y)> Points, double Share) Of(Matrix directions)
    {
        var (values, vectors) = LinearAlgebra.SymmetricEigen(LinearAlgebra.TransposeMultiply(directions, directions));
        var total = values.Sum(value => Math.Max(0, value));
        double[] first = Oriented(vectors.Column(0)),
            second = Oriented(vectors.Column(1));
        var points = new (double X, double Y)[directions.Rows];
        for (var i = 0; i < directions.Rows; i++)
        for (var k = 0; k < directions.Columns; k++)
        {
            points[i].X += directions[i, k] * first[k];
            points[i].Y += directions[i, k] * second[k];
        }
        return (points, total > 0 ? (Math.Max(0, values[0]) + Math.Max(0, values[1])) / total : 0);
    }

    // An eigenvector's sign is arbitrary; its largest entry is made positive so that two machines draw the same picture.
    private static double[] Oriented(double[] axis) => axis.MaxBy(Math.Abs) < 0 ? [.. axis.Select(value => -value)] : axis;
}
