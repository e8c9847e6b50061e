using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.Manifolds;

/// <summary>Configuration of <see cref="FeatureManifold"/>.</summary>
public sealed record FeatureManifoldConfig : ZooConfig
{
    /// <summary><c>circle</c>: (cos θ, sin θ) in a random plane; <c>tuning</c>: neurons with preferred angles that respond within a window.</summary>
    public string Data
    {
        get;
        init => field = Allowed.OneOf(value, ["circle", "tuning"]);
    } = "circle";

    /// <summary>Neurons, d. In 3 … 512.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 3, 512);
    } = 16;

    /// <summary>Tuning width ℓ, radians of θ per radian of the cosine; a neuron responds within πℓ/2 of its angle. In .02 … 1. Not used by the circle.</summary>
    public double Width
    {
        get;
        init => field = Allowed.Between(value, 0.02, 1);
    } = 0.25;
}

/// <summary>A feature that is a curve of directions: a dictionary of single directions only ever cuts it into pieces, as many as it has latents.</summary>
public sealed class FeatureManifold : ZooMember
{
    /// <inheritdoc/>
    public override string Name => "feature-manifold";

    /// <inheritdoc/>
    public override string Summary =>
        "an angle written along a curve of directions, which a sparse dictionary cuts into as many pieces as it has latents";

    /// <inheritdoc/>
    public override string Source =>
        "Anthropic, Circuits Updates, May 2023, on feature manifolds; Olah 2024, What is a linear representation? What is a multidimensional feature?";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new FeatureManifoldConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var manifold = Of<FeatureManifoldConfig>(config);
        cancellation.ThrowIfCancellationRequested();
        var network = Layer(manifold);
        var inputs = Sample(manifold.Samples, manifold.Seed, "manifold/sample");
        var hidden = network.Hidden(inputs);
        double[] angles = inputs.Column(0),
            sizes = inputs.Column(1);
        return new ZooRun
        {
            Member = Name,
            Config = manifold,
            Network = network,
            Hook = "hook_hidden",
            Truth = Truth(manifold),
            Activations = ActivationSet.FromMatrix(hidden),
            Features = new ConceptTable(
                inputs.Rows,
                [
                    new Concept("cosine", ConceptKind.Numeric, [.. angles.Select((angle, row) => sizes[row] * Math.Cos(angle))]),
                    new Concept("sine", ConceptKind.Numeric, [.. angles.Select((angle, row) => sizes[row] * Math.Sin(angle))]),
                ]
            ),
            Acceptances = [Dimensions(manifold, hidden)],
        };
    }

    /// <summary>
    /// The layer: an angle and a size to the neurons. The circle is m·(cos θ, sin θ) in a plane of its own; a tuned neuron with preferred angle φ shows
    /// x_φ = m·cos((φ − θ)/ℓ) where |φ − θ| ≤ πℓ/2, else 0, the angles φ evenly around.
    /// </summary>
    internal static CodeLayer Layer(FeatureManifoldConfig config) =>
        config.Data == "circle"
            ? new(
                2,
                (input, code) => (code[0], code[1]) = (input[1] * Math.Cos(input[0]), input[1] * Math.Sin(input[0])),
                Rotations.OrthonormalRows(2, config.Neurons, new RandomStream(config.Seed, "manifold/plane"))
            )
            : new(
                2,
                (input, code) =>
                {
                    for (var neuron = 0; neuron < code.Length; neuron++)
                        code[neuron] = input[1] * Tuning((2 * Math.PI * neuron / code.Length) - input[0], config.Width);
                },
                Matrix.Identity(config.Neurons)
            );

    /// <summary>cos(δ/ℓ) within the window |δ|/ℓ ≤ π/2, else 0; δ is taken around the circle.</summary>
    internal static double Tuning(double difference, double width)
    {
        var scaled = Math.IEEERemainder(difference, 2 * Math.PI) / width;
        return Math.Abs(scaled) <= Math.PI / 2 ? Math.Cos(scaled) : 0;
    }

    /// <summary>Angles uniform in [0, 2π), sizes 1. Shape: <c>[count, 2]</c>.</summary>
    internal static Matrix Sample(int count, ulong seed, string name)
    {
        var stream = new RandomStream(seed, name);
        var inputs = new Matrix(count, 2);
        for (var row = 0; row < count; row++)
            (inputs[row, 0], inputs[row, 1]) = (2 * Math.PI * stream.NextDouble(), 1);
        return inputs;
    }

    private static Acceptance Dimensions(FeatureManifoldConfig config, Matrix hidden)
    {
        var ratio = Readouts.ParticipationRatio(hidden);
        return config.Data == "circle"
            ? new Acceptance("participation ratio of the circle", ratio, 1.98, 2.0001, "derived")
            : new Acceptance("participation ratio of the curve", ratio, 2, config.Neurons, "derived: a curve that leaves every plane");
    }

    private static GroundTruth Truth(FeatureManifoldConfig config) =>
        new()
        {
            Cause = config.Data == "circle" ? Cause.Rotated : Cause.Nonlinear,
            Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
            {
                [AccessLevel.A] = ["rotated", "nonlinear", "undetermined"],
                [AccessLevel.C] = config.Data == "circle" ? ["rotated", "nonlinear"] : ["rotated", "nonlinear", "undetermined"],
            },
            Reason =
                config.Data == "circle"
                    ? "the angle is a multidimensional feature: cosine and sine add and scale along two orthogonal directions, so it is rotated; that the two are never independent, and the angle itself is no direction, makes nonlinear right as well"
                    : "neurons are tuned to pieces of an angle; cosine and sine of it are nearly linear in them, the angle is not, and no fixed number of directions is the right one",
        };
}
