using System.Runtime.Intrinsics;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>Fills the targets of a tile from its inputs.</summary>
/// <param name="x">Inputs, the samples of a feature side by side. Shape: <c>[n_features, samples]</c>.</param>
/// <param name="y">Targets, to be written in full. Shape: <c>[n_outputs, samples]</c>.</param>
/// <param name="samples">Samples in a tile.</param>
public delegate void TargetTile(ReadOnlySpan<float> x, Span<float> y, int samples);

/// <summary>What a two-layer network is asked for: a function of its inputs.</summary>
public abstract record LayerNetTargets
{
    private LayerNetTargets() { }

    /// <summary>y = x.</summary>
    public sealed record Identity : LayerNetTargets;

    /// <summary>y = |x|.</summary>
    public sealed record Absolute : LayerNetTargets;

    /// <summary>Products of two inputs, an output each; of bits, their ANDs.</summary>
    /// <param name="Pairs">The inputs multiplied. Shape: <c>[n_outputs]</c>.</param>
    public sealed record Products(IReadOnlyList<(int First, int Second)> Pairs) : LayerNetTargets
    {
        /// <summary>Every pair of different inputs, once: (0, 1), (0, 2), ….</summary>
        public static Products AllPairs(int inputs) =>
            new([.. Enumerable.Range(0, inputs).SelectMany(a => Enumerable.Range(a + 1, inputs - a - 1).Select(b => (a, b)))]);
    }

    /// <summary>y = ReLU(x) + M·x.</summary>
    /// <param name="Mixing">M, or <c>null</c> for none. Shape: <c>[n_features, n_features]</c>.</param>
    public sealed record ReluPlusLinear(Matrix? Mixing) : LayerNetTargets
    {
        /// <summary>What an input adds to each output. Shape: <c>[n_features, n_features]</c>.</summary>
        internal float[]? MixedBy { get; } = Mixing is null ? null : Array.ConvertAll(Mixing.Transpose().Data, value => (float)value);
    }

    /// <summary>Anything else.</summary>
    /// <param name="Count">Outputs.</param>
    /// <param name="Compute">Computes them; called by several workers at once.</param>
    public sealed record Custom(int Count, TargetTile Compute) : LayerNetTargets;

    /// <summary>Outputs for so many inputs.</summary>
    public int Outputs(int inputs) =>
        this switch
        {
            Products products => products.Pairs.Count,
            Custom custom => custom.Count,
            _ => inputs,
        };

    /// <summary>The targets of a tile.</summary>
    internal void Fill(ReadOnlySpan<float> x, Span<float> y, int samples)
    {
        switch (this)
        {
            case Identity:
                x.CopyTo(y);
                break;
            case Absolute:
                System.Numerics.Tensors.TensorPrimitives.Abs(x, y);
                break;
            case Products products:
                for (var output = 0; output < products.Pairs.Count; output++)
                {
                    var (first, second) = products.Pairs[output];
                    System.Numerics.Tensors.TensorPrimitives.Multiply(
                        x.Slice(first * samples, samples),
                        x.Slice(second * samples, samples),
                        y.Slice(output * samples, samples)
                    );
                }
                break;
            case ReluPlusLinear relu:
                System.Numerics.Tensors.TensorPrimitives.Max(x, 0f, y);
                if (relu.MixedBy is { } mixing)
                    AddMixed(mixing, x, y, samples);
                break;
            case Custom custom:
                custom.Compute(x, y, samples);
                break;
            default:
                throw new InvalidOperationException($"no targets are made of {this}");
        }
    }

    /// <summary>Adds M·x. Inputs are sparse: where neighbouring samples have none of a feature, it adds nothing.</summary>
    private static void AddMixed(float[] mixedBy, ReadOnlySpan<float> x, Span<float> y, int samples)
    {
        var features = x.Length / samples;
        for (var input = 0; input < features; input++)
        {
            var factors = mixedBy.AsSpan(input * features, features);
            for (var at = 0; at < samples; at += 16)
            {
                var value = Vector512.Create(x.Slice((input * samples) + at, 16));
                if (value == Vector512<float>.Zero)
                    continue;
                for (var output = 0; output < factors.Length; output++)
                {
                    var to = y.Slice((output * samples) + at, 16);
                    ((value * factors[output]) + Vector512.Create<float>(to)).CopyTo(to);
                }
            }
        }
    }
}
