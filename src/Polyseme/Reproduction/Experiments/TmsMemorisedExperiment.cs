using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>The number of data points decides: few are memorised as polygons, many leave features, and between them the test loss has its bump.</summary>
public sealed class TmsMemorisedExperiment : Experiment
{
    private const string Paper = "Henighan et al. 2023; reference program";

    /// <summary>The reference program's sweep: losses, median D_h and long features by T.</summary>
    private static readonly (int T, string Train, string Test, string PointDimensionality, string LongFeatures)[] s_reference =
    [
        (3, "0", "1.13", ".579", "30"),
        (5, "0", "1.00", ".400", "28"),
        (8, "0", "1.00", ".247", "26"),
        (30, ".41", "1.00", ".076", "35"),
        (100, ".74", "1.06", ".023", "61"),
        (300, ".90", "36.9", ".0095", "89"),
        (1000, ".975", ".990", "~0", "6"),
        (3000, ".984", ".991", "~0", "5"),
        (10_000, ".987", ".992", "~0", "5"),
    ];

    /// <inheritdoc/>
    public override string Name => "tms-memorised";

    /// <inheritdoc/>
    public override string Title => "the number of data points decides: memorisation, double descent, features";

    /// <inheritdoc/>
    public override string Source => new MemorisedPoints().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        MemorisedModel Train(int points, double weightDecay = 1e-2, int length = 1, int? seeds = null)
        {
            progress?.Report(new Step($"{points} points", 0, 1));
            return MemorisedPoints.Train(
                new MemorisedPointsConfig
                {
                    Seed = config.Seed,
                    Points = points,
                    // About one start in four learns all of eight points.
                    Seeds = seeds ?? (points <= 30 ? 12 : 6),
                    WeightDecay = weightDecay,
                    Length = length,
                },
                checkpoint: null,
                progress,
                cancellation
            );
        }
        var sizes = config.Choose<int[]>(
            [5, 8, 3000],
            [3, 5, 8, 30, 100, 300, 1000, 3000, 10_000],
            [3, 5, 8, 30, 100, 300, 1000, 3000, 10_000]
        );
        var sweep = sizes.Select(size => (T: size, Model: Train(size, length: 1))).ToArray();
        var rows = new List<ClaimRow>();
        foreach (var (size, model) in sweep)
            rows.AddRange(Rows(size, model, $"T = {size:N0}", config.Size != ReproductionSize.Quick));
        if (sizes.Any(size => size is >= 100 and <= 1000))
            rows.Add(Bump(sweep));

