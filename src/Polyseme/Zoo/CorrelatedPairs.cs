using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="CorrelatedPairs"/>.</summary>
public sealed record CorrelatedPairsConfig : ZooConfig
{
    /// <summary>Probability that a pair is active. In [1e-5, 1].</summary>
    public double Density
    {
        get;
        init => field = AllowedDensity.Of(value);
    } = 0.05;

    /// <summary>Models trained; the best on fresh rows is kept. In 1 … 1,000.</summary>
    public int Seeds
    {
        get;
        init => field = Allowed.Between(value, 1, 1000);
    } = 16;

    /// <summary>Training steps. In 1 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, 1_000_000);
    } = 5000;

    /// <summary>Samples per step. In 1 … 65,536.</summary>
    public int Batch
    {
        get;
        init => field = Allowed.Between(value, 1, 65_536);
    } = 1024;

    /// <summary>Adam's highest learning rate. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 3e-3;
}

/// <summary>Six features in three pairs that switch on together, in two dimensions: sparse they are superposed, dense their pair sums are.</summary>
public sealed class CorrelatedPairs : ToyMember
{
    private const int Features = 6,
        Hidden = 2,
        Pairs = 3;

    /// <inheritdoc/>
    public override string Name => "tms-pairs";

    /// <inheritdoc/>
    public override string Summary =>
        "six features in three correlated pairs in two dimensions: superposition when sparse, three pair sums when dense";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on correlated features";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new CorrelatedPairsConfig();

    /// <inheritdoc/>
    public override ZooRun Run(
        ZooConfig config,
        PopulationCheckpoint? checkpoint,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var pairs = Of<CorrelatedPairsConfig>(config);
        var (shape, inputs) = Setting(pairs.Density);
        var training = new ToyTraining
        {
            Shape = shape,
            Inputs = inputs,
            Batch = pairs.Batch,
            Steps = pairs.Steps,
            LearningRate = pairs.LearningRate,
        };
        // Rival minima differ by two percent of the loss: fewer rows would choose among them by luck.
        var judged = ZooSample.Inputs(inputs, Features, 200_000, pairs.Seed, "toy/judge");
        var trained = BestOfSeeds.Train(training, pairs.Seed, pairs.Seeds, positive: false, judged, progress, cancellation, checkpoint);

        var network = new ToyNetwork(shape, trained.Best.Parameters);
        var w = trained.Best.Parameters.W;
        var (lines, rays) = Count(w);
        var sample = ZooSample.Inputs(inputs, Features, pairs.Samples, pairs.Seed, "toy/sample");
        return new ZooRun
        {
            Member = Name,
            Config = pairs,
            Network = network,
            Hook = "hook_hidden",
            Truth = Truth(w, lines, rays),
            Activations = ZooSample.Activations(network, "hook_hidden", sample),
            Features = ZooSample.Features(sample, [.. Enumerable.Range(0, Features)]),
            Acceptances = Acceptances(pairs.Density, w),
            Curve = trained.Best.Curve,
            SeedLosses = trained.Losses,
            Diverged = trained.Diverged,
        };
    }

