using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>Two interleaved Archimedean spirals of one and a half turns.</summary>
internal static class Spirals
{
    private const double Turns = 1.5,
        Noise = 0.015;

    /// <summary>Points and their arm, each arm equally often. Shape: <c>[count, 2]</c>, within about 1.05 of the origin.</summary>
    public static (Matrix Points, int[] Arm) Sample(int count, RandomStream random)
    {
        var points = new Matrix(count, 2);
        var arms = new int[count];
        for (var row = 0; row < count; row++)
        {
            arms[row] = row % 2;
            var radius = 0.12 + (0.88 * random.NextDouble());
            var (sin, cos) = Math.SinCos((2 * Math.PI * Turns * radius) + (Math.PI * arms[row]));
            points[row, 0] = (radius * cos) + (Noise * random.NextNormal());
            points[row, 1] = (radius * sin) + (Noise * random.NextNormal());
        }
        return (points, arms);
    }
}
