using System.Runtime.CompilerServices;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>Sums over samples: S[i, k] += Σ_s E[i, s]·H[k, s] over the tiles of a chunk.</summary>
/// <typeparam name="TSimd">Operations.</typeparam>
/// <typeparam name="TVector">A register.</typeparam>
/// <typeparam name="TLanes">How the sums are kept.</typeparam>
internal static unsafe class TileOuterSums<TSimd, TVector, TLanes>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
    where TLanes : struct, ILanes<TVector>
{
    private const int Rows = 4,
        MaxColumns = 3;

    /// <summary>Adds one chunk.</summary>
    /// <param name="e">Shape: <c>[tiles, rows, Tile]</c>; rows is a multiple of four.</param>
    /// <param name="rows">Rows of E per tile.</param>
    /// <param name="h">Shape: <c>[tiles, columns, Tile]</c>.</param>
    /// <param name="columns">Rows of H per tile.</param>
    /// <param name="tiles">Tiles.</param>
    /// <param name="sums">S. Shape: <c>[rows, columns, TLanes.Width]</c>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* e, int rows, float* h, int columns, int tiles, float* sums)
    {
        for (var row = 0; row < rows; row += Rows)
        {
            var blockE = e + ((nint)row * ToyBatch.Tile);
            var blockSums = sums + ((nint)row * columns * TLanes.Width);
            var blocks = (columns + MaxColumns - 1) / MaxColumns;
            for (int block = 0, column = 0; block < blocks; block++)
            {
                var count = (columns - column + (blocks - block) - 1) / (blocks - block);
                float* blockH = h + ((nint)column * ToyBatch.Tile),
                    at = blockSums + ((nint)column * TLanes.Width);
                switch (count)
                {
                    case 1:
                        Block<One>(blockE, rows, blockH, columns, tiles, at);
                        break;
                    case 2:
                        Block<Two>(blockE, rows, blockH, columns, tiles, at);
                        break;
                    default:
                        Block<Three>(blockE, rows, blockH, columns, tiles, at);
                        break;
                }
                column += count;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block<TColumns>(float* e, int rows, float* h, int columns, int tiles, float* sums)
        where TColumns : struct, ICount
    {
        const int tile = ToyBatch.Tile;
        var width = TLanes.Width;
        var next = (nint)columns * width;
        TVector s00 = TLanes.Begin(sums),
            s10 = TLanes.Begin(sums + next),
            s20 = TLanes.Begin(sums + (2 * next)),
            s30 = TLanes.Begin(sums + (3 * next)),
            s01 = TSimd.Zero,
            s11 = TSimd.Zero,
            s21 = TSimd.Zero,
            s31 = TSimd.Zero,
            s02 = TSimd.Zero,
            s12 = TSimd.Zero,
            s22 = TSimd.Zero,
            s32 = TSimd.Zero;
        if (TColumns.Value > 1)
        {
            s01 = TLanes.Begin(sums + width);
            s11 = TLanes.Begin(sums + next + width);
            s21 = TLanes.Begin(sums + (2 * next) + width);
            s31 = TLanes.Begin(sums + (3 * next) + width);
        }
        if (TColumns.Value > 2)
        {
            s02 = TLanes.Begin(sums + (2 * width));
            s12 = TLanes.Begin(sums + next + (2 * width));
            s22 = TLanes.Begin(sums + (2 * next) + (2 * width));
            s32 = TLanes.Begin(sums + (3 * next) + (2 * width));
        }
        for (var t = 0; t < tiles; t++)
        {
            for (var sample = 0; sample < tile; sample += TSimd.Width)
            {
                var e0 = TSimd.Load(e + sample);
                var e1 = TSimd.Load(e + tile + sample);
                var e2 = TSimd.Load(e + (2 * tile) + sample);
                var e3 = TSimd.Load(e + (3 * tile) + sample);
                var column = TSimd.Load(h + sample);
                s00 = TSimd.MultiplyAdd(e0, column, s00);
                s10 = TSimd.MultiplyAdd(e1, column, s10);
                s20 = TSimd.MultiplyAdd(e2, column, s20);
                s30 = TSimd.MultiplyAdd(e3, column, s30);
                if (TColumns.Value > 1)
                {
                    column = TSimd.Load(h + tile + sample);
                    s01 = TSimd.MultiplyAdd(e0, column, s01);
                    s11 = TSimd.MultiplyAdd(e1, column, s11);
                    s21 = TSimd.MultiplyAdd(e2, column, s21);
                    s31 = TSimd.MultiplyAdd(e3, column, s31);
                }
                if (TColumns.Value > 2)
                {
                    column = TSimd.Load(h + (2 * tile) + sample);
                    s02 = TSimd.MultiplyAdd(e0, column, s02);
                    s12 = TSimd.MultiplyAdd(e1, column, s12);
                    s22 = TSimd.MultiplyAdd(e2, column, s22);
                    s32 = TSimd.MultiplyAdd(e3, column, s32);
                }
            }
            e += (nint)rows * tile;
            h += (nint)columns * tile;
        }
        EndColumn(sums, next, s00, s10, s20, s30);
        if (TColumns.Value > 1)
            EndColumn(sums + width, next, s01, s11, s21, s31);
        if (TColumns.Value > 2)
            EndColumn(sums + (2 * width), next, s02, s12, s22, s32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void EndColumn(float* sums, nint next, TVector s0, TVector s1, TVector s2, TVector s3)
    {
        TLanes.End(sums, s0);
        TLanes.End(sums + next, s1);
        TLanes.End(sums + (2 * next), s2);
        TLanes.End(sums + (3 * next), s3);
    }
}
