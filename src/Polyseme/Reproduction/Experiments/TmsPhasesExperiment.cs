using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>The phase diagrams of one feature more than dimensions, trained, under the closed-form boundary.</summary>
public sealed class TmsPhasesExperiment : Experiment
{
    /// <inheritdoc/>
    public override string Name => "tms-phases";

    /// <inheritdoc/>
    public override string Title => "superposition as a phase change";

    /// <inheritdoc/>
    public override string Source =>
        "Elhage et al. 2022, Toy Models of Superposition, on superposition as a phase change; the boundary in closed form is derived";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var cells = config.Choose(6, 11, 50);
        var seeds = config.Choose(8, 8, 10);
        PhaseDiagramConfig Grid(int features) =>
            new()
            {
                Features = features,
                Cells = cells,
                Seeds = seeds,
                Seed = config.Seed,
            };
        var two = PhaseDiagram.Train(Grid(2), progress, cancellation);
        var three = PhaseDiagram.Train(Grid(3), progress, cancellation);
        List<ClaimRow> rows = [.. Agreement("n = 2, m = 1", 2, two), .. Agreement("n = 3, m = 2", 3, three)];

        // Across the boundary at r = .5, p = 4/9: a first-order transition is a jump between neighbours.
        var line = Enumerable
            .Range(0, config.Choose(11, 41, 41))
            .Select(k => Math.Pow(10, -2.0 * k / (config.Choose(11, 41, 41) - 1)))
            .ToArray();
        var crossing = PhaseDiagram.Train(Grid(2), [.. line.Select(density => (density, 0.5))], progress, cancellation);
        var norms = crossing.Select(cell => Math.Sqrt(FeatureGeometry.SquaredNorm(cell.W, 1))).ToArray();
        rows.Add(
            ClaimRow.Check(
                $"n = 2, m = 1, r = .5: largest jump of ‖W_extra‖ between neighbours on a line of {line.Length} densities",
                "derived: the transition is of first order",
                "> .5",
                norms.Zip(norms.Skip(1)).Max(pair => Math.Abs(pair.Second - pair.First)),
                0.5,
                double.PositiveInfinity
            )
        );
        return new ExperimentResult(
            $"{cells} × {cells} cells of density 1 … .01 and relative importance .1 … 10, best of {seeds}, 2,000 steps of 1,024 rows, Adam 1e-2 to zero, for n = 2, m = 1 and n = 3, m = 2; {line.Length} densities at r = .5",
            rows,
            [Picture(two, three, line, norms, seeds)]
        );
    }

    private static IEnumerable<ClaimRow> Agreement(string name, int features, PhaseCell[] cells)
    {
        bool Agrees(PhaseCell cell) => cell.State == PhaseDiagram.Expected(features, cell.Density, cell.Importance);
        // At r = 1 ignoring either feature costs the same.
        bool Far(PhaseCell cell) =>
            Math.Abs(Math.Log10(cell.Importance)) > 1e-9
            && (
                PhaseDiagram.Boundary(features, cell.Importance) is var boundary && boundary == 0
                || cell.Density / boundary is < 0.75 or > 1.33
            );
        var far = cells.Where(Far).ToArray();
        yield return ClaimRow.Check(
            $"{name}: cells that agree with the closed form, their density outside × [.75, 1.33] of the boundary",
            "derived; reference program",
            "all",
            (double)far.Count(Agrees) / far.Length,
            1,
            1,
            $"{far.Count(Agrees)} of {far.Length}"
        );
        yield return ClaimRow.Measure(
            $"{name}: cells that agree, over the whole grid",
            "reference program",
            features == 2 ? "117 of 121" : null,
            (double)cells.Count(Agrees) / cells.Length,
            $"{cells.Count(Agrees)} of {cells.Length}"
        );
    }

    private static Figure Picture(PhaseCell[] two, PhaseCell[] three, double[] line, double[] norms, int seeds)
    {
        var figure = new Figure(
            "diagram",
            "What becomes of one feature more than dimensions",
            $"Each cell is the best of {seeds} trained models; the line is the closed-form boundary of superposition. Right: the norm of the extra feature along r = .5 jumps at the boundary.",
            columns: 3,
            panelWidth: 420,
            panelHeight: 460
        );
        Diagram(figure, "n = 2, m = 1", 2, two);
        Diagram(figure, "n = 3, m = 2", 3, three);
        var panel = figure.Panel("r = .5, n = 2, m = 1", "density 1 − S", "‖W_extra‖");
        var curve = panel.Add.Scatter(line.Select(Math.Log10).ToArray(), norms);
        curve.Color = FigurePalette.Category(0);
        panel.Add.VerticalLine(Math.Log10(PhaseDiagram.Boundary(2, 0.5)), 2, FigurePalette.Reference);
        panel.LogTicksX(PlotAxes.Decades(-2, 0));
        panel.Axes.SetLimitsY(-0.05, 1.4);
        return figure;
    }

    private static void Diagram(Figure figure, string title, int features, PhaseCell[] cells)
    {
        var panel = figure.Panel(title, "density 1 − S", "relative importance r");
        foreach (var state in Enum.GetValues<ExtraFeature>())
        {
            var its = cells.Where(cell => cell.State == state).ToArray();
            var points = panel.Add.ScatterPoints(
                its.Select(cell => Math.Log10(cell.Density)).ToArray(),
                its.Select(cell => Math.Log10(cell.Importance)).ToArray()
            );
            points.MarkerShape = ScottPlot.MarkerShape.FilledSquare;
            points.MarkerSize = (float)Math.Clamp(170 / Math.Sqrt(cells.Length), 3, 20);
            points.Color = state switch
            {
                ExtraFeature.Ignored => ScottPlot.Color.FromHex("#D9D9D9"),
                ExtraFeature.Dedicated => FigurePalette.Category(0),
                _ => FigurePalette.Category(1),
            };
            points.LegendText = state switch
            {
                ExtraFeature.Ignored => "ignored",
                ExtraFeature.Dedicated => "dedicated",
                _ => "superposed",
            };
        }
        var importances = Enumerable
            .Range(0, 201)
            .Select(k => (k / 100.0) - 1)
            .Where(r => PhaseDiagram.Boundary(features, Math.Pow(10, r)) > 0)
            .ToArray();
        var boundary = panel.Add.ScatterLine(
            importances.Select(r => Math.Log10(PhaseDiagram.Boundary(features, Math.Pow(10, r)))).ToArray(),
            importances
        );
        (boundary.Color, boundary.LineWidth, boundary.LegendText) = (ScottPlot.Colors.Black, 2, "closed form");
        var tip = Math.Log10(features == 2 ? PhaseDiagram.TriplePoint : 2 / 3.5);
        var above = panel.Add.Line(features == 2 ? tip : -2.1, 0, 0.1, 0);
        (above.Color, above.LineWidth) = (ScottPlot.Colors.Black, 2);
        panel.LogTicksX(PlotAxes.Decades(-2, 0));
        panel.LogTicksY(PlotAxes.Decades(-1, 1));
        panel.Axes.SetLimits(-2.1, 0.1, -1.1, 1.1);
        panel.ShowLegend(ScottPlot.Edge.Bottom);
    }
}
