using Polyseme.Activations;
using Polyseme.Dictionaries.Classical;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="EntropyConcept"/>.</summary>
public sealed record EntropyConceptConfig : ZooConfig
{
    /// <summary>Neurons. In 4 … 256.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 4, 256);
    } = 8;
}

/// <summary>How far labelled quantities explain a direction's value.</summary>
/// <param name="Single">R² of the best flexible regression on one label.</param>
/// <param name="Joint">R² of a flexible regression on both.</param>
internal sealed record MixtureR2(double Single, double Joint);

/// <summary>A direction that is entropy, in a layer whose labels are temperature and mixing ratio: one clean feature without a name.</summary>
public sealed class EntropyConcept : ZooMember
{
    private const int Others = 3,
        Bins = 32;

    /// <inheritdoc/>
    public override string Name => "entropy-concept";

    /// <inheritdoc/>
    public override string Summary =>
        "a direction for entropy where only temperature and mixing ratio are labelled: a concept that nobody named";

    /// <inheritdoc/>
    public override string Source =>
        "LawrenceC 2024, Superposition is not \"just\" neuron polysemanticity, and the comments on it, on entropy";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new EntropyConceptConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var entropy = Of<EntropyConceptConfig>(config);
        cancellation.ThrowIfCancellationRequested();
        var network = Layer(entropy);
        var inputs = Sample(entropy.Samples, entropy.Seed, "entropy/sample");
        var explained = Explained(Sample(40_000, entropy.Seed, "entropy/acceptance"));
        string[] names = ["temperature", "mixing_ratio", .. Enumerable.Range(0, Others).Select(k => $"other_{k}")];
        return new ZooRun
        {
            Member = Name,
            Config = entropy,
            Network = network,
            Hook = "hook_hidden",
            Truth = new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "undetermined"],
                    [AccessLevel.C] = ["rotated", "nonlinear", "undetermined"],
                    [AccessLevel.T] = ["rotated"],
                },
                Reason =
                    "entropy and three other features have orthogonal directions, none of them a neuron. Temperature and mixing ratio, which are labelled, are each non-linear in the entropy and half of its variance; entropy itself has no label.",
                Directions = network.Weights["directions"],
                NLine = Others + 1,
                Flags = ["unnamed_concept"],
            },
            Activations = ActivationSet.FromMatrix(network.Hidden(inputs)),
            Features = new ConceptTable(
                inputs.Rows,
                [.. names.Select((name, k) => new Concept(name, ConceptKind.Numeric, inputs.Column(k)))]
            ),
            Acceptances =
            [
                new("R² of the entropy from its best single label", explained.Single, 0.47, 0.53, "derived"),
                new("R² from both labels", explained.Joint, 0.98, 1, "derived"),
            ],
        };
    }

    /// <summary>s = ln T and the entropy of mixing, each scaled to variance one over the inputs' law, and added.</summary>
    public static double Entropy(double temperature, double ratio)
    {
        var mixing = ratio <= 0 || ratio >= 1 ? 0 : -((ratio * Math.Log(ratio)) + ((1 - ratio) * Math.Log(1 - ratio)));
        return ((Math.Log(temperature) - s_heat.Mean) / s_heat.Deviation) + ((mixing - s_mixing.Mean) / s_mixing.Deviation);
    }

    /// <summary>The layer: temperature, ratio and three other features to the neurons.</summary>
    internal static CodeLayer Layer(EntropyConceptConfig config) =>
        new(
            2 + Others,
            (input, code) =>
            {
                code[0] = Entropy(Math.Max(input[0], 1e-9), input[1]);
                input[2..].CopyTo(code[1..]);
            },
            Rotations.OrthonormalRows(Others + 1, config.Neurons, new RandomStream(config.Seed, "entropy/directions"))
        );

    /// <summary>T uniform in [1, 2), χ in [0, ½), the others uniform with variance two. Shape: <c>[count, 5]</c>.</summary>
    internal static Matrix Sample(int count, ulong seed, string name)
    {
        var stream = new RandomStream(seed, name);
        var inputs = new Matrix(count, 2 + Others);
        for (var row = 0; row < count; row++)
        {
            inputs[row, 0] = 1 + stream.NextDouble();
            inputs[row, 1] = 0.5 * stream.NextDouble();
            for (var k = 0; k < Others; k++)
                inputs[row, 2 + k] = Math.Sqrt(24) * (stream.NextDouble() - 0.5);
        }
        return inputs;
    }

    /// <summary>Held-out R² of the entropy from means over bins of one label and over cells of both; fitted on the first half.</summary>
    internal static MixtureR2 Explained(Matrix inputs)
    {
        var s = Enumerable.Range(0, inputs.Rows).Select(row => Entropy(inputs[row, 0], inputs[row, 1])).ToArray();
        int HeatBin(int row) => Math.Clamp((int)((inputs[row, 0] - 1) * Bins), 0, Bins - 1);
        // The entropy of mixing is steepest near 0: bins even in √χ.
        int RatioBin(int row) => Math.Clamp((int)(Math.Sqrt(2 * inputs[row, 1]) * Bins), 0, Bins - 1);
        return new MixtureR2(
            Math.Max(BinnedR2(s, HeatBin, Bins), BinnedR2(s, RatioBin, Bins)),
            BinnedR2(s, row => (Bins * HeatBin(row)) + RatioBin(row), Bins * Bins)
        );
    }

    /// <summary>|Cosine| between the entropy's direction and the nearest independent component's, in the activations of these rows.</summary>
    internal static double ComponentCosine(CodeLayer network, Matrix inputs, RandomStream random, CancellationToken cancellation)
    {
        var hidden = network.Hidden(inputs);
        var whitened = Readouts.Whitened(hidden);
        var components = FastIca.Fit(whitened, new FastIcaConfig(), random, cancellation).Components(whitened);
        // The component's direction is how the layer moves with it: the regression of the layer on the component.
        var centred = Readouts.Less(hidden, Readouts.Means(hidden));
        var directions = LinearAlgebra.TransposeMultiply(components, centred);
        var own = network.Weights["directions"].Row(0).ToArray();
        return Enumerable
            .Range(0, directions.Rows)
            .Max(k => Math.Abs(System.Numerics.Tensors.TensorPrimitives.CosineSimilarity<double>(directions.Row(k), own)));
    }

    private static double BinnedR2(double[] s, Func<int, int> bin, int bins)
    {
        double[] sum = new double[bins],
            count = new double[bins];
        var half = s.Length / 2;
        for (var row = 0; row < half; row++)
        {
            sum[bin(row)] += s[row];
            count[bin(row)]++;
        }
        var mean = s[half..].Average();
        double residual = 0,
            total = 0;
        for (var row = half; row < s.Length; row++)
        {
            var at = bin(row);
            var guess = count[at] > 0 ? sum[at] / count[at] : mean;
            residual += (s[row] - guess) * (s[row] - guess);
            total += (s[row] - mean) * (s[row] - mean);
        }
        return 1 - (residual / total);
    }

    private static readonly (double Mean, double Deviation) s_heat = Moments(u => Math.Log(1 + u));

    private static readonly (double Mean, double Deviation) s_mixing = Moments(u =>
        -((u / 2 * Math.Log(u / 2)) + ((1 - (u / 2)) * Math.Log(1 - (u / 2))))
    );

    /// <summary>Mean and standard deviation of a function of a uniform number, by the midpoint rule.</summary>
    private static (double Mean, double Deviation) Moments(Func<double, double> of)
    {
        const int points = 100_000;
        double sum = 0,
            squares = 0;
        for (var i = 0; i < points; i++)
        {
            var value = of((i + 0.5) / points);
            sum += value / points;
            squares += value * value / points;
        }
        return (sum, Math.Sqrt(squares - (sum * sum)));
    }
}
