using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Uniform superposition over sparsity: dimensions per feature stick near 1 and ½, and single features at the dimensionalities of polytopes.</summary>
public sealed class TmsGeometryExperiment : Experiment
{
    private const string Paper = "Elhage et al. 2022; reference program";

    /// <summary>D* of the best of two, n = 80, m = 8, by 1/(1 − S).</summary>
    private static readonly (double Inverse, double Expected)[] s_eight =
    [
        (1, 1.004),
        (2, 0.566),
        (2.5, 0.532),
        (4, 0.464),
        (5, 0.358),
        (8, 0.261),
        (10, 0.228),
        (20, 0.156),
        (50, 0.097),
    ];

    /// <inheritdoc/>
    public override string Name => "tms-geometry";

    /// <inheritdoc/>
    public override string Title => "sticky dimensionalities of uniform superposition";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on the geometry of uniform superposition";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        Matrix Best(int features, int hidden, double inverse, int seeds, int steps) =>
            new ToySetting
            {
                Shape = ToySetting.Uniform(features, hidden),
                Inputs = new ToyInputs.Fresh(1 / inverse),
                Steps = steps,
                Seeds = seeds,
            }
                .Train(config.Seed, progress, cancellation)
                .Best.Parameters.W;

        var inverses = config.Choose<double[]>(
            [2.5, 5, 20],
            [.. s_eight.Select(row => row.Inverse)],
            [.. s_eight.Select(row => row.Inverse)]
        );
        var eight = inverses.Select(inverse => (X: inverse, W: Best(80, 8, inverse, seeds: 2, steps: 5000))).ToArray();
        List<ClaimRow> rows = [.. Eight(eight)];
        var figures = new List<Figure> { Strip("m8", "n = 80, m = 8, best of 2", eight) };

        double[] plateaus = config.Choose<double[]>([], [2.8, 4.8, 5.3], [1.5, 2.8, 3.6, 4.2, 4.8, 5.3]);
        if (plateaus.Length > 0)
        {
            var sixteen = plateaus.Select(inverse => (X: inverse, W: Best(160, 16, inverse, seeds: 2, steps: 12_000))).ToArray();
            rows.AddRange(sixteen.SelectMany(setting => Sixteen(setting.X, setting.W)));
            figures.Add(Strip("m16", "n = 160, m = 16, best of 2, 12,000 steps", sixteen));
        }
        if (config.Size == ReproductionSize.Full)
        {
            double[] paper = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
            var thirty = paper.Select(inverse => (X: inverse, W: Best(400, 30, inverse, seeds: 2, steps: 20_000))).ToArray();
            foreach (var (inverse, w) in thirty)
                rows.Add(
                    ClaimRow.Measure(
                        $"n = 400, m = 30, 1/(1 − S) = {inverse}: D*",
                        "Elhage et al. 2022",
                        null,
                        Dimensionality.PerRepresentedFeature(w)
                    )
                );
            figures.Add(Strip("m30", "n = 400, m = 30, best of 2, 20,000 steps", thirty));
        }
        var ran =
            $"n = 80, m = 8 at 1/(1 − S) = {string.Join(", ", inverses)}, best of 2, 5,000 steps"
            + (plateaus.Length > 0 ? $"; n = 160, m = 16 at {string.Join(", ", plateaus)}, best of 2, 12,000 steps" : "")
            + (config.Size == ReproductionSize.Full ? "; n = 400, m = 30, best of 2, 20,000 steps" : "")
            + "; 1,024 rows a step, Adam 3e-3 to zero";
        return new ExperimentResult(ran, rows, figures);
    }

    private static IEnumerable<ClaimRow> Eight(IReadOnlyList<(double X, Matrix W)> settings)
    {
        foreach (var (inverse, w) in settings)
        {
            if (inverse >= 3)
                yield return ClaimRow.Check(
                    $"m = 8, 1/(1 − S) = {inverse}: ΣDᵢ / m",
                    Paper,
                    "1",
                    Dimensionality.Total(w) / w.Columns,
                    0.99,
                    1.01
                );
            var expected = s_eight.Single(row => row.Inverse == inverse).Expected;
            yield return ClaimRow.Check(
                $"m = 8, 1/(1 − S) = {inverse}: dimensions per feature, D* = m/‖W‖²",
                Paper,
                $"{expected}",
                Dimensionality.PerRepresentedFeature(w) ?? double.NaN,
                0.92 * expected,
                1.08 * expected
            );
        }
    }

    private static IEnumerable<ClaimRow> Sixteen(double inverse, Matrix w)
    {
        var values = Dimensionality.PerFeature(w).Where(d => d > 0.05).Select(d => d!.Value).ToArray();
        int At(double plateau) => values.Count(d => Math.Abs(d - plateau) <= 0.02);
        var counts = $"{values.Length} features; at ⅔ {At(2.0 / 3)}, ½ {At(0.5)}, ⅖ {At(0.4)}, ⅜ {At(0.375)}, ⅓ {At(1.0 / 3)}";
        var perFeature = Dimensionality.PerRepresentedFeature(w) ?? double.NaN;
        var name = $"m = 16, 1/(1 − S) = {inverse}";
        if (inverse == 2.8)
        {
            yield return ClaimRow.Check($"{name}: D*", Paper, ".509", perFeature, 0.489, 0.529, counts);
            yield return ClaimRow.Check(
                $"{name}: share of represented features at ½ ± .02",
                Paper,
                "≥ .85",
                (double)At(0.5) / values.Length,
                0.85,
                1
            );
            yield break;
        }
        var reference = inverse switch
        {
            1.5 => ".884",
            3.6 => ".490",
            4.8 => ".378",
            5.3 => ".335",
            _ => null,
        };
        yield return ClaimRow.Measure($"{name}: D*", Paper, reference, perFeature, counts);
    }

    private static Figure Strip(string name, string title, IReadOnlyList<(double X, Matrix W)> settings)
    {
        var figure = new Figure(
            name,
            title,
            "Left: dimensions per feature against 1/(1 − S). Right: the dimensionality of every represented feature, sorted within each setting; flat stretches are plateaus.",
            columns: 2,
            panelWidth: 520
        );
        var curve = figure.Panel("dimensions per feature", "1/(1 − S)", "D* = m/‖W‖²");
        var line = curve.Add.Scatter(
            settings.Select(setting => Math.Log10(setting.X)).ToArray(),
            settings.Select(setting => Dimensionality.PerRepresentedFeature(setting.W) ?? double.NaN).ToArray()
        );
        line.Color = FigurePalette.Category(0);
        curve.Axes.SetLimitsY(0, 1.1);
        curve.LogTicksX(settings.Select(setting => setting.X));
        var strip = figure.Dimensionalities(
            "dimensionality of each feature",
            [.. settings.Select((setting, k) => ((double)k, setting.W))],
            "1/(1 − S)"
        );
        strip.Axes.Bottom.SetTicks([.. settings.Select((_, k) => (double)k)], [.. settings.Select(setting => $"{setting.X:0.##}")]);
        return figure;
    }
}
