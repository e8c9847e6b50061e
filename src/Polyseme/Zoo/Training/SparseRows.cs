using System.Runtime.Intrinsics;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>Rows of which most entries are zero: only the others are kept, row after row.</summary>
/// <remarks>Growing and refilling it allocates nothing once it is large enough.</remarks>
public sealed class SparseRows
{
    private int[] _start = new int[1];
    private int[] _row = [];
    private int[] _feature = [];
    private float[] _value = [];
    private int _open;

    /// <summary>No rows yet.</summary>
    /// <param name="width">Entries in a row, zeros included.</param>
    public SparseRows(int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        Width = width;
    }

    /// <summary>Entries in a row, zeros included.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Count { get; private set; }

    /// <summary>Entries kept, over all rows.</summary>
    public int Entries => _start[Count];

    /// <summary>Where each row's entries begin, and after the last row where they end. Shape: <c>[Count + 1]</c>.</summary>
    public ReadOnlySpan<int> Start => _start.AsSpan(0, Count + 1);

    /// <summary>The row of each entry, ascending. Shape: <c>[Entries]</c>.</summary>
    public ReadOnlySpan<int> Row => _row.AsSpan(0, Entries);

    /// <summary>The columns of the entries, ascending within a row. Shape: <c>[Entries]</c>.</summary>
    public ReadOnlySpan<int> Feature => _feature.AsSpan(0, Entries);

    /// <summary>The values of the entries. Shape: <c>[Entries]</c>.</summary>
    public ReadOnlySpan<float> Value => _value.AsSpan(0, Entries);

    /// <summary>All rows with their zeros. Shape: <c>[Count, Width]</c>.</summary>
    public Matrix ToMatrix() => ToMatrix(0, Count);

    /// <summary>Some rows with their zeros. Shape: <c>[count, Width]</c>.</summary>
    public Matrix ToMatrix(int first, int count)
    {
        var matrix = new Matrix(count, Width);
        for (var entry = _start[first]; entry < _start[first + count]; entry++)
            matrix[_row[entry] - first, _feature[entry]] = _value[entry];
        return matrix;
    }

    /// <summary>Rows with their zeros left out.</summary>
    public static SparseRows FromMatrix(Matrix matrix)
    {
        var rows = new SparseRows(matrix.Columns);
        for (var row = 0; row < matrix.Rows; row++)
        {
            for (var column = 0; column < matrix.Columns; column++)
            {
                if (matrix[row, column] != 0)
                    rows.Append(column, (float)matrix[row, column]);
            }
            rows.EndRow();
        }
        return rows;
    }

    /// <summary>Forgets all rows and keeps the memory.</summary>
    internal void Clear() => Count = _open = _start[0] = 0;

    /// <summary>Adds an entry to the row being written.</summary>
    internal void Append(int feature, float value)
    {
        if (_start.Length < Count + 2)
            Array.Resize(ref _start, Math.Max(16, (Count + 2) * 2));
        if (_open == _feature.Length)
        {
            Array.Resize(ref _feature, Math.Max(64, _open * 2));
            Array.Resize(ref _value, _feature.Length);
            Array.Resize(ref _row, _feature.Length);
        }
        (_row[_open], _feature[_open], _value[_open]) = (Count, feature, value);
        _open++;
    }

    /// <summary>Ends the row being written, and begins the next.</summary>
    internal void EndRow()
    {
        if (_start.Length < Count + 2)
            Array.Resize(ref _start, Math.Max(16, (Count + 2) * 2));
        _start[++Count] = _open;
    }

    /// <summary>Copies a row of another set to the end of this one.</summary>
    internal void AppendRow(SparseRows from, int row)
    {
        const int block = 16;
        int begin = from._start[row],
            count = from._start[row + 1] - begin;
        Reserve(Count + 1, _open + block + count);
        if (count <= block && begin + block <= from._feature.Length)
        {
            // Most rows are short: one block that may reach beyond the row costs less than three copies of a length that cannot be foreseen.
            Vector512.Create(from._feature.AsSpan(begin, block)).CopyTo(_feature, _open);
            Vector512.Create(from._value.AsSpan(begin, block)).CopyTo(_value, _open);
            Vector512.Create(Count).CopyTo(_row, _open);
        }
        else
        {
            Array.Copy(from._feature, begin, _feature, _open, count);
            Array.Copy(from._value, begin, _value, _open, count);
            _row.AsSpan(_open, count).Fill(Count);
        }
        _open += count;
        EndRow();
    }

    /// <summary>Adds a row whose entries lie <paramref name="pitch"/> apart and in any order.</summary>
    internal void AppendSorted(int[] features, float[] values, int first, int pitch, int count)
    {
        Reserve(Count + 1, _open + count);
        for (var entry = 0; entry < count; entry++)
        {
            var (feature, value) = (features[first + (entry * pitch)], values[first + (entry * pitch)]);
            var at = _open + entry;
            for (; at > _open && _feature[at - 1] > feature; at--)
                (_feature[at], _value[at]) = (_feature[at - 1], _value[at - 1]);
            (_feature[at], _value[at]) = (feature, value);
        }
        _row.AsSpan(_open, count).Fill(Count);
        _open += count;
        EndRow();
    }

    /// <summary>Arrays to be filled in place, of at least the size given; <see cref="Filled"/> says how far they were filled.</summary>
    internal (int[] Row, int[] Feature, float[] Value) ReserveEntries(int entries)
    {
        Reserve(0, entries);
        return (_row, _feature, _value);
    }

    /// <summary>Says that the reserved arrays hold this many rows and entries.</summary>
    internal void Filled(int rows, int entries)
    {
        Reserve(rows, entries);
        (Count, _open) = (rows, entries);
        // Where a row ends is where its last entry ends, or where the row before ended.
        Array.Clear(_start, 0, rows + 1);
        for (var entry = 0; entry < entries; entry++)
            _start[_row[entry] + 1] = entry + 1;
        for (var row = 1; row <= rows; row++)
            _start[row] = Math.Max(_start[row], _start[row - 1]);
    }

    private void Reserve(int rows, int entries)
    {
        if (_start.Length < rows + 1)
            Array.Resize(ref _start, Math.Max(rows + 1, _start.Length * 2));
        if (_feature.Length < entries)
        {
            Array.Resize(ref _feature, Math.Max(entries, _feature.Length * 2));
            Array.Resize(ref _value, _feature.Length);
            Array.Resize(ref _row, _feature.Length);
        }
    }
}
