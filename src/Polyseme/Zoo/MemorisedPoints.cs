using Polyseme.Activations;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="MemorisedPoints"/>.</summary>
public sealed record MemorisedPointsConfig : ZooConfig
{
    /// <summary>T, the data points of the training set. In 2 … 1,000,000.</summary>
    public int Points
    {
        get;
        init => field = Allowed.Between(value, 2, 1_000_000);
    } = 8;

    /// <summary>n. In 10 … 10,000.</summary>
    public int Features
    {
        get;
        init => field = Allowed.Between(value, 10, 10_000);
    } = 1000;

    /// <summary>m. In 1 … 64.</summary>
    public int Hidden
    {
        get;
        init => field = Allowed.Between(value, 1, 64);
    } = 2;

    /// <summary>Probability that a feature is active, before rows are scaled to norm one. In [1e-5, 1].</summary>
    public double Density
    {
        get;
        init => field = Allowed.Density(value);
    } = 0.01;

    /// <summary>
    /// Models trained. Up to 1,000 points the one with the lowest loss on them is kept, since whether they were learnt is the question; above,
    /// the one with the lowest loss on fresh rows. In 1 … 100.
    /// </summary>
    public int Seeds
    {
        get;
        init => field = Allowed.Between(value, 1, 100);
    } = 4;

    /// <summary>Adam's highest learning rate. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 2e-3;

    /// <summary>Decoupled weight decay. In 0 … 10.</summary>
    public double WeightDecay
    {
        get;
        init => field = Allowed.Between(value, 0, 10);
    } = 1e-2;
}

/// <summary>The same model, loss and neurons on few and on many data points: few are memorised, many are represented by features.</summary>
public sealed class MemorisedPoints : ToyMember
{
    private const int LargestFullBatch = 1000;

    /// <inheritdoc/>
    public override string Name => "tms-memorised";

    /// <inheritdoc/>
    public override string Summary =>
        "a toy model on T data points: eight are memorised one direction each, three thousand leave five features in superposition";

    /// <inheritdoc/>
    public override string Source => "Henighan et al. 2023, Superposition, Memorization, and Double Descent";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new MemorisedPointsConfig();

    /// <inheritdoc/>
    public override ZooRun Run(
        ZooConfig config,
        PopulationCheckpoint? checkpoint,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var memorised = Of<MemorisedPointsConfig>(config);
        if (memorised.Hidden >= memorised.Features)
            throw new ArgumentException($"Hidden is {memorised.Hidden}; it stays below Features, {memorised.Features}", nameof(config));
        var shape = new ToyShape(
            memorised.Features,
            memorised.Hidden,
            HiddenRelu: false,
            OutputRelu: true,
            ToyShape.Uniform(memorised.Features)
        );
        var points = UnitRows(memorised, memorised.Points, "toy/points");
        var fresh = UnitRows(memorised, memorised.Samples, "toy/sample");
        var full = memorised.Points <= LargestFullBatch;
        var training = new ToyTraining
        {
            Shape = shape,
            Inputs = new ToyInputs.DataSet(points, WholeSetEveryStep: full),
            Batch = full ? points.Count : LargestFullBatch,
            Steps = full ? 12_000 : 9_000,
            LearningRate = memorised.LearningRate,
            Warmup = 0.05,
            WeightDecay = memorised.WeightDecay,
        };
        var judged = full ? points : UnitRows(memorised, 20_000, "toy/judge");
        var trained = BestOfSeeds.Train(
            training,
            memorised.Seed,
            memorised.Seeds,
            positive: false,
            judged,
            progress,
            cancellation,
            checkpoint
        );

        var network = new ToyNetwork(shape, trained.Best.Parameters);
        var w = trained.Best.Parameters.W;
        var trainLoss = ToyReference.Loss(shape, trained.Best.Parameters, points);
        var freshLoss = ToyReference.Loss(shape, trained.Best.Parameters, fresh);
        var freshActivations = ZooSample.Activations(network, "hook_hidden", fresh);
        var large = LargeFeatures(w);
        var freshFeatures = ZooSample.Features(fresh, large);
        var memorises = trainLoss < 0.5 * freshLoss;
        // What was memorised can be seen on the training points only; presenting them again would be the same rows.
        var sample = memorises ? points : fresh;
        var items = new RowIdentities { Item = [.. Enumerable.Range(0, points.Count).Select(i => (long)i)] };
        return new ZooRun
        {
            Member = Name,
            Config = memorised,
            Network = network,
            Hook = "hook_hidden",
            Truth = memorises ? MemorisedTruth(memorised) : FeatureTruth(memorised, w, large),
            Activations = memorises ? ZooSample.Activations(network, "hook_hidden", points, items) : freshActivations,
            Features = ZooSample.Features(sample, large),
            Acceptances = Acceptances(memorised, network, points, w, large, trainLoss),
            Curve = trained.Best.Curve,
            SeedLosses = trained.Losses,
            Diverged = trained.Diverged,
            Fresh = new FreshInputs(freshActivations, freshFeatures, trainLoss, freshLoss),
        };
    }

