using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo.Codes;
using ScottPlot;

namespace Polyseme.Reproduction.Experiments;

/// <summary>How many nearly orthogonal directions fit: random, greedy and optimised codes against bounds and tables.</summary>
public sealed class PackingExperiment : Experiment
{
    /// <summary>Sets of equiangular lines, and their |cosine|.</summary>
    private static readonly (int Dimension, int Lines, double Cosine)[] s_equiangular =
    [
        (2, 3, 1.0 / 2),
        (3, 4, 1.0 / 3),
        (3, 6, 1 / Math.Sqrt(5)),
        (4, 5, 1.0 / 4),
        (4, 6, 1.0 / 3),
        (5, 10, 1.0 / 3),
        (6, 16, 1.0 / 3),
        (7, 28, 1.0 / 3),
        (15, 36, 1.0 / 5),
        (23, 276, 1.0 / 5),
    ];

    /// <summary>Tammes' problem: the largest smallest angle of N points on the sphere, degrees.</summary>
    private static readonly (int Points, double Degrees)[] s_tammes =
    [
        (4, 109.471),
        (5, 90),
        (6, 90),
        (7, 77.8695),
        (8, 74.8585),
        (9, 70.5288),
        (10, 66.1468),
        (11, 63.4349),
        (12, 63.4349),
    ];

    /// <inheritdoc/>
    public override string Name => "packing";

    /// <inheritdoc/>
    public override string Title => "nearly orthogonal directions";

