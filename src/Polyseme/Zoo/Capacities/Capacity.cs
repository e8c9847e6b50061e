using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.Capacities;

/// <summary>Configuration of <see cref="Capacity"/>.</summary>
public sealed record CapacityConfig : ZooConfig
{
    /// <summary>n. In 2 … 64.</summary>
    public int Features
    {
        get;
        init => field = Allowed.Between(value, 2, 64);
    } = 8;

    /// <summary>D, the quadratic neurons; below n. In 1 … 63.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 1, 63);
    } = 4;

    /// <summary>
    /// κ, the inputs' kurtosis. In 1.01 … 300. From 3 on an input is zero except with probability 3/κ, when it is normal; below, except with
    /// probability 1/κ, when it is a sign. Either way its variance is 1.
    /// </summary>
    public double Kurtosis
    {
        get;
        init => field = Allowed.Between(value, 1.01, 300);
    } = 30;

    /// <summary>Importances are v_i = Decayⁱ. In .1 … 1.</summary>
    public double Decay
    {
        get;
        init => field = Allowed.Between(value, 0.1, 1);
    } = 0.8;

    /// <summary>Random starts; the best is kept. In 1 … 1,000.</summary>
    public int Seeds
    {
        get;
        init => field = Allowed.Between(value, 1, 1000);
    } = 10;

    /// <summary>Adam's steps on the exact loss. In 1 … 10,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, 10_000_000);
    } = 6000;

    /// <summary>Adam's highest learning rate, falling linearly to zero. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 1e-2;
}

/// <summary>Quadratic neurons that share their dimensions out among features by what each is worth.</summary>
public sealed class Capacity : ZooMember
{
    private const string Source_ = "Scherlis et al. 2022, Polysemanticity and Capacity in Neural Networks";

    /// <inheritdoc/>
    public override string Name => "capacity";

    /// <inheritdoc/>
    public override string Summary =>
        "quadratic neurons that give every feature the capacity it is worth: ignored, polysemantic, monosemantic";

    /// <inheritdoc/>
    public override string Source => Source_;

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new CapacityConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var quadratic = Of<CapacityConfig>(config);
        if (quadratic.Neurons >= quadratic.Features)
            throw new ArgumentException($"Neurons is {quadratic.Neurons}; it stays below Features, {quadratic.Features}", nameof(config));
        var importance = Importance(quadratic.Features, quadratic.Decay);
        var trained = CapacityTraining.Train(
            importance,
            quadratic.Kurtosis,
            quadratic.Neurons,
            quadratic.Seeds,
            quadratic.Steps,
            quadratic.LearningRate,
            quadratic.Seed,
            cancellation
        );
        var constant = Enumerable.Range(0, quadratic.Features).Sum(i => importance[i] - FeatureGeometry.SquaredNorm(trained.W, i));
        var network = new QuadraticNeurons(trained.W, constant);
        var inputs = Inputs(quadratic.Samples, quadratic.Features, quadratic.Kurtosis, new RandomStream(quadratic.Seed, "capacity/sample"));
        return new ZooRun
        {
            Member = Name,
            Config = quadratic,
            Network = network,
            Hook = "hook_pre",
            Truth = Truth(quadratic, trained),
            Activations = ActivationSet.FromMatrix(network.Run(inputs, ["hook_pre"]).Recorded["hook_pre"]),
            Features = new ConceptTable(
                inputs.Rows,
                [.. Enumerable.Range(0, inputs.Columns).Select(i => new Concept($"feature_{i}", ConceptKind.Numeric, inputs.Column(i)))]
            ),
            Acceptances = Acceptances(quadratic, importance, trained),
            Curve = trained.Curve,
            SeedLosses = trained.Losses,
        };
    }

    /// <summary>v_i = decayⁱ.</summary>
    public static double[] Importance(int features, double decay) => [.. Enumerable.Range(0, features).Select(i => Math.Pow(decay, i))];

    /// <summary>Independent symmetric inputs of variance 1 with this kurtosis. Shape: <c>[rows, features]</c>.</summary>
    internal static Matrix Inputs(int rows, int features, double kurtosis, RandomStream stream)
    {
        var inputs = new Matrix(rows, features);
        var density = kurtosis >= 3 ? 3 / kurtosis : 1 / kurtosis;
        for (var i = 0; i < inputs.Data.Length; i++)
        {
            if (stream.NextDouble() < density)
                inputs.Data[i] =
                    (
                        kurtosis >= 3 ? stream.NextNormal()
                        : stream.NextDouble() < 0.5 ? 1
                        : -1
                    ) / Math.Sqrt(density);
        }
        return inputs;
    }

    private static GroundTruth Truth(CapacityConfig config, TrainedCapacities trained)
    {
        // A hundredth of a dimension is no read-out of a feature; it is what the optimiser leaves of an ignored one.
        var represented = trained.Capacity.Select((c, i) => (c, i)).Where(pair => pair.c > 0.01).Select(pair => pair.i).ToArray();
        var (lines, rays) = FeatureGeometry.Count(trained.W, represented);
        var superposed = lines > config.Neurons;
        // At κ = 3 inputs are normal: any rotation of independent normal sources is as independent.
        var normal = config.Kurtosis == 3;
        return new GroundTruth
        {
            Cause = superposed ? Cause.Superposition : Cause.Rotated,
            Accepted = superposed
                ? new Dictionary<AccessLevel, IReadOnlyList<string>> { [AccessLevel.A] = ["superposition"] }
                : new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = normal ? ["undetermined"] : ["rotated", "undetermined"],
                    [AccessLevel.C] = ["rotated"],
                },
            Reason = superposed
                ? $"{represented.Length} independent features get capacity in {config.Neurons} neurons: inputs of kurtosis {config.Kurtosis:G4} are so sparse that half a dimension is worth more than half of a whole one."
                : $"with kurtosis {config.Kurtosis:G4} a whole dimension is worth more than its parts: {represented.Length} features have one each, the others none, and the loss does not care which rotation of them the neurons read.",
            Directions = trained.W,
            NLine = lines,
            NRay = rays,
        };
    }

    private static List<Acceptance> Acceptances(CapacityConfig config, double[] importance, TrainedCapacities trained)
    {
        var best = CapacityAllocation.Solve(importance, config.Kurtosis, config.Neurons);
        return
        [
            new(
                "largest difference between a capacity and the closed form",
                best.Capacity.Zip(trained.Capacity, (expected, ours) => Math.Abs(expected - ours)).Max(),
                0,
                5e-3,
                $"{Source_}; closed form derived"
            ),
            new("loss above the closed form", trained.Loss - best.Loss, -1e-3, 1e-3, "closed form derived"),
            new("capacities summed, per neuron", trained.Capacity.Sum() / config.Neurons, 0.999, 1.001, Source_),
            new(
                "largest departure of a block from a tight frame",
                SemiOrthogonalBlocks.Find(trained.W).Max(block => block.Defect),
                0,
                1e-2,
                $"{Source_}, on block-semi-orthogonal matrices"
            ),
        ];
    }
}
