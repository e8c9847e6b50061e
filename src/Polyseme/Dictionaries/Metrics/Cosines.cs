using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Metrics;

/// <summary>Cosines between the rows of two matrices, in double precision.</summary>
internal static class Cosines
{
    /// <summary>Cosine of every row of <paramref name="a"/> with every row of <paramref name="b"/>; 0 where one of them is zero. Shape: <c>[a.Rows, b.Rows]</c>.</summary>
    /// <exception cref="ArgumentException">The widths differ.</exception>
    public static Matrix Between(Matrix a, Matrix b)
    {
        if (a.Columns != b.Columns)
            throw new ArgumentException($"directions have {a.Columns} and {b.Columns} columns, but must have equally many", nameof(b));
        return LinearAlgebra.MultiplyTranspose(Unit(a), Unit(b));
    }

    /// <summary>The rows at unit length; zero rows stay zero.</summary>
    public static Matrix Unit(Matrix rows)
    {
        var unit = rows.Copy();
        for (var i = 0; i < unit.Rows; i++)
        {
            var row = unit.Row(i);
            var norm = 0.0;
            foreach (var value in row)
                norm += value * value;
            if (norm == 0)
                continue;
            norm = Math.Sqrt(norm);
            for (var j = 0; j < row.Length; j++)
                row[j] /= norm;
        }
        return unit;
    }
}
