using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.MagnitudeCodes;

/// <summary>Configuration of <see cref="ForcedSparsity"/>.</summary>
public sealed record ForcedSparsityConfig : ZooConfig
{
    /// <summary>Classes, k. In 3 … 32.</summary>
    public int Classes
    {
        get;
        init => field = Allowed.Between(value, 3, 32);
    } = 8;

    /// <summary>Neurons, m, of which exactly one is not zero. In 1 … 8.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 1, 8);
    } = 2;

    /// <summary>Width of the hidden layers around them. In 4 … 256.</summary>
    public int Hidden
    {
        get;
        init => field = Allowed.Between(value, 4, 256);
    } = 32;

    /// <summary>Steps of Adam. In 100 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 100, 1_000_000);
    } = 1_000;

    /// <summary>Starts; the one with the lowest loss is diagnosed. In 1 … 256.</summary>
    public int Seeds
    {
        get;
        init => field = Allowed.Between(value, 1, 256);
    } = 8;

    /// <summary>Adam's rate, falling to zero along a quarter cosine. In 1e-5 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-5, 1);
    } = 1e-2;

    /// <summary>Deviation of the noise on the one-hot inputs. In 0 … .2.</summary>
    public double Jitter
    {
        get;
        init => field = Allowed.Between(value, 0, 0.2);
    } = 0.02;
}

/// <summary>What read-outs get out of the neurons, class by class, on held-out rows.</summary>
/// <param name="Accuracy">Share of rows whose highest logit of the network's own decoder is the class.</param>
/// <param name="OneNonZero">Share of rows with exactly one neuron that is not zero.</param>
/// <param name="Linear">AUROC of a linear one-vs-rest probe. Shape: <c>[classes]</c>.</param>
/// <param name="Mlp">AUROC of a probe with a hidden layer. Shape: <c>[classes]</c>.</param>
/// <param name="Interior">Classes whose median level lies between those of two others on their neuron.</param>
internal sealed record MagnitudeReadout(double Accuracy, double OneNonZero, double[] Linear, double[] Mlp, IReadOnlyList<int> Interior)
{
    /// <summary>Mean linear AUROC of the interior levels; not a number without any.</summary>
    public double InteriorLinear => Interior.Count == 0 ? double.NaN : Interior.Average(level => Linear[level]);
}

/// <summary>A layer with a budget of one active neuron and more classes than neurons: only magnitudes are left to tell classes apart.</summary>
public sealed class ForcedSparsity : ZooMember
{
    private const string Derived = "derived";

    /// <inheritdoc/>
    public override string Name => "forced-sparsity";

    /// <inheritdoc/>
    public override string Summary =>
        "eight classes through two neurons, one of them active: levels of magnitude, which no direction reads";

