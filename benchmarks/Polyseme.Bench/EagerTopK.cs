using Polyseme.Dictionaries.Training;
using static TorchSharp.torch;

namespace Polyseme.Bench;

/// <summary>
/// A TopK autoencoder trained as Python tools train it, in eager libtorch float32: a dense product to encode, topk, scatter, a dense product to decode,
/// the auxiliary loss on dead latents, automatic differentiation, clipping, tangent decoder gradient, Adam, unit-norm decoder.
/// </summary>
internal sealed class EagerTopK : IDisposable
{
    private readonly int _k;
    private readonly DictionaryConfig _config;
    private readonly double _auxiliary;
    private readonly Tensor[] _weights; // W_enc [n, d], b_enc [n], W_dec [d, n], b_dec [d]
    private readonly Tensor[] _means;
    private readonly Tensor[] _squares;
    private readonly Tensor _sinceFired; // steps. [n]
    private long _step;

    /// <summary>Starts where <paramref name="start"/> is.</summary>
    public EagerTopK(DictionaryTraining start, TopKKind kind)
    {
        (_k, _auxiliary, _config) = (kind.K, kind.Auxiliary, start.Config);
        Tensor Leaf(Tensor tensor) => tensor.detach().clone().contiguous().requires_grad_(true).DetachFromDisposeScope();
        var weights = start.Weights;
        _weights = [Leaf(weights.Encoder), Leaf(weights.EncoderBias), Leaf(weights.Decoder.t()), Leaf(weights.DecoderBias)];
        _means = Array.ConvertAll(_weights, weight => zeros_like(weight).detach().DetachFromDisposeScope());
        _squares = Array.ConvertAll(_weights, weight => zeros_like(weight).detach().DetachFromDisposeScope());
        _sinceFired = zeros(_config.Latents, dtype: int64).DetachFromDisposeScope();
    }

    public void Step(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (wEnc, bEnc, wDec, bDec) = (_weights[0], _weights[1], _weights[2], _weights[3]);
        var post = ((x - bDec).mm(wEnc.t()) + bEnc).relu();
        var (values, chosen) = post.topk(_k, sorted: false);
        var encoded = zeros_like(post).scatter(-1, chosen, values);
        var reconstruction = encoded.mm(wDec.t()) + bDec;
        var error = x - reconstruction;
        var loss = error.square().sum(-1).mean();
        using (no_grad())
        {
            var fired = zeros(_config.Latents, dtype: @bool);
            fired.index_fill_(0, chosen.flatten(), true);
            _sinceFired.add_(1).masked_fill_(fired, 0);
        }
        var dead = _sinceFired >= _config.DeadAfterSteps;
        var nDead = (int)dead.sum().item<long>();
        if (nDead > 0)
            loss = loss + (_auxiliary * AuxiliaryLossOf(post, error.detach(), dead, nDead, wDec));
        foreach (var weight in _weights)
            weight.grad = null;
        loss.backward();
        using (no_grad())
            Descend();
        _step++;
    }

    /// <summary>Σ‖x − x̂‖² / Σ‖x − x̄‖².</summary>
    public double Fvu(Tensor x)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var post = ((x - _weights[3]).mm(_weights[0].t()) + _weights[1]).relu();
        var (values, chosen) = post.topk(_k, sorted: false);
        var reconstruction = zeros_like(post).scatter(-1, chosen, values).mm(_weights[2].t()) + _weights[3];
        return SaeBench.Fvu(x, reconstruction);
    }

    public void Dispose()
    {
        foreach (var tensor in _weights.Concat(_means).Concat(_squares).Append(_sinceFired))
            tensor.Dispose();
    }

    private static Tensor AuxiliaryLossOf(Tensor post, Tensor error, Tensor dead, int nDead, Tensor wDec)
    {
        var k = Math.Min((int)error.shape[1] / 2, nDead);
        var (values, chosen) = where(dead.unsqueeze(0), post, tensor(float.NegativeInfinity)).topk(k, sorted: false);
        var active = zeros_like(post).scatter(-1, chosen, values);
        var loss = (error - active.mm(wDec.t())).square().sum(-1).mean();
        return (loss / (error - error.mean([0L])).square().sum(-1).mean()).nan_to_num(0);
    }

    private void Descend()
    {
        var wDec = _weights[2];
        var gradient = wDec.grad!;
        gradient.sub_((gradient * wDec).sum(0, keepdim: true) * wDec);
        if (_config.ClipNorm > 0)
        {
            var norm = Math.Sqrt(_weights.Sum(weight => weight.grad!.square().sum().item<float>()));
            foreach (var weight in _weights)
                weight.grad!.mul_(Math.Min(1, _config.ClipNorm / (norm + 1e-6)));
        }
        double rate = _config.RateAt(_step) / (1 - Math.Pow(_config.Beta1, _step + 1)),
            correction = 1 / Math.Sqrt(1 - Math.Pow(_config.Beta2, _step + 1));
        for (var i = 0; i < _weights.Length; i++)
        {
            _means[i].lerp_(_weights[i].grad!, tensor((float)(1 - _config.Beta1)));
            _squares[i].mul_(_config.Beta2).addcmul_(_weights[i].grad!, _weights[i].grad!, 1 - _config.Beta2);
            _weights[i].addcdiv_(_means[i], _squares[i].sqrt().mul_(correction).add_(_config.Epsilon), -rate);
        }
        wDec.div_(wDec.norm(0, keepdim: true).clamp_min(1e-8));
    }
}
