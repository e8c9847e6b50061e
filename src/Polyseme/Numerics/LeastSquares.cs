namespace Polyseme.Numerics;

/// <summary>A line through points.</summary>
internal static class LeastSquares
{
    /// <summary>The slope of the line with the smallest sum of squared distances along y. Not a number when all x are alike.</summary>
    public static double Slope(IEnumerable<(double X, double Y)> points)
    {
        var all = points.ToArray();
        double x = all.Average(p => p.X),
            y = all.Average(p => p.Y);
        return all.Sum(p => (p.X - x) * (p.Y - y)) / all.Sum(p => (p.X - x) * (p.X - x));
    }

    /// <summary>The exponent of the power law through points: the slope of their logarithms.</summary>
    public static double Exponent(IEnumerable<(double X, double Y)> points) => Slope(points.Select(p => (Math.Log(p.X), Math.Log(p.Y))));
}
