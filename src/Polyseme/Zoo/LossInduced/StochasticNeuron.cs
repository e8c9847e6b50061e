using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.LossInduced;

/// <summary>
/// One neuron that is 0 or 1, trained: it fires for class i with probability σ(a_i), a softmax with its own logits for both states reads the
/// class, and the expected cross-entropy is descended exactly. Being random at first and never in between is what keeps it binary: a real-valued
/// neuron would tell all classes apart by its size.
/// </summary>
/// <param name="Firing">a_i. Shape: <c>[k]</c>.</param>
/// <param name="Silent">Logits of the classes when the neuron is silent. Shape: <c>[k]</c>.</param>
/// <param name="Active">Logits when it fires. Shape: <c>[k]</c>.</param>
/// <param name="Loss">Expected cross-entropy, nats.</param>
/// <param name="Curve">Loss over the steps.</param>
public sealed record StochasticNeuron(double[] Firing, double[] Silent, double[] Active, double Loss, IReadOnlyList<CurvePoint> Curve)
{
    /// <summary>The share of the steps over which the temperature falls.</summary>
    private const double Cooling = 0.8;

    /// <summary>s, the classes for which it fires more often than not.</summary>
    public int FiringClasses => Firing.Count(a => a > 0);

    /// <summary>Whether every class has decided, to a percent.</summary>
    public bool Decided => Firing.All(a => Math.Abs(a) > Math.Log(99));

    /// <summary>Trains one neuron by Adam.</summary>
    /// <param name="classes">k.</param>
    /// <param name="steps">Steps.</param>
    /// <param name="rate">Learning rate, falling linearly to zero.</param>
    /// <param name="scale">Standard deviation of all parameters at the start.</param>
    /// <param name="temperature">
    /// T, nats: −T times the mean entropy of firing is added to the loss, T falling linearly to zero over the first four fifths of the steps. Above
    /// T = 1 every class fires half of the time; just below it, a split into halves is the only minimum. 0: descend the cross-entropy alone, which
    /// ends in whatever split the start is nearest to.
    /// </param>
    /// <param name="stream">Randomness of the start.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public static StochasticNeuron Train(
        int classes,
        int steps,
        double rate,
        double scale,
        double temperature,
        RandomStream stream,
        CancellationToken cancellation
    )
    {
        var parameters = new double[3 * classes];
        for (var i = 0; i < parameters.Length; i++)
            parameters[i] = scale * stream.NextNormal();
        var gradient = new double[parameters.Length];
        var adam = new AdamState<double>(parameters.Length);
        var curve = new List<CurvePoint>();
        for (var step = 0; step < steps; step++)
        {
            if (step % 1024 == 0)
                cancellation.ThrowIfCancellationRequested();
            var loss = Gradient(parameters, gradient, classes);
            if (step % Math.Max(1, steps / 100) == 0)
                curve.Add(new CurvePoint(step, loss));
            Cool(parameters, gradient, classes, temperature * Math.Max(0, 1 - (step / (Cooling * steps))));
            adam.Step(parameters, gradient, rate * (1 - ((double)step / steps)));
        }
        var final = Gradient(parameters, gradient, classes);
        curve.Add(new CurvePoint(steps, final));
        return new StochasticNeuron(parameters[..classes], parameters[classes..(2 * classes)], parameters[(2 * classes)..], final, curve);
    }

    /// <summary>Expected cross-entropy and its gradient; what the tests compare with autograd.</summary>
    /// <param name="parameters">a, the logits when silent, the logits when active. Shape: <c>[3k]</c>.</param>
    /// <param name="gradient">Filled. Shape: <c>[3k]</c>.</param>
    /// <param name="classes">k.</param>
    internal static double Gradient(double[] parameters, double[] gradient, int classes)
    {
        Array.Clear(gradient);
        var loss = 0.0;
        for (var state = 0; state < 2; state++)
        {
            var logits = parameters.AsSpan((1 + state) * classes, classes);
            var highest = System.Numerics.Tensors.TensorPrimitives.Max<double>(logits);
            var sum = 0.0;
            foreach (var logit in logits)
                sum += Math.Exp(logit - highest);
            var normaliser = highest + Math.Log(sum);
            var weight = 0.0; // how often the neuron is in this state
            for (var i = 0; i < classes; i++)
            {
                var fires = 1 / (1 + Math.Exp(-parameters[i]));
                var probability = (state == 1 ? fires : 1 - fires) / classes;
                var crossEntropy = normaliser - logits[i];
                loss += probability * crossEntropy;
                gradient[i] += (state == 1 ? 1 : -1) * fires * (1 - fires) * crossEntropy / classes;
                gradient[((1 + state) * classes) + i] -= probability;
                weight += probability;
            }
            for (var i = 0; i < classes; i++)
                gradient[((1 + state) * classes) + i] += weight * Math.Exp(logits[i] - normaliser);
        }
        return loss;
    }

    /// <summary>Adds the gradient of −T·Σ H(σ(a_i))/k: dH/da = −a·σ·(1 − σ).</summary>
    private static void Cool(ReadOnlySpan<double> parameters, Span<double> gradient, int classes, double temperature)
    {
        for (var i = 0; i < classes; i++)
        {
            var fires = 1 / (1 + Math.Exp(-parameters[i]));
            gradient[i] += temperature * parameters[i] * fires * (1 - fires) / classes;
        }
    }
}
