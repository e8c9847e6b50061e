using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="EngineeredMonosemanticity"/>.</summary>
public sealed record EngineeredMonosemanticityConfig : LayerNetConfig
{
    /// <summary>One model of 16,000 steps of 256 rows.</summary>
    public EngineeredMonosemanticityConfig() => (Seeds, Steps) = (1, 16_000);

    /// <summary>N. In 2 … 1,000.</summary>
    public int Features
    {
        get;
        init => field = Allowed.Between(value, 2, 1000);
    } = 96;

    /// <summary>m, the dimensions that the features are projected to. In 1 … 1,000.</summary>
    public int Dimensions
    {
        get;
        init => field = Allowed.Between(value, 1, 1000);
    } = 48;

    /// <summary>k, the neurons. In 1 … 4,096.</summary>
    public int Hidden
    {
        get;
        init => field = Allowed.Between(value, 1, 4096);
    } = 384;

    /// <summary>ε, the probability that a feature is active. In (0, 1].</summary>
    public double Density
    {
        get;
        init => field = AllowedDensity.Of(value);
    } = 1.0 / 48;

    /// <summary>The neurons' first bias. In −10 … 10.</summary>
    public double Bias
    {
        get;
        init => field = Allowed.Between(value, -10, 10);
    } = -0.3;

    /// <summary>Decay of the neurons' bias in the first half of training, per step and unit of the highest learning rate. In 0 … 100.</summary>
    public double BiasDecay
    {
        get;
        init => field = Allowed.Between(value, 0, 100);
    } = 0.03;
}

/// <summary>The same loss, more monosemantic: a negative first bias and more neurons.</summary>
public sealed class EngineeredMonosemanticity : ZooMember
{
    /// <summary>A neuron is monosemantic when one feature makes up this share of its activations over single features.</summary>
    internal const double MonosemanticShare = 0.999;

    /// <inheritdoc/>
    public override string Name => "engineered";

    /// <inheritdoc/>
    public override string Summary =>
        "decoding projected features: minima of equal loss differ in monosemanticity, and a negative first bias picks the better ones";

    /// <inheritdoc/>
    public override string Source => "Jermyn, Schiefer and Hubinger 2022, Engineering Monosemanticity in Toy Models";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new EngineeredMonosemanticityConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var engineered = Of<EngineeredMonosemanticityConfig>(config);
        var setting = Setting(engineered);
        var trained = setting.Train(engineered.Seed, progress, cancellation);
        var network = new LayerNetwork(trained.Shape, trained.Best.Parameters);
        var inputs = setting.Fresh(engineered.Samples, engineered.Seed, "layer-net/sample").Inputs;
        var responses = Responses(trained.Shape, trained.Best.Parameters);
        var neurons = NeuronCounts.Of(responses);
        return new ZooRun
        {
            Member = Name,
            Config = engineered,
            Network = network,
            Hook = "hook_post",
            Truth = Truth(engineered, trained, responses, neurons),
            Activations = ActivationSet.FromMatrix(network.Run(inputs, ["hook_post"]).Recorded["hook_post"]),
            Features = LayerNetSample.Features(inputs),
            Acceptances = [],
            Curve = trained.Best.Curve,
            SeedLosses = trained.Losses,
            Diverged = trained.Diverged,
        };
    }

    /// <summary>The population of a configuration: ŷ = W₂·ReLU(W₁·P·x + b₁), asked for x.</summary>
    internal static LayerNetSetting Setting(EngineeredMonosemanticityConfig config) =>
        new()
        {
            Training = new LayerNetTraining
            {
                Shape = new LayerNetShape
                {
                    Inputs = config.Features,
                    Projection = Projection(config.Features, config.Dimensions, config.Seed),
                    Hidden = config.Hidden,
                    Outputs = config.Features,
                    OutputBias = false,
                },
                Inputs = new LayerNetInputs.Reals(config.Density, 0, 1),
                Targets = new LayerNetTargets.Identity(),
                Batch = config.Batch,
                Steps = config.Steps,
                LearningRate = config.LearningRate,
                BiasDecay = config.BiasDecay,
            },
            Seeds = config.Seeds,
            HiddenBias = config.Bias,
        };

    /// <summary>What each feature alone, at size one, does to each neuron. Shape: <c>[n_features, n_neurons]</c>.</summary>
    internal static Matrix Responses(LayerNetShape shape, LayerNetParameters parameters) =>
        LayerNetReference.Run(shape, parameters, Matrix.Identity(shape.Inputs)).Hidden;

    /// <summary>Orthogonal columns, then each feature's direction scaled to norm one. Shape: <c>[m, N]</c>.</summary>
    private static Matrix Projection(int features, int dimensions, ulong seed)
    {
        var random = new RandomStream(seed, "engineered/projection").NormalMatrix(features, dimensions);
        var directions = LinearAlgebra.Svd(random).U;
        for (var i = 0; i < features; i++)
        {
            var norm = Math.Sqrt(FeatureGeometry.SquaredNorm(directions, i));
            System.Numerics.Tensors.TensorPrimitives.Divide(directions.Row(i), norm, directions.Row(i));
        }
        return directions.Transpose();
    }

    private static GroundTruth Truth(
        EngineeredMonosemanticityConfig config,
        LayerNetPopulation trained,
        Matrix responses,
        NeuronCounts neurons
    )
    {
        var counts =
            $"{config.Steps} steps, loss over the features' variance {trained.NormalisedLosses[trained.BestIndex]:G3}: of {neurons.Live} live neurons {neurons.Monosemantic} answer one feature alone";
        return config.Features > config.Hidden
            ? new GroundTruth
            {
                Cause = Cause.Superposition,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["superposition", "undetermined"],
                    [AccessLevel.C] = ["superposition"],
                },
                Reason = $"{counts}, and there are more features than neurons.",
                Directions = responses,
            }
            : new GroundTruth
            {
                // The layer is an unfolded superposition: its input has fewer dimensions than features, it has more neurons than features.
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "superposition", "mixed", "undetermined"],
                    [AccessLevel.C] = ["rotated", "mixed"],
                },
                Reason =
                    $"{counts}. The output reads every feature linearly, so that features are directions, no more of them than neurons; most neurons mix several. Sparse features in a wide layer look like superposition without concepts.",
                Directions = responses,
            };
    }
}

/// <summary>Neurons by what single features do to them.</summary>
/// <param name="Live">Neurons that some feature moves.</param>
/// <param name="Monosemantic">Those of which one feature makes up more than .999 of the activations.</param>
/// <param name="All">All neurons.</param>
internal sealed record NeuronCounts(int Live, int Monosemantic, int All)
{
    /// <summary>Monosemantic neurons over all.</summary>
    public double Fraction => (double)Monosemantic / All;

    /// <summary>Neurons that no single feature moves, over all.</summary>
    public double Dead => 1 - ((double)Live / All);

    /// <summary>Counts them.</summary>
    /// <param name="responses">Shape: <c>[n_features, n_neurons]</c>.</param>
    public static NeuronCounts Of(Matrix responses)
    {
        int live = 0,
            monosemantic = 0;
        for (var neuron = 0; neuron < responses.Columns; neuron++)
        {
            var column = responses.Column(neuron);
            var sum = column.Sum();
            if (sum <= 1e-6)
                continue;
            live++;
            if (column.Max() / sum > EngineeredMonosemanticity.MonosemanticShare)
                monosemantic++;
        }
        return new NeuronCounts(live, monosemantic, responses.Columns);
    }
}
