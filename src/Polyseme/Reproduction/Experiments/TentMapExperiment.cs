using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Composed tents: 2^L linear pieces from 2L neurons, and a Gray code.</summary>
public sealed class TentMapExperiment : Experiment
{
    private const string Paper = "Telgarsky 2016; derived";
    private const int Bits = 12;

    /// <inheritdoc/>
    public override string Name => "tent-map";

    /// <inheritdoc/>
    public override string Title => "composed tents and the Gray code";

    /// <inheritdoc/>
    public override string Source => new TentMap().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var codeBits = config.Choose(Bits, Bits, 20);
        var rows = new List<ClaimRow>
        {
            ClaimRow.Check(
                $"share of all 2^{codeBits} inputs whose read-out is not the Gray code of their number",
                Paper,
                "0",
                TentBlocks.WrongShare(codeBits),
                0,
                0,
                $"{1 << codeBits:N0} inputs, every one, single precision"
            ),
        };
        var pieces = Enumerable.Range(1, 10).Select(depth => (Depth: depth, Pieces: TentBlocks.LinearPieces(depth))).ToArray();
        foreach (var (depth, counted) in pieces)
            rows.Add(ClaimRow.Check($"linear pieces of {depth} composed tents", Paper, $"{1 << depth}", counted, 1 << depth, 1 << depth));
        var inputs = Enumerable.Range(0, 1 << Bits).Select(v => BitBlocks.Input(v, Bits)).ToArray();
        var aurocs = Enumerable
            .Range(1, Bits - 1)
            .Select(k => Auroc.Of(inputs, [.. Enumerable.Range(0, 1 << Bits).Select(v => (double)TentBlocks.Gray(v, k, Bits))])!.Value);
        rows.Add(
            ClaimRow.Check(
                "AUROC of Gray bit k ≥ 1 from the input: largest distance from .5",
                "derived",
                "0",
                aurocs.Max(value => Math.Abs(value - 0.5)),
                0,
                1e-9,
                "a Gray bit is symmetric about the middle, so not even the order of the inputs tells it"
            )
        );
        return new ExperimentResult($"all 2^{codeBits} inputs; 1 to 10 tents", rows, [Picture(pieces)]);
    }

    private static Figure Picture((int Depth, long Pieces)[] pieces)
    {
        var figure = new Figure(
            "pieces",
            "Composed tents",
            "The tent composed one to five times, and the linear pieces counted for one to ten compositions beside 2^L.",
            columns: 3,
            panelWidth: 320,
            panelHeight: 260
        );
        foreach (var depth in (int[])[1, 2, 3, 4, 5])
        {
            var panel = figure.Panel($"L = {depth}", "x", "T(…T(x))");
            var xs = Enumerable.Range(0, (1 << depth) + 1).Select(i => (double)i / (1 << depth)).ToArray();
            var line = panel.Add.Scatter(
                xs,
                xs.Select(x => Enumerable.Range(0, depth).Aggregate(x, (t, _) => TentBlocks.Tent(t))).ToArray()
            );
            (line.Color, line.MarkerSize) = (FigurePalette.Category(0), 0);
            panel.Axes.SetLimits(0, 1, -0.02, 1.05);
        }
        var counts = figure.Panel("linear pieces", "compositions L", "pieces");
        var counted = counts.Add.ScatterPoints(
            pieces.Select(p => (double)p.Depth).ToArray(),
            pieces.Select(p => Math.Log10(p.Pieces)).ToArray()
        );
        (counted.Color, counted.MarkerSize, counted.LegendText) = (FigurePalette.Category(0), 8, "counted");
        var law = counts.Add.Scatter(pieces.Select(p => (double)p.Depth).ToArray(), pieces.Select(p => p.Depth * Math.Log10(2)).ToArray());
        (law.Color, law.MarkerSize, law.LegendText) = (FigurePalette.Reference, 0, "2ᴸ");
        counts.LogTicksY([1, 10, 100, 1000]);
        counts.ShowLegend(ScottPlot.Alignment.UpperLeft);
        return figure;
    }
}
