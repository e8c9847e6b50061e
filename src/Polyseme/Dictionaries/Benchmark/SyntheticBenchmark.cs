using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Benchmark;

/// <summary>Rows of a synthetic benchmark with what is true of them.</summary>
/// <param name="Rows">Shape: <c>[n_rows, width]</c>.</param>
/// <param name="Features">Values of the true features. Shape: <c>[n_rows, n_features]</c>.</param>
public sealed record SyntheticRows(FloatMatrix Rows, FloatMatrix Features);

/// <summary>
/// Sparse features with Zipf frequencies, trees with mutual exclusion, low-rank correlations and folded-normal magnitudes, along nearly orthogonal
/// directions. Rows come in blocks, each from its own random stream: any block can be made without those before it.
/// </summary>
public sealed class SyntheticBenchmark
{
    /// <summary>Rows of a block.</summary>
    public const int BlockRows = 1024;

    private readonly int[] _parent; // −1 for none
    private readonly int[][] _siblings; // groups of which one at most is on, parents' groups before their children's
    private readonly int[] _roots; // features without a parent
    private readonly double[] _threshold; // of a standard normal, given that the parent is on
    private readonly double[] _loadings; // [n_features, rank]
    private readonly double[] _own; // what of a feature's normal is its own

    /// <summary>Draws the directions, the trees and the loadings.</summary>
    /// <exception cref="ArgumentException">The trees need more features than there are, or the correlations leave nothing to a feature.</exception>
    public SyntheticBenchmark(SyntheticConfig config)
    {
        if (config.TreeFeatures > config.Features)
            throw new ArgumentException($"the trees need {config.TreeFeatures} features, but there are {config.Features}", nameof(config));
        if (config.CorrelationScale * Math.Sqrt(config.CorrelationRank) > 0.9)
            throw new ArgumentException(
                $"correlation-scale {config.CorrelationScale} with rank {config.CorrelationRank} leaves nothing to a feature itself",
                nameof(config)
            );
        Config = config;
        Directions = PushedApart(config);
        var random = new RandomStream(config.Seed, "synthetic/bias");
        Bias = random.NormalMatrix(1, config.Width).Data;
        var length = Math.Sqrt(Bias.Sum(value => value * value));
        Bias = Array.ConvertAll(Bias, value => value * config.Bias / length);
        Probabilities = Zipf(config);
        (_parent, _siblings) = Grow(config);
        _roots = [.. Enumerable.Range(0, config.Features).Where(i => _parent[i] < 0)];
        (_loadings, _own) = Load(config);
        _threshold = new double[config.Features];
        for (var i = 0; i < config.Features; i++)
        {
            // A child is drawn where its parent is on: more often, so that before exclusion it is on as often as its rank says.
            var given = _parent[i] < 0 ? Probabilities[i] : Math.Min(1, Probabilities[i] / Probabilities[_parent[i]]);
            _threshold[i] = NormalQuantile(given);
        }
    }

    /// <summary>The configuration.</summary>
    public SyntheticConfig Config { get; }

    /// <summary>Unit length. Shape: <c>[n_features, width]</c>.</summary>
    public Matrix Directions { get; }

    /// <summary>Added to every row. Shape: <c>[width]</c>.</summary>
    public double[] Bias { get; }

    /// <summary>How often each feature is meant to be on, descending, before siblings exclude each other. Shape: <c>[n_features]</c>.</summary>
    public double[] Probabilities { get; }

    /// <summary>The parent of each feature, −1 without one.</summary>
    public IReadOnlyList<int> Parents => _parent;

    /// <summary>Groups of features of which one at most is on.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Exclusive => _siblings;

    /// <summary>The block numbered <paramref name="block"/>. Equal numbers, equal rows.</summary>
    /// <param name="block">From 0 on.</param>
    /// <param name="stream">A name that keeps training rows and held-out rows apart.</param>
    public SyntheticRows Block(int block, string stream = "train")
    {
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        var random = new RandomStream(Config.Seed, $"synthetic/{stream}/{block}");
        var (n, rank) = (Config.Features, Config.CorrelationRank);
        var features = new float[BlockRows * n];
        var factors = new double[rank];
        for (var row = 0; row < BlockRows; row++)
        {
            for (var r = 0; r < rank; r++)
                factors[r] = random.NextNormal();
            var values = features.AsSpan(row * n, n);
            foreach (var i in _roots)
            {
                if (IsOn(i))
                    values[i] = Magnitude();
            }
            // A group's parent stands in an earlier group, or is a root.
            foreach (var group in _siblings)
            {
                if (values[_parent[group[0]]] == 0)
                    continue;
                var (chosen, drawn) = (-1, 0);
                foreach (var i in group)
                {
                    // Whoever comes later takes the place with probability 1/(those so far): each is equally likely to keep it.
                    if (IsOn(i) && random.NextInt(++drawn) == 0)
                        chosen = i;
                }
                if (chosen >= 0)
                    values[chosen] = Magnitude();
            }
        }
        return Assemble(features);

        bool IsOn(int i)
        {
            var normal = _own[i] * random.NextNormal();
            for (var r = 0; r < rank; r++)
                normal += _loadings[(i * rank) + r] * factors[r];
            return normal < _threshold[i];
        }

        float Magnitude() => (float)Math.Max(Math.Abs(Config.MagnitudeMean + (Config.MagnitudeDeviation * random.NextNormal())), 1e-6);
    }

