using static TorchSharp.torch;

namespace Polyseme.Numerics;

/// <summary>Adam on several tensors at once: they are views of one vector, so that a step is a few calls however many there are.</summary>
/// <remarks>
/// Kingma and Ba 2015, algorithm 1, with Loshchilov and Hutter's decoupled weight decay (2019); the rate falls as lr·cos(π/2·t/T). Lives in the dispose scope
/// it is made in.
/// </remarks>
internal sealed class BatchedAdam
{
    private readonly Tensor _flat;
    private readonly Tensor _mean;
    private readonly Tensor _square;
    private readonly double _learningRate;
    private readonly int _steps;
    private readonly double _weightDecay;

    /// <summary>Copies the starts.</summary>
    /// <param name="starts">What the parameters start from, all of one type.</param>
    /// <param name="learningRate">The highest rate.</param>
    /// <param name="steps">T.</param>
    /// <param name="weightDecay">Times the rate.</param>
    public BatchedAdam(IReadOnlyList<Tensor> starts, double learningRate, int steps, double weightDecay = 0)
    {
        (_learningRate, _steps, _weightDecay) = (learningRate, steps, weightDecay);
        _flat = cat([.. starts.Select(start => start.reshape(-1))], 0);
        (_mean, _square) = (zeros_like(_flat), zeros_like(_flat));
        var leaves = new List<Tensor>();
        var offset = 0L;
        foreach (var start in starts)
        {
            leaves.Add(_flat.narrow(0, offset, start.numel()).view(start.shape).detach().requires_grad_());
            offset += start.numel();
        }
        Parameters = leaves;
    }

    /// <summary>The parameters, in the order and of the shapes of their starts.</summary>
    public IReadOnlyList<Tensor> Parameters { get; }

    /// <summary>One step down.</summary>
    /// <param name="loss">A scalar of the parameters.</param>
    /// <param name="step">From 0.</param>
    public void Descend(Tensor loss, int step)
    {
        var gradients = autograd.grad([loss], [.. Parameters]);
        using var quiet = no_grad();
        var gradient = cat([.. gradients.Select(one => one.reshape(-1))], 0);
        var rate = _learningRate * Math.Cos(Math.PI / 2 * step / _steps);
        var (firstDecay, secondDecay, epsilon) = AdamConstants.Standard;
        _mean.mul_(firstDecay).add_(gradient, 1 - firstDecay);
        _square.mul_(secondDecay).addcmul_(gradient, gradient, 1 - secondDecay);
        if (_weightDecay > 0)
            _flat.mul_(1 - (rate * _weightDecay));
        var deviation = (_square / (1 - Math.Pow(secondDecay, step + 1))).sqrt().add_(epsilon);
        _flat.addcdiv_(_mean, deviation, -rate / (1 - Math.Pow(firstDecay, step + 1)));
    }
}
