using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Polyseme.Numerics;
using Polyseme.Numerics.Simd;
using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>Where a weight and its gradient lie.</summary>
internal sealed unsafe class WeightPointers(float* value, float* gradient)
{
    public float* Value { get; } = value;

    public float* Gradient { get; } = gradient;
}

/// <summary>The weights of a dictionary in training, by name, each with Adam's two moments.</summary>
internal sealed class DictionaryWeights : IDisposable
{
    private readonly SortedDictionary<string, Weight> _weights = new(StringComparer.Ordinal);

    public torch.Tensor Encoder => this["encoder"]; // [n_latents, d_in]

    public torch.Tensor EncoderBias => this["encoder_bias"]; // [n_latents]

    public torch.Tensor Decoder => this["decoder"]; // [n_latents, d_out]

    public torch.Tensor DecoderBias => this["decoder_bias"]; // [d_out]

    public torch.Tensor? Skip => _weights.TryGetValue("skip", out var skip) ? skip.Value : null; // [d_out, d_in]

    /// <summary>All of them.</summary>
    public IEnumerable<Weight> All => _weights.Values;

    /// <summary>Everything that a checkpoint keeps.</summary>
    public IEnumerable<(string Name, torch.Tensor Tensor)> Tensors =>
        _weights.SelectMany(pair =>
            new[] { (pair.Key, pair.Value.Value), ($"{pair.Key}.mean", pair.Value.Mean), ($"{pair.Key}.square", pair.Value.Square) }
        );

    public torch.Tensor this[string name] => _weights[name].Value;

    public void Add(string name, float[] values, params long[] shape)
    {
        torch.Tensor Kept(torch.Tensor tensor) => tensor.DetachFromDisposeScope();
        var value = Kept(torch.tensor(values, shape).requires_grad_(true));
        value.grad = Kept(torch.zeros(shape));
        _weights.Add(name, new Weight(value, Kept(torch.zeros(shape)), Kept(torch.zeros(shape))));
    }

    public float[] Values(string name) => Values(this[name]);

    public FloatMatrix Matrix(string name) => new((int)this[name].shape[0], (int)this[name].shape[1], Values(name));

    public static float[] Values(torch.Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.detach().contiguous().bytes).ToArray();

    /// <summary>Where a weight and its gradient lie, for as long as this does.</summary>
    public unsafe WeightPointers Pointers(string name) => new(Pointer(this[name]), Pointer(this[name].grad!));

    /// <summary>Where a contiguous float32 tensor lies.</summary>
    public static unsafe float* Pointer(torch.Tensor tensor)
    {
        using var plain = tensor.detach();
        return (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(plain.bytes));
    }

    public void ClearGradients()
    {
        foreach (var weight in _weights.Values)
            weight.Value.grad!.zero_();
    }

    /// <summary>
    /// One step of Adam (Kingma and Ba 2015, algorithm 1), after the gradients of all weights together were brought down to the norm of the
    /// configuration. Where the decoder is kept at unit norm, its gradient loses the part along each row, which renormalising would undo.
    /// </summary>
    public void Descend(DictionaryConfig config, long step, bool unitNorm)
    {
        switch (InstructionSets.Widest)
        {
            case InstructionSet.Vector512:
                WeightSteps<Simd512, Vector512<float>>.Descend(this, config, step, unitNorm);
                break;
            case InstructionSet.Vector256:
                WeightSteps<Simd256, Vector256<float>>.Descend(this, config, step, unitNorm);
                break;
            default:
                WeightSteps<SimdScalar, float>.Descend(this, config, step, unitNorm);
                break;
        }
    }

    /// <summary>Forgets what Adam knows of some latents.</summary>
    public void ForgetMoments(torch.Tensor latents, long nLatents)
    {
        foreach (var (name, weight) in _weights)
        {
            if (name is "decoder_bias" or "skip" || weight.Value.shape[0] != nLatents)
                continue;
            weight.Mean.index_fill_(0, latents, 0);
            weight.Square.index_fill_(0, latents, 0);
        }
    }

    public void Dispose()
    {
        foreach (var weight in _weights.Values)
        {
            weight.Value.grad?.Dispose();
            weight.Value.Dispose();
            weight.Mean.Dispose();
            weight.Square.Dispose();
        }
    }

    /// <summary>A weight with its gradient and Adam's two moments.</summary>
    internal sealed record Weight(torch.Tensor Value, torch.Tensor Mean, torch.Tensor Square);
}