    private static GroundTruth Truth(Matrix w, int lines, int rays)
    {
        var collapsed = Enumerable.Range(0, Pairs).All(pair => WithinPair(w, pair) < 10);
        return collapsed
            ? new GroundTruth
            {
                Cause = Cause.Superposition,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["superposition", "rotated", "undetermined"],
                    [AccessLevel.C] = ["superposition", "rotated"],
                },
                Reason =
                    $"each pair has collapsed to one direction that carries its sum, so three features are left on {lines} lines in two dimensions: superposition in the strict count (a linear read-out gets two thirds of each), but three rays are no more than the four that two dimensions hold without interference behind a ReLU, so rotated in the essay's ReLU-linear sense. Activations alone are a dense cloud in a plane, where a test has nothing left over to fail on.",
                Subtypes = ["relu_linear"],
                Directions = w,
                NLine = lines,
                NRay = rays,
            }
            : new GroundTruth
            {
                Cause = Cause.Superposition,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["superposition", "undetermined"],
                    [AccessLevel.C] = ["superposition"],
                },
                Reason =
                    $"{lines} lines in two dimensions: more than the dimensions, and {rays} rays are more than the four that a ReLU could tell apart. From activations alone an active pair fills a sector of the plane, whose two edges need not be found.",
                Directions = w,
                NLine = lines,
                NRay = rays,
            };
    }

    /// <summary>Directions without and with sign. A member of a collapsed pair carries half of its sum, so half the usual norm counts.</summary>
    internal static (int Lines, int Rays) Count(Matrix w) =>
        FeatureGeometry.Count(w, FeatureGeometry.Represented(w, above: FeatureGeometry.RepresentedSquaredNorm / 2));

    /// <summary>The model and its inputs at a density.</summary>
    internal static (ToyShape Shape, ToyInputs Inputs) Setting(double density) =>
        (ToySetting.Uniform(Features, Hidden), new ToyInputs.Fresh(density, GroupSize: 2));

    /// <summary>What the directions must be at a density; empty where no structure is known.</summary>
    internal static List<Acceptance> Acceptances(double density, Matrix w)
    {
        const string source = "Elhage et al. 2022; reference program";
        var within = WithinPairs(w);
        var norms = Enumerable.Range(0, Features).Select(i => Math.Sqrt(FeatureGeometry.SquaredNorm(w, i))).Order().ToArray();
        var between = BetweenPairs(w);
        var betweenLines = between.Select(angle => Math.Min(angle, 180 - angle)).Order().ToArray();
        bool Is(double value) => Math.Abs(density - value) < 1e-9;
        // The bounds are those of the reference table, widened by 5° and .05 where it names single values.
        return density switch
        {
            <= 0.05 =>
            [
                new("represented features (squared norm above .5)", FeatureGeometry.Represented(w).Length, 6, 6, source),
                new("smallest angle within a pair, degrees", within[0], 59, 69, source),
                new("largest angle within a pair, degrees", within[2], 59, 69, source),
                new("smallest norm", norms[0], 0.90, 1.03, source),
                new("largest norm", norms[5], 0.90, 1.03, source),
            ],
            _ when Is(0.1) =>
            [
                new("smallest angle within a pair, degrees", within[0], 0, 5, source),
                new("second smallest angle within a pair, degrees", within[1], 65, 75, source),
                new("largest angle within a pair, degrees", within[2], 65, 75, source),
            ],
            >= 0.15 and <= 0.3 =>
            [
                new("second smallest angle within a pair, degrees", within[1], 0, 5, source),
                new("largest angle within a pair, degrees", within[2], 80, 91, source),
            ],
            >= 0.4 and <= 0.7 =>
            [
                new("largest angle within a pair, degrees", within[2], 0, 3, source),
                new("smallest norm", norms[0], 0.53, 0.76, source),
                new("largest norm", norms[5], 0.53, 0.76, source),
                .. Arrangement(),
            ],
            _ => [],
        };

        List<Acceptance> Arrangement() =>
            Is(0.4)
                ?
                [
                    new("smallest angle between pairs, degrees", between[0], 85, 95, source),
                    new("second angle between pairs, degrees", between[1], 85, 95, source),
                    new("largest angle between pairs, degrees", between[2], 175, 180, source),
                ]
            : Is(0.5)
                ?
                [
                    new("smallest angle between pairs, degrees", between[0], 115, 125, source),
                    new("largest angle between pairs, degrees", between[2], 115, 125, source),
                ]
            : Is(0.7)
                ?
                [
                    new("smallest angle between the lines of two pairs, degrees", betweenLines[0], 55, 66, source),
                    new("largest angle between the lines of two pairs, degrees", betweenLines[2], 55, 66, source),
                ]
            : [];
    }

    /// <summary>Angles within the pairs, degrees, ascending.</summary>
    internal static double[] WithinPairs(Matrix w) => [.. Enumerable.Range(0, Pairs).Select(pair => WithinPair(w, pair)).Order()];

    /// <summary>Angles between the sums of two pairs, degrees, ascending.</summary>
    internal static double[] BetweenPairs(Matrix w) =>
        [
            .. (
                from a in Enumerable.Range(0, Pairs)
                from b in Enumerable.Range(a + 1, Pairs - a - 1)
                select FeatureGeometry.Degrees(PairSum(w, a), PairSum(w, b))
            ).Order(),
        ];

    private static double WithinPair(Matrix w, int pair) => FeatureGeometry.Degrees(w.Row(2 * pair), w.Row((2 * pair) + 1));

    private static double[] PairSum(Matrix w, int pair) => [w[2 * pair, 0] + w[(2 * pair) + 1, 0], w[2 * pair, 1] + w[(2 * pair) + 1, 1]];
}
