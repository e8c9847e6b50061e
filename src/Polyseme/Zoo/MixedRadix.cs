using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="MixedRadix"/>.</summary>
public sealed record MixedRadixConfig : ZooConfig
{
    /// <summary>Z, the levels that x is rounded to. In 2 … 64.</summary>
    public int Levels
    {
        get;
        init => field = Allowed.Between(value, 2, 64);
    } = 4;

    /// <summary>Pairs (x, y), each packed into one number along a direction of its own; at most as many as neurons. In 1 … 256.</summary>
    public int Pairs
    {
        get;
        init => field = Allowed.Between(value, 1, 256);
    } = 8;

    /// <summary>Neurons, d. In 1 … 256.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 1, 256);
    } = 16;
}

/// <summary>Two numbers in one: x rounded to Z levels, y in what is left. Along each direction lies a pair that no linear read-out separates.</summary>
public sealed class MixedRadix : ZooMember
{
    private const int AcceptanceRows = 50_000;

    /// <inheritdoc/>
    public override string Name => "mixed-radix";

    /// <inheritdoc/>
    public override string Summary =>
        "pairs of numbers packed into one number each, as digits: all of it decodable, half of it not linearly";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, appendix on non-linear compression";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new MixedRadixConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var radix = Of<MixedRadixConfig>(config);
        if (radix.Pairs > radix.Neurons)
            throw new ArgumentException($"Pairs is {radix.Pairs}; it is at most Neurons, {radix.Neurons}", nameof(config));
        cancellation.ThrowIfCancellationRequested();
        var directions = OrthonormalRows(radix.Pairs, radix.Neurons, new RandomStream(radix.Seed, "mixed-radix/directions"));
        var network = new DigitPacking(radix.Levels, directions);
        var inputs = Uniform(radix.Samples, 2 * radix.Pairs, new RandomStream(radix.Seed, "mixed-radix/sample"));
        return new ZooRun
        {
            Member = Name,
            Config = radix,
            Network = network,
            Hook = "hook_hidden",
            Truth = Truth(radix),
            Activations = ActivationSet.FromMatrix(network.Run(inputs, ["hook_hidden"]).Recorded["hook_hidden"]),
            Features = new ConceptTable(
                inputs.Rows,
                [
                    .. Enumerable
                        .Range(0, 2 * radix.Pairs)
                        .Select(i => new Concept($"{(i % 2 == 0 ? 'x' : 'y')}_{i / 2}", ConceptKind.Numeric, inputs.Column(i))),
                ]
            ),
            Acceptances = Acceptances(radix, network),
        };
    }

    private static GroundTruth Truth(MixedRadixConfig config)
    {
        // (1 − 1/Z²)² passes .9 between four and five levels.
        var coarse = config.Levels <= 4;
        return new GroundTruth
        {
            Cause = Cause.Nonlinear,
            Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
            {
                [AccessLevel.A] = ["rotated", "nonlinear", "undetermined"],
                [AccessLevel.C] = coarse ? ["nonlinear"] : ["nonlinear", "rotated"],
            },
            Reason =
                $"each packed number is exactly uniform, so activations alone show {config.Pairs} independent uniform sources in a rotated basis, and no method could tell that they hold two features each. With concepts, y is decoded exactly by ⌊·⌋ and by no linear map (R² = 1/Z²); "
                + (
                    coarse
                        ? "x is not linear to R² .9 either."
                        : "x is linear above R² .9 and holds nearly all the variance, so rotated describes the layer's variance as well."
                ),
        };
    }

    private static List<Acceptance> Acceptances(MixedRadixConfig config, DigitPacking network)
    {
        const string source = "Elhage et al. 2022, appendix; formulas derived";
        var inputs = Uniform(AcceptanceRows, 2 * config.Pairs, new RandomStream(config.Seed, "mixed-radix/acceptance"));
        var trace = network.Run(inputs, ["hook_hidden"]);
        var hidden = trace.Recorded["hook_hidden"];
        var z = (double)(config.Levels * config.Levels);
        double Mean(int parity, Func<int, double> of) => Enumerable.Range(0, config.Pairs).Average(pair => of((2 * pair) + parity));
        var linear = LinearR2(hidden, inputs);
        double linearX = Mean(0, i => linear[i]),
            linearY = Mean(1, i => linear[i]),
            decodedX = Mean(0, i => R2(inputs.Column(i), trace.Output.Column(i))),
            decodedY = Mean(1, i => R2(inputs.Column(i), trace.Output.Column(i)));
        return
        [
            Within("linear R² of x, (1 − 1/Z²)²", linearX, Math.Pow(1 - (1 / z), 2)),
            Within("linear R² of y, 1/Z²", linearY, 1 / z),
            Within("decoded R² of x, 1 − 1/Z²", decodedX, 1 - (1 / z)),
            Within("decoded R² of y, 1", decodedY, 1),
        ];
        static Acceptance Within(string claim, double value, double expected) =>
            new(claim, value, expected - 0.01, expected + 0.01, source);
    }

    /// <summary>R² of the best linear read-out of every target, on the rows it was fitted to: with 50,000 rows and few neurons that is .0003 above held out.</summary>
    private static double[] LinearR2(Matrix hidden, Matrix targets)
    {
        var (predictors, centred) = (Centred(hidden), Centred(targets));
        var fitted = LinearAlgebra.Multiply(predictors, LinearAlgebra.Ridge(predictors, centred, 1e-6));
        return [.. Enumerable.Range(0, targets.Columns).Select(i => R2(centred.Column(i), fitted.Column(i)))];
    }

    private static double R2(double[] target, double[] predicted)
    {
        var mean = target.Average();
        double residual = 0,
            total = 0;
        for (var i = 0; i < target.Length; i++)
        {
            residual += Math.Pow(target[i] - predicted[i], 2);
            total += Math.Pow(target[i] - mean, 2);
        }
        return 1 - (residual / total);
    }

    private static Matrix Centred(Matrix matrix)
    {
        var centred = matrix.Copy();
        for (var column = 0; column < matrix.Columns; column++)
        {
            var mean = matrix.Column(column).Average();
            for (var row = 0; row < matrix.Rows; row++)
                centred[row, column] -= mean;
        }
        return centred;
    }

    private static Matrix Uniform(int rows, int columns, RandomStream stream)
    {
        var matrix = new Matrix(rows, columns);
        for (var i = 0; i < matrix.Data.Length; i++)
            matrix.Data[i] = stream.NextDouble();
        return matrix;
    }

    /// <summary>Random orthonormal rows: the right singular vectors of a Gaussian matrix.</summary>
    private static Matrix OrthonormalRows(int rows, int columns, RandomStream stream)
    {
        var (u, _, vt) = LinearAlgebra.Svd(stream.NormalMatrix(rows, columns));
        return LinearAlgebra.Multiply(u, vt);
    }
}

