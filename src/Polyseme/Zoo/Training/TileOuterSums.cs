using System.Runtime.CompilerServices;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>Sums over samples: S[i, k] += Σ_s E[i, s]·H[k, s] over the tiles of a chunk, lanes kept apart until a step's end.</summary>
internal static unsafe class TileOuterSums<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int Rows = 4,
        MaxColumns = 3;

    /// <summary>Adds one chunk.</summary>
    /// <param name="e">Shape: <c>[tiles, rows, Tile]</c>; rows is a multiple of four.</param>
    /// <param name="rows">Rows of E per tile.</param>
    /// <param name="h">Shape: <c>[tiles, columns, Tile]</c>.</param>
    /// <param name="columns">Rows of H per tile.</param>
    /// <param name="tiles">Tiles.</param>
    /// <param name="sums">S. Shape: <c>[rows, columns, width]</c>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* e, int rows, float* h, int columns, int tiles, float* sums)
    {
        for (var row = 0; row < rows; row += Rows)
        {
            var blockE = e + (row * ToyBatch.Tile);
            var blockSums = sums + ((nint)row * columns * TSimd.Width);
            var blocks = (columns + MaxColumns - 1) / MaxColumns;
            for (int block = 0, column = 0; block < blocks; block++)
            {
                var count = (columns - column + (blocks - block) - 1) / (blocks - block);
                float* blockH = h + (column * ToyBatch.Tile),
                    at = blockSums + ((nint)column * TSimd.Width);
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
        var width = TSimd.Width;
        var next = (nint)columns * width;
        TVector s00 = TSimd.Load(sums),
            s10 = TSimd.Load(sums + next),
            s20 = TSimd.Load(sums + (2 * next)),
            s30 = TSimd.Load(sums + (3 * next)),
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
            s01 = TSimd.Load(sums + width);
            s11 = TSimd.Load(sums + next + width);
            s21 = TSimd.Load(sums + (2 * next) + width);
            s31 = TSimd.Load(sums + (3 * next) + width);
        }
        if (TColumns.Value > 2)
        {
            s02 = TSimd.Load(sums + (2 * width));
            s12 = TSimd.Load(sums + next + (2 * width));
            s22 = TSimd.Load(sums + (2 * next) + (2 * width));
            s32 = TSimd.Load(sums + (3 * next) + (2 * width));
        }
        for (var t = 0; t < tiles; t++)
        {
            for (var sample = 0; sample < tile; sample += width)
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
            e += rows * tile;
            h += columns * tile;
        }
        TSimd.Store(sums, s00);
        TSimd.Store(sums + next, s10);
        TSimd.Store(sums + (2 * next), s20);
        TSimd.Store(sums + (3 * next), s30);
        if (TColumns.Value > 1)
        {
            TSimd.Store(sums + width, s01);
            TSimd.Store(sums + next + width, s11);
            TSimd.Store(sums + (2 * next) + width, s21);
            TSimd.Store(sums + (3 * next) + width, s31);
        }
        if (TColumns.Value > 2)
        {
            TSimd.Store(sums + (2 * width), s02);
            TSimd.Store(sums + next + (2 * width), s12);
            TSimd.Store(sums + (2 * next) + (2 * width), s22);
            TSimd.Store(sums + (3 * next) + (2 * width), s32);
        }
    }

    /// <summary>Adds each row's sum over samples: S[i] += Σ_s E[i, s].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRows(float* e, int rows, int tiles, float* sums)
    {
        for (var t = 0; t < tiles; t++)
        {
            for (var row = 0; row < rows; row++)
            {
                var sum = TSimd.Load(sums + (row * TSimd.Width));
                for (var sample = 0; sample < ToyBatch.Tile; sample += TSimd.Width)
                    sum = TSimd.Add(sum, TSimd.Load(e + sample));
                TSimd.Store(sums + (row * TSimd.Width), sum);
                e += ToyBatch.Tile;
            }
        }
    }
}
