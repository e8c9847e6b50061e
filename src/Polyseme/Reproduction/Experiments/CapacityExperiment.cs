using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo.Capacities;
using ScottPlot;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Capacities of quadratic neurons against the closed form, and the three phases.</summary>
public sealed class CapacityExperiment : Experiment
{
    private const string Closed = "closed form derived; reference program";

    /// <summary>Capacities and loss for v_i = .8ⁱ, eight features in four neurons.</summary>
    private static readonly (double Kurtosis, double[] Capacity, double Loss)[] s_reference =
    [
        (2, [1, 1, 1, 1, 0, 0, 0, 0], 0.38785),
        (3, [1, 1, 1, 1, 0, 0, 0, 0], 0.77569),
        (4, [1, 1, 1, 0.778, 0.222, 0, 0, 0], 1.13837),
        (6, [1, 1, 0.914, 0.598, 0.345, 0.143, 0, 0], 1.65646),
        (10, [1, 0.980, 0.727, 0.524, 0.362, 0.233, 0.129, 0.046], 2.23711),
        (30, [1, 0.816, 0.638, 0.496, 0.382, 0.291, 0.218, 0.159], 2.90181),
    ];

    /// <inheritdoc/>
    public override string Name => "capacity";

    /// <inheritdoc/>
    public override string Title => "capacity shared out by what a feature is worth";

