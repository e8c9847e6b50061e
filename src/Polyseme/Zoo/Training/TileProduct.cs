using System.Runtime.CompilerServices;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>A number known when the code is compiled for it.</summary>
internal interface ICount
{
    static abstract int Value { get; }
}

#pragma warning disable MA0048, SA1649 // six names for six numbers
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
#pragma warning restore MA0048, SA1649

/// <summary>A small matrix times a tile: C[r, :] = Σ_d A[r, d]·B[d, :], C and B being rows of <see cref="ToyBatch.Tile"/> samples.</summary>
/// <remarks>Up to six rows and two registers of columns at a time: twelve sums in flight hide the latency of multiply-add, and need 15 of 16 registers.</remarks>
internal static unsafe class TileProduct<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int MaxRows = 6;

    /// <summary>All rows.</summary>
    /// <param name="a">A. A[r, d] lies at <c>r·aRow + d·aDepth</c>.</param>
    /// <param name="aRow">Floats between rows of A.</param>
    /// <param name="aDepth">Floats between columns of A.</param>
    /// <param name="b">B. Shape: <c>[depth, Tile]</c>.</param>
    /// <param name="c">C. Shape: <c>[rows, Tile]</c>.</param>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="depth">Columns of A, rows of B.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* a, nint aRow, nint aDepth, float* b, float* c, int rows, int depth)
    {
        var blocks = (rows + MaxRows - 1) / MaxRows;
        for (int block = 0, row = 0; block < blocks; block++)
        {
            var count = (rows - row + (blocks - block) - 1) / (blocks - block);
            float* blockA = a + (row * aRow),
                blockC = c + (row * ToyBatch.Tile);
            switch (count)
            {
                case 1:
                    Block<One>(blockA, aRow, aDepth, b, blockC, depth);
                    break;
                case 2:
                    Block<Two>(blockA, aRow, aDepth, b, blockC, depth);
                    break;
                case 3:
                    Block<Three>(blockA, aRow, aDepth, b, blockC, depth);
                    break;
                case 4:
                    Block<Four>(blockA, aRow, aDepth, b, blockC, depth);
                    break;
                case 5:
                    Block<Five>(blockA, aRow, aDepth, b, blockC, depth);
                    break;
                default:
                    Block<Six>(blockA, aRow, aDepth, b, blockC, depth);
                    break;
            }
            row += count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block<TRows>(float* a, nint aRow, nint aDepth, float* b, float* c, int depth)
        where TRows : struct, ICount
    {
        var width = TSimd.Width;
        float* a1 = a + aRow,
            a2 = a1 + aRow,
            a3 = a2 + aRow,
            a4 = a3 + aRow,
            a5 = a4 + aRow;
        for (var column = 0; column < ToyBatch.Tile; column += 2 * width)
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
            var at = b + column;
            nint offset = 0;
            for (var d = 0; d < depth; d++)
            {
                var b0 = TSimd.Load(at);
                var b1 = TSimd.Load(at + width);
                var factor = TSimd.Broadcast(a[offset]);
                c00 = TSimd.MultiplyAdd(factor, b0, c00);
                c01 = TSimd.MultiplyAdd(factor, b1, c01);
                if (TRows.Value > 1)
                {
                    factor = TSimd.Broadcast(a1[offset]);
                    c10 = TSimd.MultiplyAdd(factor, b0, c10);
                    c11 = TSimd.MultiplyAdd(factor, b1, c11);
                }
                if (TRows.Value > 2)
                {
                    factor = TSimd.Broadcast(a2[offset]);
                    c20 = TSimd.MultiplyAdd(factor, b0, c20);
                    c21 = TSimd.MultiplyAdd(factor, b1, c21);
                }
                if (TRows.Value > 3)
                {
                    factor = TSimd.Broadcast(a3[offset]);
                    c30 = TSimd.MultiplyAdd(factor, b0, c30);
                    c31 = TSimd.MultiplyAdd(factor, b1, c31);
                }
                if (TRows.Value > 4)
                {
                    factor = TSimd.Broadcast(a4[offset]);
                    c40 = TSimd.MultiplyAdd(factor, b0, c40);
                    c41 = TSimd.MultiplyAdd(factor, b1, c41);
                }
                if (TRows.Value > 5)
                {
                    factor = TSimd.Broadcast(a5[offset]);
                    c50 = TSimd.MultiplyAdd(factor, b0, c50);
                    c51 = TSimd.MultiplyAdd(factor, b1, c51);
                }
                at += ToyBatch.Tile;
                offset += aDepth;
            }
            Store(c + column, c00, c01);
            if (TRows.Value > 1)
                Store(c + ToyBatch.Tile + column, c10, c11);
            if (TRows.Value > 2)
                Store(c + (2 * ToyBatch.Tile) + column, c20, c21);
            if (TRows.Value > 3)
                Store(c + (3 * ToyBatch.Tile) + column, c30, c31);
            if (TRows.Value > 4)
                Store(c + (4 * ToyBatch.Tile) + column, c40, c41);
            if (TRows.Value > 5)
                Store(c + (5 * ToyBatch.Tile) + column, c50, c51);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, TVector first, TVector second)
    {
        TSimd.Store(c, first);
        TSimd.Store(c + TSimd.Width, second);
    }
}
