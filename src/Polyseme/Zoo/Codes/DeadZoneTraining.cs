using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.Codes;

/// <summary>Directions trained with a dead zone.</summary>
/// <param name="W">Feature directions as rows, those of the best start. Shape: <c>[n, m]</c>.</param>
/// <param name="Losses">The final loss of every start that was tried.</param>
public sealed record TrainedDeadZone(Matrix W, IReadOnlyList<double> Losses)
{
    /// <summary>The lowest loss.</summary>
    public double Loss => Losses.Min();
}

/// <summary>Trains tied directions on one-hot inputs with errors up to τ rounded away.</summary>
public static class DeadZoneTraining
{
    private const int Wave = 4;

    /// <summary>A loss that counts as none.</summary>
    public const double Zero = 1e-8;

    /// <summary>Adam from random starts, the learning rate falling linearly to zero; ends early once a start reaches zero, which none can beat.</summary>
    /// <param name="features">n.</param>
    /// <param name="hidden">m.</param>
    /// <param name="tolerance">τ in [0, 1).</param>
    /// <param name="relu">Whether the output ends in a ReLU.</param>
    /// <param name="starts">Random starts at most.</param>
    /// <param name="steps">Steps each.</param>
    /// <param name="rate">The highest learning rate.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public static TrainedDeadZone Train(
        int features,
        int hidden,
        double tolerance,
        bool relu,
        int starts,
        int steps,
        double rate,
        ulong seed,
        CancellationToken cancellation
    )
    {
        var loss = new DeadZoneLoss(tolerance, relu);
        var trained = new List<(Matrix W, double Loss)>();
        while (trained.Count < starts && !trained.Exists(candidate => candidate.Loss <= Zero))
        {
            var first = trained.Count;
            var wave = new (Matrix W, double Loss)[Math.Min(Wave, starts - first)];
            Parallel.For(
                0,
                wave.Length,
                new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
                i => wave[i] = TrainOne(loss, features, hidden, steps, rate, new RandomStream(seed, $"dead-zone/{first + i}"), cancellation)
            );
            trained.AddRange(wave);
        }
        return new TrainedDeadZone(trained.MinBy(candidate => candidate.Loss).W, [.. trained.Select(candidate => candidate.Loss)]);
    }

    private static (Matrix W, double Loss) TrainOne(
        DeadZoneLoss loss,
        int features,
        int hidden,
        int steps,
        double rate,
        RandomStream stream,
        CancellationToken cancellation
    )
    {
        var initial = stream.NormalMatrix(features, hidden);
        for (var i = 0; i < initial.Data.Length; i++)
            initial.Data[i] /= Math.Sqrt(hidden);
        var descent = new GramDescent(initial);
        for (var step = 0; step < steps; step++)
        {
            if (step % 512 == 0)
                cancellation.ThrowIfCancellationRequested();
            // Inside the dead zone the gradient is exactly zero, and only momentum would move on.
            if (descent.Step(loss, rate * (1 - ((double)step / steps))) == 0)
                break;
        }
        return (descent.Directions, descent.Loss(loss));
    }
}