    /// <inheritdoc/>
    public override string Source => "Scherlis et al. 2022, Polysemanticity and Capacity in Neural Networks";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var (starts, steps) = (10, config.Choose(3_000, 6_000, 20_000));
        var importance = Capacity.Importance(8, 0.8);
        var rows = new List<ClaimRow>();
        var trained = new List<TrainedCapacities>();
        foreach (var (kurtosis, reference, loss) in s_reference)
        {
            progress?.Report(new Step("capacity", trained.Count, s_reference.Length, $"kurtosis {kurtosis}"));
            var ours = CapacityTraining.Train(importance, kurtosis, 4, starts, steps, 1e-2, config.Seed, cancellation);
            trained.Add(ours);
            Compare(rows, kurtosis, reference, loss, importance, ours);
        }
        if (config.Size != ReproductionSize.Quick)
            Control(rows, trained, importance, steps, config.Seed, cancellation);
        var phases = Phases(config, cancellation);
        rows.Add(
            ClaimRow.Check(
                "two features, one neuron: largest difference between trained and closed-form capacity over the phase diagram",
                Closed,
                "0",
                phases.Worst,
                0,
                5e-3,
                $"{phases.Ratios.Length} × {phases.Kurtosis.Length} cells, best of {phases.Starts} starts of {phases.Steps:N0} steps"
            )
        );
        return new ExperimentResult(
            $"n = 8, D = 4, v_i = .8^i, six kurtoses, best of {starts} starts of {steps:N0} Adam steps on the exact loss; phase diagram n = 2, D = 1",
            rows,
            [AllocationFigure(importance, trained, starts, steps), PhaseFigure(phases)]
        );
    }

    private static void Compare(
        List<ClaimRow> rows,
        double kurtosis,
        double[] reference,
        double loss,
        double[] importance,
        TrainedCapacities ours
    )
    {
        var capacity = ours.Capacity;
        var closed = CapacityAllocation.Solve(importance, kurtosis, 4);
        double Largest(double[] expected) => expected.Zip(capacity, (e, c) => Math.Abs(e - c)).Max();
        rows.Add(
            ClaimRow.Check(
                $"κ = {kurtosis}: largest difference of a capacity from the table",
                "reference program",
                string.Join(' ', reference.Select(c => c.ToString("0.###"))),
                Largest(reference),
                0,
                5e-3,
                $"ours {string.Join(' ', capacity.Select(c => c.ToString("0.###")))}"
            )
        );
        rows.Add(ClaimRow.Check($"κ = {kurtosis}: the same from the closed form", Closed, "0", Largest(closed.Capacity), 0, 5e-3));
        rows.Add(ClaimRow.Check($"κ = {kurtosis}: loss", Closed, $"{loss}", ours.Loss, closed.Loss - 1e-3, closed.Loss + 1e-3));
        rows.Add(
            ClaimRow.Check(
                $"κ = {kurtosis}: Σ C_i",
                "Scherlis et al. 2022",
                "4",
                capacity.Sum(),
                3.999,
                4.001,
                $"the ten losses range from {ours.Losses.Min():F5} to {ours.Losses.Max():F5}"
            )
        );
        var blocks = SemiOrthogonalBlocks.Find(ours.W);
        rows.Add(
            ClaimRow.Check(
                $"κ = {kurtosis}: largest ‖W_bᵀW_b/λ − I‖ over blocks",
                "Scherlis et al. 2022",
                "0",
                blocks.Max(block => block.Defect),
                0,
                1e-2,
                $"blocks {string.Join(' ', blocks.Select(block => $"{{{string.Join(',', block.Features)}}} in {block.Rank}"))}"
            )
        );
    }

    private static void Control(
        List<ClaimRow> rows,
        List<TrainedCapacities> trained,
        double[] importance,
        int steps,
        ulong seed,
        CancellationToken cancellation
    )
    {
        var worst = 0.0;
        for (var i = 0; i < trained.Count; i++)
        {
            var longer = CapacityTraining.Train(importance, s_reference[i].Kurtosis, 4, 10, 4 * steps, 1e-2, seed, cancellation).Capacity;
            worst = Math.Max(worst, longer.Zip(trained[i].Capacity, (a, b) => Math.Abs(a - b)).Max());
        }
        rows.Add(
            ClaimRow.Check(
                "longer-training control: largest change of a capacity in four times the steps",
                "derived",
                "0",
                worst,
                0,
                1e-3,
                $"{4 * steps:N0} steps, all six kurtoses"
            )
        );
    }

    private sealed record PhaseGrid(
        double[] Ratios,
        double[] Kurtosis,
        double[,] Trained,
        double[,] Closed,
        double Worst,
        int Starts,
        int Steps
    );

    /// <summary>Capacity of the second of two features over ratios of their importance, logarithmic from 1/10 to 10, and kurtoses from 2 to 20.</summary>
    private static PhaseGrid Phases(ReproductionConfig config, CancellationToken cancellation)
    {
        var size = config.Choose(10, 24, 48);
        var (starts, steps) = (4, config.Choose(800, 1500, 3000));
        var ratios = Enumerable.Range(0, size).Select(i => Math.Pow(10, -1 + (2 * (i + 0.5) / size))).ToArray();
        var kurtosis = Enumerable.Range(0, size).Select(i => 2 + (18 * (i + 0.5) / size)).ToArray();
        double[,] trained = new double[size, size],
            closed = new double[size, size];
        var worst = 0.0;
        for (var row = 0; row < size; row++)
        {
            for (var column = 0; column < size; column++)
            {
                // The larger of the two is 1, so that one learning rate suits all cells.
                double[] importance = [Math.Min(1, 1 / ratios[column]), Math.Min(1, ratios[column])];
                var ours = CapacityTraining.Train(importance, kurtosis[row], 1, starts, steps, 2e-2, config.Seed, cancellation);
                trained[row, column] = ours.Capacity[1];
                closed[row, column] = CapacityAllocation.Solve(importance, kurtosis[row], 1).Capacity[1];
                worst = Math.Max(worst, Math.Abs(trained[row, column] - closed[row, column]));
            }
        }
        return new PhaseGrid(ratios, kurtosis, trained, closed, worst, starts, steps);
    }

    private static Figure AllocationFigure(double[] importance, List<TrainedCapacities> trained, int starts, int steps)
    {
        var figure = new Figure(
            "allocation",
            "capacity against importance",
            $"Capacity of eight features in four quadratic neurons against their importance, v_i = .8^i, for six kurtoses of the input. Lines: closed form. Dots: best of {starts} starts of {steps:N0} Adam steps on the exact loss. Up to kurtosis 3 four features take a dimension each; the sparser the input, the more evenly capacity is shared.",
            2,
            460,
            360
        );
        var plot = figure.Panel("eight features, four neurons", "importance v", "capacity C");
        for (var i = 0; i < s_reference.Length; i++)
        {
            var color = FigurePalette.Category(i);
            var closed = CapacityAllocation.Solve(importance, s_reference[i].Kurtosis, 4);
            var line = plot.Add.ScatterLine(importance, closed.Capacity, color);
            line.LineWidth = 1.5f;
            var dots = plot.Add.ScatterPoints(importance, trained[i].Capacity, color);
            dots.MarkerSize = 7;
            dots.LegendText = $"κ = {s_reference[i].Kurtosis}";
        }
        plot.ShowLegend(Alignment.UpperLeft);

        var shares = figure.Panel("the same by kurtosis", "kurtosis κ", "capacity C");
        double[] grid = [.. Enumerable.Range(0, 120).Select(i => 2 * Math.Pow(15, i / 119.0))];
        var solved = grid.Select(kurtosis => CapacityAllocation.Solve(importance, kurtosis, 4).Capacity).ToArray();
        for (var feature = 0; feature < importance.Length; feature++)
        {
            var color = Colormap(feature / (double)(importance.Length - 1));
            shares.Add.ScatterLine(grid.Select(Math.Log10).ToArray(), solved.Select(capacity => capacity[feature]).ToArray(), color);
            var dots = shares.Add.ScatterPoints(
                s_reference.Select(entry => Math.Log10(entry.Kurtosis)).ToArray(),
                trained.Select(ours => ours.Capacity[feature]).ToArray(),
                color
            );
            dots.MarkerSize = 6;
            dots.LegendText = $"v = {importance[feature]:0.00}";
        }
        shares.Axes.Bottom.SetTicks(
            s_reference.Select(entry => Math.Log10(entry.Kurtosis)).ToArray(),
            s_reference.Select(entry => $"{entry.Kurtosis}").ToArray()
        );
        shares.ShowLegend(Alignment.LowerRight);
        return figure;
    }

    private static Color Colormap(double position) => new ScottPlot.Colormaps.Viridis().GetColor(0.95 * position);

    private static Figure PhaseFigure(PhaseGrid phases)
    {
        var figure = new Figure(
            "phases",
            "ignored, polysemantic, monosemantic",
            $"Capacity of the second of two features that share one neuron, by the ratio of their importances and the kurtosis of the input. Left: closed form; right: best of {phases.Starts} starts of {phases.Steps:N0} steps in each of {phases.Ratios.Length * phases.Kurtosis.Length:N0} cells. Lines: the boundaries v₁/v₀ = 2/(κ − 1) and (κ − 1)/2 between ignored, polysemantic and monosemantic.",
            2,
            460,
            380
        );
        foreach (var (title, values) in new[] { ("closed form", phases.Closed), ("trained", phases.Trained) })
        {
            var plot = figure.Panel(title, "relative importance v₁/v₀", "kurtosis κ");
            var size = phases.Ratios.Length;
            var upright = new double[size, size];
            for (var row = 0; row < size; row++)
            {
                for (var column = 0; column < size; column++)
                    upright[size - 1 - row, column] = values[row, column];
            }
            var map = plot.Add.Heatmap(upright);
            map.Extent = new CoordinateRect(-1, 1, 2, 20);
            map.Colormap = new ScottPlot.Colormaps.Viridis();
            map.ManualRange = new ScottPlot.Range(0, 1);
            plot.Add.ColorBar(map).Label = "capacity of feature 1";
            double[] kurtosis = [.. Enumerable.Range(0, 100).Select(i => 3 + (17 * i / 99.0))];
            foreach (var sign in new[] { -1, 1 })
            {
                var boundary = plot.Add.ScatterLine(
                    kurtosis.Select(k => sign * Math.Log10(CapacityAllocation.PhaseRatio(k))).ToArray(),
                    kurtosis,
                    Colors.White
                );
                boundary.LineWidth = 2;
            }
            foreach (var (x, text) in new[] { (-0.92, "ignored"), (-0.3, "polysemantic"), (0.42, "monosemantic") })
            {
                var label = plot.Add.Text(text, x, text == "polysemantic" ? 17 : 3.6);
                label.LabelFontColor = text == "monosemantic" ? Colors.Black : Colors.White;
                label.LabelFontSize = 12;
            }
            plot.Axes.Bottom.SetTicks(new double[] { -1, -0.5, 0, 0.5, 1 }, ["0.1", "0.32", "1", "3.2", "10"]);
            plot.Axes.SetLimits(-1, 1, 2, 20);
        }
        return figure;
    }
}
