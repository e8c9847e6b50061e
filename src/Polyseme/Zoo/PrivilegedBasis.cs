using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="PrivilegedBasis"/>.</summary>
public sealed record PrivilegedBasisConfig : ZooConfig
{
    /// <summary>Training steps: 3,000 stops while the features are rotated, 30,000 lets them align. In 1 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, 1_000_000);
    } = 30_000;

    /// <summary>Models trained; the best on fresh rows is kept. Model k starts alike whatever the steps. In 1 … 1,000.</summary>
    public int Seeds
    {
        get;
        init => field = Allowed.Between(value, 1, 1000);
    } = 60;

    /// <summary>Probability that a feature is active. In [1e-5, 1].</summary>
    public double Density
    {
        get;
        init => field = AllowedDensity.Of(value);
    } = 1;

    /// <summary>Samples per step. In 1 … 65,536.</summary>
    public int Batch
    {
        get;
        init => field = Allowed.Between(value, 1, 65_536);
    } = 256;

    /// <summary>Adam's highest learning rate. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 5e-3;
}

/// <summary>Ten features of falling importance in five ReLU neurons: the optimum is aligned, and an undertrained model is rotated.</summary>
public sealed class PrivilegedBasis : ToyMember
{
    private const int Features = 10,
        Hidden = 5;

    /// <summary>A weight above this makes a feature count for a neuron.</summary>
    private const double CountedWeight = 0.25;

    /// <inheritdoc/>
    public override string Name => "tms-privileged";

    /// <inheritdoc/>
    public override string Summary =>
        "ten features in five ReLU neurons: rotated when stopped at 3,000 steps, one feature per neuron at 30,000";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on superposition in a privileged basis";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new PrivilegedBasisConfig();

    /// <summary>The loss of one dense feature per neuron, the five least important ignored: Σ_{i≥5} I_i/12, a uniform feature's variance being 1/12.</summary>
    public static double AlignedLoss { get; } = Enumerable.Range(Hidden, Features - Hidden).Sum(i => Math.Pow(0.75, i) / 12);

    /// <inheritdoc/>
    public override ZooRun Run(
        ZooConfig config,
        PopulationCheckpoint? checkpoint,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var privileged = Of<PrivilegedBasisConfig>(config);
        var importance = Enumerable.Range(0, Features).Select(i => MathF.Pow(0.75f, i)).ToArray();
        var shape = new ToyShape(Features, Hidden, HiddenRelu: true, OutputRelu: true, importance);
        var inputs = new ToyInputs.Fresh(privileged.Density);
        var training = new ToyTraining
        {
            Shape = shape,
            Inputs = inputs,
            Batch = privileged.Batch,
            Steps = privileged.Steps,
            LearningRate = privileged.LearningRate,
        };
        var judged = ZooSample.Inputs(inputs, Features, 50_000, privileged.Seed, "toy/judge");
        var trained = BestOfSeeds.Train(
            training,
            privileged.Seed,
            privileged.Seeds,
            positive: true,
            judged,
            progress,
            cancellation,
            checkpoint
        );

        var network = new ToyNetwork(shape, trained.Best.Parameters);
        var w = trained.Best.Parameters.W;
        var sample = ZooSample.Inputs(inputs, Features, privileged.Samples, privileged.Seed, "toy/sample");
        return new ZooRun
        {
            Member = Name,
            Config = privileged,
            Network = network,
            Hook = "hook_hidden",
            Truth = Truth(privileged, w, trained.Loss),
            Activations = ZooSample.Activations(network, "hook_hidden", sample),
            Features = ZooSample.Features(sample, [.. Enumerable.Range(0, Features)]),
            Acceptances = Acceptances(privileged, w, trained.Loss),
            Curve = trained.Best.Curve,
            SeedLosses = trained.Losses,
            Diverged = trained.Diverged,
        };
    }

    /// <summary>Neurons with exactly one counted feature, and with several.</summary>
    public static (int Monosemantic, int Polysemantic) CountNeurons(Matrix w)
    {
        var counts = Enumerable
            .Range(0, w.Columns)
            .Select(neuron => Enumerable.Range(0, w.Rows).Count(i => Math.Abs(w[i, neuron]) > CountedWeight))
            .ToArray();
        return (counts.Count(count => count == 1), counts.Count(count => count > 1));
    }

    private static GroundTruth Truth(PrivilegedBasisConfig config, Matrix w, double loss)
    {
        var (monosemantic, polysemantic) = CountNeurons(w);
        var represented = FeatureGeometry.Represented(w);
        var (lines, rays) = FeatureGeometry.Count(w, represented);
        var trained =
            $"{config.Steps} steps, loss {loss:F5}, that of one feature per neuron {AlignedLoss:F5}: {represented.Length} features represented, {monosemantic} monosemantic and {polysemantic} polysemantic neurons";
        var (cause, why) =
            lines > Hidden ? (Cause.Superposition, "more lines than neurons")
            : monosemantic >= 0.9 * (monosemantic + polysemantic)
                ? (Cause.Monosemantic, "each neuron carries one feature, as the ReLU's basis prefers")
            : (
                Cause.Rotated,
                "no more lines than neurons, and the neurons mix them: inputs are so dense that the ReLU hardly bends and its basis hardly counts"
            );
        return new GroundTruth
        {
            Cause = cause,
            Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
            {
                // Independent dense sources are seen without concepts; whether they mean something is not.
                [AccessLevel.A] = [Causes.Id(cause), "undetermined"],
                [AccessLevel.C] = [Causes.Id(cause)],
            },
            Reason = $"{trained}; {why}. Without concepts, that the sources seen are the features is a guess.",
            Directions = w,
            NLine = lines,
            NRay = rays,
        };
    }

    private static List<Acceptance> Acceptances(PrivilegedBasisConfig config, Matrix w, double loss)
    {
        const string source = "Elhage et al. 2022; reference program";
        if (config.Density != 1)
            return [];
        var (monosemantic, polysemantic) = CountNeurons(w);
        return config.Steps switch
        {
            3000 =>
            [
                new("polysemantic neurons at 3,000 steps", polysemantic, 4, 5, source),
                new("features represented", FeatureGeometry.Represented(w).Length, 5, 5, source),
                new("loss over that of one feature per neuron", loss / AlignedLoss, 0.99, 1.05, source),
            ],
            >= 20_000 =>
            [
                new("monosemantic neurons", monosemantic, 5, 5, source),
                new("loss over that of one feature per neuron", loss / AlignedLoss, 0.99, 1.01, source),
            ],
            _ => [],
        };
    }
}
