using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>Random rotations.</summary>
internal static class Rotations
{
    /// <summary>Orthonormal rows, uniformly distributed: the orthogonal factor of a Gaussian matrix (Mezzadri 2007). Shape: <c>[rows, columns]</c>, rows ≤ columns.</summary>
    public static Matrix OrthonormalRows(int rows, int columns, RandomStream stream)
    {
        if (rows > columns)
            throw new ArgumentException($"rows is {rows}; it is at most columns, {columns}", nameof(rows));
        var (u, _, vt) = LinearAlgebra.Svd(stream.NormalMatrix(rows, columns));
        return LinearAlgebra.Multiply(u, vt);
    }
}
