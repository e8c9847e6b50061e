using System.Runtime.CompilerServices;
using Polyseme.Numerics;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>
/// One training step of a two-layer network, fused: a tile of samples is made, run forward and turned into errors while it is in the
/// cache. Samples lie along the registers, so layers of any width fill them.
/// </summary>
/// <remarks>6·batch·k·(d + o) operations, less the 2·batch·k·d of a gradient by inputs that nobody needs, plus 2·batch·n·d for a projection.</remarks>
internal static unsafe class LayerNetKernel<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int Tile = LayerNetBatch.Tile;

    /// <summary>The gradient of one batch, into the workspace.</summary>
    /// <returns>The loss, where it was asked for.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double? Gradient(LayerNetShape shape, LayerNetWorkspace space, LayerNetBatch batch, int step, bool withLoss)
    {
        int d = space.Width,
            k = space.Hidden,
            o = space.Outputs;
        float* w1 = space.Values,
            w2 = space.Values + space.AtW2;
        new Span<float>(space.SumsW1, space.PaddedHidden * d).Clear();
        new Span<float>(space.SumsW2, space.PaddedOutputs * k).Clear();
        new Span<float>(space.SumsB1, space.PaddedHidden).Clear();
        new Span<float>(space.SumsB2, space.PaddedOutputs).Clear();
        var losses = new Span<float>(space.Loss, Tile);
        losses.Clear();
        Span<float> lossesBefore = stackalloc float[Tile];
        Span<float> y = new(space.Y, o * Tile);
        var tiles = (batch.Size + Tile - 1) / Tile;
        for (var first = 0; first < tiles; first += space.ChunkTiles)
        {
            var count = Math.Min(space.ChunkTiles, tiles - first);
            for (var t = 0; t < count; t++)
            {
                float* z = space.Z + ((nint)t * d * Tile),
                    h = space.H + ((nint)t * k * Tile),
                    gradient = space.HiddenGradient + ((nint)t * space.PaddedHidden * Tile),
                    e = space.E + ((nint)t * space.PaddedOutputs * Tile);
                if (shape.Projection is null)
                {
                    batch.FillTile(step, first + t, new Span<float>(z, d * Tile), y);
                }
                else
                {
                    batch.FillTile(step, first + t, new Span<float>(space.X, shape.Inputs * Tile), y);
                    TileProduct<TSimd, TVector>.Multiply(space.Projection, shape.Inputs, 1, space.X, z, d, shape.Inputs);
                }
                TileProduct<TSimd, TVector>.Multiply(w1, d, 1, z, h, k, d);
                AddBiasAndRectify(h, space.Values + space.AtB1, k);
                TileProduct<TSimd, TVector>.Multiply(w2, k, 1, h, e, o, k);
                losses.CopyTo(lossesBefore);
                TileErrors<TSimd, TVector>.Finish(
                    e,
                    o,
                    space.Values + space.AtB2,
                    space.Importance,
                    space.Y,
                    shape.OutputRelu,
                    withLoss ? space.Loss : null
                );
                var samples = Math.Min(Tile, batch.Size - ((first + t) * Tile));
                if (samples < Tile)
                {
                    // The last tile reaches beyond the batch: what lies there is no sample.
                    lossesBefore[samples..].CopyTo(losses[samples..]);
                    for (var i = 0; i < o; i++)
                        new Span<float>(e + (i * Tile) + samples, Tile - samples).Clear();
                }
                TileProduct<TSimd, TVector>.Multiply(w2, 1, k, e, gradient, k, o);
                for (nint i = 0; i < (nint)k * Tile; i += TSimd.Width)
                    TSimd.Store(gradient + i, TSimd.WherePositive(TSimd.Load(h + i), TSimd.Load(gradient + i)));
            }
            TileOuterSums<TSimd, TVector, LanesTogether<TSimd, TVector>>.Add(
                space.HiddenGradient,
                space.PaddedHidden,
                space.Z,
                d,
                count,
                space.SumsW1
            );
            TileOuterSums<TSimd, TVector, LanesTogether<TSimd, TVector>>.Add(space.E, space.PaddedOutputs, space.H, k, count, space.SumsW2);
            if (shape.HiddenBias)
                LanesTogether<TSimd, TVector>.AddRows(space.HiddenGradient, space.PaddedHidden, count, space.SumsB1);
            if (shape.OutputBias)
                LanesTogether<TSimd, TVector>.AddRows(space.E, space.PaddedOutputs, count, space.SumsB2);
        }
        var scale = 2f / batch.Size;
        Scale(space.SumsW1, space.Gradient, (nint)k * d, scale);
        Scale(space.SumsB1, space.Gradient + space.AtB1, k, scale);
        Scale(space.SumsW2, space.Gradient + space.AtW2, (nint)o * k, scale);
        Scale(space.SumsB2, space.Gradient + space.AtB2, o, scale);
        if (!withLoss)
            return null;
        var loss = 0.0;
        foreach (var value in losses)
            loss += value;
        return loss / batch.Size;
    }

    /// <summary>One step of the optimiser.</summary>
    /// <returns>Whether the gradient was finite. If not, nothing was changed.</returns>
    public static bool Step(LayerNetTraining training, LayerNetWorkspace space, int step)
    {
        if (!float.IsFinite(ParameterSteps<TSimd, TVector>.SumOfSquares(space.Gradient, space.Parameters)))
            return false;
        switch (training.Optimiser)
        {
            case Optimiser.Adam:
                ParameterSteps<TSimd, TVector>.Adam(
                    space.Values,
                    space.First,
                    space.Second,
                    space.Gradient,
                    space.Parameters,
                    step,
                    training.RateAt(step),
                    training.WeightDecay,
                    AdamConstants.Standard
                );
                break;
            case Optimiser.Momentum momentum:
                ParameterSteps<TSimd, TVector>.Momentum(
                    space.Values,
                    space.First,
                    space.Gradient,
                    space.Parameters,
                    momentum.Decay,
                    training.RateAt(step),
                    training.WeightDecay
                );
                break;
            default:
                throw new InvalidOperationException($"no optimiser is called {training.Optimiser}");
        }
        if (training.BiasDecay > 0)
            Scale(space.Values + space.AtB1, space.Values + space.AtB1, space.Hidden, (float)training.BiasKeptAt(step));
        return true;
    }

    private static void AddBiasAndRectify(float* h, float* bias, int rows)
    {
        for (var row = 0; row < rows; row++)
        {
            var b = TSimd.Broadcast(bias[row]);
            for (var end = h + Tile; h < end; h += TSimd.Width)
                TSimd.Store(h, TSimd.Max(TSimd.Add(TSimd.Load(h), b), TSimd.Zero));
        }
    }

    private static void Scale(float* from, float* to, nint count, float scale)
    {
        for (nint i = 0; i < count; i++)
            to[i] = scale * from[i];
    }
}
