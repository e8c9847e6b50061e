using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>A number known when the code is compiled for it.</summary>
internal interface ICount
{
    static abstract int Value { get; }
}

#pragma warning disable MA0048, SA1649 // eight names for eight numbers
internal readonly struct One : ICount
{
    public static int Value => 1;
}

internal readonly struct Two : ICount
{
    public static int Value => 2;
}

internal readonly struct Three : ICount
{
    public static int Value => 3;
}

internal readonly struct Four : ICount
{
    public static int Value => 4;
}

internal readonly struct Five : ICount
{
    public static int Value => 5;
}

internal readonly struct Six : ICount
{
    public static int Value => 6;
}

internal readonly struct Seven : ICount
{
    public static int Value => 7;
}

internal readonly struct Eight : ICount
{
    public static int Value => 8;
}
#pragma warning restore MA0048, SA1649

/// <summary>A small matrix times a tile: C[r, :] = Σ_d A[r, d]·B[d, :], C and B being rows of <see cref="ToyBatch.Tile"/> samples.</summary>
/// <remarks>Up to six rows and two registers of columns at a time: twelve sums in flight hide the latency of multiply-add, and need 15 of 16 registers.</remarks>
internal static unsafe class TileProduct<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int MaxRows = 6;

    /// <summary>All rows of a tile.</summary>
    /// <param name="a">A. A[r, d] lies at <c>r·aRow + d·aDepth</c>.</param>
    /// <param name="aRow">Floats between rows of A.</param>
    /// <param name="aDepth">Floats between columns of A.</param>
    /// <param name="b">B. Shape: <c>[depth, Tile]</c>.</param>
    /// <param name="c">C. Shape: <c>[rows, Tile]</c>.</param>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="depth">Columns of A, rows of B.</param>
    public static void Multiply(float* a, nint aRow, nint aDepth, float* b, float* c, int rows, int depth) =>
        Multiply(a, aRow, aDepth, b, ToyBatch.Tile, c, ToyBatch.Tile, rows, depth, ToyBatch.Tile);

    /// <summary>As for a tile, of any width.</summary>
    /// <param name="a">A.</param>
    /// <param name="aRow">Floats between rows of A.</param>
    /// <param name="aDepth">Floats between columns of A.</param>
    /// <param name="b">B. Shape: <c>[depth, bRow]</c>.</param>
    /// <param name="bRow">Floats between rows of B.</param>
    /// <param name="c">C. Shape: <c>[rows, cRow]</c>.</param>
    /// <param name="cRow">Floats between rows of C.</param>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="depth">Columns of A, rows of B.</param>
    /// <param name="columns">Columns of B and C, a multiple of 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        float* a,
        nint aRow,
        nint aDepth,
        float* b,
        nint bRow,
        float* c,
        nint cRow,
        int rows,
        int depth,
        int columns
    )
    {
        var blocks = (rows + MaxRows - 1) / MaxRows;
        for (int block = 0, row = 0; block < blocks; block++)
        {
            var count = (rows - row + (blocks - block) - 1) / (blocks - block);
            var operands = new Operands(a + (row * aRow), aRow, aDepth, b, bRow, c + (row * cRow), cRow, depth);
            switch (count)
            {
                case 1:
                    Rows<One>(operands, columns);
                    break;
                case 2:
                    Rows<Two>(operands, columns);
                    break;
                case 3:
                    Rows<Three>(operands, columns);
                    break;
                case 4:
                    Rows<Four>(operands, columns);
                    break;
                case 5:
                    Rows<Five>(operands, columns);
                    break;
                default:
                    Rows<Six>(operands, columns);
                    break;
            }
            row += count;
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly struct Operands(float* a, nint aRow, nint aDepth, float* b, nint bRow, float* c, nint cRow, int depth)
    {
        public readonly float* A = a,
            B = b,
            C = c;
        public readonly nint ARow = aRow,
            ADepth = aDepth,
            BRow = bRow,
            CRow = cRow;
        public readonly int Depth = depth;
    }

    private static void Rows<TRows>(in Operands operands, int columns)
        where TRows : struct, ICount
    {
        var paired = columns / (2 * TSimd.Width) * (2 * TSimd.Width);
        Block<TRows, Two>(operands, 0, paired);
        if (paired < columns)
            Block<TRows, One>(operands, paired, columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block<TRows, TColumns>(in Operands operands, int from, int to)
        where TRows : struct, ICount
        where TColumns : struct, ICount
    {
        var width = TSimd.Width;
        float* a = operands.A,
            a1 = a + operands.ARow,
            a2 = a1 + operands.ARow,
            a3 = a2 + operands.ARow,
            a4 = a3 + operands.ARow,
            a5 = a4 + operands.ARow,
            c = operands.C;
        nint aDepth = operands.ADepth,
            bRow = operands.BRow,
            cRow = operands.CRow;
        var depth = operands.Depth;
        for (var column = from; column < to; column += TColumns.Value * width)
        {
            TVector c00 = TSimd.Zero,
                c01 = TSimd.Zero,
                c10 = TSimd.Zero,
                c11 = TSimd.Zero,
                c20 = TSimd.Zero,
                c21 = TSimd.Zero,
                c30 = TSimd.Zero,
                c31 = TSimd.Zero,
                c40 = TSimd.Zero,
                c41 = TSimd.Zero,
                c50 = TSimd.Zero,
                c51 = TSimd.Zero;
            var at = operands.B + column;
            nint offset = 0;
            for (var d = 0; d < depth; d++)
            {
                var b0 = TSimd.Load(at);
                var b1 = TColumns.Value > 1 ? TSimd.Load(at + width) : TSimd.Zero;
                var factor = TSimd.Broadcast(a[offset]);
                c00 = TSimd.MultiplyAdd(factor, b0, c00);
                if (TColumns.Value > 1)
                    c01 = TSimd.MultiplyAdd(factor, b1, c01);
                if (TRows.Value > 1)
                {
                    factor = TSimd.Broadcast(a1[offset]);
                    c10 = TSimd.MultiplyAdd(factor, b0, c10);
                    if (TColumns.Value > 1)
                        c11 = TSimd.MultiplyAdd(factor, b1, c11);
                }
                if (TRows.Value > 2)
                {
                    factor = TSimd.Broadcast(a2[offset]);
                    c20 = TSimd.MultiplyAdd(factor, b0, c20);
                    if (TColumns.Value > 1)
                        c21 = TSimd.MultiplyAdd(factor, b1, c21);
                }
                if (TRows.Value > 3)
                {
                    factor = TSimd.Broadcast(a3[offset]);
                    c30 = TSimd.MultiplyAdd(factor, b0, c30);
                    if (TColumns.Value > 1)
                        c31 = TSimd.MultiplyAdd(factor, b1, c31);
                }
                if (TRows.Value > 4)
                {
                    factor = TSimd.Broadcast(a4[offset]);
                    c40 = TSimd.MultiplyAdd(factor, b0, c40);
                    if (TColumns.Value > 1)
                        c41 = TSimd.MultiplyAdd(factor, b1, c41);
                }
                if (TRows.Value > 5)
                {
                    factor = TSimd.Broadcast(a5[offset]);
                    c50 = TSimd.MultiplyAdd(factor, b0, c50);
                    if (TColumns.Value > 1)
                        c51 = TSimd.MultiplyAdd(factor, b1, c51);
                }
                at += bRow;
                offset += aDepth;
            }
            Store<TColumns>(c + column, c00, c01);
            if (TRows.Value > 1)
                Store<TColumns>(c + cRow + column, c10, c11);
            if (TRows.Value > 2)
                Store<TColumns>(c + (2 * cRow) + column, c20, c21);
            if (TRows.Value > 3)
                Store<TColumns>(c + (3 * cRow) + column, c30, c31);
            if (TRows.Value > 4)
                Store<TColumns>(c + (4 * cRow) + column, c40, c41);
            if (TRows.Value > 5)
                Store<TColumns>(c + (5 * cRow) + column, c50, c51);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TColumns>(float* c, TVector first, TVector second)
        where TColumns : struct, ICount
    {
        TSimd.Store(c, first);
        if (TColumns.Value > 1)
            TSimd.Store(c + TSimd.Width, second);
    }
}
