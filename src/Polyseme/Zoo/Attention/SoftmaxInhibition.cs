using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.Attention;

/// <summary>Configuration of <see cref="SoftmaxInhibition"/>.</summary>
public sealed record SoftmaxInhibitionConfig : ZooConfig
{
    /// <summary>Gates in the layer, each with a payload and a gate token; two directions each, at most as many as neurons. In 1 … 128.</summary>
    public int Gates
    {
        get;
        init => field = Allowed.Between(value, 1, 128);
    } = 6;

    /// <summary>Neurons, d. In 2 … 256.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 2, 256);
    } = 16;

    /// <summary>Training steps of each head, of 128 contexts. In 1 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, 1_000_000);
    } = 2500;

    /// <summary>Adam's highest learning rate. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 3e-2;
}

/// <summary>A token that switches off another's effect by taking the attention away from it: a feature that only the softmax reads.</summary>
public sealed class SoftmaxInhibition : ZooMember
{
    private const int JudgedContexts = 5000;

    /// <inheritdoc/>
    public override string Name => "softmax-inhibition";

    /// <inheritdoc/>
    public override string Summary =>
        "payloads that count unless a second token takes the attention away: gated features that no linear map reads";

    /// <inheritdoc/>
    public override string Source =>
        "Elhage et al. 2021, A Mathematical Framework for Transformer Circuits, on one-layer models; task and bounds derived";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new SoftmaxInhibitionConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var gates = Of<SoftmaxInhibitionConfig>(config);
        if (2 * gates.Gates > gates.Neurons)
            throw new ArgumentException(
                $"Gates is {gates.Gates}, with two directions each; it is at most half of Neurons, {gates.Neurons}",
                nameof(config)
            );
        var (softmax, curve) = Train(AttentionWeights.Softmax, gates, progress, cancellation);
        var (additive, _) = Train(AttentionWeights.Linear, gates, progress, cancellation);
        var circuit = GateHead.Circuit(softmax);
        // The right singular vectors of a Gaussian matrix, turned by the left ones: orthonormal rows without a preferred direction.
        var (u, _, vt) = LinearAlgebra.Svd(new RandomStream(gates.Seed, "gate/directions").NormalMatrix(2 * gates.Gates, gates.Neurons));
        var network = new GateLayer(circuit, LinearAlgebra.Multiply(u, vt));
        var (inputs, features) = Sample(gates);
        var trace = network.Run(inputs, ["hook_hidden"]);
        return new ZooRun
        {
            Member = Name,
            Config = gates,
            Network = network,
            Hook = "hook_hidden",
            Truth = Truth,
            Activations = ActivationSet.FromMatrix(trace.Recorded["hook_hidden"]),
            Features = new ConceptTable(
                inputs.Rows,
                [.. Enumerable.Range(0, gates.Gates).Select(j => new Concept($"y_{j}", ConceptKind.Numeric, features.Column(j)))]
            ),
            Acceptances =
            [
                .. Acceptances(softmax, additive, circuit, gates.Seed),
                new(
                    "R² of the layer's gated features, read by the trained softmax",
                    GateHead.R2(features.Data, trace.Output.Data),
                    0.99,
                    1,
                    "derived"
                ),
            ],
            Curve = [.. curve.Select(point => new CurvePoint(point.Step, point.Loss))],
            SeedLosses = [curve[^1].Loss],
        };
    }

    /// <summary>A trained head of a kind, as the member trains it.</summary>
    internal static (SmallTransformer Network, IReadOnlyList<(int Step, double Loss)> Curve) Train(
        AttentionWeights attention,
        SoftmaxInhibitionConfig config,
        IProgress<Step>? progress,
        CancellationToken cancellation
    ) => GateHead.Train(attention, config.Steps, config.LearningRate, config.Seed, progress, cancellation);

    /// <summary>What the two heads must come to.</summary>
    internal static IReadOnlyList<Acceptance> Acceptances(
        SmallTransformer softmax,
        SmallTransformer additive,
        GateCircuit circuit,
        ulong seed
    )
    {
        const string source = "derived";
        var (without, with) = GateHead.AttentionToA(softmax, JudgedContexts, seed);
        var (mean, _) = GateHead.SecondDifference(softmax, JudgedContexts / 4, seed);
        return
        [
            new("R² of the softmax head", GateHead.R2(softmax, JudgedContexts, seed), 0.99, 1, source),
            new("R² of the additive head, ½", GateHead.R2(additive, JudgedContexts, seed), 0.48, 0.52, source),
            new("|OV(B → y)| / |OV(A → y)|", Math.Abs(circuit.ValueB / circuit.ValueA), 0, 0.02, source),
            new("attention to A without B", without, 0.98, 1, source),
            new("attention to A with B", with, 0, 0.02, source),
            new("second difference of y in A and B, per x", mean, -1.05, -0.95, source),
        ];
    }

    private static GroundTruth Truth { get; } =
        new()
        {
            Cause = Cause.Nonlinear,
            Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
            {
                [AccessLevel.A] = ["rotated", "nonlinear", "undetermined"],
                [AccessLevel.C] = ["nonlinear"],
            },
            Reason =
                "the features that the network uses are y = x·(1 − B): a linear read-out gets R² ½ of each, since adding B cannot undo x, and a softmax over the sources gets all. Activations alone show payloads x and gates B, independent sources in a rotated basis, and do not say that the network uses them only together.",
            Subtypes = ["gate"],
        };

    // x is uniform, so that payloads are not a second set of bits; y is labelled.
    private static (Matrix Inputs, Matrix Features) Sample(SoftmaxInhibitionConfig config)
    {
        var random = new RandomStream(config.Seed, "gate/sample");
        var (inputs, features) = (new Matrix(config.Samples, 2 * config.Gates), new Matrix(config.Samples, config.Gates));
        for (var row = 0; row < inputs.Rows; row++)
        for (var gate = 0; gate < config.Gates; gate++)
        {
            var (x, b) = ((2 * random.NextDouble()) - 1, random.NextInt(2));
            (inputs[row, 2 * gate], inputs[row, (2 * gate) + 1], features[row, gate]) = (x, b, x * (1 - b));
        }
        return (inputs, features);
    }
}
