using System.Runtime.CompilerServices;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>From W·h to the errors of a tile, in place.</summary>
internal static unsafe class TileErrors<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int Tile = ToyBatch.Tile;

    /// <summary>E = I·(W·h + b − x), behind the output's ReLU where there is one. Without x it is subtracted later, where it is not zero.</summary>
    /// <param name="e">W·h in, errors out. Shape: <c>[rows, Tile]</c>.</param>
    /// <param name="rows">Features.</param>
    /// <param name="bias">b. Shape: <c>[rows]</c>.</param>
    /// <param name="importance">I. Shape: <c>[rows]</c>.</param>
    /// <param name="x">Dense inputs, or <c>null</c>. Shape: <c>[rows, Tile]</c>.</param>
    /// <param name="rectified">Whether the output ends in a ReLU.</param>
    /// <param name="loss">Sums of I·error², one per sample of the tile, or <c>null</c> when nobody asks. Shape: <c>[Tile]</c>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Finish(float* e, int rows, float* bias, float* importance, float* x, bool rectified, float* loss)
    {
        if (loss != null)
            AddLoss(e, rows, bias, importance, x, rectified, loss);
        for (var row = 0; row < rows; row++)
        {
            var (b, scale) = (TSimd.Broadcast(bias[row]), TSimd.Broadcast(importance[row]));
            var end = e + Tile;
            if (!rectified)
            {
                for (; e < end; e += TSimd.Width)
                {
                    var before = TSimd.Add(TSimd.Load(e), b);
                    TSimd.Store(e, TSimd.Multiply(scale, x == null ? before : TSimd.Subtract(before, TSimd.Load(x))));
                    x = x == null ? x : x + TSimd.Width;
                }
            }
            else if (x == null)
            {
                for (; e < end; e += TSimd.Width)
                    TSimd.Store(e, TSimd.Multiply(scale, TSimd.Max(TSimd.Add(TSimd.Load(e), b), TSimd.Zero)));
            }
            else
            {
                for (; e < end; e += TSimd.Width, x += TSimd.Width)
                {
                    var before = TSimd.Add(TSimd.Load(e), b);
                    TSimd.Store(e, TSimd.WherePositive(before, TSimd.Multiply(scale, TSimd.Subtract(before, TSimd.Load(x)))));
                }
            }
        }
    }

    private static void AddLoss(float* e, int rows, float* bias, float* importance, float* x, bool rectified, float* loss)
    {
        for (var row = 0; row < rows; row++)
        {
            for (var sample = 0; sample < Tile; sample++, e++)
            {
                var before = *e + bias[row];
                var error = (rectified ? Math.Max(before, 0) : before) - (x == null ? 0 : x[(row * Tile) + sample]);
                loss[sample] += importance[row] * error * error;
            }
        }
    }
}
