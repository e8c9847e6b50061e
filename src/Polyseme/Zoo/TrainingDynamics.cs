using Polyseme.Evidence;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>How a toy model's loss and its features' dimensionalities moved during training.</summary>
/// <param name="Steps">Steps done at each point, ascending and evenly spread. Shape: <c>[n_points]</c>.</param>
/// <param name="Losses">The loss on the same fresh rows at each point: free of the noise of batches. Shape: <c>[n_points]</c>.</param>
/// <param name="Dimensionalities">D_i at each point, 0 where a feature is not represented. Shape: <c>[n_points][n_features]</c>.</param>
/// <remarks>Elhage et al. 2022, "Toy Models of Superposition", on superposition and learning dynamics: "energy level" jumps.</remarks>
internal sealed record TrainingDynamics(int[] Steps, double[] Losses, double[][] Dimensionalities)
{
    /// <summary>What a model's snapshots say.</summary>
    /// <param name="model">The model, trained with snapshots.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="judged">Fresh rows.</param>
    /// <param name="cancellation">Stops between two snapshots.</param>
    public static TrainingDynamics Of(ToyModel model, ToyShape shape, SparseRows judged, CancellationToken cancellation)
    {
        var losses = new double[model.Snapshots.Count];
        Parallel.For(
            0,
            losses.Length,
            new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount },
            k => losses[k] = ToyReference.Loss(shape, model.Snapshots[k].Parameters, judged)
        );
        return new TrainingDynamics(
            [.. model.Snapshots.Select(snapshot => snapshot.Step)],
            losses,
            [.. model.Snapshots.Select(snapshot => Dimensionality.PerFeature(snapshot.Parameters.W).Select(d => d ?? 0).ToArray())]
        );
    }

    /// <summary>How much the logarithm of the loss falls over ±<paramref name="halfWidth"/> points, nats. Positive = the loss gets better.</summary>
    /// <param name="at">The point.</param>
    /// <param name="halfWidth">Points to either side.</param>
    /// <param name="first">The first point that counts.</param>
    public double Fall(int at, int halfWidth, int first) =>
        Math.Log(Losses[Math.Max(first, at - halfWidth)] / Losses[Math.Min(Losses.Length - 1, at + halfWidth)]);

    /// <summary>The points where the loss falls most, as a share of itself: the largest falls that are the largest among their neighbours.</summary>
    /// <param name="count">How many, at most.</param>
    /// <param name="halfWidth">Points to either side; two drops are further apart than that.</param>
    /// <param name="first">The first point that counts.</param>
    /// <returns>Points, the largest fall first.</returns>
    public int[] LargestDrops(int count, int halfWidth, int first)
    {
        var falls = Enumerable
            .Range(0, Losses.Length)
            .Select(k => k < first ? double.NegativeInfinity : Fall(k, halfWidth, first))
            .ToArray();
        bool IsLargest(int k)
        {
            for (var other = Math.Max(first, k - halfWidth); other <= Math.Min(falls.Length - 1, k + halfWidth); other++)
            {
                if (falls[other] > falls[k] || (falls[other] == falls[k] && other < k))
                    return false;
            }
            return falls[k] > 0;
        }
        return [.. Enumerable.Range(first, falls.Length - first).Where(IsLargest).OrderByDescending(k => falls[k]).Take(count)];
    }

    /// <summary>The largest change of a feature's dimensionality within ±<paramref name="halfWidth"/> points of a point.</summary>
    /// <param name="at">The point.</param>
    /// <param name="halfWidth">Points to either side.</param>
    /// <param name="first">The first point that counts.</param>
    public double LargestJump(int at, int halfWidth, int first)
    {
        int from = Math.Max(first, at - halfWidth),
            to = Math.Min(Losses.Length - 1, at + halfWidth);
        var largest = 0.0;
        for (var i = 0; i < Dimensionalities[0].Length; i++)
        {
            double low = double.PositiveInfinity,
                high = double.NegativeInfinity;
            for (var k = from; k <= to; k++)
                (low, high) = (Math.Min(low, Dimensionalities[k][i]), Math.Max(high, Dimensionalities[k][i]));
            largest = Math.Max(largest, high - low);
        }
        return largest;
    }
}
