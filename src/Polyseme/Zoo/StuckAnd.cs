using Polyseme.Activations;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="StuckAnd"/>.</summary>
public sealed record StuckAndConfig : LayerNetConfig
{
    /// <summary>n, the bits; every pair has an output. In 2 … 12.</summary>
    public int Features
    {
        get;
        init => field = Allowed.Between(value, 2, 12);
    } = 6;

    /// <summary>m, the neurons; one per pair is enough for a loss of zero. In 1 … 1,000.</summary>
    public int Hidden
    {
        get;
        init => field = Allowed.Between(value, 1, 1000);
    } = 60;

    /// <summary>Probability that a bit is one. In (0, 1].</summary>
    public double Probability
    {
        get;
        init => field = AllowedDensity.Of(value);
    } = 0.5;

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

/// <summary>All pairwise ANDs with neurons to spare: the loss reaches zero and the neurons stay polysemantic.</summary>
public sealed class StuckAnd : ZooMember
{
    private const string Paper = "LawrenceC 2024, footnote 13; reference program";

    /// <inheritdoc/>
    public override string Name => "stuck-and";

    /// <inheritdoc/>
    public override string Summary =>
        "fifteen ANDs of six bits in sixty neurons: zero loss, no shortage of neurons, polysemantic all the same";

    /// <inheritdoc/>
    public override string Source => "LawrenceC 2024, Superposition is not \"just\" neuron polysemanticity, footnote 13";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new StuckAndConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var stuck = Of<StuckAndConfig>(config);
        var setting = Setting(stuck);
        var outcome = StuckOutcome.Of(setting.Train(stuck.Seed, progress, cancellation), setting, stuck.Seed);
        var trained = outcome.Population;
        var network = new LayerNetwork(trained.Shape, trained.Best.Parameters);
        var (inputs, targets) = setting.Fresh(stuck.Samples, stuck.Seed, "layer-net/sample");
        var pairs = LayerNetTargets.Products.AllPairs(stuck.Features).Pairs;
        return new ZooRun
        {
            Member = Name,
            Config = stuck,
            Network = network,
            Hook = "hook_post",
            Truth = Truth(stuck, outcome),
            Activations = ActivationSet.FromMatrix(network.Run(inputs, ["hook_post"]).Recorded["hook_post"]),
            Features = new ConceptTable(
                inputs.Rows,
                [.. pairs.Select((pair, i) => new Concept($"and_{pair.First}_{pair.Second}", ConceptKind.Binary, targets.Column(i)))]
            ),
            Acceptances = Acceptances(stuck, outcome),
            Curve = trained.Best.Curve,
            SeedLosses = trained.Losses,
            Diverged = trained.Diverged,
        };
    }

    /// <summary>The population of a configuration.</summary>
    internal static LayerNetSetting Setting(StuckAndConfig config)
    {
        var targets = LayerNetTargets.Products.AllPairs(config.Features);
        return new()
        {
            Training = new LayerNetTraining
            {
                Shape = new LayerNetShape
                {
                    Inputs = config.Features,
                    Hidden = config.Hidden,
                    Outputs = targets.Pairs.Count,
                },
                Inputs = new LayerNetInputs.Bits(config.Probability),
                Targets = targets,
                Batch = config.Batch,
                Steps = config.Steps,
                LearningRate = config.LearningRate,
                WeightDecay = config.WeightDecay,
                Optimiser = config.Optimiser == "adam" ? new Optimiser.Adam() : new Optimiser.Momentum(),
            },
            Seeds = config.Seeds,
        };
    }

    private static GroundTruth Truth(StuckAndConfig config, StuckOutcome outcome)
    {
        var best = outcome.Population.BestIndex;
        var pure = outcome.PureAnds[best];
        var counts =
            $"{config.Steps} steps, loss over the targets' variance {outcome.Population.NormalisedLosses[best]:G3}, {pure:P0} of the live neurons are one AND";
        return pure >= 0.9
            ? new GroundTruth
            {
                Cause = Cause.Monosemantic,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["monosemantic", "compositional", "undetermined"],
                    [AccessLevel.C] = ["monosemantic"],
                },
                Reason = $"{counts}.",
            }
            : new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "nonlinear", "compositional", "mixed", "undetermined"],
                    [AccessLevel.C] = ["rotated", "nonlinear", "mixed"],
                },
                Reason =
                    $"{counts}; the output is linear in the layer, so every AND is, and there are no more of them than neurons: the neurons mix what one linear map separates. ANDs share bits and bend the layer, so that calling it non-linear is right as well; without concepts, {1 << config.Features} patterns of bits need not mean anything.",
            };
    }

    /// <summary>What the configuration must reproduce: of five seeds four.</summary>
    internal static List<Acceptance> Acceptances(StuckAndConfig config, StuckOutcome outcome)
    {
        if (config is not { Features: 6, Hidden: 60, Probability: >= 0.2, Optimiser: "adam", Steps: >= 10_000 })
            return [];
        if (config.WeightDecay is not (0 or 0.1))
            return [];
        var most = config.WeightDecay == 0 ? 0.2 : 0.5;
        var holds = outcome.PureAnds.Zip(outcome.Population.NormalisedLosses).Count(pair => pair.First < most && pair.Second < 1e-2);
        return
        [
            new(
                $"share of seeds with loss below .01 of the variance and fewer than {most} of the neurons one AND",
                (double)holds / outcome.PureAnds.Count,
                0.8,
                1,
                Paper
            ),
        ];
    }
}
