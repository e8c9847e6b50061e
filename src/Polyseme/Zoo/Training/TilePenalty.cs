using System.Runtime.CompilerServices;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>The L1 penalty on the hidden layer of a tile.</summary>
internal static unsafe class TilePenalty<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int Tile = ToyBatch.Tile;

    /// <summary>gradient += weight·sign(h); sign(0) = 0.</summary>
    /// <param name="h">The hidden layer. Shape: <c>[hidden, Tile]</c>.</param>
    /// <param name="gradient">Its gradient. Shape: <c>[hidden, Tile]</c>.</param>
    /// <param name="hidden">m.</param>
    /// <param name="samples">Samples of the tile, 1 … Tile; the others gain nothing.</param>
    /// <param name="weight">λ, in the gradient's scale.</param>
    /// <param name="withSum">Whether anybody asks for the sum.</param>
    /// <returns>Σ|h| over the samples, where it was asked for.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Add(float* h, float* gradient, int hidden, int samples, float weight, bool withSum)
    {
        var all = TSimd.Broadcast(weight);
        for (var i = 0; i < hidden * Tile; i += TSimd.Width)
        {
            var value = TSimd.Load(h + i);
            var (up, down) = (TSimd.WherePositive(value, all), TSimd.WherePositive(TSimd.Subtract(TSimd.Zero, value), all));
            TSimd.Store(gradient + i, TSimd.Add(TSimd.Load(gradient + i), TSimd.Subtract(up, down)));
        }
        if (samples < Tile)
        {
            // The last tile reaches beyond the batch, where the errors and with them this gradient are zero.
            for (var k = 0; k < hidden; k++)
                new Span<float>(gradient + (k * Tile) + samples, Tile - samples).Clear();
        }
        var sum = 0.0;
        for (var k = 0; withSum && k < hidden; k++)
        {
            for (var sample = 0; sample < samples; sample++)
                sum += Math.Abs(h[(k * Tile) + sample]);
        }
        return sum;
    }
}