    /// <summary>The first blocks together.</summary>
    /// <param name="rows">Rows, at least 1; made in whole blocks and cut.</param>
    /// <param name="stream">As in <see cref="Block"/>.</param>
    public SyntheticRows Rows(int rows, string stream = "train")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        var (x, f) = (new float[checked(rows * Config.Width)], new float[checked(rows * Config.Features)]);
        Parallel.For(
            0,
            (rows + BlockRows - 1) / BlockRows,
            block =>
            {
                var made = Block(block, stream);
                var count = Math.Min(BlockRows, rows - (block * BlockRows));
                made.Rows.Data.AsSpan(0, count * Config.Width).CopyTo(x.AsSpan(block * BlockRows * Config.Width));
                made.Features.Data.AsSpan(0, count * Config.Features).CopyTo(f.AsSpan(block * BlockRows * Config.Features));
            }
        );
        return new SyntheticRows(new FloatMatrix(rows, Config.Width, x), new FloatMatrix(rows, Config.Features, f));
    }

    private SyntheticRows Assemble(float[] features)
    {
        var x = new float[BlockRows * Config.Width];
        var row = new double[Config.Width];
        for (var i = 0; i < BlockRows; i++)
        {
            Bias.CopyTo(row, 0);
            for (var k = 0; k < Config.Features; k++)
            {
                var value = features[(i * Config.Features) + k];
                if (value != 0)
                    System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(Directions.Row(k), value, row, row);
            }
            for (var j = 0; j < row.Length; j++)
                x[(i * Config.Width) + j] = (float)row[j];
        }
        return new SyntheticRows(new FloatMatrix(BlockRows, Config.Width, x), new FloatMatrix(BlockRows, Config.Features, features));
    }

    private static double[] Zipf(SyntheticConfig config)
    {
        var last = Math.Pow(config.Features, -config.Exponent);
        return
        [
            .. Enumerable
                .Range(1, config.Features)
                .Select(i =>
                    last < 1
                        ? config.LeastFrequent
                            + ((config.MostFrequent - config.LeastFrequent) * (Math.Pow(i, -config.Exponent) - last) / (1 - last))
                        : config.MostFrequent
                ),
        ];
    }

    /// <summary>Trees over randomly chosen features; within a tree the more frequent stand nearer to the root.</summary>
    private static (int[] Parent, int[][] Siblings) Grow(SyntheticConfig config)
    {
        var parent = new int[config.Features];
        Array.Fill(parent, -1);
        var siblings = new List<int[]>();
        var chosen = new RandomStream(config.Seed, "synthetic/trees").Permutation(config.Features);
        var size = config.Trees == 0 ? 0 : config.TreeFeatures / config.Trees;
        for (var tree = 0; tree < config.Trees; tree++)
        {
            // Lower numbers are more frequent; nodes level by level.
            var nodes = chosen[(tree * size)..((tree + 1) * size)].Order().ToArray();
            for (var node = 0; (node * config.Children) + 1 < size; node++)
            {
                var children = nodes[((node * config.Children) + 1)..((node * config.Children) + 1 + config.Children)];
                foreach (var child in children)
                    parent[child] = nodes[node];
                siblings.Add(children);
            }
        }
        return (parent, [.. siblings]);
    }

    private static (double[] Loadings, double[] Own) Load(SyntheticConfig config)
    {
        var loadings = new RandomStream(config.Seed, "synthetic/loadings").NormalMatrix(config.Features, config.CorrelationRank);
        var own = new double[config.Features];
        for (var i = 0; i < config.Features; i++)
        {
            var row = loadings.Row(i);
            var square = 0.0;
            for (var r = 0; r < row.Length; r++)
                square += (row[r] *= config.CorrelationScale) * row[r];
            if (square > 0.9)
            {
                // A row that drew far more than its share keeps a tenth of its variance to itself.
                for (var r = 0; r < row.Length; r++)
                    row[r] *= Math.Sqrt(0.9 / square);
                square = 0.9;
            }
            own[i] = Math.Sqrt(1 - square);
        }
        return (loadings.Data, own);
    }

    /// <summary>Random unit vectors after gradient steps on Σ_{i≠j} cos²: they stay many more than dimensions, but none lies near another.</summary>
    private static Matrix PushedApart(SyntheticConfig config)
    {
        using var scope = torch.NewDisposeScope();
        var start = new RandomStream(config.Seed, "synthetic/directions").NormalMatrix(config.Features, config.Width);
        var directions = LinearAlgebra.ToTensor(start).clone();
        directions.div_(directions.norm(1, keepdim: true));
        for (var step = 0; step < config.OrthogonalisationSteps; step++)
        {
            using var inner = torch.NewDisposeScope();
            var cosines = torch.mm(directions, directions.t());
            cosines.sub_(torch.eye(config.Features, dtype: torch.float64)); // unit vectors: the diagonal is 1
            // A step of 1/(the frame's own norm, n/d) is stable.
            directions.sub_(torch.mm(cosines, directions) * (0.5 * config.Width / config.Features));
            directions.div_(directions.norm(1, keepdim: true));
        }
        return LinearAlgebra.ToMatrix(directions);
    }

    /// <summary>Φ⁻¹, by bisection: it is taken once a feature. Infinite at 0 and 1.</summary>
    private static double NormalQuantile(double probability)
    {
        if (probability >= 1)
            return double.PositiveInfinity;
        var (low, high) = (-40.0, 40.0);
        for (var i = 0; i < 200; i++)
        {
            var middle = (low + high) / 2;
            if (NormalCumulative(middle) < probability)
                low = middle;
            else
                high = middle;
        }
        return (low + high) / 2;
    }

    private static double NormalCumulative(double x) =>
        torch.special.erfc(torch.tensor(-x / Math.Sqrt(2), torch.float64)).item<double>() / 2;
}
