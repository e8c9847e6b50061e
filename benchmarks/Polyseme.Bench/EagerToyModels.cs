using static TorchSharp.torch;

namespace Polyseme.Bench;

/// <summary>The same toy models in eager libtorch: 64 of them in one tensor, Adam, data made in the step.</summary>
internal sealed class EagerToyModels : IDisposable
{
    private readonly int _models;
    private readonly int _features;
    private readonly int _batch;
    private readonly double _density;
    private readonly bool _einsum;
    private readonly TorchSharp.Modules.Parameter _w;
    private readonly TorchSharp.Modules.Parameter _b;
    private readonly optim.Optimizer _adam;

    public EagerToyModels(int models, int features, int hidden, int batch, double density, bool einsum)
    {
        (_models, _features, _batch, _density, _einsum) = (models, features, batch, density, einsum);
        _w = new TorchSharp.Modules.Parameter(randn(models, features, hidden) * Math.Sqrt(2.0 / (features + hidden)));
        _b = new TorchSharp.Modules.Parameter(einsum ? zeros(models, features) : zeros(models, 1, features));
        _adam = optim.Adam([_w, _b], lr: 1e-3);
    }

    /// <summary>Trains for some steps; returns the model-steps done.</summary>
    public double Run(int threads, int steps)
    {
        set_num_threads(threads);
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            _adam.zero_grad();
            using var loss = _einsum ? EinsumLoss() : BmmLoss();
            loss.backward();
            _adam.step();
        }
        return (double)steps * _models;
    }

    public void Dispose()
    {
        _adam.Dispose();
        _w.Dispose();
        _b.Dispose();
    }

    /// <summary>As the published notebook writes it: samples first, two draws per entry.</summary>
    private Tensor EinsumLoss()
    {
        var values = rand(_batch, _models, _features);
        var x = where(rand(_batch, _models, _features) <= _density, values, zeros(1));
        var hidden = einsum("bif,ifh->bih", x, _w);
        var output = nn.functional.relu(einsum("bih,ifh->bif", hidden, _w) + _b);
        return (output - x).pow(2).sum() / _batch;
    }

    /// <summary>As one would write it for speed: models first, batched products, one draw per entry ((u − (1 − p))₊ / p is uniform where it is not zero).</summary>
    private Tensor BmmLoss()
    {
        var x = rand(_models, _batch, _features).sub_(1 - _density).relu_().div_(_density);
        var hidden = bmm(x, _w);
        var output = bmm(hidden, _w.transpose(1, 2)).add_(_b).relu_();
        return (output - x).pow(2).sum() / _batch;
    }
}
