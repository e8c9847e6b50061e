using Polyseme.Networks;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.NonlinearEncoders;

/// <summary>Configuration of <see cref="NonlinearEncoder"/>.</summary>
public sealed record NonlinearEncoderConfig : ZooConfig
{
    /// <summary>n. In 2 … 100.</summary>
    public int Features
    {
        get;
        init => field = Allowed.Between(value, 2, 100);
    } = 5;

    /// <summary>m, below n. In 1 … 64.</summary>
    public int Hidden
    {
        get;
        init => field = Allowed.Between(value, 1, 64);
    } = 2;

    /// <summary>ReLUs of the encoder. In 1 … 1,024.</summary>
    public int Units
    {
        get;
        init => field = Allowed.Between(value, 1, 1024);
    } = 32;

    /// <summary>1 − S. In 1e-4 … .999.</summary>
    public double Density
    {
        get;
        init => field = Allowed.Between(value, 1e-4, 0.999);
    } = 0.1;

    /// <summary>Models trained; the best on fresh rows is kept. In 1 … 1,000.</summary>
    public int Seeds
    {
        get;
        init => field = Allowed.Between(value, 1, 1000);
    } = 8;

    /// <summary>Training steps. In 1 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, 1_000_000);
    } = 12_000;

    /// <summary>Samples per step. In 1 … 65,536.</summary>
    public int Batch
    {
        get;
        init => field = Allowed.Between(value, 1, 65_536);
    } = 512;

    /// <summary>Adam's highest learning rate. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 3e-3;
}

/// <summary>A toy model that may encode as it likes: features stop adding up.</summary>
public sealed class NonlinearEncoder : ZooMember
{
    private const int JudgedRows = 100_000;

    /// <inheritdoc/>
    public override string Name => "nonlinear-encoder";

    /// <inheritdoc/>
    public override string Summary => "a toy model with a hidden layer in its encoder: lower loss, and features that no longer add";

    /// <inheritdoc/>
    public override string Source =>
        "an untied extension of Elhage et al. 2022, Toy Models of Superposition, with a one-hidden-layer encoder";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new NonlinearEncoderConfig();

