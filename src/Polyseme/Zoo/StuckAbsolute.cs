using Polyseme.Activations;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="StuckAbsolute"/>.</summary>
public sealed record StuckAbsoluteConfig : LayerNetConfig
{
    /// <summary>n. In 1 … 100.</summary>
    public int Features
    {
        get;
        init => field = Allowed.Between(value, 1, 100);
    } = 10;

    /// <summary>m, the neurons; 2n are enough for a loss of zero, one feature's sign each. In 1 … 1,000.</summary>
    public int Hidden
    {
        get;
        init => field = Allowed.Between(value, 1, 1000);
    } = 40;

    /// <summary>Probability that a feature is active. In (0, 1].</summary>
    public double Density
    {
        get;
        init => field = AllowedDensity.Of(value);
    } = 0.3;

    /// <summary>Whether the output ends in a ReLU.</summary>
    public bool OutputRelu { get; init; }

    /// <summary>Decoupled weight decay per unit of learning rate. In 0 … 10.</summary>
    public double WeightDecay
    {
        get;
        init => field = Allowed.Between(value, 0, 10);
    }

    /// <summary><c>adam</c> or <c>momentum</c> (gradient descent with momentum .9).</summary>
    public string Optimiser
    {
        get;
        init => field = Allowed.OneOf(value, ["adam", "momentum"]);
    } = "adam";
}

/// <summary>|x| with neurons enough for one sign of one feature each: is that what training finds?</summary>
public sealed class StuckAbsolute : ZooMember
{
    private const string Paper = "LawrenceC 2024, footnote 13; reference program";

    /// <inheritdoc/>
    public override string Name => "stuck-abs";

    /// <inheritdoc/>
    public override string Summary =>
        "|x| with neurons to spare: monosemantic at zero loss, and stuck on dead outputs where they end in a ReLU";

    /// <inheritdoc/>
    public override string Source => "LawrenceC 2024, Superposition is not \"just\" neuron polysemanticity, footnote 13";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new StuckAbsoluteConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var stuck = Of<StuckAbsoluteConfig>(config);
        var setting = Setting(stuck);
        var outcome = StuckOutcome.Of(setting.Train(stuck.Seed, progress, cancellation), setting, stuck.Seed);
        var trained = outcome.Population;
        var network = new LayerNetwork(trained.Shape, trained.Best.Parameters);
        var inputs = setting.Fresh(stuck.Samples, stuck.Seed, "layer-net/sample").Inputs;
        var mono = outcome.Monosemantic[trained.BestIndex];
        return new ZooRun
        {
            Member = Name,
            Config = stuck,
            Network = network,
            Hook = "hook_post",
            Truth = Truth(stuck, outcome, mono),
            Activations = ActivationSet.FromMatrix(network.Run(inputs, ["hook_post"]).Recorded["hook_post"]),
            Features = LayerNetSample.Features(inputs),
            Acceptances = Acceptances(stuck, outcome),
            Curve = trained.Best.Curve,
            SeedLosses = trained.Losses,
            Diverged = trained.Diverged,
        };
    }

    /// <summary>The population of a configuration.</summary>
    internal static LayerNetSetting Setting(StuckAbsoluteConfig config) =>
        new()
        {
            Training = new LayerNetTraining
            {
                Shape = new LayerNetShape
                {
                    Inputs = config.Features,
                    Hidden = config.Hidden,
                    Outputs = config.Features,
                    OutputRelu = config.OutputRelu,
                },
                Inputs = new LayerNetInputs.Reals(config.Density, -1, 1),
                Targets = new LayerNetTargets.Absolute(),
                Batch = config.Batch,
                Steps = config.Steps,
                LearningRate = config.LearningRate,
                WeightDecay = config.WeightDecay,
                Optimiser = config.Optimiser == "adam" ? new Optimiser.Adam() : new Optimiser.Momentum(),
            },
            Seeds = config.Seeds,
        };

    private static GroundTruth Truth(StuckAbsoluteConfig config, StuckOutcome outcome, double mono)
    {
        var trained = outcome.Population;
        var counts =
            $"{config.Steps} steps, loss over the targets' variance {trained.NormalisedLosses[trained.BestIndex]:G3}, {mono:P0} of the live neurons read one feature";
        return mono >= 0.9
            ? new GroundTruth
            {
                Cause = Cause.Monosemantic,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["monosemantic", "undetermined"],
                    [AccessLevel.C] = ["monosemantic"],
                },
                Reason = $"{counts}, one sign of it each. Without concepts, that the sources seen are the features is a guess.",
            }
            : new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "nonlinear", "mixed", "undetermined"],
                    [AccessLevel.C] = ["rotated", "nonlinear", "mixed"],
                },
                Reason =
                    $"{counts}; the others mix features, although there are {config.Hidden} neurons for {2 * config.Features} signed features. Behind a ReLU a signed feature lies on two rays, so that calling it non-linear is right as well.",
            };
    }

    /// <summary>What the configuration must reproduce, as means over seeds.</summary>
    internal static List<Acceptance> Acceptances(StuckAbsoluteConfig config, StuckOutcome outcome)
    {
        var acceptances = new List<Acceptance>();
        if (config is not { Features: 10, Optimiser: "adam", Batch: 256, Steps: >= 10_000 })
            return acceptances;
        if (config is { OutputRelu: false, Hidden: 40, Density: >= 0.1 })
        {
            acceptances.Add(new("mean loss over the targets' variance", outcome.MeanLoss, 0, 1e-3, Paper));
            acceptances.Add(new("mean share of neurons that read one feature", outcome.Monosemantic.Average(), 0.9, 1, Paper));
        }
        if (config is { OutputRelu: true, Hidden: 80, WeightDecay: 0 } && config.Density == 0.03)
        {
            acceptances.Add(new("mean loss over the targets' variance", outcome.MeanLoss, 0.2, 1, Paper));
            acceptances.Add(new("dead outputs, mean over seeds", outcome.DeadOutputs.Average(), 1, 10, Paper));
        }
        return acceptances;
    }
}
