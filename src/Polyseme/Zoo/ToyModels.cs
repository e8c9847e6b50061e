using Polyseme.Evidence;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="ToyModels"/>.</summary>
public sealed record ToyModelsConfig : ZooConfig
{
    /// <summary>n. In 2 … 1,000.</summary>
    public int Features
    {
        get;
        init => field = Allowed.Between(value, 2, 1000);
    } = 80;

    /// <summary>m, below n. In 1 … 256.</summary>
    public int Hidden
    {
        get;
        init => field = Allowed.Between(value, 1, 256);
    } = 8;

    /// <summary>
    /// 1 − S, the probability that a group of features is active; the mean over groups where they differ in frequency. In [1e-5, 1]. At .02 a row has 1.6 active features of 80 and the dimensions per feature
    /// are those of one-at-a-time features; at .05 it has four in eight dimensions, and most rows are dense mixtures.
    /// </summary>
    public double Density
    {
        get;
        init => field = AllowedDensity.Of(value);
    } = 0.02;

    /// <summary>How often features are active: <c>uniform</c>, <c>power</c>, <c>exponential</c> or <c>linear</c>, from the first group to the last.</summary>
    public string Frequencies
    {
        get;
        init => field = Allowed.OneOf(value, ["uniform", "power", "exponential", "linear"]);
    } = "uniform";

    /// <summary>Features per group, neighbours; 1 = independent features. Divides Features. In 1 … 1,000.</summary>
    public int GroupSize
    {
        get;
        init => field = Allowed.Between(value, 1, 1000);
    } = 1;

    /// <summary>What the members of an active group do: <c>together</c>, all active (correlated), or <c>one-at-a-time</c> (anticorrelated).</summary>
    public string GroupRule
    {
        get;
        init => field = Allowed.OneOf(value, ["together", "one-at-a-time"]);
    } = "together";

    /// <summary>The importance of a feature as a share of the one before it: I_i is its i-th power. In 0.001 … 1.</summary>
    public double ImportanceDecay
    {
        get;
        init => field = Allowed.Between(value, 0.001, 1);
    } = 1;

    /// <summary>Whether the output ends in a ReLU; without it the model is linear, a principal component analysis.</summary>
    public bool OutputRelu { get; init; } = true;

    /// <summary>Models trained; the best on fresh rows is kept. In 1 … 1,000.</summary>
    public int Seeds
    {
        get;
        init => field = Allowed.Between(value, 1, 1000);
    } = 2;

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

/// <summary>Sparse features in superposition: uniform, or of different importance and frequency, or in groups.</summary>
public sealed class ToyModels : ToyMember
{
    /// <summary>D* of the best of two models with n = 80, m = 8 by 1/(1 − S), from a reference program of 5,000 steps.</summary>
    private static readonly (double InverseDensity, double DimensionsPerFeature)[] Reference =
    [
        (1, 1.004),
        (2, 0.566),
        (2.5, 0.532),
        (4, 0.464),
        (5, 0.358),
        (8, 0.261),
        (10, 0.228),
        (20, 0.156),
        (50, 0.097),
    ];

    /// <inheritdoc/>
    public override string Name => "tms";

    /// <inheritdoc/>
    public override string Summary => "eighty equally important sparse features in eight dimensions: superposition";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on the geometry of uniform superposition";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new ToyModelsConfig();

    /// <inheritdoc/>
    public override ZooRun Run(
        ZooConfig config,
        PopulationCheckpoint? checkpoint,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var toy = Of<ToyModelsConfig>(config);
        if (toy.Hidden >= toy.Features)
            throw new ArgumentException($"Hidden is {toy.Hidden}; it stays below Features, {toy.Features}", nameof(config));
        if (toy.Features % toy.GroupSize != 0)
            throw new ArgumentException($"GroupSize is {toy.GroupSize}; it divides Features, {toy.Features}", nameof(config));
        var shape = new ToyShape(
            toy.Features,
            toy.Hidden,
            HiddenRelu: false,
            toy.OutputRelu,
            ToySetting.Decaying(toy.Features, toy.ImportanceDecay)
        );
        var inputs = Inputs(toy);
        var training = new ToyTraining
        {
            Shape = shape,
            Inputs = inputs,
            Batch = toy.Batch,
            Steps = toy.Steps,
            LearningRate = toy.LearningRate,
        };
        var judged = ZooSample.Inputs(inputs, toy.Features, 100_000, toy.Seed, "toy/judge");
        var trained = BestOfSeeds.Train(training, toy.Seed, toy.Seeds, positive: false, judged, progress, cancellation, checkpoint);

        var network = new ToyNetwork(shape, trained.Best.Parameters);
        var w = trained.Best.Parameters.W;
        var sample = ZooSample.Inputs(inputs, toy.Features, toy.Samples, toy.Seed, "toy/sample");
        return new ZooRun
        {
            Member = Name,
            Config = toy,
            Network = network,
            Hook = "hook_hidden",
            Truth = ToyTruth.Of(toy, w),
            Activations = ZooSample.Activations(network, "hook_hidden", sample),
            Features = ZooSample.Features(sample, [.. Enumerable.Range(0, toy.Features)]),
            Acceptances = Acceptances(toy, w),
            Curve = trained.Best.Curve,
            SeedLosses = trained.Losses,
            Diverged = trained.Diverged,
        };
    }

    private static ToyInputs.Fresh Inputs(ToyModelsConfig config)
    {
        var law = Enum.Parse<FrequencyLaw>(config.Frequencies, ignoreCase: true);
        var groups = config.Features / config.GroupSize;
        var fresh =
            law == FrequencyLaw.Uniform
                ? new ToyInputs.Fresh(config.Density, config.GroupSize)
                : new ToyInputs.Fresh(FrequencyLaws.Densities(law, groups, config.Density * groups), config.GroupSize);
        return fresh with { Rule = config.GroupRule == "together" ? Training.GroupRule.Together : Training.GroupRule.OneAtATime };
    }

    private static List<Acceptance> Acceptances(ToyModelsConfig config, Numerics.Matrix w)
    {
        const string source = "Elhage et al. 2022; reference program";
        var acceptances = new List<Acceptance>();
        // The numbers are those of independent features of equal frequency and importance.
        if (config is not { Frequencies: "uniform", GroupSize: 1, ImportanceDecay: 1, OutputRelu: true })
            return acceptances;
        if (config.Density <= 1.0 / 3)
            acceptances.Add(
                new Acceptance(
                    "dimensionalities summed over features, per dimension",
                    Dimensionality.Total(w) / config.Hidden,
                    0.99,
                    1.01,
                    source
                )
            );
        // The table holds for its own sizes and for runs at least as long as its own.
        if (config is { Features: 80, Hidden: 8, Steps: >= 5000 })
        {
            foreach (var (inverse, expected) in Reference)
            {
                if (Math.Abs((config.Density * inverse) - 1) < 1e-9)
                {
                    acceptances.Add(
                        new Acceptance(
                            "dimensions per feature, D*",
                            Dimensionality.PerRepresentedFeature(w) ?? 0,
                            0.92 * expected,
                            1.08 * expected,
                            source
                        )
                    );
                }
            }
        }
        return acceptances;
    }
}