/// <summary>The construction: t = (⌊Zx⌋ + y)/Z along each direction, decoded by ŷ = frac(Zt) and x̂ = (⌊Zt⌋ + ½)/Z.</summary>
/// <remarks>Hooks: <c>hook_code</c>, the packed numbers; <c>hook_hidden</c>, the neurons.</remarks>
internal sealed class DigitPacking(int levels, Matrix directions) : Network
{
    private readonly Matrix _levels = new(1, 1, [levels]);

    public override int InputWidth => 2 * directions.Rows;

    public override IReadOnlyList<Hook> Hooks { get; } =
    [new Hook("hook_code", directions.Rows), new Hook("hook_hidden", directions.Columns)];

    public override IReadOnlyDictionary<string, Matrix> Weights =>
        new Dictionary<string, Matrix> { ["directions"] = directions, ["levels"] = _levels };

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var code = new Matrix(inputs.Rows, directions.Rows);
        for (var row = 0; row < inputs.Rows; row++)
        {
            for (var pair = 0; pair < code.Columns; pair++)
                code[row, pair] = (Math.Floor(levels * inputs[row, 2 * pair]) + inputs[row, (2 * pair) + 1]) / levels;
        }
        var hidden = at("hook_hidden", LinearAlgebra.Multiply(at("hook_code", code), directions));
        var read = LinearAlgebra.MultiplyTranspose(hidden, directions);
        var output = new Matrix(inputs.Rows, inputs.Columns);
        for (var row = 0; row < inputs.Rows; row++)
        {
            for (var pair = 0; pair < code.Columns; pair++)
            {
                var scaled = levels * read[row, pair];
                output[row, 2 * pair] = (Math.Floor(scaled) + 0.5) / levels;
                output[row, (2 * pair) + 1] = scaled - Math.Floor(scaled);
            }
        }
        return output;
    }
}
