using System.Runtime.Intrinsics;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>Makes the batches of a two-layer network, a tile at a time. What a batch holds depends on the seed, the stream and the step only.</summary>
/// <remarks>
/// One word decides whether an entry is active and, being uniform below its threshold when it is, its value. Stream layout: a step owns the
/// counters step·2³² …, a tile the next 8 for each of its features.
/// </remarks>
internal sealed class LayerNetBatch
{
    /// <summary>Samples that the kernel takes at a time.</summary>
    public const int Tile = ToyBatch.Tile;

    private readonly uint[] _last;
    private readonly float[] _scale;
    private readonly float _low;
    private readonly uint[] _words;
    private readonly LayerNetTargets _targets;
    private readonly ulong _seed;
    private readonly ulong _lane;

    public LayerNetBatch(LayerNetInputs inputs, LayerNetTargets targets, int features, int size, ulong seed, ulong lane)
    {
        (_targets, _seed, _lane, Size, Features, Outputs) = (targets, seed, lane, size, features, targets.Outputs(features));
        var (densities, low, high) = inputs switch
        {
            LayerNetInputs.Reals reals => (Same(reals.Density), reals.Low, reals.High),
            LayerNetInputs.Bits bits => (Same(bits.Probability), 1f, 1f),
            LayerNetInputs.UnevenReals uneven => (uneven.Densities, uneven.Low, uneven.High),
            _ => throw new ArgumentException($"no inputs are made of {inputs}", nameof(inputs)),
        };
        _low = low;
        _last = [.. densities.Select(density => (uint)Math.Clamp((density * 4294967296.0) - 1, 0, uint.MaxValue))];
        // Half of a word fits a signed integer, which every machine turns into a float alike.
        _scale = [.. densities.Select(density => (float)((high - low) / (density * 2147483648.0)))];
        _words = new uint[features * Tile];
        double[] Same(double density) => [.. Enumerable.Repeat(density, features)];
    }

    /// <summary>Samples in a batch.</summary>
    public int Size { get; }

    /// <summary>n.</summary>
    public int Features { get; }

    /// <summary>o.</summary>
    public int Outputs { get; }

    /// <summary>Inputs and targets of one tile, samples beyond the batch's end included.</summary>
    /// <param name="step">Which batch.</param>
    /// <param name="tile">Which tile of it.</param>
    /// <param name="x">Shape: <c>[n_features, Tile]</c>.</param>
    /// <param name="y">Shape: <c>[n_outputs, Tile]</c>.</param>
    public void FillTile(int step, int tile, Span<float> x, Span<float> y)
    {
        PhiloxFill.Words(_words, ((ulong)step << 32) + ((ulong)tile * (ulong)_words.Length / 4), _lane, _seed);
        var low = Vector512.Create(_low);
        for (var feature = 0; feature < Features; feature++)
        {
            var (last, scale) = (Vector512.Create(_last[feature]), Vector512.Create(_scale[feature]));
            for (var at = feature * Tile; at < (feature + 1) * Tile; at += 16)
            {
                var word = Vector512.Create(_words, at);
                var value = (Vector512.ConvertToSingle(Vector512.ShiftRightLogical(word, 1).AsInt32()) * scale) + low;
                var active = Vector512.LessThanOrEqual(word, last).AsSingle();
                Vector512.ConditionalSelect(active, value, Vector512<float>.Zero).CopyTo(x[at..]);
            }
        }
        _targets.Fill(x[..(Features * Tile)], y[..(Outputs * Tile)], Tile);
    }

    /// <summary>The batch of a step, for the plain version and for evaluation. Shapes: <c>[size, n_features]</c>, <c>[size, n_outputs]</c>.</summary>
    public (Matrix Inputs, Matrix Targets) ToMatrices(int step)
    {
        Matrix inputs = new(Size, Features),
            targets = new(Size, Outputs);
        float[] x = new float[Features * Tile],
            y = new float[Outputs * Tile];
        for (var first = 0; first < Size; first += Tile)
        {
            FillTile(step, first / Tile, x, y);
            for (var sample = 0; sample < Math.Min(Tile, Size - first); sample++)
            {
                for (var i = 0; i < Features; i++)
                    inputs[first + sample, i] = x[(i * Tile) + sample];
                for (var i = 0; i < Outputs; i++)
                    targets[first + sample, i] = y[(i * Tile) + sample];
            }
        }
        return (inputs, targets);
    }
}
