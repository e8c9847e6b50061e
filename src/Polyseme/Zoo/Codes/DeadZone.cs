using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.Codes;

/// <summary>Configuration of <see cref="DeadZone"/>.</summary>
public sealed record DeadZoneConfig : ZooConfig
{
    /// <summary>n. In 2 … 200.</summary>
    public int Features
    {
        get;
        init => field = Allowed.Between(value, 2, 200);
    } = 12;

    /// <summary>m. In 1 … 64.</summary>
    public int Hidden
    {
        get;
        init => field = Allowed.Between(value, 1, 64);
    } = 3;

    /// <summary>τ: errors up to this are rounded away. In 0 … .9.</summary>
    public double Tolerance
    {
        get;
        init => field = Allowed.Between(value, 0, 0.9);
    } = 0.315;

    /// <summary><c>relu</c> rounds negative interference away altogether, <c>linear</c> up to τ only.</summary>
    public string Output
    {
        get;
        init => field = Allowed.OneOf(value, ["relu", "linear"]);
    } = "relu";

    /// <summary>Probability that a feature is active in the sample that is diagnosed; training is one-hot. In (0, 1].</summary>
    public double Density
    {
        get;
        init => field = AllowedDensity.Of(value);
    } = 0.05;

    /// <summary>Random starts at most. In 1 … 1,000.</summary>
    public int Seeds
    {
        get;
        init => field = Allowed.Between(value, 1, 1000);
    } = 24;

    /// <summary>Training steps. In 1 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, 1_000_000);
    } = 6000;

    /// <summary>Adam's highest learning rate, falling linearly to zero. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 0.02;
}

/// <summary>Interference up to τ is rounded away: how many features fit is then a question of codes on the sphere.</summary>
public sealed class DeadZone : ZooMember
{
    /// <inheritdoc/>
    public override string Name => "dead-zone";

    /// <inheritdoc/>
    public override string Summary =>
        "errors up to a tolerance are rounded away, so that as many features fit as a spherical code has points";

    /// <inheritdoc/>
    public override string Source =>
        "LawrenceC 2024, Superposition is not just neuron polysemanticity, on ignoring small interference; thresholds derived from spherical codes";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new DeadZoneConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var zone = Of<DeadZoneConfig>(config);
        var relu = zone.Output == "relu";
        var trained = DeadZoneTraining.Train(
            zone.Features,
            zone.Hidden,
            zone.Tolerance,
            relu,
            zone.Seeds,
            zone.Steps,
            zone.LearningRate,
            zone.Seed,
            cancellation
        );
        var shape = new ToyShape(zone.Features, zone.Hidden, HiddenRelu: false, relu, ToyShape.Uniform(zone.Features));
        var network = new ToyNetwork(shape, new ToyParameters(trained.W, new double[zone.Features]));
        var sample = ZooSample.Inputs(new ToyInputs.Fresh(zone.Density), zone.Features, zone.Samples, zone.Seed, "dead-zone/sample");
        return new ZooRun
        {
            Member = Name,
            Config = zone,
            Network = network,
            Hook = "hook_hidden",
            Truth = Truth(zone, trained.W),
            Activations = ZooSample.Activations(network, "hook_hidden", sample),
            Features = ZooSample.Features(sample, [.. Enumerable.Range(0, zone.Features)]),
            Acceptances = Acceptances(zone, trained),
            SeedLosses = trained.Losses,
        };
    }

    private static GroundTruth Truth(DeadZoneConfig config, Matrix w)
    {
        // Norms shrink to 1 − τ, so what counts as represented shrinks along.
        var represented = FeatureGeometry.Represented(w, above: (1 - config.Tolerance) / 2);
        var (lines, rays) = FeatureGeometry.Count(w, represented);
        var counts = $"{represented.Length} features along {lines} lines and {rays} rays in {config.Hidden} dimensions";
        return lines > config.Hidden
                ? new GroundTruth
                {
                    Cause = Cause.Superposition,
                    Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>> { [AccessLevel.A] = ["superposition"] },
                    Reason = $"{counts}: more independent lines than dimensions, each pair's interference within the tolerance.",
                    Directions = w,
                    NLine = lines,
                    NRay = rays,
                }
            : rays > config.Hidden
                ? new GroundTruth
                {
                    Cause = Cause.Superposition,
                    Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                    {
                        // Two features on one line are one signed source to whoever sees activations only.
                        [AccessLevel.A] = ["superposition", "rotated", "undetermined"],
                        [AccessLevel.C] = ["superposition", "rotated"],
                    },
                    Reason =
                        $"{counts}: opposite features do not interfere behind a ReLU, so this is superposition to a linear reader and a rotated basis to a ReLU-linear one.",
                    Directions = w,
                    NLine = lines,
                    NRay = rays,
                }
            : new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "undetermined"],
                    [AccessLevel.C] = ["rotated"],
                },
                Reason = $"{counts}: nothing shares a dimension, and no neuron is special.",
                Directions = w,
                NLine = lines,
                NRay = rays,
            };
    }

    private static List<Acceptance> Acceptances(DeadZoneConfig config, TrainedDeadZone trained)
    {
        const string derived = "zero loss needs cosines up to τ/(1 − τ); derived";
        var threshold = DeadZoneThreshold.All.FirstOrDefault(known =>
            (known.Relu ? "relu" : "linear", known.Hidden, known.Features) == (config.Output, config.Hidden, config.Features)
        );
        if (threshold is null || config.Seeds < 24 || config.Steps < 6000)
            return [];
        var acceptances = new List<Acceptance>();
        if (config.Tolerance >= threshold.Tolerance + DeadZoneThreshold.Above)
        {
            acceptances.Add(new("loss above the threshold", trained.Loss, 0, DeadZoneTraining.Zero, derived));
            acceptances.Add(
                new(
                    "largest cosine, over τ/(1 − τ)",
                    SphericalCode.Largest(trained.W, lines: !threshold.Relu) / (config.Tolerance / (1 - config.Tolerance)),
                    -1000,
                    1.001,
                    derived
                )
            );
        }
        else if (config.Tolerance <= threshold.Tolerance - DeadZoneThreshold.Below)
        {
            acceptances.Add(new("loss below the threshold", trained.Loss, 5e-4, config.Features * config.Features, derived));
        }
        return acceptances;
    }
}

