using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>The polytope lens on two spirals: affine pieces, what scaling does with and without biases, and where the boundaries lie.</summary>
public sealed class PolytopeExperiment : Experiment
{
    private const string Paper = "Black et al. 2022; derived";
    private const int DigitSteps = 2000;
    private static readonly double[] s_scales = [0.1, 0.18, 0.32, 0.56, 1, 1.8, 3.2, 5.6, 10];

    /// <inheritdoc/>
    public override string Name => "polytope";

    /// <inheritdoc/>
    public override string Title => "polytopes of a network on two spirals, with exact controls";

    /// <inheritdoc/>
    public override string Source => new Polytope().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var pairs = config.Choose(150, 1000, 4000);
        var plain = new PolytopeConfig { Seed = config.Seed };
        var trained = Polytope.Train(plain, cancellation);
        var untrained = Polytope.Train(plain with { Steps = 0 }, cancellation);
        var homogeneous = Polytope.Train(plain with { Biases = false }, cancellation);
        var (points, arms) = Spirals.Sample(2000, new RandomStream(config.Seed, "polytope/claims"));
        RandomStream Stream(string name) => new(config.Seed, $"polytope/{name}");

        var (inside, across, nInside, nAcross) = PolytopeMeasures.SecondDifferences(trained, 4000, Stream("second"));
        var (images, digits) = SyntheticDigits.Sample(2000, new RandomStream(config.Seed, "digits/claims"));
        var readers = Polytope.TrainOnDigits(config.Seed, DigitSteps, cancellation);
        var after = PolytopeMeasures.Density(readers, images, digits, pairs, Stream("pairs"));
        var before = PolytopeMeasures.Density(Polytope.TrainOnDigits(config.Seed, 0, cancellation), images, digits, pairs, Stream("pairs"));
        var spirals = PolytopeMeasures.Density(trained, points, arms, pairs, Stream("spiral-pairs"));
        var curve = s_scales.Select(scale => (Scale: scale, Changed: Changed(trained, points, scale, normalised: false).Classes)).ToArray();
        double[] extreme = [1e-3, 0.1, 10, 1e3];
        var free = extreme.Select(scale => Changed(homogeneous, points, scale, normalised: false)).ToArray();
        var normalised = extreme.Select(scale => Changed(trained, points, scale, normalised: true)).ToArray();
        var segments = Segments(trained, points, config.Choose(50, 500, 2000), Stream("segments"));
        List<ClaimRow> rows =
        [
            ClaimRow.Check(
                "accuracy on fresh points",
                "own choice",
                "≥ .99",
                Polytope.Accuracy(trained, points, arms),
                0.99,
                1,
                "two hidden layers of 24; 6,000 steps"
            ),
            ClaimRow.Check(
                "(a) largest second difference of the outputs inside a polytope",
                Paper,
                "0",
                inside,
                0,
                1e-9,
                $"{nInside:N0} triples .02 apart"
            ),
            ClaimRow.Check(
                "(a) share of triples across a boundary whose second difference is not 0",
                Paper,
                "1",
                across,
                0.95,
                1,
                $"{nAcross:N0} triples; a boundary of a unit that nothing reads does not bend"
            ),
            ClaimRow.Check(
                "(b) no biases: points whose class changes when the first layer is scaled by .001 … 1,000",
                Paper,
                "0",
                free.Max(f => f.Classes),
                0,
                0,
                $"{points.Rows:N0} points, four scales"
            ),
            ClaimRow.Check("(b) no biases: points whose code downstream changes", Paper, "0", free.Max(f => f.Codes), 0, 0),
            ClaimRow.Check(
                "(c) RMS norm after the layer: points whose class changes",
                Paper,
                "0",
                normalised.Max(f => f.Classes),
                0,
                0,
                "with biases; the norm takes the scale out"
            ),
            ClaimRow.Check("(c) RMS norm after the layer: largest change of an output", Paper, "0", normalised.Max(f => f.Output), 0, 1e-6),
            ClaimRow.Check(
                "(d) with biases: largest share of points whose class changes over α in [.1, 10]",
                Paper,
                "≥ .10",
                curve.Max(point => point.Changed),
                0.1,
                1,
                string.Join(", ", curve.Select(point => $"α = {point.Scale}: {point.Changed:0.000}"))
            ),
            ClaimRow.Check(
                "(e) digits: boundaries per distance, different class over same class",
                Paper,
                "> 1.2",
                after.Ratio,
                1.2,
                double.PositiveInfinity,
                $"{after.Different:0.0} against {after.Same:0.0}; {after.Pairs} pairs of each; accuracy {Polytope.Accuracy(readers, images, digits):0.000}"
            ),
            ClaimRow.Check(
                "(e) digits: permutation p-value",
                Paper,
                "< .01",
                after.PValue,
                0,
                0.01,
                "999 permutations of the pairs' labels"
            ),
            ClaimRow.Check(
                "(e) digits: the same ratio of the untrained network",
                Paper,
                "≈ 1",
                before.Ratio,
                0.8,
                1.2,
                $"p = {before.PValue:0.000}"
            ),
            ClaimRow.Measure(
                "(e) spirals: boundaries per distance, different class over same class",
                Paper,
                null,
                spirals.Ratio,
                $"p = {spirals.PValue:0.000}; the way between two points of one arm leads across the other, so the claim is not about such classes"
            ),
            ClaimRow.Check("(f) segments with exactly 1 + crossings distinct codes", Paper, "1", segments, 1, 1),
        ];
        if (config.Size != ReproductionSize.Quick)
        {
            var longer = Polytope.TrainOnDigits(config.Seed, 3 * DigitSteps, cancellation);
            var density = PolytopeMeasures.Density(longer, images, digits, pairs, Stream("pairs"));
            rows.Add(
                ClaimRow.Check(
                    "(e) digits, trained three times as long: the ratio",
                    Paper,
                    "> 1.2",
                    density.Ratio,
                    1.2,
                    double.PositiveInfinity,
                    $"p = {density.PValue:0.000}; accuracy {Polytope.Accuracy(longer, images, digits):0.000}"
                )
            );
        }
        return new ExperimentResult(
            $"2-24-24-2 on two spirals, 6,000 steps of 128; 64-24-24-10 on synthetic digits, {DigitSteps:N0} steps; {pairs:N0} pairs of each kind; {points.Rows:N0} points",
            rows,
            [Picture(trained, untrained, points, arms, curve, before, after, config)]
        );
    }

    /// <summary>What scaling the first layer changes: share of classes, share of codes in the second layer, and the largest change of an output.</summary>
    private static (double Classes, double Codes, double Output) Changed(ReluStack network, Matrix points, double scale, bool normalised)
    {
        var (one, below) = PolytopeMeasures.Scaled(network, points, 1, normalised);
        var (other, scaledBelow) = PolytopeMeasures.Scaled(network, points, scale, normalised);
        var classes = ReluStack.Largest(one).Zip(ReluStack.Largest(other), (a, b) => a == b ? 0.0 : 1.0).Average();
        var codes = 0;
        for (var row = 0; row < below.Rows; row++)
        {
            for (var unit = 0; unit < below.Columns; unit++)
            {
                if ((below[row, unit] > 0) != (scaledBelow[row, unit] > 0))
                {
                    codes++;
                    break;
                }
            }
        }
        return (classes, (double)codes / below.Rows, one.Data.Zip(other.Data, (a, b) => Math.Abs(a - b)).Max());
    }

    /// <summary>Share of random segments on which the codes between crossings are 1 + crossings different ones, by running the network in between.</summary>
    private static double Segments(ReluStack network, Matrix points, int count, RandomStream random)
    {
        var exact = 0;
        for (var segment = 0; segment < count; segment++)
        {
            double[] from = points.Row(random.NextInt(points.Rows)).ToArray(),
                to = points.Row(random.NextInt(points.Rows)).ToArray();
            double[] cuts = [0, .. network.Crossings(from, to), 1];
            var between = new Matrix(cuts.Length - 1, 2);
            for (var piece = 0; piece < between.Rows; piece++)
            {
                var t = (cuts[piece] + cuts[piece + 1]) / 2;
                for (var j = 0; j < 2; j++)
                    between[piece, j] = from[j] + (t * (to[j] - from[j]));
            }
            var distinct = network.Codes(between).Select(code => string.Concat(code.Select(on => on ? '1' : '0'))).Distinct().Count();
            exact += distinct == between.Rows ? 1 : 0;
        }
        return (double)exact / count;
    }

    private static Figure Picture(
        ReluStack trained,
        ReluStack untrained,
        Matrix points,
        int[] arms,
        (double Scale, double Changed)[] curve,
        CrossingDensity before,
        CrossingDensity after,
        ReproductionConfig config
    )
    {
        var figure = new Figure(
            "regions",
            "Polytopes before and after training",
            $"Top: a shade per polytope of the 48 hidden units, with points of both arms. Bottom left: boundaries crossed per distance between images of the same digit and of different ones, a 64-24-24-10 network on synthetic digits ({after.Pairs} pairs each). Bottom right: share of {points.Rows:N0} points whose class changes when the first layer's activations are scaled by α.",
            columns: 2,
            panelHeight: 400
        );
        Regions(figure, "untrained", untrained, points, arms, config.Choose(120, 260, 400));
        Regions(figure, "trained", trained, points, arms, config.Choose(120, 260, 400));
        var densities = figure.Panel("digits: boundaries per distance", "", "crossings / distance");
        foreach (var (at, density) in new[] { (0, before), (1, after) })
        {
            foreach (var (value, shift, colour) in new[] { (density.Same, -0.2, 0), (density.Different, 0.2, 1) })
            {
                var bar = densities.Add.Bar(at + shift, value);
                bar.Bars[0].Size = 0.36;
                bar.Bars[0].FillColor = FigurePalette.Category(colour);
                if (at == 0)
                    bar.LegendText = colour == 0 ? "same class" : "different classes";
            }
        }
        densities.Axes.Bottom.SetTicks([0, 1], ["untrained", "trained"]);
        densities.Axes.SetLimits(-0.6, 1.6, 0, 1.35 * Math.Max(after.Different, before.Different));
        densities.ShowLegend(ScottPlot.Alignment.UpperLeft);
        var scaling = figure.Panel("scaling the first layer, with biases", "α", "share of points with another class");
        var line = scaling.Add.Scatter(
            curve.Select(point => Math.Log10(point.Scale)).ToArray(),
            curve.Select(point => point.Changed).ToArray()
        );
        line.Color = FigurePalette.Category(0);
        var threshold = scaling.Add.HorizontalLine(0.1, 1, FigurePalette.Reference, ScottPlot.LinePattern.Solid);
        threshold.LegendText = "claim: at least .10 somewhere";
        scaling.LogTicksX([0.1, 0.32, 1, 3.2, 10]);
        scaling.ShowLegend(ScottPlot.Alignment.UpperCenter);
        return figure;
    }

    private static void Regions(Figure figure, string title, ReluStack network, Matrix points, int[] arms, int cells)
    {
        const double reach = 1.15;
        var grid = new Matrix(cells * cells, 2);
        for (var row = 0; row < cells; row++)
        for (var column = 0; column < cells; column++)
            (grid[(row * cells) + column, 0], grid[(row * cells) + column, 1]) = (
                reach * ((2.0 * (column + 0.5) / cells) - 1),
                reach * (1 - (2.0 * (row + 0.5) / cells))
            );
        var codes = network.Codes(grid);
        var shades = new double[cells, cells];
        var distinct = new HashSet<ulong>();
        for (var i = 0; i < codes.Length; i++)
        {
            var hash = 0xcbf29ce484222325UL;
            foreach (var on in codes[i])
                hash = (hash ^ (on ? 1UL : 2UL)) * 0x100000001b3UL;
            distinct.Add(hash);
            shades[i / cells, i % cells] = (hash >> 40) / (double)(1 << 24);
        }
        var panel = figure.Panel($"{title}: {distinct.Count:N0} polytopes seen", "", "");
        var map = panel.Add.Heatmap(shades);
        map.Colormap = new ScottPlot.Colormaps.GrayscaleReversed();
        map.ManualRange = new ScottPlot.Range(0, 2.2);
        map.Extent = new ScottPlot.CoordinateRect(-reach, reach, -reach, reach);
        foreach (var arm in (ReadOnlySpan<int>)[0, 1])
        {
            var shown = Enumerable.Range(0, 400).Where(row => arms[row] == arm).ToArray();
            var cloud = panel.Add.ScatterPoints(
                shown.Select(row => points[row, 0]).ToArray(),
                shown.Select(row => points[row, 1]).ToArray()
            );
            (cloud.Color, cloud.MarkerSize) = (FigurePalette.Category(arm), 4);
        }
        panel.Axes.SetLimits(-reach, reach, -reach, reach);
        panel.Axes.SquareUnits();
        panel.HideGrid();
    }
}
