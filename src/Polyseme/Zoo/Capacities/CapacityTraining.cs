using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.Capacities;

/// <summary>Quadratic neurons that have been trained.</summary>
/// <param name="W">Feature directions as rows, those of the best start. Shape: <c>[n_features, n_neurons]</c>.</param>
/// <param name="Losses">The final loss of every start.</param>
/// <param name="Curve">Loss of the best start over its steps.</param>
public sealed record TrainedCapacities(Matrix W, IReadOnlyList<double> Losses, IReadOnlyList<CurvePoint> Curve)
{
    /// <summary>The lowest loss.</summary>
    public double Loss => Losses.Min();

    /// <summary>C_i, zero for a feature that is not represented.</summary>
    public double[] Capacity => [.. Dimensionality.PerFeature(W).Select(c => c ?? 0)];
}

/// <summary>Trains quadratic neurons on their exact loss: no data, no noise.</summary>
public static class CapacityTraining
{
    /// <summary>Adam from several random starts, the learning rate falling linearly to zero.</summary>
    /// <param name="importance">v_i.</param>
    /// <param name="kurtosis">κ.</param>
    /// <param name="neurons">D.</param>
    /// <param name="starts">Random starts.</param>
    /// <param name="steps">Steps each.</param>
    /// <param name="rate">The highest learning rate.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public static TrainedCapacities Train(
        double[] importance,
        double kurtosis,
        int neurons,
        int starts,
        int steps,
        double rate,
        ulong seed,
        CancellationToken cancellation
    )
    {
        var loss = new QuadraticLoss(importance, kurtosis);
        var trained = new (Matrix W, double Loss, List<CurvePoint> Curve)[starts];
        Parallel.For(
            0,
            starts,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
            start =>
            {
                var initial = new RandomStream(seed, $"capacity/init/{start}").NormalMatrix(importance.Length, neurons);
                for (var i = 0; i < initial.Data.Length; i++)
                    initial.Data[i] *= Math.Sqrt(2.0 / (importance.Length + neurons));
                var descent = new GramDescent(initial);
                var curve = new List<CurvePoint>();
                for (var step = 0; step < steps; step++)
                {
                    if (step % 1024 == 0)
                        cancellation.ThrowIfCancellationRequested();
                    var now = descent.Step(loss, rate * (1 - ((double)step / steps)));
                    if (step % Math.Max(1, steps / 100) == 0)
                        curve.Add(new CurvePoint(step, now));
                }
                var final = descent.Loss(loss);
                curve.Add(new CurvePoint(steps, final));
                trained[start] = (descent.Directions, final, curve);
            }
        );
        var best = trained.MinBy(candidate => candidate.Loss);
        return new TrainedCapacities(best.W, [.. trained.Select(candidate => candidate.Loss)], best.Curve);
    }
}
