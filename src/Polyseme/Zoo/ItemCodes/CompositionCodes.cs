using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="CompositionCodes"/>.</summary>
public sealed record CompositionCodesConfig : ZooConfig
{
    /// <summary>The code: local, semi-local, semi-distributed or dense.</summary>
    public string Code
    {
        get;
        init => field = Allowed.OneOf(value, CompositionCodes.Codes);
    } = "semi-local";
}

/// <summary>Two attributes of four values each in Thorpe's four codes, from one unit per conjunction to four bits.</summary>
public sealed class CompositionCodes : ZooMember
{
    private const int Levels = 4;

    /// <inheritdoc/>
    public override string Name => "composition-codes";

    /// <inheritdoc/>
    public override string Summary =>
        "two attributes of four values in four codes: a unit a conjunction, a unit a value, many units a value, bits";

    /// <inheritdoc/>
    public override string Source =>
        "Thorpe 1989, Local vs. distributed coding; Olah 2023, Distributed Representations: Composition & Superposition";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new CompositionCodesConfig();

    /// <summary>The four codes, from local to dense.</summary>
    internal static string[] Codes { get; } = ["local", "semi-local", "semi-distributed", "dense"];

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var composition = Of<CompositionCodesConfig>(config);
        cancellation.ThrowIfCancellationRequested();
        var network = Layer(composition.Code);
        var stream = new RandomStream(composition.Seed, "composition/sample");
        var inputs = new Matrix(composition.Samples, 2);
        for (var i = 0; i < inputs.Data.Length; i++)
            inputs.Data[i] = stream.NextInt(Levels);
        var hidden = network.Hidden(inputs);
        return new ZooRun
        {
            Member = Name,
            Config = composition,
            Network = network,
            Hook = "hook_hidden",
            Truth = Truth(composition.Code),
            Activations = ActivationSet.FromMatrix(
                hidden,
                new RowIdentities
                {
                    Item = [.. Enumerable.Range(0, inputs.Rows).Select(row => (long)((Levels * inputs[row, 0]) + inputs[row, 1]))],
                }
            ),
            Features = new ConceptTable(
                inputs.Rows,
                [
                    .. Enumerable
                        .Range(0, 2 * Levels)
                        .Select(k => new Concept(
                            $"{(k < Levels ? "first" : "second")}_{k % Levels}",
                            ConceptKind.Binary,
                            [.. inputs.Column(k / Levels).Select(value => value == k % Levels ? 1.0 : 0.0)]
                        )),
                ]
            ),
            Acceptances =
            [
                new(
                    "linear R² of an attribute's value",
                    ValueR2(network),
                    ExpectedValueR2(composition.Code) - 1e-6,
                    ExpectedValueR2(composition.Code) + 1e-6,
                    "derived"
                ),
            ],
        };
    }

    /// <summary>The layer: both attributes, numbered from 0, to the units.</summary>
    internal static CodeLayer Layer(string code) =>
        code switch
        {
            "local" => new CodeLayer(2, (input, units) => units[(Levels * Value(input[0])) + Value(input[1])] = 1, Matrix.Identity(16)),
            "semi-local" => new CodeLayer(2, OneHot, Matrix.Identity(8)),
            "semi-distributed" => new CodeLayer(2, OneHot, ThreeUnitsAValue()),
            "dense" => new CodeLayer(
                2,
                (input, units) =>
                {
                    for (var attribute = 0; attribute < 2; attribute++)
                    {
                        units[2 * attribute] = Value(input[attribute]) >> 1;
                        units[(2 * attribute) + 1] = Value(input[attribute]) & 1;
                    }
                },
                Matrix.Identity(4)
            ),
            _ => throw new ArgumentException($"code is '{code}'; it is one of {string.Join(", ", Codes)}", nameof(code)),
        };

    /// <summary>All sixteen conjunctions. Shape: <c>[16, 2]</c>.</summary>
    internal static Matrix Conjunctions()
    {
        var inputs = new Matrix(Levels * Levels, 2);
        for (var row = 0; row < inputs.Rows; row++)
            (inputs[row, 0], inputs[row, 1]) = (row / Levels, row % Levels);
        return inputs;
    }

    /// <summary>Indicators of the eight values on the sixteen conjunctions. Shape: <c>[16, 8]</c>.</summary>
    internal static Matrix Values()
    {
        var inputs = Conjunctions();
        var values = new Matrix(inputs.Rows, 2 * Levels);
        for (var row = 0; row < inputs.Rows; row++)
            OneHot(inputs.Row(row), values.Row(row));
        return values;
    }

    /// <summary>Mean linear R² of the eight value indicators, over the sixteen conjunctions, each equally often.</summary>
    internal static double ValueR2(CodeLayer network) => LinearR2(network.Hidden(Conjunctions()), Values());

    /// <summary>Mean linear R² of the sixteen conjunction indicators.</summary>
    internal static double ConjunctionR2(CodeLayer network) => LinearR2(network.Hidden(Conjunctions()), Matrix.Identity(Levels * Levels));

    /// <summary>1 where values are sums of units; from bits only the additive part of (1 ± s)(1 ± t)/4 is linear, 2/3 of its variance.</summary>
    internal static double ExpectedValueR2(string code) => code == "dense" ? 2.0 / 3 : 1;

    /// <summary>Of a conjunction's variance 15/256, the linear part: all of it; 2·(1/16)·(3/16) = 6/256 from values; 4/256 from bits.</summary>
    internal static double ExpectedConjunctionR2(string code) =>
        code switch
        {
            "local" => 1,
            "dense" => 4.0 / 15,
            _ => 6.0 / 15,
        };

    private static double LinearR2(Matrix hidden, Matrix targets) =>
        Readouts.R2(targets, Readouts.Linear(hidden, targets, hidden, ridge: 1e-10)).Average();

    private static void OneHot(ReadOnlySpan<double> input, Span<double> code) =>
        (code[Value(input[0])], code[Levels + Value(input[1])]) = (1, 1);

    private static int Value(double level) => (int)Math.Clamp(Math.Round(level), 0, Levels - 1);

    /// <summary>Value j fires units j, j + 1 and j + 3, counted round: 1 + z + z³ vanishes at no eighth root of one, so the matrix is invertible.</summary>
    private static Matrix ThreeUnitsAValue()
    {
        var matrix = new Matrix(2 * Levels, 2 * Levels);
        for (var value = 0; value < matrix.Rows; value++)
        {
            foreach (var step in (ReadOnlySpan<int>)[0, 1, 3])
                matrix[value, (value + step) % matrix.Columns] = 1;
        }
        return matrix;
    }

    private static GroundTruth Truth(string code)
    {
        GroundTruth Of(Cause cause, string[] a, string[] c, string reason) =>
            new()
            {
                Cause = cause,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = a,
                    [AccessLevel.C] = c,
                    [AccessLevel.T] = [Causes.Id(cause)],
                },
                Reason = reason,
            };
        return code switch
        {
            "local" => Of(
                Cause.Monosemantic,
                ["monosemantic", "compositional", "undetermined"],
                ["monosemantic", "rotated", "compositional", "undetermined"],
                "each of the sixteen units fires for one conjunction and no other. The concepts are the values: every value is a sum of four units, so with them alone the layer is linear and not aligned; the vocabulary, not the layer, is what does not fit."
            ),
            "semi-local" => Of(
                Cause.Monosemantic,
                ["monosemantic", "undetermined"],
                ["monosemantic"],
                "each of the eight units fires for one value of one attribute."
            ),
            "semi-distributed" => Of(
                Cause.Rotated,
                ["rotated", "monosemantic", "compositional", "undetermined"],
                ["rotated", "undetermined"],
                "every value fires three of the eight units and every unit serves three values, and an invertible matrix gives the values back: as many features as units. Sixteen distinct rows of bits are too few to show this without the values."
            ),
            "dense" => Of(
                Cause.Compositional,
                ["monosemantic", "compositional", "undetermined"],
                ["compositional", "nonlinear", "undetermined"],
                "four independent bits, one per unit. A value is a conjunction of two of them, which a linear read-out gets to R² 2/3; if the bits themselves were labelled, the layer would be monosemantic."
            ),
            _ => throw new ArgumentException($"code is '{code}'; it is one of {string.Join(", ", Codes)}", nameof(code)),
        };
    }
}
