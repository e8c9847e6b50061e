using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Bits of the input one after the other: exact as far as single precision reaches, and out of a linear probe's reach in the input.</summary>
public sealed class BitExtractionExperiment : Experiment
{
    private const int ProbedBits = 12;

    /// <inheritdoc/>
    public override string Name => "bit-extraction";

    /// <inheritdoc/>
    public override string Title => "bits of the input, one after the other";

    /// <inheritdoc/>
    public override string Source => new BitExtraction().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var exhaustive = config.Choose(16, 20, 22);
        var every = config.Choose(251, 31, 1);
        var network = new BitBlocks(ProbedBits);
        var inputs = new Matrix(1 << ProbedBits, 1);
        for (var v = 0; v < inputs.Rows; v++)
            inputs[v, 0] = BitBlocks.Input(v, ProbedBits);
        var trace = network.Run(inputs, [.. network.Hooks.Select(hook => hook.Name)]);
        double[] fromInput = new double[ProbedBits],
            fromDepth = new double[ProbedBits];
        for (var k = 0; k < ProbedBits; k++)
        {
            var bit = Enumerable.Range(0, inputs.Rows).Select(v => (double)((v >> (ProbedBits - 1 - k)) & 1)).ToArray();
            // A linear probe of one number ranks by that number, whatever it was fitted on.
            fromInput[k] = Auroc.Of(inputs.Column(0), bit)!.Value;
            var hidden = trace.Recorded[$"blocks.{k}.hook_hidden"];
            fromDepth[k] = Auroc.Of([.. hidden.Column(0).Zip(hidden.Column(1), (a, b) => a - b)], bit)!.Value;
        }
        var expected = Enumerable.Range(0, ProbedBits).Select(k => 0.5 + Math.ScaleB(1, -(k + 1))).ToArray();
        const string source = "Bartlett et al. 2019; derived";
        const string program = "reference program";
        double failing = BitBlocks.WrongShare(24, every);
        List<ClaimRow> rows =
        [
            ClaimRow.Check(
                $"share of all 2^{exhaustive} inputs of which any bit is read wrongly, single precision",
                program,
                "0",
                BitBlocks.WrongShare(exhaustive, 1),
                0,
                0,
                $"{1 << exhaustive:N0} inputs, every one"
            ),
            ClaimRow.Check(
                "the same at 23 bits, the most that a float holds",
                program,
                "0",
                BitBlocks.WrongShare(23, every),
                0,
                0,
                $"one input in {every}"
            ),
            ClaimRow.Check("the same at 24 bits", program, ".98", failing, 0.9, 1, $"one input in {every}"),
            ClaimRow.Check(
                $"AUROC of bit k from the input, k = 0 … {ProbedBits - 1}: largest distance from ½ + 2^−(k+1)",
                source,
                "0",
                fromInput.Zip(expected, (a, b) => Math.Abs(a - b)).Max(),
                0,
                1e-9,
                "every input of 12 bits, so the closed form is exact"
            ),
            ClaimRow.Check(
                "AUROC of bit k ≥ 5 from the input: largest distance from .5",
                source,
                "0",
                fromInput.Skip(5).Max(value => Math.Abs(value - 0.5)),
                0,
                0.02
            ),
            ClaimRow.Measure(
                "AUROC of bit 2 from the input",
                source,
                ".625",
                fromInput[2],
                "by the closed form bits 2 to 4 are not at chance: .625, .5625, .531"
            ),
            ClaimRow.Check("AUROC of bit k from block k, the lowest over k", source, "1", fromDepth.Min(), 1, 1),
        ];
        return new ExperimentResult(
            $"all 2^{exhaustive} inputs; one in {every} of 2^23 and of 2^24; probes over all 2^{ProbedBits}",
            rows,
            [Picture(fromInput, fromDepth, expected)]
        );
    }

    private static Figure Picture(double[] fromInput, double[] fromDepth, double[] expected)
    {
        var figure = new Figure(
            "probes",
            "Bit extraction: what a linear probe reads, and where single precision ends",
            $"Left: AUROC of bit k over all 2^{ProbedBits} inputs, from the input itself and from the two ReLUs of block k. Right: share of inputs of which any bit is wrong, by the number of bits (at most 16,384 inputs each, evenly spaced).",
            columns: 2
        );
        var probes = figure.Panel("linear probe of bit k", "bit k, from the highest", "AUROC");
        var bits = Enumerable.Range(0, ProbedBits).Select(k => (double)k).ToArray();
        void Line(double[] values, string label, int colour)
        {
            var line = probes.Add.Scatter(bits, values);
            (line.LegendText, line.Color) = (label, FigurePalette.Category(colour));
        }
        Line(fromDepth, "from block k", 0);
        Line(fromInput, "from the input", 1);
        var reference = probes.Add.Scatter(bits, expected);
        (reference.LegendText, reference.Color, reference.MarkerSize) = ("½ + 2⁻⁽ᵏ⁺¹⁾", FigurePalette.Reference, 0);
        reference.LinePattern = ScottPlot.LinePattern.Solid;
        probes.Axes.SetLimits(-0.5, ProbedBits - 0.5, 0.45, 1.05);
        probes.ShowLegend(ScottPlot.Alignment.MiddleRight);
        var wrong = figure.Panel("inputs read wrongly, single precision", "bits L", "share of inputs");
        var lengths = Enumerable.Range(8, 19).ToArray();
        var shares = wrong.Add.Scatter(
            lengths.Select(length => (double)length).ToArray(),
            lengths.Select(length => BitBlocks.WrongShare(length, Math.Max(1, (1 << length) >> 14) | 1)).ToArray()
        );
        shares.Color = FigurePalette.Category(0);
        wrong.Axes.SetLimits(7, 27, -0.05, 1.05);
        return figure;
    }
}