/// <summary>A code whose best cosine is known: with a dead zone from τ₀ = c/(1 + c) on, its features fit without loss.</summary>
/// <param name="Relu">Whether the output ends in a ReLU: dot products up to a bound. Else absolute dot products.</param>
/// <param name="Hidden">m.</param>
/// <param name="Features">n.</param>
/// <param name="Cosine">c, the smallest largest cosine of n points (lines) in R^m.</param>
public sealed record DeadZoneThreshold(bool Relu, int Hidden, int Features, double Cosine)
{
    /// <summary>So far above τ₀ the loss must vanish.</summary>
    public const double Above = 0.004;

    /// <summary>So far below τ₀ it must not.</summary>
    public const double Below = 0.008;

    /// <summary>τ₀.</summary>
    public double Tolerance => Cosine / (1 + Cosine);

    /// <summary>The sixteen known cases: points on the circle and the sphere (Tammes' problem), cross polytopes, equiangular lines.</summary>
    public static IReadOnlyList<DeadZoneThreshold> All { get; } =
    [
        new(true, 2, 4, 0),
        new(true, 2, 5, Math.Cos(2 * Math.PI / 5)),
        new(true, 2, 6, 0.5),
        new(true, 3, 6, 0),
        new(true, 3, 7, Math.Cos(77.8695 * Math.PI / 180)),
        new(true, 3, 8, ((2 * Math.Sqrt(2)) - 1) / 7),
        new(true, 3, 9, 1.0 / 3),
        new(true, 3, 10, Math.Cos(66.1468 * Math.PI / 180)),
        new(true, 3, 12, 1 / Math.Sqrt(5)),
        new(true, 4, 8, 0),
        new(false, 2, 3, 0.5),
        new(false, 3, 4, 1.0 / 3),
        new(false, 3, 6, 1 / Math.Sqrt(5)),
        new(false, 4, 6, 1.0 / 3),
        new(false, 5, 10, 1.0 / 3),
        new(false, 6, 16, 1.0 / 3),
    ];
}
