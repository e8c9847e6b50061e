using System.Runtime.CompilerServices;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>S[i, k] += Σ_s E[i, s]·H[k, s] over the tiles of a chunk.</summary>
/// <remarks>Lanes are added up at once, unlike <see cref="TileOuterSums{TSimd, TVector}"/>: the sums of a wide layer would leave the cache with their lanes apart.</remarks>
internal static unsafe class GradientSums<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int Tile = LayerNetBatch.Tile,
        Rows = 4,
        MaxColumns = 3;

    /// <summary>Adds one chunk.</summary>
    /// <param name="e">Shape: <c>[tiles, rows, Tile]</c>; rows is a multiple of four.</param>
    /// <param name="rows">Rows of E per tile.</param>
    /// <param name="h">Shape: <c>[tiles, columns, Tile]</c>.</param>
    /// <param name="columns">Rows of H per tile.</param>
    /// <param name="tiles">Tiles.</param>
    /// <param name="sums">S. Shape: <c>[rows, columns]</c>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* e, int rows, float* h, int columns, int tiles, float* sums)
    {
        for (var row = 0; row < rows; row += Rows)
        {
            var blocks = (columns + MaxColumns - 1) / MaxColumns;
            for (int block = 0, column = 0; block < blocks; block++)
            {
                var count = (columns - column + (blocks - block) - 1) / (blocks - block);
                float* blockE = e + ((nint)row * Tile),
                    blockH = h + ((nint)column * Tile),
                    at = sums + ((nint)row * columns) + column;
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

    /// <summary>Adds each row's sum over samples: S[i] += Σ_s E[i, s].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRows(float* e, int rows, int tiles, float* sums)
    {
        for (var row = 0; row < rows; row++)
        {
            var sum = TSimd.Zero;
            for (var t = 0; t < tiles; t++)
            {
                var at = e + (((nint)t * rows) + row) * Tile;
                for (var sample = 0; sample < Tile; sample += TSimd.Width)
                    sum = TSimd.Add(sum, TSimd.Load(at + sample));
            }
            sums[row] += TSimd.Sum(sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block<TColumns>(float* e, int rows, float* h, int columns, int tiles, float* sums)
        where TColumns : struct, ICount
    {
        TVector s00 = TSimd.Zero,
            s10 = TSimd.Zero,
            s20 = TSimd.Zero,
            s30 = TSimd.Zero,
            s01 = TSimd.Zero,
            s11 = TSimd.Zero,
            s21 = TSimd.Zero,
            s31 = TSimd.Zero,
            s02 = TSimd.Zero,
            s12 = TSimd.Zero,
            s22 = TSimd.Zero,
            s32 = TSimd.Zero;
        for (var t = 0; t < tiles; t++)
        {
            for (var sample = 0; sample < Tile; sample += TSimd.Width)
            {
                var e0 = TSimd.Load(e + sample);
                var e1 = TSimd.Load(e + Tile + sample);
                var e2 = TSimd.Load(e + (2 * Tile) + sample);
                var e3 = TSimd.Load(e + (3 * Tile) + sample);
                var column = TSimd.Load(h + sample);
                s00 = TSimd.MultiplyAdd(e0, column, s00);
                s10 = TSimd.MultiplyAdd(e1, column, s10);
                s20 = TSimd.MultiplyAdd(e2, column, s20);
                s30 = TSimd.MultiplyAdd(e3, column, s30);
                if (TColumns.Value > 1)
                {
                    column = TSimd.Load(h + Tile + sample);
                    s01 = TSimd.MultiplyAdd(e0, column, s01);
                    s11 = TSimd.MultiplyAdd(e1, column, s11);
                    s21 = TSimd.MultiplyAdd(e2, column, s21);
                    s31 = TSimd.MultiplyAdd(e3, column, s31);
                }
                if (TColumns.Value > 2)
                {
                    column = TSimd.Load(h + (2 * Tile) + sample);
                    s02 = TSimd.MultiplyAdd(e0, column, s02);
                    s12 = TSimd.MultiplyAdd(e1, column, s12);
                    s22 = TSimd.MultiplyAdd(e2, column, s22);
                    s32 = TSimd.MultiplyAdd(e3, column, s32);
                }
            }
            e += (nint)rows * Tile;
            h += (nint)columns * Tile;
        }
        AddColumn(sums, columns, s00, s10, s20, s30);
        if (TColumns.Value > 1)
            AddColumn(sums + 1, columns, s01, s11, s21, s31);
        if (TColumns.Value > 2)
            AddColumn(sums + 2, columns, s02, s12, s22, s32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddColumn(float* sums, nint next, TVector s0, TVector s1, TVector s2, TVector s3)
    {
        sums[0] += TSimd.Sum(s0);
        sums[next] += TSimd.Sum(s1);
        sums[2 * next] += TSimd.Sum(s2);
        sums[3 * next] += TSimd.Sum(s3);
    }
}
