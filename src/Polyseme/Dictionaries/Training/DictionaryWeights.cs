using System.Runtime.InteropServices;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>The weights of a dictionary in training, by name, each with Adam's two moments.</summary>
internal sealed class DictionaryWeights : IDisposable
{
    private readonly SortedDictionary<string, Weight> _weights = new(StringComparer.Ordinal);

    public torch.Tensor Encoder => this["encoder"]; // [n_latents, d_in]

    public torch.Tensor EncoderBias => this["encoder_bias"]; // [n_latents]

    public torch.Tensor Decoder => this["decoder"]; // [n_latents, d_out]

    public torch.Tensor DecoderBias => this["decoder_bias"]; // [d_out]

    public torch.Tensor? Skip => _weights.TryGetValue("skip", out var skip) ? skip.Value : null; // [d_out, d_in]

    /// <summary>Everything that a checkpoint keeps.</summary>
    public IEnumerable<(string Name, torch.Tensor Tensor)> Tensors =>
        _weights.SelectMany(pair =>
            new[] { (pair.Key, pair.Value.Value), ($"{pair.Key}.mean", pair.Value.Mean), ($"{pair.Key}.square", pair.Value.Square) }
        );

    public torch.Tensor this[string name] => _weights[name].Value;

    public void Add(string name, float[] values, params long[] shape)
    {
        var value = torch.tensor(values, shape).requires_grad_(true).DetachFromDisposeScope();
        _weights.Add(name, new Weight(value, torch.zeros(shape).DetachFromDisposeScope(), torch.zeros(shape).DetachFromDisposeScope()));
    }

    public float[] Values(string name) => Values(this[name]);

    public FloatMatrix Matrix(string name) => new((int)this[name].shape[0], (int)this[name].shape[1], Values(name));

    public static float[] Values(torch.Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.detach().contiguous().bytes).ToArray();

    public void ClearGradients()
    {
        foreach (var weight in _weights.Values)
            weight.Value.grad?.zero_();
    }

    /// <summary>The norm of all gradients together is brought down to at most <paramref name="most"/>.</summary>
    public void Clip(double most)
    {
        var norm = Math.Sqrt(
            _weights.Values.Sum(weight => weight.Value.grad is { } gradient ? gradient.square().sum(torch.float64).item<double>() : 0)
        );
        if (norm <= most)
            return;
        foreach (var weight in _weights.Values)
            weight.Value.grad?.mul_(most / (norm + 1e-6));
    }

    /// <summary>One step of Adam. Kingma and Ba 2015, algorithm 1.</summary>
    public void Descend(DictionaryConfig config, long step)
    {
        double rate = config.RateAt(step) / (1 - Math.Pow(config.Beta1, step + 1)),
            correction = 1 / Math.Sqrt(1 - Math.Pow(config.Beta2, step + 1));
        foreach (var weight in _weights.Values)
        {
            // A weight that this step's loss does not reach stays where it is, and so do its moments.
            if (weight.Value.grad is not { } gradient)
                continue;
            weight.Mean.mul_(config.Beta1).add_(gradient, alpha: 1 - config.Beta1);
            weight.Square.mul_(config.Beta2).addcmul_(gradient, gradient, 1 - config.Beta2);
            weight.Value.addcdiv_(weight.Mean, weight.Square.sqrt().mul_(correction).add_(config.Epsilon), -rate);
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
            weight.Value.Dispose();
            weight.Mean.Dispose();
            weight.Square.Dispose();
        }
    }

    private sealed record Weight(torch.Tensor Value, torch.Tensor Mean, torch.Tensor Square);
}