        var strong = config
            .Choose<int[]>([], [5, 100, 300, 1000], [5, 100, 300, 1000, 3000, 10_000])
            .Select(size => (T: size, Model: Train(size, weightDecay: 1)))
            .ToArray();
        if (strong.Length > 0)
        {
            var largest = strong.MaxBy(run => run.Model.FreshLoss);
            rows.Add(
                ClaimRow.Measure(
                    "weight decay 1.0: the largest test loss over the sweep",
                    "Henighan et al. 2023",
                    "no bump",
                    largest.Model.FreshLoss,
                    $"at T = {largest.T:N0}; by T: {string.Join(", ", strong.Select(run => $"{run.T} {run.Model.FreshLoss:0.000}"))}; with weight decay 0.01 the largest is {sweep.Max(run => run.Model.FreshLoss):0.0}"
                )
            );
            foreach (var run in (ReadOnlySpan<int>)[8, 3000])
                rows.AddRange(Rows(run, Train(run, length: 2), $"T = {run:N0}, trained twice as long", everyFeature: true));
        }
        return new ExperimentResult(
            $"n = 1,000, S = .99, m = 2, T = {string.Join(", ", sizes)}; best of 12 seeds up to T = 30, of 6 above; 12,000 full-batch steps up to T = 1,000, 9,000 of 1,000 rows above; test loss on 20,000 fresh rows",
            rows,
            [Losses(sweep, strong), Polygons(sweep)]
        );
    }

    private static IEnumerable<ClaimRow> Rows(int size, MemorisedModel model, string name, bool everyFeature)
    {
        var reference = s_reference.FirstOrDefault(row => row.T == size);
        var longFeatures = model.LongFeatures;
        var median = MemorisedModel.MedianDimensionality(model.HiddenPoints());
        if (size is 5 or 8)
        {
            yield return ClaimRow.Check(
                $"{name}: training loss",
                Paper,
                reference.Train,
                model.TrainLoss,
                0,
                1e-4,
                $"test loss {model.FreshLoss:0.000}"
            );
            yield return ClaimRow.Check(
                $"{name}: median dimensionality of a data point, m/T",
                Paper,
                reference.PointDimensionality,
                median,
                (2.0 / size) - 0.01,
                (2.0 / size) + 0.01
            );
            yield break;
        }
        if (size >= 3000)
        {
            var dimensionality = Dimensionality.PerFeature(model.W);
            yield return ClaimRow.Check(
                $"{name}: features longer than half the longest",
                Paper,
                reference.LongFeatures,
                longFeatures.Length,
                5,
                5
            );
            yield return ClaimRow.Check(
                $"{name}: median dimensionality of the long features",
                Paper,
                ".25–.35",
                longFeatures.Select(i => dimensionality[i] ?? 0).Order().ElementAt(longFeatures.Length / 2),
                0.25,
                0.35
            );
            // "Each" in .25–.35: over sets of points and starts the smallest of the five lies in .22 … .28.
            var smallest = longFeatures.Min(i => dimensionality[i] ?? 0);
            yield return everyFeature
                ? ClaimRow.Check($"{name}: smallest dimensionality of a long feature", Paper, ".25–.35", smallest, 0.25, 0.35)
                : ClaimRow.Measure($"{name}: smallest dimensionality of a long feature", Paper, ".25–.35", smallest);
            yield return ClaimRow.Check(
                $"{name}: largest dimensionality of a long feature",
                Paper,
                ".25–.35",
                longFeatures.Max(i => dimensionality[i] ?? 0),
                0.25,
                0.35,
                $"losses: training {model.TrainLoss:0.000} ({reference.Train}), test {model.FreshLoss:0.000} ({reference.Test})"
            );
            yield break;
        }
        yield return ClaimRow.Measure($"{name}: training loss", Paper, reference.Train, model.TrainLoss);
        yield return ClaimRow.Measure(
            $"{name}: test loss",
            Paper,
            reference.Test,
            model.FreshLoss,
            $"median D_h {median:0.####} ({reference.PointDimensionality}; m/T = {2.0 / size:0.####}), {longFeatures.Length} long features ({reference.LongFeatures})"
        );
    }

    private static ClaimRow Bump(IReadOnlyList<(int T, MemorisedModel Model)> sweep)
    {
        var middle = sweep.Where(run => run.T is >= 100 and <= 1000).MaxBy(run => run.Model.FreshLoss);
        var ends = Math.Max(sweep[0].Model.FreshLoss, sweep[^1].Model.FreshLoss);
        return ClaimRow.Check(
            "the largest test loss at T in 100 … 1,000, over that of either end of the sweep",
            Paper,
            "≥ 1.05",
            middle.Model.FreshLoss / ends,
            1.05,
            double.PositiveInfinity,
            $"{middle.Model.FreshLoss:0.00} at T = {middle.T}; ends {sweep[0].Model.FreshLoss:0.000} and {sweep[^1].Model.FreshLoss:0.000}"
        );
    }

    private static Figure Losses(IReadOnlyList<(int T, MemorisedModel Model)> sweep, IReadOnlyList<(int T, MemorisedModel Model)> strong)
    {
        var figure = new Figure(
            "losses",
            "Double descent over the number of data points",
            $"Left: loss on the training points and on 20,000 fresh rows by the number of points T ({sweep.Count} models, each the best of its seeds); both axes logarithmic; grey crosses: the reference program. Right: the dimensionality of data points (few points share the plane, D = m/T) and of long features (many points: five features).",
            columns: 2,
            panelWidth: 520
        );
        var losses = figure.Panel("loss", "training points T", "loss (norm of an input: 1)");
        double[] X(IReadOnlyList<(int T, MemorisedModel Model)> runs) => [.. runs.Select(run => Math.Log10(run.T))];
        void Curve(IReadOnlyList<(int T, MemorisedModel Model)> runs, Func<MemorisedModel, double> loss, string label, int colour)
        {
            // Losses of memorised points go down to 1e-11; the axis ends at .01.
            var curve = losses.Add.Scatter(X(runs), runs.Select(run => Math.Log10(Math.Max(loss(run.Model), 1e-2))).ToArray());
            (curve.LegendText, curve.Color) = (label, FigurePalette.Category(colour));
        }
        Curve(sweep, model => model.TrainLoss, "training points", 0);
        Curve(sweep, model => model.FreshLoss, "fresh rows", 1);
        if (strong.Count > 0)
            Curve(strong, model => model.FreshLoss, "fresh rows, weight decay 1.0", 2);
        foreach (var row in s_reference)
        {
            var at = double.Parse(row.Test, System.Globalization.CultureInfo.InvariantCulture);
            losses.Add.Marker(Math.Log10(row.T), Math.Log10(at), ScottPlot.MarkerShape.Eks, 9, FigurePalette.Reference);
        }
        losses.LogTicksX([3, 10, 30, 100, 300, 1000, 3000, 10_000]);
        losses.LogTicksY([0.01, 0.1, 1, 10, 100]);
        losses.ShowLegend(ScottPlot.Alignment.LowerRight);

        var panel = figure.Panel("dimensionality", "training points T", "D");
        foreach (var (size, model) in sweep)
        {
            var points = Dimensionality.PerFeature(model.HiddenPoints());
            var features = Dimensionality.PerFeature(model.W);
            void Cloud(IEnumerable<double> values, double shift, int colour)
            {
                var held = values.Take(400).ToArray();
                var cloud = panel.Add.ScatterPoints(
                    held.Select((_, k) => Math.Log10(size) + shift + (0.06 * k / held.Length)).ToArray(),
                    held
                );
                (cloud.Color, cloud.MarkerSize) = (FigurePalette.Category(colour).WithAlpha(.5), 4);
            }
            Cloud(points.Select(d => d ?? 0), -0.08, 0);
            Cloud(model.LongFeatures.Select(i => features[i] ?? 0), 0.04, 1);
        }
        var law = Enumerable.Range(0, 60).Select(k => 0.45 + (k * 3.6 / 59)).ToArray();
        var line = panel.Add.Scatter(law, law.Select(x => 2 / Math.Pow(10, x)).ToArray());
        (line.Color, line.MarkerSize, line.LegendText) = (FigurePalette.Reference, 0, "m/T");
        var pentagon = panel.Add.HorizontalLine(0.4, 1, FigurePalette.Reference, ScottPlot.LinePattern.Solid);
        pentagon.LegendText = "pentagon, 2/5";
        panel.LogTicksX([3, 10, 30, 100, 300, 1000, 3000, 10_000]);
        panel.Axes.SetLimitsY(-0.02, 0.75);
        panel.Legend.ManualItems.Add(
            new ScottPlot.LegendItem
            {
                LabelText = "data points",
                MarkerShape = ScottPlot.MarkerShape.FilledCircle,
                MarkerSize = 7,
                MarkerFillColor = FigurePalette.Category(0),
                MarkerLineColor = FigurePalette.Category(0),
            }
        );
        panel.Legend.ManualItems.Add(
            new ScottPlot.LegendItem
            {
                LabelText = "long features",
                MarkerShape = ScottPlot.MarkerShape.FilledCircle,
                MarkerSize = 7,
                MarkerFillColor = FigurePalette.Category(1),
                MarkerLineColor = FigurePalette.Category(1),
            }
        );
        panel.ShowLegend(ScottPlot.Alignment.UpperRight);
        return figure;
    }

    private static Figure Polygons(IReadOnlyList<(int T, MemorisedModel Model)> sweep)
    {
        var drawn = sweep.Count <= 6 ? sweep : [.. sweep.Where(run => run.T is 3 or 5 or 8 or 30 or 300 or 10_000)];
        var figure = new Figure(
            "polygons",
            "Features and data points in the plane",
            $"Top: the {drawn[0].Model.W.Rows:N0} feature directions of each model. Bottom: where its training points lie. The 300 longest of each are drawn. Few points form a polygon and features follow them; many points lie near the origin while five features form the pentagon.",
            columns: drawn.Count,
            panelWidth: 240,
            panelHeight: 250
        );
        foreach (var (size, model) in drawn)
            Rays(figure, $"T = {size:N0}: features", model.W, 0);
        foreach (var (_, model) in drawn)
            Rays(figure, "data points", model.HiddenPoints(), 1);
        return figure;
    }

    private static void Rays(Figure figure, string title, Matrix rows, int colour)
    {
        var panel = figure.Panel(title, "", "");
        var drawn = Enumerable.Range(0, rows.Rows).OrderByDescending(i => FeatureGeometry.SquaredNorm(rows, i)).Take(300).ToArray();
        var count = drawn.Length;
        // One path through the origin for all rays: hundreds of separate lines would make a large file.
        double[] xs = new double[2 * count],
            ys = new double[2 * count];
        for (var i = 0; i < count; i++)
            (xs[2 * i], ys[2 * i]) = (rows[drawn[i], 0], rows[drawn[i], 1]);
        var rays = panel.Add.Scatter(xs, ys);
        (rays.Color, rays.MarkerSize, rays.LineWidth) = (FigurePalette.Category(colour).WithAlpha(.5), 0, 1);
        var ends = panel.Add.ScatterPoints(drawn.Select(i => rows[i, 0]).ToArray(), drawn.Select(i => rows[i, 1]).ToArray());
        (ends.Color, ends.MarkerSize) = (FigurePalette.Category(colour), 4);
        var radius = 1.15 * Math.Max(1e-3, xs.Concat(ys).Max(Math.Abs));
        panel.Axes.SetLimits(-radius, radius, -radius, radius);
        panel.Axes.SquareUnits();
    }
}