    /// <inheritdoc/>
    public override string Source => "Welch 1974; Rankin 1955; Sloane's tables of spherical codes; Tremain 2008 on equiangular lines";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var rows = new List<ClaimRow>();
        Greedy(rows, config, cancellation);
        progress?.Report(new Step("packing", 1, 5, "tails of random cosines"));
        var tails = Tails(rows, config);
        progress?.Report(new Step("packing", 2, 5, "tables"));
        var tammes = Tammes(rows, config, cancellation);
        Equiangular(rows, config, cancellation);
        progress?.Report(new Step("packing", 3, 5, "cross polytopes"));
        CrossPolytopes(rows, config, cancellation);
        var sweep = Sweep(rows, config, cancellation);
        progress?.Report(new Step("packing", 4, 5, "the planted network"));
        var planted = new Packing();
        var run = planted.Run(new PackingConfig { Seed = config.Seed, Samples = 1000 }, progress, cancellation);
        rows.AddRange(run.Acceptances.Select(acceptance => ClaimRow.Of(acceptance, "64 features in 16 neurons")));
        return new ExperimentResult(
            $"greedy to {config.Choose(20_000, 100_000, 1_000_000):N0} rejections; {config.Choose(1000, 2500, 5000):N0} random directions; repulsion, best of up to {config.Choose(12, 50, 50)} starts",
            rows,
            [SweepFigure(sweep, tails), TammesFigure(tammes)]
        );
    }

    private static void Greedy(List<ClaimRow> rows, ReproductionConfig config, CancellationToken cancellation)
    {
        var rejections = config.Choose(20_000, 100_000, 1_000_000);
        foreach (var (dimension, epsilon) in new[] { (10, 0.3), (10, 0.5), (20, 0.3), (20, 0.5) })
        {
            cancellation.ThrowIfCancellationRequested();
            var code = SphericalCode.Greedy(dimension, epsilon, rejections, new RandomStream(config.Seed, $"greedy/{dimension}/{epsilon}"));
            var share = 1 / CodeBounds.TwoSidedTail(dimension, epsilon);
            rows.Add(
                ClaimRow.Check(
                    $"d = {dimension}, ε = {epsilon}: lines that greedy random packing accepts, at least 1/P(|cos| > ε)",
                    "cap counting; derived",
                    $"at least {share:0.0}",
                    code.Directions.Rows,
                    share,
                    double.PositiveInfinity,
                    $"until {rejections:N0} rejections in a row; closest pair {code.MaxCosine:0.0000}"
                )
            );
        }
    }

    private sealed record Tail(int Dimension, double[] Epsilon, double[] Measured);

    private static List<Tail> Tails(List<ClaimRow> rows, ReproductionConfig config)
    {
        var count = config.Choose(1000, 2500, 5000);
        double[] epsilon = [.. Enumerable.Range(1, 18).Select(i => 0.05 * i)];
        var tails = new List<Tail>();
        double worst = 0,
            overBound = double.NegativeInfinity;
        foreach (var dimension in new[] { 5, 10, 20, 50 })
        {
            var code = SphericalCode.Random(dimension, count, lines: true, new RandomStream(config.Seed, $"tail/{dimension}")).Directions;
            var gram = LinearAlgebra.MultiplyTranspose(code, code);
            var above = new long[epsilon.Length];
            for (var i = 0; i < count; i++)
            {
                for (var j = 0; j < i; j++)
                {
                    for (var e = 0; e < epsilon.Length && Math.Abs(gram[i, j]) > epsilon[e]; e++)
                        above[e]++;
                }
            }
            var pairs = count * (count - 1.0) / 2;
            var measured = above.Select(n => n / pairs).ToArray();
            tails.Add(new Tail(dimension, epsilon, measured));
            for (var e = 0; e < epsilon.Length; e++)
            {
                var exact = CodeBounds.TwoSidedTail(dimension, epsilon[e]);
                overBound = Math.Max(overBound, measured[e] - CodeBounds.TailBound(dimension, epsilon[e]));
                // With fewer than ten thousand pairs above ε, counting alone is off by a percent.
                if (exact * pairs >= 10_000)
                    worst = Math.Max(worst, Math.Abs((measured[e] / exact) - 1));
            }
        }
        rows.Add(
            ClaimRow.Check(
                "random directions, d = 5 … 50: measured P(|cos| > ε) minus 2·exp(−dε²/2), largest",
                "union bound; derived",
                "at most 0",
                overBound,
                double.NegativeInfinity,
                0,
                $"{count:N0} directions per dimension, ε = .05 … .9"
            )
        );
        rows.Add(
            ClaimRow.Check(
                "the same: largest relative departure from the exact tail I_{1−ε²}((d − 1)/2, ½)",
                "derived",
                "0",
                worst,
                0,
                0.03,
                "where at least 10,000 pairs lie above ε"
            )
        );
        return tails;
    }

    private static List<(int Points, double Degrees, double Reference)> Tammes(
        List<ClaimRow> rows,
        ReproductionConfig config,
        CancellationToken cancellation
    )
    {
        var found = new List<(int, double, double)>();
        foreach (var (points, degrees) in s_tammes)
        {
            var code = SphericalCode.Optimise(
                3,
                points,
                lines: false,
                config.Choose(12, 50, 50),
                config.Choose(1500, 3000, 6000),
                config.Seed,
                CodeBounds.Rankin(3, points),
                cancellation
            );
            found.Add((points, code.Degrees, degrees));
            rows.Add(
                ClaimRow.Check(
                    $"{points} points on the sphere: smallest angle, degrees",
                    "Sloane's tables; Tammes' problem",
                    $"{degrees}",
                    code.Degrees,
                    degrees - 0.05,
                    degrees + 0.05,
                    $"best of {code.Starts} starts"
                )
            );
        }
        return found;
    }

    private static void Equiangular(List<ClaimRow> rows, ReproductionConfig config, CancellationToken cancellation)
    {
        foreach (var (dimension, lines, cosine) in s_equiangular)
        {
            // These take minutes.
            if (config.Size == ReproductionSize.Quick && lines > 28)
                continue;
            var welch = CodeBounds.Welch(dimension, lines);
            var code = SphericalCode.Optimise(
                dimension,
                lines,
                lines: true,
                lines > 100 ? config.Choose(0, 8, 50) : 50,
                lines > 100 ? 1200 : config.Choose(1500, 3000, 6000),
                config.Seed,
                Math.Max(welch, cosine),
                cancellation
            );
            rows.Add(
                ClaimRow.Check(
                    $"{lines} lines in {dimension} dimensions: largest |cosine|",
                    "Sloane's tables; Tremain 2008",
                    $"{cosine:0.0000}",
                    code.MaxCosine,
                    cosine - 1e-3,
                    cosine + 1e-3,
                    $"best of {code.Starts} starts; Welch's bound is {welch:0.0000}"
                )
            );
        }
        foreach (var lines in new[] { 4, 5, 7 })
        {
            var cosine = Math.Cos(Math.PI / lines);
            var code = SphericalCode.Optimise(2, lines, lines: true, 50, 3000, config.Seed, cosine, cancellation);
            rows.Add(
                ClaimRow.Check(
                    $"{lines} lines in the plane: largest |cosine|, cos(π/{lines})",
                    "derived",
                    $"{cosine:0.0000}",
                    code.MaxCosine,
                    cosine - 1e-3,
                    cosine + 1e-3
                )
            );
        }
    }

    private static void CrossPolytopes(List<ClaimRow> rows, ReproductionConfig config, CancellationToken cancellation)
    {
        double worst = double.NegativeInfinity,
            least = double.PositiveInfinity;
        for (var dimension = 2; dimension <= 8; dimension++)
        {
            var starts = config.Choose(12, 50, 50);
            var full = SphericalCode.Optimise(dimension, 2 * dimension, lines: false, starts, 3000, config.Seed, 0, cancellation);
            worst = Math.Max(worst, full.MaxCosine);
            var more = SphericalCode.Optimise(dimension, (2 * dimension) + 1, lines: false, starts, 2000, config.Seed, 0, cancellation);
            least = Math.Min(least, more.MaxCosine);
        }
        rows.Add(ClaimRow.Check("N = 2d, d = 2 … 8: largest dot product of the best code", "Rankin 1955", "0", worst, -1e-6, 1e-6));
        rows.Add(
            ClaimRow.Check(
                "N = 2d + 1, d = 2 … 8: smallest of the largest dot products found",
                "Rankin 1955",
                "above 0",
                least,
                1e-3,
                1,
                "no start comes below it"
            )
        );
    }

    private sealed record SweepPoint(int Lines, double Random, double Optimised, double Welch);

    private sealed record Sweeps(int Dimension, List<SweepPoint> Points, List<(int Lines, double Epsilon)> Greedy);

    private static Sweeps Sweep(List<ClaimRow> rows, ReproductionConfig config, CancellationToken cancellation)
    {
        const int dimension = 7;
        var points = new List<SweepPoint>();
        foreach (
            var lines in config.Choose<int[]>(
                [8, 14, 28, 56],
                [8, 10, 12, 14, 18, 22, 28, 36, 48, 63, 84, 112],
                [8, 10, 12, 14, 18, 22, 28, 36, 48, 63, 84, 112, 160, 224]
            )
        )
        {
            var random = Enumerable
                .Range(0, 20)
                .Average(i =>
                    SphericalCode.Random(dimension, lines, lines: true, new RandomStream(config.Seed, $"sweep/{lines}/{i}")).MaxCosine
                );
            var welch = CodeBounds.Welch(dimension, lines);
            var optimised = SphericalCode.Optimise(dimension, lines, lines: true, 4, 1000, config.Seed, welch, cancellation).MaxCosine;
            points.Add(new SweepPoint(lines, random, optimised, welch));
        }
        var greedy = Enumerable
            .Range(0, 12)
            .Select(i =>
            {
                var epsilon = 0.35 + (0.045 * i);
                var code = SphericalCode.Greedy(dimension, epsilon, 5000, new RandomStream(config.Seed, $"sweep/greedy/{i}"), 250);
                return (code.Directions.Rows, epsilon);
            })
            .Where(found => found.Rows < 250)
            .ToList();
        rows.Add(
            ClaimRow.Check(
                "d = 7: smallest excess of a code found over Welch's bound",
                "Welch 1974",
                "at least 0",
                points.Min(point => Math.Min(point.Optimised, point.Random) - point.Welch),
                -1e-9,
                1,
                $"{points.Count} sizes; with 28 lines it is met"
            )
        );
        return new Sweeps(dimension, points, greedy);
    }

    private static Figure SweepFigure(Sweeps sweep, List<Tail> tails)
    {
        var figure = new Figure(
            "codes",
            "codes against bounds",
            $"Left: largest |cosine| of N lines in {sweep.Dimension} dimensions. Random: mean of 20 draws. Greedy: random lines kept when no other is closer than ε. Optimised: best of 4 starts of repulsion. Dashed: Welch's bound, met by the 28 equiangular lines. Right: share of random pairs with |cos| above ε, measured (dots), exact (lines), and the bound 2·exp(−dε²/2) (thin).",
            2,
            480,
            380
        );
        var plot = figure.Panel($"lines in {sweep.Dimension} dimensions", "lines N", "largest |cosine|");
        double[] lines = sweep.Points.Select(point => Math.Log10(point.Lines)).ToArray();
        void Series(string name, double[] x, double[] y, Color color, bool reference)
        {
            var line = plot.Add.Scatter(x, y, color);
            line.LegendText = name;
            line.LineWidth = 2;
            line.MarkerSize = reference ? 0 : 6;
        }
        Series("random", lines, sweep.Points.Select(point => point.Random).ToArray(), FigurePalette.Category(1), false);
        var greedy = sweep.Greedy.OrderBy(found => found.Lines).ToArray();
        Series(
            "greedy",
            greedy.Select(found => Math.Log10(found.Lines)).ToArray(),
            greedy.Select(found => found.Epsilon).ToArray(),
            FigurePalette.Category(2),
            false
        );
        Series("optimised", lines, sweep.Points.Select(point => point.Optimised).ToArray(), FigurePalette.Category(0), false);
        double[] grid = [.. Enumerable.Range(8, (int)Math.Max(0, sweep.Points[^1].Lines - 7)).Select(n => (double)n)];
        Series(
            "Welch's bound",
            grid.Select(Math.Log10).ToArray(),
            grid.Select(n => CodeBounds.Welch(sweep.Dimension, (int)n)).ToArray(),
            FigurePalette.Reference,
            true
        );
        plot.LogTicksX([8, 14, 28, 56, 112, 224]);
        plot.Axes.SetLimitsY(0, 1);
        plot.ShowLegend(Alignment.LowerRight);

        var right = figure.Panel("random directions", "ε", "P(|cos| > ε)");
        for (var i = 0; i < tails.Count; i++)
        {
            var (tail, color) = (tails[i], FigurePalette.Category(i));
            double[] fine = [.. Enumerable.Range(1, 180).Select(e => 0.005 * e)];
            const double floor = 1e-5;
            var shown = fine.Where(e => CodeBounds.TwoSidedTail(tail.Dimension, e) > floor).ToArray();
            right.Add.ScatterLine(shown, shown.Select(e => Math.Log10(CodeBounds.TwoSidedTail(tail.Dimension, e))).ToArray(), color);
            var bounded = fine.Where(e => CodeBounds.TailBound(tail.Dimension, e) is > floor and < 1).ToArray();
            var bound = right.Add.ScatterLine(
                bounded,
                bounded.Select(e => Math.Log10(CodeBounds.TailBound(tail.Dimension, e))).ToArray(),
                color
            );
            bound.LinePattern = LinePattern.Solid;
            var seen = tail.Epsilon.Zip(tail.Measured).Where(pair => pair.Second > floor).ToArray();
            var dots = right.Add.ScatterPoints(
                seen.Select(pair => pair.First).ToArray(),
                seen.Select(pair => Math.Log10(pair.Second)).ToArray(),
                color
            );
            dots.MarkerSize = 6;
            dots.LegendText = $"d = {tail.Dimension}";
        }
        right.Axes.Left.SetTicks(new double[] { -5, -4, -3, -2, -1, 0 }, ["1e-5", "1e-4", "1e-3", "0.01", "0.1", "1"]);
        right.Axes.SetLimits(0, 0.95, -5, 0.1);
        right.ShowLegend(Alignment.UpperRight);
        return figure;
    }

    private static Figure TammesFigure(List<(int Points, double Degrees, double Reference)> tammes)
    {
        var figure = new Figure(
            "tammes",
            "points on the sphere",
            "Smallest angle of N points on the sphere, the best of several starts of repulsion (dots), and the known optima (rings).",
            1,
            520,
            360
        );
        var plot = figure.Panel("Tammes' problem", "points N", "smallest angle, degrees");
        double[] points = tammes.Select(entry => (double)entry.Points).ToArray();
        var rings = plot.Add.ScatterPoints(points, tammes.Select(entry => entry.Reference).ToArray(), FigurePalette.Reference);
        rings.MarkerShape = MarkerShape.OpenCircle;
        rings.MarkerSize = 14;
        rings.LegendText = "known optimum";
        var dots = plot.Add.ScatterPoints(points, tammes.Select(entry => entry.Degrees).ToArray(), FigurePalette.Category(0));
        dots.MarkerSize = 7;
        dots.LegendText = "repulsion";
        plot.ShowLegend(Alignment.UpperRight);
        return figure;
    }
}
