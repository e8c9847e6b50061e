using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="OneNeuronResNet"/>.</summary>
public sealed record OneNeuronResNetConfig : ZooConfig
{
    /// <summary>Blocks, one neuron each. In 1 … 64.</summary>
    public int Blocks
    {
        get;
        init => field = Allowed.Between(value, 1, 64);
    } = 24;

    /// <summary>Training steps of 256 fresh points. In 1 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, 1_000_000);
    } = 4000;

    /// <summary>Adam's highest learning rate. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 1e-2;
}

/// <summary>A ResNet with one neuron per block that fits a disc in the plane, which no fully connected network of width two can.</summary>
public sealed class OneNeuronResNet : ZooMember
{
    /// <inheritdoc/>
    public override string Name => "one-neuron-resnet";

    /// <inheritdoc/>
    public override string Summary =>
        "one neuron a block fits a disc: a concept spread over the whole depth, with no feature of its own anywhere";

    /// <inheritdoc/>
    public override string Source => "Lin and Jegelka 2018, ResNet with one-neuron hidden layers is a universal approximator";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new OneNeuronResNetConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var disc = Of<OneNeuronResNetConfig>(config);
        var network = Train(PlanarBlock.OneNeuron, disc, 0, cancellation);
        var (points, inside) = PlanarStack.Disc(disc.Samples, new RandomStream(disc.Seed, "disc/sample"));
        var hook = $"blocks.{disc.Blocks - 1}.hook_resid";
        return new ZooRun
        {
            Member = Name,
            Config = disc,
            Network = network,
            Hook = hook,
            Truth = new GroundTruth
            {
                Cause = Cause.Nonlinear,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "nonlinear", "compositional", "undetermined"],
                    [AccessLevel.C] = ["nonlinear", "rotated", "undetermined"],
                    [AccessLevel.T] = ["nonlinear", "rotated"],
                },
                Reason =
                    "the last block holds the plane folded so that a line cuts the disc out. x and y are regions of the folded plane; whether a point lies in the disc has become a direction, because the read-out is linear. No single block knows it.",
            },
            Activations = ActivationSet.FromMatrix(network.Run(points, [hook]).Recorded[hook]),
            Features = new ConceptTable(
                points.Rows,
                [
                    new Concept("inside", ConceptKind.Binary, [.. inside.Select(value => (double)value)]),
                    new Concept("x", ConceptKind.Numeric, points.Column(0)),
                    new Concept("y", ConceptKind.Numeric, points.Column(1)),
                ]
            ),
            Acceptances = disc is { Blocks: >= 24, Steps: >= 4000 }
                ? [new("accuracy on fresh points", network.Accuracy(points, inside), 0.97, 1, "Lin and Jegelka 2018")]
                : [],
        };
    }

    /// <summary>Trains seed number <paramref name="model"/>.</summary>
    internal static PlanarStack Train(PlanarBlock kind, OneNeuronResNetConfig config, int model, CancellationToken cancellation) =>
        PlanarStack.Train(
            PlanarStack.Start(kind, config.Blocks, new RandomStream(config.Seed, $"disc/start/{kind}/{model}")),
            config.Steps,
            256,
            config.LearningRate,
            new RandomStream(config.Seed, $"disc/data/{model}"),
            cancellation
        );
}
