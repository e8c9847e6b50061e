using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>Counts and angles of feature directions, the rows of W.</summary>
internal static class FeatureGeometry
{
    /// <summary>Elhage et al. 2022: a feature is represented when ‖W_i‖² exceeds this.</summary>
    public const double RepresentedSquaredNorm = 0.5;

    /// <summary>Directions closer than this cosine (18°) count as one.</summary>
    public const double SameDirection = 0.95;

    /// <summary>The features whose squared norm exceeds <paramref name="above"/>.</summary>
    public static int[] Represented(Matrix w, double above = RepresentedSquaredNorm) =>
        [.. Enumerable.Range(0, w.Rows).Where(i => SquaredNorm(w, i) > above)];

    /// <summary>Distinct directions up to sign and with sign among the named rows: each starts a new direction unless it lies on one already counted.</summary>
    public static (int Lines, int Rays) Count(Matrix w, IReadOnlyList<int> features)
    {
        List<int> lines = [],
            rays = [];
        foreach (var feature in features)
        {
            if (rays.All(other => Cosine(w, feature, other) < SameDirection))
                rays.Add(feature);
            if (lines.All(other => Math.Abs(Cosine(w, feature, other)) < SameDirection))
                lines.Add(feature);
        }
        return (lines.Count, rays.Count);
    }

    /// <summary>Interference Σ_{j≠i} (Ŵ_i·W_j)²: how much of the other features lies along this one's direction. 0 for a zero row.</summary>
    /// <remarks>Elhage et al. 2022, "Toy Models of Superposition", on how superposition is measured.</remarks>
    public static double Interference(Matrix w, int i)
    {
        var squaredNorm = SquaredNorm(w, i);
        if (squaredNorm == 0)
            return 0;
        var sum = 0.0;
        for (var j = 0; j < w.Rows; j++)
        {
            var product = j == i ? 0 : Dot(w.Row(i), w.Row(j));
            sum += product * product;
        }
        return sum / squaredNorm;
    }

    /// <summary>Represented features whose interference stays below .1: each has its direction to itself.</summary>
    public static int[] Dedicated(Matrix w) => [.. Represented(w).Where(i => Interference(w, i) < 0.1)];

    /// <summary>‖W_i‖².</summary>
    public static double SquaredNorm(Matrix w, int i) => Dot(w.Row(i), w.Row(i));

    /// <summary>Cosine between two rows.</summary>
    public static double Cosine(Matrix w, int i, int j) => Dot(w.Row(i), w.Row(j)) / Math.Sqrt(SquaredNorm(w, i) * SquaredNorm(w, j));

    /// <summary>Angle between two vectors, degrees in [0, 180].</summary>
    public static double Degrees(ReadOnlySpan<double> a, ReadOnlySpan<double> b) =>
        Math.Acos(Math.Clamp(Dot(a, b) / Math.Sqrt(Dot(a, a) * Dot(b, b)), -1, 1)) * 180 / Math.PI;

    /// <summary>Angles between neighbouring directions around the circle, degrees; they add up to 360. For two hidden dimensions.</summary>
    public static double[] Gaps(Matrix w, IReadOnlyList<int> features)
    {
        var around = features.Select(i => Math.Atan2(w[i, 1], w[i, 0]) * 180 / Math.PI).Order().ToArray();
        return [.. around.Select((angle, k) => k + 1 < around.Length ? around[k + 1] - angle : around[0] + 360 - angle)];
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b) => System.Numerics.Tensors.TensorPrimitives.Dot(a, b);
}
