using static TorchSharp.torch;

namespace Polyseme.Bench;

/// <summary>The same toy models in eager libtorch: 64 of them in one tensor, Adam, data made in the step.</summary>
internal sealed class EagerToyModels : IDisposable
{
    private readonly int _models;
    private readonly int _features;
    private readonly int _batch;
    private readonly Tensor _density;
    private readonly Tensor? _importance;
    private readonly bool _einsum;
    private readonly TorchSharp.Modules.Parameter _w;
    private readonly TorchSharp.Modules.Parameter _b;
    private readonly optim.Optimizer _adam;

    /// <summary>Models of one shape.</summary>
    /// <param name="models">How many.</param>
    /// <param name="features">n.</param>
    /// <param name="hidden">m.</param>
    /// <param name="batch">Samples per step.</param>
    /// <param name="densities">1 − S of all models, or of each. Shape: <c>[1]</c> or <c>[models]</c>.</param>
    /// <param name="importances">I of each model, or <c>null</c> = 1. Shape: <c>[models · features]</c>.</param>
    /// <param name="einsum">Which way it is written.</param>
    public EagerToyModels(int models, int features, int hidden, int batch, float[] densities, float[]? importances, bool einsum)
    {
        (_models, _features, _batch, _einsum) = (models, features, batch, einsum);
        _density = einsum ? tensor(densities).reshape(1, -1, 1) : tensor(densities).reshape(-1, 1, 1);
        if (importances is not null)
            _importance = einsum ? tensor(importances).reshape(1, models, features) : tensor(importances).reshape(models, 1, features);
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
        _density.Dispose();
        _importance?.Dispose();
    }

    /// <summary>As the published notebook writes it: samples first, two draws per entry.</summary>
    private Tensor EinsumLoss()
    {
        var values = rand(_batch, _models, _features);
        var x = where(rand(_batch, _models, _features) <= _density, values, zeros(1));
        var hidden = einsum("bif,ifh->bih", x, _w);
        var output = nn.functional.relu(einsum("bih,ifh->bif", hidden, _w) + _b);
        return Loss(output - x);
    }

    /// <summary>As one would write it for speed: models first, batched products, one draw per entry ((u − (1 − p))₊ / p is uniform where it is not zero).</summary>
    private Tensor BmmLoss()
    {
        var x = rand(_models, _batch, _features).sub_(1 - _density).relu_().div_(_density);
        var hidden = bmm(x, _w);
        var output = bmm(hidden, _w.transpose(1, 2)).add_(_b).relu_();
        return Loss(output - x);
    }

    private Tensor Loss(Tensor error) => (_importance is null ? error.pow(2) : error.pow(2).mul_(_importance)).sum() / _batch;
}