    /// <summary>The features whose direction is longer than half the longest. They alone are handed on: a thousand columns would be mostly zero.</summary>
    private static int[] LargeFeatures(Matrix w)
    {
        var longest = Enumerable.Range(0, w.Rows).Max(i => FeatureGeometry.SquaredNorm(w, i));
        return FeatureGeometry.Represented(w, above: longest / 4);
    }

    /// <summary>Sparse rows scaled to norm one after sampling; a row without any active feature is drawn again.</summary>
    private static SparseRows UnitRows(MemorisedPointsConfig config, int count, string stream)
    {
        var rows = new SparseRows(config.Features);
        for (var round = 0; rows.Count < count; round++)
        {
            var drawn = ZooSample.Inputs(
                new ToyInputs.Fresh(config.Density),
                config.Features,
                count - rows.Count,
                config.Seed,
                $"{stream}/{round}"
            );
            for (var row = 0; row < drawn.Count; row++)
            {
                var (begin, end) = (drawn.Start[row], drawn.Start[row + 1]);
                var norm = Math.Sqrt(drawn.Value[begin..end].ToArray().Sum(value => (double)value * value));
                if (norm == 0)
                    continue;
                for (var entry = begin; entry < end; entry++)
                    rows.Append(drawn.Feature[entry], (float)(drawn.Value[entry] / norm));
                rows.EndRow();
            }
        }
        return rows;
    }

    private static GroundTruth MemorisedTruth(MemorisedPointsConfig config) =>
        new()
        {
            Cause = Cause.Compositional,
            Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
            {
                [AccessLevel.A] = ["undetermined", "compositional"],
                [AccessLevel.T] = ["compositional"],
            },
            Reason =
                $"each of the {config.Points} training points has a direction of its own, and fresh inputs are reconstructed no better than by nothing: the code is one of items, equivalently one feature per item. So few rows cannot show that by themselves; fresh inputs, which come with the truth, can.",
        };

    private static GroundTruth FeatureTruth(MemorisedPointsConfig config, Matrix w, int[] large)
    {
        var (lines, rays) = FeatureGeometry.Count(w, large);
        var superposed = lines > config.Hidden;
        var cause = superposed ? Cause.Superposition : Cause.Rotated;
        return new GroundTruth
        {
            Cause = cause,
            Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
            {
                [AccessLevel.A] = [Causes.Id(cause), "undetermined"],
                [AccessLevel.C] = [Causes.Id(cause)],
            },
            Reason =
                $"{large.Length} features have long directions, on {lines} lines in {config.Hidden} dimensions, and fresh inputs are reconstructed as well as training points. Without concepts, most rows have none of these features active and lie near the origin, so the evidence is thin.",
            Directions = w.SelectRows(large),
            NLine = lines,
            NRay = rays,
        };
    }

    private static List<Acceptance> Acceptances(
        MemorisedPointsConfig config,
        ToyNetwork network,
        SparseRows points,
        Matrix w,
        int[] large,
        double trainLoss
    )
    {
        const string source = "Henighan et al. 2023; reference program with n = 1,000";
        if (config is not { Features: 1000, Hidden: 2, Density: 0.01 })
            return [];
        if (config.Points is 5 or 8)
        {
            var hidden = ZooSample.Activations(network, "hook_hidden", points).ToMatrix();
            var dimensionality = Dimensionality.PerFeature(hidden).Select(d => d ?? 0).ToArray();
            var expected = (double)config.Hidden / config.Points;
            return
            [
                new("training loss", trainLoss, 0, 1e-4, source),
                // The median, as the reference: once the loss is zero nothing but weight decay makes the polygon regular.
                new("median dimensionality of a data point", Median(dimensionality), expected - 0.01, expected + 0.01, source),
            ];
        }
        if (config.Points >= 3000)
        {
            var dimensionality = Dimensionality.PerFeature(w);
            return
            [
                new("features longer than half the longest", large.Length, 5, 5, source),
                new("smallest dimensionality of a long feature", large.Min(i => dimensionality[i] ?? 0), 0.25, 0.35, source),
                new("largest dimensionality of a long feature", large.Max(i => dimensionality[i] ?? 0), 0.25, 0.35, source),
            ];
        }
        return [];
    }

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
