using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Five features in a plane, one of which becomes rarer: the pentagon bends, then snaps to two antipodal pairs.</summary>
public sealed class TmsPentagonExperiment : Experiment
{
    private const string Paper = "Elhage et al. 2022; reference program";
    private const int Features = 5,
        Hidden = 2,
        Varied = 4;

    /// <summary>Density of the features that are not varied.</summary>
    private const double Common = 0.05;

    /// <summary>The varied feature is represented from the first on, and gone up to the second; between them nothing is asserted.</summary>
    private const double Pentagon = 0.0175,
        Digons = 0.0125;

    /// <inheritdoc/>
    public override string Name => "tms-pentagon";

    /// <inheritdoc/>
    public override string Title => "perturbing the pentagon";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on non-uniform superposition";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        double[] all = [0.1, 0.07, 0.05, 0.035, 0.025, 0.02, 0.0175, 0.015, 0.0125, 0.01, 0.005, 0.0025];
        var densities = config.Choose<double[]>([0.05, Pentagon, Digons], all, all);
        var seeds = config.Choose(8, 16, 64);
        var steps = config.Choose(5000, 5000, 10_000);
        // Either side of the snap, trained four times as long.
        var controls = config.Choose<double[]>([], [Pentagon, Digons], [Pentagon, Digons]);
        var trained = ToySetting.TrainAll(
            [
                .. densities.Select(density => Setting(density, seeds, steps)),
                .. controls.Select(density => Setting(density, seeds, 4 * steps)),
            ],
            config.Seed,
            progress,
            cancellation
        );
        List<ClaimRow> rows =
        [
            .. densities.Zip(trained).SelectMany(pair => Rows($"p₄ = {pair.First}", pair.First, pair.Second)),
            .. controls
                .Zip(trained.Skip(densities.Length))
                .SelectMany(pair => Rows($"control, {4 * steps} steps, p₄ = {pair.First}", pair.First, pair.Second)),
        ];
        var ran =
            $"n = 5, m = 2, p = {Common} and p₄ = {string.Join(", ", densities)}, best of {seeds}, {steps} steps of 1,024 rows, Adam 3e-3 to zero, chosen by the loss on 200,000 fresh rows"
            + (controls.Length > 0 ? $"; controls: the same seeds, {4 * steps} steps" : "");
        return new ExperimentResult(ran, rows, [Directions(densities, trained, seeds), Snap(densities, trained, seeds)]);
    }

    private static ToySetting Setting(double density, int seeds, int steps) =>
        new()
        {
            Shape = ToySetting.Uniform(Features, Hidden),
            Inputs = new ToyInputs.Fresh([Common, Common, Common, Common, density]),
            Steps = steps,
            Seeds = seeds,
            JudgedRows = 200_000,
        };

    private static IEnumerable<ClaimRow> Rows(string name, double density, BestOfSeeds trained)
    {
        var w = trained.Best.Parameters.W;
        var note =
            $"norms {string.Join(" ", Enumerable.Range(0, Features).Select(i => Norm(w, i).ToString("0.000")))}; {trained.Sound.Count(HasFive)} of {trained.Sound.Count} seeds hold all five";
        if (density >= Pentagon)
        {
            yield return ClaimRow.Check($"{name}: represented features", Paper, "5", FeatureGeometry.Represented(w).Length, 5, 5, note);
            yield break;
        }
        if (density > Digons)
        {
            yield return ClaimRow.Measure($"{name}: norm of the rare feature", Paper, null, Norm(w, Varied), note);
            yield break;
        }
        yield return ClaimRow.Check($"{name}: norm of the rare feature", Paper, "< .1", Norm(w, Varied), 0, 0.1, note);
        var others = Enumerable.Range(0, Varied).Select(i => Math.Abs(Norm(w, i) - 1)).Max();
        yield return ClaimRow.Check($"{name}: largest deviation of the other norms from 1", Paper, "≤ .02", others, 0, 0.02);
        var gaps = FeatureGeometry.Gaps(w, [0, 1, 2, 3]).Select(gap => Math.Abs(gap - 90)).Max();
        yield return ClaimRow.Check(
            $"{name}: two antipodal pairs at right angles; largest deviation of a gap from 90°",
            Paper,
            "0",
            gaps,
            0,
            3
        );
    }

    private static Figure Directions(double[] densities, BestOfSeeds[] trained, int seeds)
    {
        var figure = new Figure(
            "directions",
            "Five features in a plane, one of them rarer and rarer",
            $"The best of {seeds} models at each density of the last feature (light blue); the others have p = {Common}. The pentagon bends as the feature becomes rare, then gives it up for two antipodal pairs.",
            columns: 4,
            panelWidth: 260,
            panelHeight: 280
        );
        foreach (var (density, models) in densities.Zip(trained))
            figure.Directions($"p₄ = {density}", models.Best.Parameters.W);
        return figure;
    }

    private static Figure Snap(double[] densities, BestOfSeeds[] trained, int seeds)
    {
        var figure = new Figure(
            "snap",
            "The rare feature's norm, and the two solutions' losses",
            $"{seeds} models at each density. Left: the norm of the rare feature; the line joins the models of least loss. Right: the least loss among models that hold all five features and among those that gave up the rare one; where the lines cross, the solution snaps.",
            columns: 2
        );
        var norms = figure.Panel("norm of the rare feature", "p₄", "‖W₄‖");
        var losses = figure.Panel("loss of the two solutions", "p₄", "loss on fresh rows");
        var x = densities.Select(Math.Log10).ToArray();
        for (var k = 0; k < densities.Length; k++)
        {
            var points = norms.Add.ScatterPoints(
                trained[k].Sound.Select(_ => x[k]).ToArray(),
                trained[k].Sound.Select(model => Norm(model.Parameters.W, Varied)).ToArray()
            );
            points.Color = FigurePalette.Reference.WithAlpha(.4);
            points.MarkerSize = 6;
            if (k == 0)
                points.LegendText = "every model";
        }
        var best = norms.Add.Scatter(x, trained.Select(models => Norm(models.Best.Parameters.W, Varied)).ToArray());
        (best.Color, best.LegendText, best.LineWidth) = (FigurePalette.Category(0), "least loss", 2);
        norms.Axes.SetLimitsY(-0.05, 1.5);
        norms.ShowLegend(ScottPlot.Alignment.LowerRight);
        var colour = 0;
        foreach (
            var (name, belongs) in new (string, Func<ToyModel, bool>)[]
            {
                ("all five represented", HasFive),
                ("rare feature dropped", model => Norm(model.Parameters.W, Varied) < 0.1),
            }
        )
        {
            var least = densities
                .Select((_, k) => (X: x[k], Loss: LeastLoss(trained[k], belongs)))
                .Where(point => point.Loss is not null)
                .ToArray();
            if (least.Length == 0)
                continue;
            var line = losses.Add.Scatter(
                least.Select(point => point.X).ToArray(),
                least.Select(point => Math.Log10(point.Loss!.Value)).ToArray()
            );
            (line.Color, line.LegendText, line.LineWidth) = (FigurePalette.Category(colour++), name, 2);
        }
        losses.LogTicksY([0.002, 0.003, 0.005, 0.01, 0.02, 0.03]);
        losses.ShowLegend(ScottPlot.Alignment.LowerRight);
        foreach (var panel in new[] { norms, losses })
            panel.LogTicksX([0.0025, 0.005, 0.01, 0.0175, 0.035, 0.05, 0.1]);
        return figure;
    }

    private static double? LeastLoss(BestOfSeeds trained, Func<ToyModel, bool> belongs) =>
        trained.Sound.Zip(trained.Losses).Where(pair => belongs(pair.First)).Select(pair => (double?)pair.Second).Min();

    private static bool HasFive(ToyModel model) => FeatureGeometry.Represented(model.Parameters.W).Length == Features;

    private static double Norm(Matrix w, int i) => Math.Sqrt(FeatureGeometry.SquaredNorm(w, i));
}
