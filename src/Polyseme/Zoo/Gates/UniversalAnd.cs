using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.Gates;

/// <summary>Configuration of <see cref="UniversalAnd"/>.</summary>
public sealed record UniversalAndConfig : ZooConfig
{
    /// <summary>d₀, the bits. In 4 … 2,000.</summary>
    public int Features
    {
        get;
        init => field = Allowed.Between(value, 4, 2000);
    } = 100;

    /// <summary>d, the neurons. In 16 … 20,000.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 16, 20_000);
    } = 400;

    /// <summary>μ, the neurons that read both of two bits, on average; a neuron reads a bit with probability √(μ/d). In 1 … 64, below d.</summary>
    public double Overlap
    {
        get;
        init => field = Allowed.Between(value, 1, 64);
    } = 8;

    /// <summary>ℓ, the bits that are one in a row. In 2 … 16.</summary>
    public int Active
    {
        get;
        init => field = Allowed.Between(value, 2, 16);
    } = 4;

    /// <summary>ANDs that are outputs and concepts; the layer holds all of them. In 1 … 2,000.</summary>
    public int Outputs
    {
        get;
        init => field = Allowed.Between(value, 1, 2000);
    } = 64;
}

/// <summary>All pairwise ANDs of bits in far fewer neurons than pairs, built by hand.</summary>
public sealed class UniversalAnd : ZooMember
{
    private const string Paper = "Vaintrob, Mendel and Hänni 2024; reference program";

    /// <inheritdoc/>
    public override string Name => "universal-and";

    /// <inheritdoc/>
    public override string Summary =>
        "all pairwise ANDs of bits, readable from far fewer neurons than pairs: computation in superposition, built by hand";

    /// <inheritdoc/>
    public override string Source => "Vaintrob, Mendel and Hänni 2024, Mathematical Models of Computation in Superposition";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new UniversalAndConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var universal = Of<UniversalAndConfig>(config);
        if (universal.Overlap >= universal.Neurons)
            throw new ArgumentException($"Overlap is {universal.Overlap}; it stays below Neurons, {universal.Neurons}", nameof(config));
        if (universal.Active > universal.Features)
            throw new ArgumentException($"Active is {universal.Active}; there are {universal.Features} Features", nameof(config));
        cancellation.ThrowIfCancellationRequested();
        var gates = new AndGates(universal.Features, universal.Neurons, universal.Overlap, universal.Seed);
        var pairs = Pairs(universal);
        var network = Build(gates, pairs);
        var inputs = Rows(universal);
        var active = pairs.Select(pair => inputs.Column(pair.First).Zip(inputs.Column(pair.Second), (a, b) => a * b).ToArray()).ToArray();
        return new ZooRun
        {
            Member = Name,
            Config = universal,
            Network = network,
            Hook = "hook_post",
            Truth = Truth(universal),
            Activations = ActivationSet.FromMatrix(network.Run(inputs, ["hook_post"]).Recorded["hook_post"]),
            Features = new ConceptTable(
                inputs.Rows,
                [.. pairs.Select((pair, i) => new Concept($"and_{pair.First}_{pair.Second}", ConceptKind.Binary, active[i]))]
            ),
            Acceptances = Acceptances(universal, gates),
        };
    }

    private static (int First, int Second)[] Pairs(UniversalAndConfig config)
    {
        var all = LayerNetTargets.Products.AllPairs(config.Features).Pairs;
        var order = new RandomStream(config.Seed, "universal-and/outputs").Permutation(all.Count);
        return [.. order.Take(config.Outputs).Order().Select(i => all[i])];
    }

    private static Matrix Rows(UniversalAndConfig config)
    {
        var stream = new RandomStream(config.Seed, "universal-and/sample");
        var rows = new Matrix(config.Samples, config.Features);
        for (var row = 0; row < rows.Rows; row++)
        {
            for (var drawn = 0; drawn < config.Active; )
            {
                var bit = stream.NextInt(config.Features);
                drawn += rows[row, bit] == 0 ? 1 : 0;
                rows[row, bit] = 1;
            }
        }
        return rows;
    }

    /// <summary>a = ReLU(W·x − 1), and for each output the mean of the neurons that read both of its bits.</summary>
    private static LayerNetwork Build(AndGates gates, (int First, int Second)[] pairs)
    {
        var read = new Matrix(gates.Neurons, gates.Features);
        for (var bit = 0; bit < gates.Features; bit++)
        {
            foreach (var neuron in gates.Readers(bit))
                read[neuron, bit] = 1;
        }
        var written = new Matrix(pairs.Length, gates.Neurons);
        for (var output = 0; output < pairs.Length; output++)
        {
            var both = gates.Common(pairs[output].First, pairs[output].Second);
            foreach (var neuron in both)
                written[output, neuron] = 1.0 / both.Count;
        }
        var shape = new LayerNetShape
        {
            Inputs = gates.Features,
            Hidden = gates.Neurons,
            Outputs = pairs.Length,
        };
        return new LayerNetwork(
            shape,
            new LayerNetParameters(read, [.. Enumerable.Repeat(-1.0, gates.Neurons)], written, new double[pairs.Length])
        );
    }

    private static GroundTruth Truth(UniversalAndConfig config)
    {
        var pairs = config.Features * (config.Features - 1) / 2;
        return pairs > config.Neurons
            ? new GroundTruth
            {
                Cause = Cause.Superposition,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["superposition", "undetermined"],
                    [AccessLevel.C] = ["superposition", "nonlinear"],
                },
                Reason =
                    $"{pairs} ANDs each have a direction, the neurons that read both bits, in {config.Neurons} neurons, and those of one row add. They are read with an error of the order of √(μ/d) only, so that at small d a read-out that is not linear does better: calling it non-linear is right as well.",
            }
            : new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "superposition", "undetermined"],
                    [AccessLevel.C] = ["rotated", "nonlinear"],
                },
                Reason = $"{pairs} ANDs in {config.Neurons} neurons that mix them: neurons enough for all.",
            };
    }

    private static List<Acceptance> Acceptances(UniversalAndConfig config, AndGates gates)
    {
        var pairs = config.Features * (config.Features - 1.0) / 2;
        if (config is not { Features: 400, Neurons: 3200, Overlap: 8, Active: 4 })
            return [];
        return
        [
            new("ANDs per neuron", pairs / config.Neurons, 24, 25, Paper),
            new("share of ANDs misread at one half", gates.Measure(4, 30_000, config.Seed).Misread, 0, 0.01, Paper),
        ];
    }
}
