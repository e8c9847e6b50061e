using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.LossInduced;

/// <summary>Configuration of <see cref="LossInducedPolysemanticity"/>.</summary>
public sealed record LossInducedConfig : ZooConfig
{
    /// <summary>k, exclusive classes. In 2 … 20.</summary>
    public int Classes
    {
        get;
        init => field = Allowed.Between(value, 2, 20);
    } = 4;

    /// <summary>Neurons trained, one network each; the best is kept. In 1 … 10,000.</summary>
    public int Seeds
    {
        get;
        init => field = Allowed.Between(value, 1, 10_000);
    } = 40;

    /// <summary>
    /// T at the start, nats, see <see cref="StochasticNeuron.Train"/>; 0 descends the cross-entropy alone, where a start whose parameters happen to
    /// single out one class ends in a local optimum that reports this class. In 0 … 100.
    /// </summary>
    public double Temperature
    {
        get;
        init => field = Allowed.Between(value, 0, 100);
    } = 1.2;

    /// <summary>Training steps. In 1 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, 1_000_000);
    } = 3000;

    /// <summary>Adam's highest learning rate, falling linearly to zero. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 0.02;

    /// <summary>Standard deviation of the parameters at the start. In 1e-6 … 10.</summary>
    public double InitialScale
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 10);
    } = 0.1;
}

/// <summary>One binary neuron that reports half of the classes, because cross-entropy pays for that and nothing else asks for it.</summary>
public sealed class LossInducedPolysemanticity : ZooMember
{
    /// <inheritdoc/>
    public override string Name => "loss-induced";

    /// <inheritdoc/>
    public override string Summary => "a single binary neuron that fires for half of the classes, since cross-entropy pays for it";

    /// <inheritdoc/>
    public override string Source =>
        "Anthropic, Circuits Updates, on loss-induced polysemanticity; Bricken et al. 2023, Towards Monosemanticity";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new LossInducedConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var induced = Of<LossInducedConfig>(config);
        var trained = TrainMany(induced, cancellation);
        var best = trained.MinBy(neuron => neuron.Loss)!;
        var network = new ClassBit(best);
        var stream = new RandomStream(induced.Seed, "loss-induced/sample");
        var inputs = new Matrix(induced.Samples, induced.Classes);
        for (var row = 0; row < inputs.Rows; row++)
            inputs[row, stream.NextInt(induced.Classes)] = 1;
        return new ZooRun
        {
            Member = Name,
            Config = induced,
            Network = network,
            Hook = "hook_neuron",
            Truth = new GroundTruth
            {
                Cause = Cause.Compositional,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    // One neuron that is on or off is one source to whoever sees nothing else.
                    [AccessLevel.A] = ["monosemantic", "compositional", "undetermined"],
                    [AccessLevel.C] = ["compositional", "undetermined"],
                },
                Reason =
                    $"one bit for {induced.Classes} exclusive classes: the neuron fires for {best.FiringClasses} of them, which have nothing in common but that a bit which splits them evenly carries most information. It is a code of classes, no feature; no dimension is short for what it represents. Flag loss_induced: under squared error every split is as good.",
                Flags = ["loss_induced"],
            },
            Activations = ActivationSet.FromMatrix(network.Run(inputs, ["hook_neuron"]).Recorded["hook_neuron"]),
            Features = new ConceptTable(
                inputs.Rows,
                [.. Enumerable.Range(0, induced.Classes).Select(i => new Concept($"class_{i}", ConceptKind.Binary, inputs.Column(i)))]
            ),
            Acceptances = Acceptances(induced, trained),
            Curve = best.Curve,
            SeedLosses = [.. trained.Select(neuron => neuron.Loss)],
        };
    }

    /// <summary>Trains the neurons of a configuration, in seed order.</summary>
    public static IReadOnlyList<StochasticNeuron> TrainMany(LossInducedConfig config, CancellationToken cancellation)
    {
        var trained = new StochasticNeuron[config.Seeds];
        Parallel.For(
            0,
            trained.Length,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
            seed =>
                trained[seed] = StochasticNeuron.Train(
                    config.Classes,
                    config.Steps,
                    config.LearningRate,
                    config.InitialScale,
                    config.Temperature,
                    new RandomStream(config.Seed, $"loss-induced/init/{config.Classes}/{seed}"),
                    cancellation
                )
        );
        return trained;
    }

    private static List<Acceptance> Acceptances(LossInducedConfig config, IReadOnlyList<StochasticNeuron> trained)
    {
        const string source = "Circuits Updates; closed form derived";
        var lowest = Enumerable.Range(0, config.Classes + 1).Min(s => BinaryCodes.ClosedForm(config.Classes, s));
        if (config is not { Steps: >= 3000, Temperature: > 1 })
            return [];
        return
        [
            new("cross-entropy of the best neuron above the closed form, nats", trained.Min(n => n.Loss) - lowest, -1e-9, 1e-2, source),
            new(
                "share of seeds whose neuron fires for half of the classes",
                trained.Count(n => n.FiringClasses == config.Classes / 2 || n.FiringClasses == (config.Classes + 1) / 2)
                    / (double)trained.Count,
                0.9,
                1,
                source
            ),
        ];
    }
}

/// <summary>Class → bit → logits, the trained neuron with its coin replaced by what it mostly does.</summary>
/// <remarks>Hook: <c>hook_neuron</c>, 0 or 1.</remarks>
internal sealed class ClassBit(StochasticNeuron neuron) : Network
{
    private readonly Matrix _firing = new(1, neuron.Firing.Length, neuron.Firing),
        _silent = new(1, neuron.Firing.Length, neuron.Silent),
        _active = new(1, neuron.Firing.Length, neuron.Active);

    public override int InputWidth => neuron.Firing.Length;

    public override IReadOnlyList<Hook> Hooks { get; } = [new Hook("hook_neuron", 1)];

    public override IReadOnlyDictionary<string, Matrix> Weights =>
        new Dictionary<string, Matrix>
        {
            ["a"] = _firing,
            ["b_silent"] = _silent,
            ["b_active"] = _active,
        };

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var before = LinearAlgebra.MultiplyTranspose(inputs, _firing);
        var bit = at("hook_neuron", new Matrix(before.Rows, 1, [.. before.Data.Select(value => value > 0 ? 1.0 : 0)]));
        var output = new Matrix(inputs.Rows, inputs.Columns);
        for (var row = 0; row < output.Rows; row++)
        {
            for (var i = 0; i < output.Columns; i++)
                output[row, i] = neuron.Silent[i] + (bit[row, 0] * (neuron.Active[i] - neuron.Silent[i]));
        }
        return output;
    }
}
