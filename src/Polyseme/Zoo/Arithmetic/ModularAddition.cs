using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.Arithmetic;

/// <summary>Configuration of <see cref="ModularAddition"/>.</summary>
public sealed record ModularAdditionConfig : ZooConfig
{
    /// <summary>p, an odd number in 5 … 251.</summary>
    public int Modulus
    {
        get;
        init =>
            field =
                Allowed.Between(value, 5, 251) is var p && p % 2 == 1 ? p : throw new ArgumentException($"Modulus is {value}; it is odd");
    } = 59;

    /// <summary>Neurons. In 4 … 4,096.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 4, 4096);
    } = 256;

    /// <summary>Whether the network is trained; otherwise it is built from the closed form.</summary>
    public bool Trained { get; init; } = true;

    /// <summary>Whether neurons are ReLUs; otherwise they square. The closed form squares.</summary>
    public bool Relu { get; init; } = true;

    /// <summary>Share of the pairs that are trained on. In .1 … 1.</summary>
    public double TrainFraction
    {
        get;
        init => field = Allowed.Between(value, 0.1, 1);
    } = 0.6;

    /// <summary>Full-batch steps. In 1 … 100,000.</summary>
    public int Epochs
    {
        get;
        init => field = Allowed.Between(value, 1, 100_000);
    } = 6000;

    /// <summary>AdamW's learning rate. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 2e-3;

    /// <summary>AdamW's weight decay. In 0 … 10.</summary>
    public double WeightDecay
    {
        get;
        init => field = Allowed.Between(value, 0, 10);
    } = 1;

    /// <summary>The layer that is diagnosed: before the activation function, or after it.</summary>
    public bool BeforeActivation { get; init; } = true;
}

/// <summary>Addition modulo a prime: cosines and sines of a few frequencies, each spread over many neurons.</summary>
public sealed class ModularAddition : ZooMember
{
    /// <inheritdoc/>
    public override string Name => "modular-addition";

    /// <inheritdoc/>
    public override string Summary =>
        "a grokked network that adds modulo p: waves of a few frequencies, in a basis that is not the neurons'";

    /// <inheritdoc/>
    public override string Source =>
        "Nanda et al. 2023, Progress measures for grokking via mechanistic interpretability; Gromov 2023, Grokking modular arithmetic; Zhong et al. 2023, The clock and the pizza";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new ModularAdditionConfig();