    /// <summary>The trained model and the tied toy model beside it, on the same inputs.</summary>
    /// <param name="Network">The best nonlinear model.</param>
    /// <param name="Losses">Σ_i (x_i − x'_i)² on fresh rows, every seed.</param>
    /// <param name="Curve">The best one's training loss.</param>
    /// <param name="Tied">The best tied model.</param>
    /// <param name="TiedLoss">Its loss on the same rows.</param>
    internal sealed record Comparison(
        EncodedToy Network,
        IReadOnlyList<double> Losses,
        IReadOnlyList<CurvePoint> Curve,
        ToyNetwork Tied,
        double TiedLoss
    )
    {
        public double Ratio => Losses.Min() / TiedLoss;

        public double Defect => AdditivityDefect.Mean(Network, "hook_hidden") ?? double.NaN;
    }

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var encoder = Of<NonlinearEncoderConfig>(config);
        var compared = Compare(encoder, progress, cancellation);
        var sample = ZooSample.Inputs(
            new ToyInputs.Fresh(encoder.Density),
            encoder.Features,
            encoder.Samples,
            encoder.Seed,
            "nonlinear-encoder/sample"
        );
        var defect = compared.Defect;
        return new ZooRun
        {
            Member = Name,
            Config = encoder,
            Network = compared.Network,
            Hook = "hook_hidden",
            Truth = Truth(encoder, compared.Ratio, defect),
            Activations = ZooSample.Activations(compared.Network, "hook_hidden", sample),
            Features = ZooSample.Features(sample, [.. Enumerable.Range(0, encoder.Features)]),
            Acceptances = encoder is { Features: 5, Hidden: 2, Density: 0.1, Steps: >= 12_000, Seeds: >= 8 }
                ?
                [
                    new("loss over that of the tied toy model", compared.Ratio, 0, 0.8, "target set by judgement; published about .6"),
                    new("additivity defect of the hidden layer", defect, 0.1, 100, "target set by judgement"),
                    new(
                        "additivity defect of the tied toy model",
                        AdditivityDefect.Mean(compared.Tied, "hook_hidden") ?? double.NaN,
                        0,
                        1e-20,
                        "a linear layer adds; derived"
                    ),
                ]
                : [],
            Curve = compared.Curve,
            SeedLosses = compared.Losses,
        };
    }

    /// <summary>Trains the nonlinear models and the tied one, and judges both on the same fresh rows.</summary>
    internal static Comparison Compare(NonlinearEncoderConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        if (config.Hidden >= config.Features)
            throw new ArgumentException($"Hidden is {config.Hidden}; it stays below Features, {config.Features}", nameof(config));
        var inputs = new ToyInputs.Fresh(config.Density);
        var judged = ZooSample.Inputs(inputs, config.Features, JudgedRows, config.Seed, "nonlinear-encoder/judge");
        var training = new EncoderTraining(config.Features, config.Hidden, config.Units, config.Density)
        {
            Steps = config.Steps,
            Batch = config.Batch,
            LearningRate = config.LearningRate,
        };
        var trained = new (EncodedToy Network, double Loss, IReadOnlyList<CurvePoint> Curve)[config.Seeds];
        Parallel.For(
            0,
            config.Seeds,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
            seed =>
            {
                var (parameters, curve) = training.Train(config.Seed, seed, cancellation);
                var network = new EncodedToy(parameters);
                trained[seed] = (network, Loss(network, judged), curve);
            }
        );
        var shape = new ToyShape(config.Features, config.Hidden, HiddenRelu: false, OutputRelu: true, ToyShape.Uniform(config.Features));
        var tied = BestOfSeeds.Train(
            new ToyTraining
            {
                Shape = shape,
                Inputs = inputs,
                Batch = 1024,
                Steps = Math.Min(config.Steps, 5000),
                LearningRate = 3e-3,
            },
            config.Seed,
            8,
            positive: false,
            judged,
            progress,
            cancellation
        );
        var best = trained.MinBy(model => model.Loss);
        var tiedNetwork = new ToyNetwork(shape, tied.Best.Parameters);
        return new Comparison(best.Network, [.. trained.Select(model => model.Loss)], best.Curve, tiedNetwork, Loss(tiedNetwork, judged));
    }

    private static double Loss(Network network, SparseRows judged)
    {
        const int rowsAtATime = 4096;
        var total = 0.0;
        for (var first = 0; first < judged.Count; first += rowsAtATime)
        {
            var inputs = judged.ToMatrix(first, Math.Min(rowsAtATime, judged.Count - first));
            total += Math.Pow(System.Numerics.Tensors.TensorPrimitives.Distance<double>(network.Run(inputs).Output.Data, inputs.Data), 2);
        }
        return total / judged.Count;
    }

    private static GroundTruth Truth(NonlinearEncoderConfig config, double ratio, double defect) =>
        new()
        {
            Cause = Cause.Nonlinear,
            Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
            {
                // Features that are active alone still lie on rays, more of them than dimensions; only their sums are not where addition puts them.
                [AccessLevel.A] = ["nonlinear", "superposition", "undetermined"],
                [AccessLevel.C] = ["nonlinear", "superposition"],
                [AccessLevel.T] = ["nonlinear"],
            },
            Reason =
                $"{config.Features} features in {config.Hidden} dimensions, encoded by {config.Units} ReLUs: the loss is {ratio:F2} of the tied toy model's, and two features together lie elsewhere than their sum (additivity defect {defect:F2}; 0 for any linear encoder). Most active rows hold one feature, and those lie near rays of which there are more than dimensions, as in superposition; setting features one by one tells the two apart.",
        };
}
