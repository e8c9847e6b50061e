namespace Polyseme.Dictionaries.Benchmark;

/// <summary>A synthetic benchmark: how many features there are, how often they are on, and on what that depends.</summary>
/// <remarks>
/// After SynthSAEBench (SAELens, 16,384 features in 768 dimensions), with a thirty-second of the features in a twelfth of the dimensions: the same shape of
/// frequencies, the same share of features in trees, the same correlations. Frequencies are lower, so that as small a share of the dimensions is in use.
/// </remarks>
public sealed record SyntheticConfig
{
    private readonly int _features = 512;
    private readonly int _width = 64;
    private readonly double _exponent = 0.5;
    private readonly double _most = 0.2;
    private readonly double _least = 0.002;
    private readonly int _trees = 16;
    private readonly int _children = 4;
    private readonly int _depth = 2;
    private readonly int _rank = 25;
    private readonly double _correlation = 0.1;

    /// <summary>Draws directions, trees and rows.</summary>
    public ulong Seed { get; init; } = 42;

    /// <summary>True features, at least as many as the trees need.</summary>
    public int Features
    {
        get => _features;
        init =>
            _features = value >= 1 ? value : throw new ArgumentException($"features are {value}, but must be at least 1", nameof(value));
    }

    /// <summary>Dimensions of a row, at least 2.</summary>
    public int Width
    {
        get => _width;
        init => _width = value >= 2 ? value : throw new ArgumentException($"width is {value}, but must be at least 2", nameof(value));
    }

    /// <summary>Exponent a of Zipf's law: the i-th most frequent feature is on in proportion to i^−a, laid between the two bounds. At least 0.</summary>
    public double Exponent
    {
        get => _exponent;
        init => _exponent = value >= 0 ? value : throw new ArgumentException($"exponent is {value}, but must be at least 0", nameof(value));
    }

    /// <summary>Probability of the most frequent feature, in (0, 1].</summary>
    public double MostFrequent
    {
        get => _most;
        init =>
            _most = value is > 0 and <= 1
                ? value
                : throw new ArgumentException($"most-frequent is {value}, but must lie in (0, 1]", nameof(value));
    }

    /// <summary>Probability of the least frequent feature, in (0, 1].</summary>
    public double LeastFrequent
    {
        get => _least;
        init =>
            _least = value is > 0 and <= 1
                ? value
                : throw new ArgumentException($"least-frequent is {value}, but must lie in (0, 1]", nameof(value));
    }

    /// <summary>Trees of features. A child is on only where its parent is, and of siblings one at most.</summary>
    public int Trees
    {
        get => _trees;
        init => _trees = value >= 0 ? value : throw new ArgumentException($"trees are {value}, but must be at least 0", nameof(value));
    }

    /// <summary>Children of a node.</summary>
    public int Children
    {
        get => _children;
        init =>
            _children = value >= 1 ? value : throw new ArgumentException($"children are {value}, but must be at least 1", nameof(value));
    }

    /// <summary>Levels below a root.</summary>
    public int Depth
    {
        get => _depth;
        init => _depth = value >= 0 ? value : throw new ArgumentException($"depth is {value}, but must be at least 0", nameof(value));
    }

    /// <summary>Common factors behind what is on together; 0 for none.</summary>
    public int CorrelationRank
    {
        get => _rank;
        init =>
            _rank = value >= 0 ? value : throw new ArgumentException($"correlation-rank is {value}, but must be at least 0", nameof(value));
    }

    /// <summary>Standard deviation of a loading on a factor; √rank times this is at most .9, so that something of its own is left to each feature.</summary>
    public double CorrelationScale
    {
        get => _correlation;
        init =>
            _correlation =
                value >= 0 ? value : throw new ArgumentException($"correlation-scale is {value}, but must be at least 0", nameof(value));
    }

    /// <summary>Mean of the normal whose magnitude a feature has when it is on.</summary>
    public double MagnitudeMean { get; init; } = 1;

    /// <summary>Its standard deviation.</summary>
    public double MagnitudeDeviation { get; init; } = 0.5;

    /// <summary>Length of the constant that is added to every row.</summary>
    public double Bias { get; init; } = 0.5;

    /// <summary>Gradient steps that push the directions apart.</summary>
    public int OrthogonalisationSteps { get; init; } = 100;

    /// <summary>Nodes of all trees.</summary>
    public int TreeFeatures => Trees * Enumerable.Range(0, Depth + 1).Sum(level => (int)Math.Pow(Children, level));
}
