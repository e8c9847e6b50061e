using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Metrics;

/// <summary>Whether the directions of a dictionary lie along single neurons.</summary>
public sealed record BasisAlignment
{
    /// <summary>A latent lies along a neuron above this |cosine|.</summary>
    public const double AlignedAbove = 0.9;

    /// <summary>|cosine| of each latent's direction with the nearest neuron, in [1/√d, 1]; <c>null</c> for a zero direction. Shape: <c>[n_latents]</c>.</summary>
    public required double?[] Nearest { get; init; }

    /// <summary>Mean of them, or <c>null</c> when every direction is zero.</summary>
    public required double? Mean { get; init; }

    /// <summary>Share of latents that lie along one neuron, in [0, 1].</summary>
    public required double AlignedShare { get; init; }

    /// <summary>The mean that as many random directions give.</summary>
    public required double MeanOfRandomDirections { get; init; }

    /// <summary>Measures the directions.</summary>
    /// <param name="directions">Shape: <c>[n_latents, n_neurons]</c>.</param>
    /// <param name="random">Draws the random directions.</param>
    public static BasisAlignment Measure(Matrix directions, RandomStream random)
    {
        var nearest = NearestNeuron(directions);
        var live = nearest.Where(cosine => cosine is not null).Select(cosine => cosine!.Value).ToArray();
        return new BasisAlignment
        {
            Nearest = nearest,
            Mean = live.Length == 0 ? null : live.Average(),
            AlignedShare = nearest.Length == 0 ? 0 : (double)live.Count(cosine => cosine > AlignedAbove) / nearest.Length,
            MeanOfRandomDirections = NearestNeuron(random.NormalMatrix(Math.Max(directions.Rows, 100), directions.Columns))
                .Average(cosine => cosine ?? 0),
        };
    }

    private static double?[] NearestNeuron(Matrix directions)
    {
        var nearest = new double?[directions.Rows];
        for (var k = 0; k < nearest.Length; k++)
        {
            double largest = 0,
                square = 0;
            foreach (var value in directions.Row(k))
            {
                largest = Math.Max(largest, Math.Abs(value));
                square += value * value;
            }
            nearest[k] = square > 0 ? largest / Math.Sqrt(square) : null;
        }
        return nearest;
    }
}