    /// <summary>The training that a configuration asks for.</summary>
    internal static ModularTraining Training(ModularAdditionConfig config) =>
        new()
        {
            Modulus = config.Modulus,
            Neurons = config.Neurons,
            Activation = config.Relu ? ModularActivation.Relu : ModularActivation.Square,
            TrainFraction = config.TrainFraction,
            Epochs = config.Epochs,
            LearningRate = config.LearningRate,
            WeightDecay = config.WeightDecay,
            Seed = config.Seed,
        };

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation) =>
        Make(config, progress, cancellation).Run;

    /// <summary>Makes the network, and hands out its training beside it where it was trained.</summary>
    internal (ZooRun Run, GrokkedNetwork? Trained) Make(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var modular = Of<ModularAdditionConfig>(config);
        if (!modular.Trained && modular.Relu)
            throw new ArgumentException("the closed form squares: Relu is true where Trained is false; set relu=false", nameof(config));
        var trained = modular.Trained ? ModularTrainer.Train(Training(modular), progress, cancellation) : null;
        var network = trained?.Network ?? AnalyticModularAddition.Build(modular.Modulus, modular.Neurons, modular.Seed);
        var neurons = ModularFourier.Neurons(network);
        var keys = ModularFourier.KeyFrequencies(neurons);
        var hook = modular.BeforeActivation ? "hook_pre" : "hook_post";
        var random = new RandomStream(modular.Seed, "modular/sample");
        var pairs = Enumerable.Range(0, modular.Samples).Select(_ => random.NextInt(modular.Modulus * modular.Modulus)).ToArray();
        var all = ModularNetwork.AllPairs(modular.Modulus);
        var recorded = network.Run(all, [hook]).Recorded[hook];
        var activations = ActivationSet.FromMatrix(
            recorded.SelectRows(pairs),
            new RowIdentities { Item = [.. pairs.Select(pair => (long)pair)] }
        );
        var accuracy = network.Accuracy();
        var run = new ZooRun
        {
            Member = Name,
            Config = modular,
            Network = network,
            Hook = hook,
            Truth = Truth(modular, accuracy, keys),
            Activations = activations,
            Features = Features(modular, keys, pairs),
            Acceptances = Acceptances(modular, trained, network, accuracy, neurons, keys),
            Curve = [.. (trained?.Curve ?? []).Select(point => new CurvePoint(point.Epoch, point.TrainLoss))],
        };
        return (run, trained);
    }

    /// <summary>Before the activation function the features are the waves of a and of b; after it their products as well.</summary>
    private static ConceptTable Features(ModularAdditionConfig config, int[] keys, int[] pairs)
    {
        var p = config.Modulus;
        var concepts = new List<Concept>();
        void Add(string name, Func<int, int, double> value) =>
            concepts.Add(new Concept(name, ConceptKind.Numeric, [.. pairs.Select(pair => value(pair / p, pair % p))]));
        foreach (var f in keys)
        {
            var w = 2 * Math.PI * f / p;
            Add($"cos_{f}a", (a, _) => Math.Cos(w * a));
            Add($"sin_{f}a", (a, _) => Math.Sin(w * a));
            Add($"cos_{f}b", (_, b) => Math.Cos(w * b));
            Add($"sin_{f}b", (_, b) => Math.Sin(w * b));
            if (!config.BeforeActivation)
            {
                Add($"cos_{f}a_cos_{f}b", (a, b) => Math.Cos(w * a) * Math.Cos(w * b));
                Add($"cos_{f}a_sin_{f}b", (a, b) => Math.Cos(w * a) * Math.Sin(w * b));
                Add($"sin_{f}a_cos_{f}b", (a, b) => Math.Sin(w * a) * Math.Cos(w * b));
                Add($"sin_{f}a_sin_{f}b", (a, b) => Math.Sin(w * a) * Math.Sin(w * b));
            }
        }
        return new ConceptTable(pairs.Length, concepts);
    }

    private static GroundTruth Truth(ModularAdditionConfig config, double accuracy, int[] keys)
    {
        var state = $"{accuracy:P1} of all pairs right, {keys.Length} key frequencies ({string.Join(", ", keys)})";
        if (accuracy < 0.99)
        {
            return new GroundTruth
            {
                Cause = Cause.Compositional,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["undetermined", "compositional", "rotated", "nonlinear", "superposition"],
                },
                Reason = $"{state}: it has not grokked, and what it holds is training pairs learned by heart, waves, or both.",
            };
        }
        return config.BeforeActivation
            ? new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    // A wave's cosine and sine are a circle: additive, linear, and of two dimensions.
                    [AccessLevel.A] = ["rotated", "nonlinear", "undetermined"],
                    [AccessLevel.C] = ["rotated", "nonlinear"],
                },
                Reason =
                    $"{state}: each neuron sums a wave of a and a wave of b, {4 * keys.Length} directions in {config.Neurons} neurons, each wave's pair of them a circle. One linear map recovers every cosine and sine; circles are the border between rotated subspaces and nonlinear features, so both are accepted.",
                Subtypes = ["subspace"],
                NLine = 4 * keys.Length,
            }
            : new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "nonlinear", "undetermined"],
                    [AccessLevel.C] = ["rotated", "nonlinear"],
                },
                Reason =
                    $"{state}: products of waves are linear in the activations, with no more of them than neurons; waves of higher degree, which the activation function makes, lie beside them on a curved sheet.",
                Subtypes = ["subspace"],
            };
    }

    private static List<Acceptance> Acceptances(
        ModularAdditionConfig config,
        GrokkedNetwork? trained,
        ModularNetwork network,
        double accuracy,
        NeuronFrequency[] neurons,
        int[] keys
    )
    {
        if (trained is null)
        {
            const string gromov = "Gromov 2023; reference program";
            return config switch
            {
                { Modulus: 59 or 97 or 113, Neurons: 50 } => [new("share of all pairs that are right", accuracy, 0.87, 0.91, gromov)],
                { Modulus: 59 or 97 or 113, Neurons: 100 } => [new("share of all pairs that are right", accuracy, 0.9866, 1, gromov)],
                { Modulus: 59 or 97 or 113, Neurons: >= 200 } => [new("share of all pairs that are right", accuracy, 1, 1, gromov)],
                _ => [],
            };
        }
        if (config is not { TrainFraction: < 0.9, Epochs: >= 5000, WeightDecay: >= 1 })
            return [];
        const string nanda = "Nanda et al. 2023; judged";
        var live = neurons.Where(neuron => neuron.Live).ToArray();
        var post = network.Run(ModularNetwork.AllPairs(config.Modulus), ["hook_post"]).Recorded["hook_post"];
        return
        [
            new("share of held-out pairs that are right at the end", trained.Curve[^1].TestAccuracy, 0.99, 1, nanda),
            new(
                "epochs between 99 % of the training pairs right and 95 % of the others",
                (trained.Grokked() ?? double.NaN) - (trained.Memorised() ?? double.NaN),
                1000,
                double.PositiveInfinity,
                nanda
            ),
            new(
                "share of live neurons with over 85 % of the pre-activation in one frequency",
                (double)live.Count(neuron => neuron.PreShare > 0.85) / live.Length,
                0.8,
                1,
                nanda
            ),
            new(
                "share of live neurons with over 60 % of the activation in second-degree polynomials of it",
                (double)live.Count(neuron => neuron.PostShare > 0.6) / live.Length,
                0.8,
                1,
                nanda
            ),
            new(
                "smallest linear R² of the products of waves at the key frequencies",
                keys.Length == 0 ? double.NaN : ModularFourier.LinearFit(post, ModularFourier.Products(config.Modulus, keys)).Min(),
                0.95,
                1,
                nanda
            ),
            new("products of waves at the key frequencies, per neuron", 4.0 * keys.Length / network.Neurons, 0, 1, "derived"),
        ];
    }
}
