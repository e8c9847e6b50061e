using Polyseme.Numerics;

namespace Polyseme.Zoo.Incidental;

/// <summary>One feature alone under an L1 penalty: dw/dt = (1 − ‖w‖²)·w − λ·sign(w). A weight that reaches zero stays there.</summary>
/// <remarks>
/// Lecomte et al. 2024, on the dynamics of sparsification: m' ≈ 1/(1/√m + λt)² weights are left, and ‖w‖₁ ≈ 1/(1/√m + λt). Weights that share
/// a feature keep their order, so that the largest at the start is the one that stays.
/// </remarks>
public static class SparsifyingDynamics
{
    /// <summary>The weights at a time.</summary>
    /// <param name="Time">t.</param>
    /// <param name="NonZero">m', weights left.</param>
    /// <param name="L1">‖w‖₁.</param>
    /// <param name="Expected">1/(1/√m + λt), which ‖w‖₁ and √m' follow.</param>
    public sealed record Point(double Time, int NonZero, double L1, double Expected);

    /// <summary>Integrates by Euler's steps.</summary>
    /// <param name="neurons">m.</param>
    /// <param name="penalty">λ.</param>
    /// <param name="scale">Standard deviation at the start, times √m.</param>
    /// <param name="until">The last time.</param>
    /// <param name="timeStep">Euler's step; below 1 it is stable.</param>
    /// <param name="stream">Randomness of the start.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>Points at times spaced by ever the same factor.</returns>
    public static IReadOnlyList<Point> Integrate(
        int neurons,
        double penalty,
        double scale,
        double until,
        double timeStep,
        RandomStream stream,
        CancellationToken cancellation
    )
    {
        const double factor = 1.15;
        var weights = new double[neurons];
        for (var i = 0; i < neurons; i++)
            weights[i] = Math.Abs(scale / Math.Sqrt(neurons) * stream.NextNormal());
        // All move alike, so they are never overtaken: sorted once, the ones that reach zero are always last.
        Array.Sort(weights, (a, b) => b.CompareTo(a));
        var alive = neurons;
        var points = new List<Point>();
        double time = 0,
            next = 1;
        while (time <= until && alive > 0)
        {
            var live = weights.AsSpan(0, alive);
            if (time == 0 || time >= next)
            {
                cancellation.ThrowIfCancellationRequested();
                var l1 = System.Numerics.Tensors.TensorPrimitives.Sum<double>(live);
                points.Add(new Point(time, alive, l1, 1 / ((1 / Math.Sqrt(neurons)) + (penalty * time))));
                if (time > 0)
                    next *= factor;
            }
            var growth = 1 + (timeStep * (1 - System.Numerics.Tensors.TensorPrimitives.SumOfSquares<double>(live)));
            System.Numerics.Tensors.TensorPrimitives.Multiply(live, growth, live);
            System.Numerics.Tensors.TensorPrimitives.Add(live, -timeStep * penalty, live);
            while (alive > 0 && weights[alive - 1] <= 0)
                alive--;
            time += timeStep;
        }
        return points;
    }
}
