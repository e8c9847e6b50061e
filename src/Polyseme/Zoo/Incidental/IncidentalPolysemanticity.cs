using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.Incidental;

/// <summary>Configuration of <see cref="IncidentalPolysemanticity"/>.</summary>
public sealed record IncidentalConfig : ZooConfig
{
    /// <summary>n. In 2 … 1,024.</summary>
    public int Features
    {
        get;
        init => field = Allowed.Between(value, 2, 1024);
    } = 64;

    /// <summary>m, a multiple of 16, at least n. In 16 … 4,096.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 16, 4096);
    } = 64;

    /// <summary>λ of λ‖W‖₁. In 0 … 1.</summary>
    public double Penalty
    {
        get;
        init => field = Allowed.Between(value, 0, 1);
    } = 1e-3;

    /// <summary>Models trained; the best is kept. In 1 … 1,000.</summary>
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
    } = 7500;

    /// <summary>AdamW's learning rate, constant. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 1e-3;
}

/// <summary>Enough neurons for every feature, a loss of zero, and neurons that carry two features all the same, because of where training started.</summary>
public sealed class IncidentalPolysemanticity : ZooMember
{
    /// <inheritdoc/>
    public override string Name => "incidental";

    /// <inheritdoc/>
    public override string Summary => "as many neurons as features and no shortage of room; initial weights decide which neurons carry two";

    /// <inheritdoc/>
    public override string Source =>
        "Lecomte et al. 2024, What Causes Polysemanticity? An Alternative Origin Story of Mixed Selectivity from Incidental Causes";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new IncidentalConfig();

    /// <summary>n²/(4m): half of the expected collisions of n features in m neurons, those of opposite sign.</summary>
    public static double Expected(int features, int neurons) => (double)features * features / (4.0 * neurons);

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var incidental = Of<IncidentalConfig>(config);
        if (incidental.Neurons % 16 != 0)
            throw new ArgumentException($"Neurons is {incidental.Neurons}; it is a multiple of 16", nameof(config));
        if (incidental.Neurons < incidental.Features)
            throw new ArgumentException($"Neurons is {incidental.Neurons}; it is at least Features, {incidental.Features}", nameof(config));
        var models = new OneHotTraining(
            incidental.Features,
            incidental.Neurons,
            incidental.Penalty,
            incidental.Steps,
            incidental.LearningRate
        ).TrainMany(incidental.Seed, incidental.Seeds, cancellation);
        var best = models.MinBy(model => model.Loss)!;
        var shape = new ToyShape(
            incidental.Features,
            incidental.Neurons,
            HiddenRelu: false,
            OutputRelu: true,
            ToyShape.Uniform(incidental.Features)
        );
        var network = new ToyNetwork(shape, new ToyParameters(best.W, new double[incidental.Features]));
        var sample = ExclusiveInputs(incidental.Features, incidental.Samples, new RandomStream(incidental.Seed, "incidental/sample"));
        return new ZooRun
        {
            Member = Name,
            Config = incidental,
            Network = network,
            Hook = "hook_hidden",
            Truth = Truth(incidental, best),
            Activations = ZooSample.Activations(network, "hook_hidden", sample),
            Features = ZooSample.Features(sample, [.. Enumerable.Range(0, incidental.Features)]),
            Acceptances = Acceptances(incidental, best),
            Curve = best.Curve,
            SeedLosses = [.. models.Select(model => model.Loss)],
        };
    }

    /// <summary>One feature at a time, each as often, its value uniform in [0, 1).</summary>
    private static SparseRows ExclusiveInputs(int features, int rows, RandomStream stream)
    {
        var inputs = new Matrix(rows, features);
        for (var row = 0; row < rows; row++)
            inputs[row, stream.NextInt(features)] = stream.NextDouble();
        return SparseRows.FromMatrix(inputs);
    }

    private static GroundTruth Truth(IncidentalConfig config, OneHotModel model)
    {
        var represented = FeatureGeometry.Represented(model.W);
        var (lines, rays) = FeatureGeometry.Count(model.W, represented);
        var live = Enumerable.Range(0, config.Neurons).Count(neuron => represented.Any(i => Math.Abs(model.W[i, neuron]) > 0.5));
        var counts =
            $"{represented.Length} features in {config.Neurons} neurons, of which {live} are used and {model.Polysemantic} carry two features of opposite sign, with a reconstruction loss of {model.Loss:G2}";
        const string flag =
            "Flag incidental: there is a neuron for every feature, features never occur together, and moving one of a pair to an unused neuron would cost nothing; only the initial weights and the penalty put them together";
        return model.Polysemantic == 0
            ? new GroundTruth
            {
                Cause = Cause.Monosemantic,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["monosemantic", "undetermined"],
                    [AccessLevel.C] = ["monosemantic"],
                },
                Reason = $"{counts}: this start made no pair.",
                Directions = model.W,
                NLine = lines,
                NRay = rays,
            }
            : new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    // A pair ±v is one signed source to whoever sees activations only, and it lies along a neuron.
                    [AccessLevel.A] = ["monosemantic", "superposition", "rotated", "undetermined"],
                    [AccessLevel.C] =
                        model.Polysemantic <= 0.1 * live ? ["rotated", "superposition", "monosemantic"] : ["rotated", "superposition"],
                },
                Reason =
                    $"{counts}. {lines} lines are no more than the rank and {rays} rays no more than the neurons: behind the ReLU no feature interferes with another, so features as many as neurons that do not each have one; a linear reader without the ReLU sees two features on a line, which counts as superposition. {flag}.",
                Subtypes = ["relu_linear"],
                Directions = model.W,
                NLine = lines,
                NRay = rays,
                Flags = ["incidental"],
            };
    }

    private static List<Acceptance> Acceptances(IncidentalConfig config, OneHotModel model)
    {
        var source = "Lecomte et al. 2024; reference program";
        if (config is not { Penalty: 1e-3, Steps: >= 7500, LearningRate: 1e-3 })
            return [];
        return
        [
            new("reconstruction loss", model.Loss, 0, 1e-3, source),
            new("polysemantic neurons that are no ± pair", model.Polysemantic - model.SignedPairs, 0, 0, source),
        ];
    }
}
