namespace Polyseme.Numerics;

/// <summary>A dense matrix of floats, row by row: weights as networks and dictionaries hold them.</summary>
/// <remarks>Shape: <c>[Rows, Columns]</c>. The data is shared, not copied: whoever hands an array in gives it away.</remarks>
public sealed class FloatMatrix
{
    /// <summary>Wraps <paramref name="data"/>, row-major.</summary>
    /// <exception cref="ArgumentException">The array does not hold rows × columns values.</exception>
    public FloatMatrix(int rows, int columns, float[] data)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        if (data.LongLength != (long)rows * columns)
            throw new ArgumentException(
                $"{data.LongLength} values do not fill a matrix of {rows} rows and {columns} columns",
                nameof(data)
            );
        (Rows, Columns, Data) = (rows, columns, data);
    }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Number of columns.</summary>
    public int Columns { get; }

    /// <summary>The values, row-major. Shape: <c>[Rows, Columns]</c>.</summary>
    public float[] Data { get; }

    /// <summary>One value.</summary>
    public float this[int row, int column] => Data[((long)row * Columns) + column];

    /// <summary>One row, not copied. Shape: <c>[Columns]</c>.</summary>
    public Span<float> Row(int row) => Data.AsSpan(checked(row * Columns), Columns);

    /// <summary>The transpose, copied. Shape: <c>[Columns, Rows]</c>.</summary>
    public FloatMatrix Transpose()
    {
        // In tiles that fit the cache: column by column, every write would miss it.
        const int tile = 32;
        var data = new float[Data.Length];
        for (var top = 0; top < Rows; top += tile)
        for (var left = 0; left < Columns; left += tile)
        {
            int bottom = Math.Min(top + tile, Rows),
                right = Math.Min(left + tile, Columns);
            for (var i = top; i < bottom; i++)
            for (var j = left; j < right; j++)
                data[((long)j * Rows) + i] = Data[((long)i * Columns) + j];
        }
        return new FloatMatrix(Columns, Rows, data);
    }
}