    /// <inheritdoc/>
    public override string Source => "Anthropic, Circuits Updates, January 2024, on forced sparsity (as quoted); the network is our design";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new ForcedSparsityConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var forced = Of<ForcedSparsityConfig>(config);
        var trained = TopOneTraining.Train(forced, cancellation);
        var network = trained.MinBy(one => one.Loss)!.Network;
        var (inputs, labels) = Sample(forced, forced.Samples, "forced-sparsity/sample");
        return new ZooRun
        {
            Member = Name,
            Config = forced,
            Network = network,
            Hook = "hook_neurons",
            Truth = Truth(forced),
            Activations = ActivationSet.FromMatrix(network.Run(inputs, ["hook_neurons"]).Recorded["hook_neurons"]),
            Features = new ConceptTable(
                inputs.Rows,
                [
                    .. Enumerable
                        .Range(0, forced.Classes)
                        .Select(label => new Concept($"class_{label}", ConceptKind.Binary, labels.Column(label))),
                ]
            ),
            Acceptances = Acceptances(Judge(network, forced, cancellation)),
            SeedLosses = [.. trained.Select(one => one.Loss)],
        };
    }

    /// <summary>The three numbers of a magnitude code.</summary>
    internal static IReadOnlyList<Acceptance> Acceptances(MagnitudeReadout readout) =>
        [
            new("accuracy of the decoder", readout.Accuracy, 0.99, 1, Derived),
            new("linear one-vs-rest AUROC, mean over interior levels", readout.InteriorLinear, 0, 0.8, Derived),
            new("AUROC of an MLP probe, mean over classes", readout.Mlp.Average(), 0.99, 1, Derived),
        ];

    /// <summary>Reads the neurons out on rows of which half are held out.</summary>
    internal static MagnitudeReadout Judge(TopOneNetwork network, ForcedSparsityConfig config, CancellationToken cancellation)
    {
        var (learnInputs, learnLabels) = Sample(config, 600, "forced-sparsity/learn");
        var (inputs, labels) = Sample(config, 2_000, "forced-sparsity/judge");
        var learn = network.Run(learnInputs, ["hook_neurons"]).Recorded["hook_neurons"];
        var trace = network.Run(inputs, ["hook_neurons"]);
        var neurons = trace.Recorded["hook_neurons"];
        var right = Enumerable
            .Range(0, inputs.Rows)
            .Count(row =>
                labels[row, trace.Output.Row(row).IndexOf(System.Numerics.Tensors.TensorPrimitives.Max<double>(trace.Output.Row(row)))] > 0
            );
        var single = Enumerable.Range(0, inputs.Rows).Count(row => neurons.Row(row).ToArray().Count(value => value != 0) == 1);
        // A probe of standardised neurons: levels may lie anywhere.
        var (means, deviation) = (Readouts.Means(learn), Math.Sqrt(learn.Data.Average(value => value * value)));
        Matrix Standard(Matrix rows)
        {
            var shifted = Readouts.Less(rows, means);
            return new Matrix(rows.Rows, rows.Columns, Array.ConvertAll(shifted.Data, value => value / deviation));
        }
        var linear = Readouts.Linear(learn, learnLabels, neurons);
        var mlp = Readouts.Mlp(
            Standard(learn),
            learnLabels,
            [Standard(neurons)],
            64,
            800,
            new RandomStream(config.Seed, "forced-sparsity/probe"),
            cancellation
        )[0];
        double[] Aurocs(Matrix scores) =>
            [.. Enumerable.Range(0, config.Classes).Select(label => Auroc.Of(scores.Column(label), labels.Column(label)) ?? 0.5)];
        return new MagnitudeReadout(
            right / (double)inputs.Rows,
            single / (double)inputs.Rows,
            Aurocs(linear),
            Aurocs(mlp),
            InteriorLevels(Levels(network))
        );
    }

    /// <summary>Neuron and magnitude of every class, without noise.</summary>
    internal static IReadOnlyList<(int Neuron, double Level)> Levels(TopOneNetwork network)
    {
        var neurons = network.Run(Matrix.Identity(network.InputWidth), ["hook_neurons"]).Recorded["hook_neurons"];
        return
        [
            .. Enumerable
                .Range(0, neurons.Rows)
                .Select(row =>
                {
                    var values = neurons.Row(row).ToArray();
                    var neuron = Array.IndexOf(values, values.Max());
                    return (neuron, values[neuron]);
                }),
        ];
    }

    /// <summary>Classes with levels of other classes above and below on their neuron.</summary>
    internal static IReadOnlyList<int> InteriorLevels(IReadOnlyList<(int Neuron, double Level)> levels) =>
        [
            .. Enumerable
                .Range(0, levels.Count)
                .Where(one =>
                    levels.Any(other => other.Neuron == levels[one].Neuron && other.Level > levels[one].Level)
                    && levels.Any(other => other.Neuron == levels[one].Neuron && other.Level < levels[one].Level)
                ),
        ];

    /// <summary>Rows of classes equally often, noise on their one-hot vectors, and the classes. Shapes: <c>[count, k]</c>.</summary>
    internal static (Matrix Inputs, Matrix Labels) Sample(ForcedSparsityConfig config, int count, string name)
    {
        var stream = new RandomStream(config.Seed, name);
        var (inputs, labels) = (new Matrix(count, config.Classes), new Matrix(count, config.Classes));
        for (var row = 0; row < count; row++)
        {
            var label = stream.NextInt(config.Classes);
            labels[row, label] = 1;
            for (var k = 0; k < config.Classes; k++)
                inputs[row, k] = labels[row, k] + (config.Jitter * stream.NextNormal());
        }
        return (inputs, labels);
    }

    private static GroundTruth Truth(ForcedSparsityConfig config) =>
        new()
        {
            Cause = Cause.Nonlinear,
            Subtypes = ["magnitude"],
            Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
            {
                [AccessLevel.A] = ["nonlinear", "monosemantic", "undetermined"],
                [AccessLevel.C] = ["nonlinear"],
            },
            Reason =
                $"{config.Classes} classes share {config.Neurons} neurons of which one is active: a class is a range of one neuron's magnitude, and no direction, rectified or not, tells an inner range from those on both sides. "
                + "Without concepts, neurons that are never active together and take many sizes look like one feature each, or like levels; with them the levels decide.",
        };
}
