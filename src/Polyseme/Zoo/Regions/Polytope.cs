using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="Polytope"/>.</summary>
public sealed record PolytopeConfig : ZooConfig
{
    /// <summary>Units of each of the two hidden layers. In 2 … 256.</summary>
    public int Width
    {
        get;
        init => field = Allowed.Between(value, 2, 256);
    } = 24;

    /// <summary>Whether units have biases. Without them the network is positively homogeneous.</summary>
    public bool Biases { get; init; } = true;

    /// <summary>Training steps of 128 points; 0 leaves the network untrained. In 0 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 0, 1_000_000);
    } = 6000;

    /// <summary>Adam's highest learning rate. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 1e-2;
}

/// <summary>A small network on two spirals: within a polytope it is affine, and between the classes lie more boundaries than within them.</summary>
public sealed class Polytope : ZooMember
{
    /// <inheritdoc/>
    public override string Name => "polytope";

    /// <inheritdoc/>
    public override string Summary => "a ReLU network on two spirals: classes are regions of the plane, not directions";

    /// <inheritdoc/>
    public override string Source => "Black et al. 2022, Interpreting neural networks through the polytope lens";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new PolytopeConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var polytope = Of<PolytopeConfig>(config);
        var network = Train(polytope, cancellation);
        var (points, arms) = Spirals.Sample(polytope.Samples, new RandomStream(polytope.Seed, "polytope/sample"));
        return new ZooRun
        {
            Member = Name,
            Config = polytope,
            Network = network,
            Hook = "blocks.0.hook_pre",
            Truth = new GroundTruth
            {
                Cause = Cause.Nonlinear,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "nonlinear", "undetermined"],
                    [AccessLevel.C] = ["nonlinear", "undetermined"],
                    [AccessLevel.T] = ["nonlinear"],
                },
                Subtypes = ["region"],
                Reason =
                    "before the first ReLU the layer is a plane seen by many neurons. The concept is the spiral a point lies on: a region of that plane, which no direction reads. Activations alone show the plane and nothing of the concept.",
            },
            Activations = ActivationSet.FromMatrix(network.Run(points, ["blocks.0.hook_pre"]).Recorded["blocks.0.hook_pre"]),
            Features = new ConceptTable(points.Rows, [new Concept("arm", ConceptKind.Binary, [.. arms.Select(arm => (double)arm)])]),
            Acceptances = polytope is { Steps: >= 6000, Biases: true, Width: >= 24 }
                ? [new("accuracy on fresh points", Accuracy(network, points, arms), 0.99, 1, "own choice: the classes do not overlap")]
                : [],
        };
    }

    /// <summary>Trains the network.</summary>
    internal static ReluStack Train(PolytopeConfig config, CancellationToken cancellation)
    {
        var training = new ReluStackTraining(
            [2, config.Width, config.Width, 2],
            config.Biases,
            new RandomStream(config.Seed, "polytope/start")
        );
        var (points, arms) = Spirals.Sample(4000, new RandomStream(config.Seed, "polytope/points"));
        training.Train(
            points,
            arms,
            config.Steps,
            128,
            config.LearningRate,
            new RandomStream(config.Seed, "polytope/batches"),
            cancellation
        );
        return training.Network();
    }

    /// <summary>The same network on synthetic digits: 64 pixels, ten classes.</summary>
    internal static ReluStack TrainOnDigits(ulong seed, int steps, CancellationToken cancellation)
    {
        var training = new ReluStackTraining([64, 24, 24, 10], withBias: true, new RandomStream(seed, "digits/start"));
        var (images, digits) = SyntheticDigits.Sample(4000, new RandomStream(seed, "digits/images"));
        training.Train(images, digits, steps, 128, 3e-3, new RandomStream(seed, "digits/batches"), cancellation);
        return training.Network();
    }

    /// <summary>Share of points whose class is named right.</summary>
    internal static double Accuracy(ReluStack network, Matrix points, int[] arms) =>
        ReluStack.Largest(network.Run(points).Output).Zip(arms, (named, arm) => named == arm ? 1.0 : 0.0).Average();
}
