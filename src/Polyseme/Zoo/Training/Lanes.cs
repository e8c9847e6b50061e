using System.Runtime.CompilerServices;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>How sums over samples are kept from one chunk of a step to the next; known when the code is compiled for it.</summary>
/// <typeparam name="TVector">A register.</typeparam>
internal unsafe interface ILanes<TVector>
    where TVector : struct
{
    /// <summary>Floats that one sum takes.</summary>
    static abstract int Width { get; }

    /// <summary>What a chunk's sum begins with.</summary>
    static abstract TVector Begin(float* sum);

    /// <summary>Puts a chunk's sum away.</summary>
    static abstract void End(float* sum, TVector value);
}

/// <summary>Lanes stay apart until a step's end.</summary>
internal readonly unsafe struct LanesApart<TSimd, TVector> : ILanes<TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    public static int Width => TSimd.Width;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Begin(float* sum) => TSimd.Load(sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void End(float* sum, TVector value) => TSimd.Store(sum, value);

    /// <summary>Adds each row's sum over samples: S[i] += Σ_s E[i, s].</summary>
    /// <param name="e">Shape: <c>[tiles, rows, Tile]</c>.</param>
    /// <param name="rows">Rows of E per tile.</param>
    /// <param name="tiles">Tiles.</param>
    /// <param name="sums">S. Shape: <c>[rows, Width]</c>.</param>
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

/// <summary>Lanes are added up at the end of every chunk: the sums of a wide layer would leave the cache with their lanes apart.</summary>
internal readonly unsafe struct LanesTogether<TSimd, TVector> : ILanes<TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    public static int Width => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Begin(float* sum) => TSimd.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void End(float* sum, TVector value) => *sum += TSimd.Sum(value);

    /// <summary>Adds each row's sum over samples: S[i] += Σ_s E[i, s].</summary>
    /// <param name="e">Shape: <c>[tiles, rows, Tile]</c>.</param>
    /// <param name="rows">Rows of E per tile.</param>
    /// <param name="tiles">Tiles.</param>
    /// <param name="sums">S. Shape: <c>[rows]</c>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRows(float* e, int rows, int tiles, float* sums)
    {
        // Rows outermost, unlike with lanes apart: adding up the lanes costs more than reading E out of order.
        for (var row = 0; row < rows; row++)
        {
            var sum = TSimd.Zero;
            for (var t = 0; t < tiles; t++)
            {
                var at = e + ((((nint)t * rows) + row) * ToyBatch.Tile);
                for (var sample = 0; sample < ToyBatch.Tile; sample += TSimd.Width)
                    sum = TSimd.Add(sum, TSimd.Load(at + sample));
            }
            sums[row] += TSimd.Sum(sum);
        }
    }
}
