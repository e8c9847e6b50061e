namespace Polyseme.Numerics;

/// <summary>A dense matrix of doubles, row by row. Everything that judges a model is computed in it.</summary>
/// <remarks>Shape: <c>[Rows, Columns]</c>. The data is shared, not copied: whoever hands an array in gives it away.</remarks>
public sealed class Matrix
{
    /// <summary>Wraps <paramref name="data"/>, row-major.</summary>
    /// <exception cref="ArgumentException">The array does not hold rows × columns values.</exception>
    public Matrix(int rows, int columns, double[] data)
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

    /// <summary>A matrix of zeros.</summary>
    public Matrix(int rows, int columns)
        : this(rows, columns, new double[(long)rows * columns]) { }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Number of columns.</summary>
    public int Columns { get; }

    /// <summary>The values, row-major. Shape: <c>[Rows, Columns]</c>.</summary>
    public double[] Data { get; }

    /// <summary>One value.</summary>
    public double this[int row, int column]
    {
        get => Data[((long)row * Columns) + column];
        set => Data[((long)row * Columns) + column] = value;
    }

    /// <summary>One row, not copied. Shape: <c>[Columns]</c>.</summary>
    public Span<double> Row(int row) => Data.AsSpan(checked(row * Columns), Columns);

    /// <summary>One column, copied. Shape: <c>[Rows]</c>.</summary>
    public double[] Column(int column)
    {
        var values = new double[Rows];
        for (var i = 0; i < Rows; i++)
            values[i] = this[i, column];
        return values;
    }

    /// <summary>The identity. Shape: <c>[size, size]</c>.</summary>
    public static Matrix Identity(int size)
    {
        var identity = new Matrix(size, size);
        for (var i = 0; i < size; i++)
            identity[i, i] = 1;
        return identity;
    }

    /// <summary>A matrix from rows of equal length.</summary>
    public static Matrix FromRows(params double[][] rows)
    {
        var matrix = new Matrix(rows.Length, rows.Length == 0 ? 0 : rows[0].Length);
        for (var i = 0; i < rows.Length; i++)
            rows[i].CopyTo(matrix.Row(i));
        return matrix;
    }

    /// <summary>The transpose, copied. Shape: <c>[Columns, Rows]</c>.</summary>
    public Matrix Transpose()
    {
        var transposed = new Matrix(Columns, Rows);
        for (var i = 0; i < Rows; i++)
        for (var j = 0; j < Columns; j++)
            transposed[j, i] = this[i, j];
        return transposed;
    }

    /// <summary>The named rows, copied, in the order given. Shape: <c>[rows.Count, Columns]</c>.</summary>
    public Matrix SelectRows(IReadOnlyList<int> rows)
    {
        var selected = new Matrix(rows.Count, Columns);
        for (var i = 0; i < rows.Count; i++)
            Row(rows[i]).CopyTo(selected.Row(i));
        return selected;
    }

    /// <summary>The named columns, copied, in the order given. Shape: <c>[Rows, columns.Count]</c>.</summary>
    public Matrix SelectColumns(IReadOnlyList<int> columns)
    {
        var selected = new Matrix(Rows, columns.Count);
        for (var i = 0; i < Rows; i++)
        for (var j = 0; j < columns.Count; j++)
            selected[i, j] = this[i, columns[j]];
        return selected;
    }

    /// <summary>A copy that shares nothing with this one.</summary>
    public Matrix Copy() => new(Rows, Columns, (double[])Data.Clone());
}
