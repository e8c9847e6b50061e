using Polyseme.Numerics;

namespace Polyseme.PolyBench;

/// <summary>How large a feature is when it is on; all of mean square about 1.</summary>
public enum MagnitudeLaw
{
    /// <summary>Uniform between a fifth and one, scaled.</summary>
    Uniform,

    /// <summary>Exponential.</summary>
    Exponential,

    /// <summary>The absolute value of a normal.</summary>
    HalfNormal,

    /// <summary>e to a normal of deviation ½.</summary>
    LogNormal,

    /// <summary>Always the same.</summary>
    Constant,
}

/// <summary>How often features are on.</summary>
public enum FrequencyShape
{
    /// <summary>All alike.</summary>
    Equal,

    /// <summary>Zipf: the i-th in proportion to 1/i, and at least a tenth of the mean.</summary>
    Zipf,

    /// <summary>Exponential in the rank, over a factor of ten.</summary>
    Exponential,
}

/// <summary>What features have to do with each other.</summary>
public enum FeatureDependence
{
    /// <summary>Nothing.</summary>
    Independent,

    /// <summary>Groups of three that are on together, with magnitudes of their own.</summary>
    Blocks,

    /// <summary>Trees: a child is on only where its parent is.</summary>
    Trees,

    /// <summary>Groups of four of which one at most is on.</summary>
    Exclusive,
}

/// <summary>Features: how many, how often, how large, and how they hang together.</summary>
public sealed record FeatureSource
{
    /// <summary>n.</summary>
    public required int Features { get; init; }

    /// <summary>Mean number of features on in a row, over n.</summary>
    public required double Density { get; init; }

    /// <summary>How large they are.</summary>
    public MagnitudeLaw Magnitudes { get; init; }

    /// <summary>Whether half of the values are negative.</summary>
    public bool Signed { get; init; }

    /// <summary>How often.</summary>
    public FrequencyShape Frequencies { get; init; }

    /// <summary>How they hang together.</summary>
    public FeatureDependence Dependence { get; init; }

    /// <summary>Draws rows.</summary>
    /// <param name="rows">How many.</param>
    /// <param name="random">The stream.</param>
    /// <returns>Values, 0 where a feature is off. Shape: <c>[rows, n]</c>.</returns>
    public Matrix Sample(int rows, RandomStream random)
    {
        var probability = Probabilities();
        var values = new Matrix(rows, Features);
        for (var i = 0; i < rows; i++)
        {
            var row = values.Row(i);
            switch (Dependence)
            {
                case FeatureDependence.Blocks:
                    Blocks(row, probability, random);
                    break;
                case FeatureDependence.Trees:
                    Trees(row, probability, random);
                    break;
                case FeatureDependence.Exclusive:
                    Exclusive(row, probability, random);
                    break;
                default:
                    for (var f = 0; f < row.Length; f++)
                        row[f] = random.NextDouble() < probability[f] ? Value(random) : 0;
                    break;
            }
        }
        return values;
    }

    /// <summary>A value of a feature that is on.</summary>
    public double Value(RandomStream random)
    {
        var size = Magnitudes switch
        {
            MagnitudeLaw.Uniform => (0.2 + (0.8 * random.NextDouble())) / 0.643,
            MagnitudeLaw.Exponential => -Math.Log(1 - random.NextDouble()) / Math.Sqrt(2),
            MagnitudeLaw.HalfNormal => Math.Abs(random.NextNormal()),
            MagnitudeLaw.LogNormal => Math.Exp((0.5 * random.NextNormal()) - 0.25),
            MagnitudeLaw.Constant => 1,
            _ => throw new InvalidOperationException($"no such law: {Magnitudes}"),
        };
        return Signed && random.NextDouble() < 0.5 ? -size : size;
    }

    private double[] Probabilities()
    {
        double[] weight =
        [
            .. Enumerable
                .Range(0, Features)
                .Select(i =>
                    Frequencies switch
                    {
                        FrequencyShape.Zipf => 1.0 / (i + 1),
                        FrequencyShape.Exponential => Math.Exp(-Math.Log(10) * i / Features),
                        _ => 1,
                    }
                ),
        ];
        var mean = weight.Average();
        // A feature that is never seen is none: the rarest keep a tenth of the mean.
        return Array.ConvertAll(weight, value => Math.Clamp(Density * Math.Max(value / mean, 0.1), 0, 1));
    }

    private void Blocks(Span<double> row, double[] probability, RandomStream random)
    {
        for (var first = 0; first < row.Length; first += 3)
        {
            if (random.NextDouble() >= probability[first])
                continue;
            for (var f = first; f < Math.Min(first + 3, row.Length); f++)
                row[f] = random.NextDouble() < 0.9 ? Value(random) : 0;
        }
    }

    /// <summary>Three children each; a child's probability is that of its rank, given its parent.</summary>
    private void Trees(Span<double> row, double[] probability, RandomStream random)
    {
        for (var f = 0; f < row.Length; f++)
        {
            var root = f % 4 == 0;
            if (root || row[f - (f % 4)] != 0)
                row[f] = random.NextDouble() < (root ? Math.Min(1, 2 * probability[f]) : 0.5) ? Value(random) : 0;
        }
    }

    private void Exclusive(Span<double> row, double[] probability, RandomStream random)
    {
        for (var first = 0; first < row.Length; first += 4)
        {
            var count = Math.Min(4, row.Length - first);
            if (random.NextDouble() < Math.Min(1, count * probability[first]))
                row[first + random.NextInt(count)] = Value(random);
        }
    }
}
