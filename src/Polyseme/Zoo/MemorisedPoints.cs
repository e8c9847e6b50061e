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
        init => field = AllowedDensity.Of(value);
    } = 0.01;

    /// <summary>
    /// Models trained. Up to 1,000 points the one with the lowest loss on them is kept, since whether they were learnt is the question; above,
    /// the one with the lowest loss on fresh rows. In 1 … 100.
    /// </summary>
    public int Seeds
    {
        get;
        init => field = Allowed.Between(value, 1, 100);
    } = 12;

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

    /// <summary>How many times as long as the recipe it is trained: 12,000 steps on up to 1,000 points, 9,000 above. In 1 … 20.</summary>
    public int Length
    {
        get;
        init => field = Allowed.Between(value, 1, 20);
    } = 1;
}

/// <summary>The model that <see cref="MemorisedPoints"/> trains, and what it does on its points and on fresh inputs.</summary>
/// <param name="Network">The network.</param>
/// <param name="Points">The training points.</param>
/// <param name="Fresh">Inputs that it was not trained on.</param>
/// <param name="Trained">The seeds it was chosen from.</param>
/// <param name="TrainLoss">Loss on the points.</param>
/// <param name="FreshLoss">Loss on the fresh inputs.</param>
internal sealed record MemorisedModel(
    ToyNetwork Network,
    SparseRows Points,
    SparseRows Fresh,
    BestOfSeeds Trained,
    double TrainLoss,
    double FreshLoss
)
{
    /// <summary>Feature directions. Shape: <c>[n_features, n_hidden]</c>.</summary>
    public Matrix W => Network.Parameters.W;

    /// <summary>The features whose direction is longer than half the longest.</summary>
    public int[] LongFeatures => LongerThanHalf(W);

    /// <summary>Where the training points lie in the hidden layer. Shape: <c>[points, n_hidden]</c>.</summary>
    public Matrix HiddenPoints() => ZooSample.Activations(Network, "hook_hidden", Points).ToMatrix();

    /// <summary>The rows longer than half the longest.</summary>
    public static int[] LongerThanHalf(Matrix rows)
    {
        var longest = Enumerable.Range(0, rows.Rows).Max(i => FeatureGeometry.SquaredNorm(rows, i));
        return FeatureGeometry.Represented(rows, above: longest / 4);
    }

    /// <summary>The median dimensionality of the training points, D_h. A point at the origin counts as 0.</summary>
    public static double MedianDimensionality(Matrix hiddenPoints)
    {
        var sorted = Dimensionality.PerFeature(hiddenPoints).Select(d => d ?? 0).Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
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
        var model = Train(memorised, checkpoint, progress, cancellation);
        var (network, points, fresh, trained, trainLoss, freshLoss) = model;
        var w = model.W;
        var freshActivations = ZooSample.Activations(network, "hook_hidden", fresh);
        var large = model.LongFeatures;
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

    /// <summary>Trains the seeds and keeps the one that <see cref="MemorisedPointsConfig.Seeds"/> names.</summary>
    /// <exception cref="ArgumentException">As many hidden units as features.</exception>
    internal static MemorisedModel Train(
        MemorisedPointsConfig config,
        PopulationCheckpoint? checkpoint,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        if (config.Hidden >= config.Features)
            throw new ArgumentException($"Hidden is {config.Hidden}; it stays below Features, {config.Features}", nameof(config));
        var shape = new ToyShape(config.Features, config.Hidden, HiddenRelu: false, OutputRelu: true, ToyShape.Uniform(config.Features));
        var points = UnitRows(config, config.Points, "toy/points");
        var fresh = UnitRows(config, config.Samples, "toy/sample");
        var full = config.Points <= LargestFullBatch;
        var training = new ToyTraining
        {
            Shape = shape,
            Inputs = new ToyInputs.DataSet(points, WholeSetEveryStep: full),
            Batch = full ? points.Count : LargestFullBatch,
            Steps = (full ? 12_000 : 9_000) * config.Length,
            LearningRate = config.LearningRate,
            Warmup = 0.05,
            WeightDecay = config.WeightDecay,
        };
        var judged = full ? points : UnitRows(config, 20_000, "toy/judge");
        var trained = BestOfSeeds.Train(training, config.Seed, config.Seeds, positive: false, judged, progress, cancellation, checkpoint);

        return new MemorisedModel(
            new ToyNetwork(shape, trained.Best.Parameters),
            points,
            fresh,
            trained,
            ToyReference.Loss(shape, trained.Best.Parameters, points),
            ToyReference.Loss(shape, trained.Best.Parameters, fresh)
        );
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
            var expected = (double)config.Hidden / config.Points;
            return
            [
                new("training loss", trainLoss, 0, 1e-4, source),
                // The median, as the reference: once the loss is zero nothing but weight decay makes the polygon regular.
                new(
                    "median dimensionality of a data point",
                    MemorisedModel.MedianDimensionality(hidden),
                    expected - 0.01,
                    expected + 0.01,
                    source
                ),
            ];
        }
        if (config.Points >= 3000)
        {
            // The smallest of the five moves by hundredths from one set of points to another, .22 to .28; the reproduction prints it.
            var dimensionality = Dimensionality.PerFeature(w);
            return
            [
                new("features longer than half the longest", large.Length, 5, 5, source),
                new(
                    "median dimensionality of the long features",
                    large.Select(i => dimensionality[i] ?? 0).Order().ElementAt(large.Length / 2),
                    0.25,
                    0.35,
                    source
                ),
                new("largest dimensionality of a long feature", large.Max(i => dimensionality[i] ?? 0), 0.25, 0.35, source),
            ];
        }
        return [];
    }
}
