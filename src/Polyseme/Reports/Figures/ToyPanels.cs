using Polyseme.Evidence;
using Polyseme.Numerics;
using ScottPlot;

namespace Polyseme.Reports.Figures;

/// <summary>The pictures of toy models that their papers draw.</summary>
internal static class ToyPanels
{
    /// <summary>A matrix as a heat map, white at zero, blue below and red above; the first row on top.</summary>
    /// <param name="figure">Where to.</param>
    /// <param name="title">The panel's title.</param>
    /// <param name="matrix">The values.</param>
    /// <param name="range">The value of the full colours.</param>
    /// <param name="rows">What the rows are.</param>
    /// <param name="columns">What the columns are.</param>
    public static Plot Heatmap(this Figure figure, string title, Matrix matrix, double range, string rows, string columns)
    {
        var panel = figure.Panel(title, columns, rows);
        var values = new double[matrix.Rows, matrix.Columns];
        for (var i = 0; i < matrix.Rows; i++)
        for (var j = 0; j < matrix.Columns; j++)
            values[i, j] = matrix[i, j];
        var map = panel.Add.Heatmap(values);
        map.Colormap = FigurePalette.Diverging;
        map.ManualRange = new ScottPlot.Range(-range, range);
        panel.Axes.Margins(0, 0);
        // The first row is drawn on top, so the axis counts downwards.
        var step = Math.Max(1, matrix.Rows / 4);
        var numbers = Enumerable.Range(0, (matrix.Rows + step - 1) / step).Select(k => k * step).ToArray();
        panel.Axes.Left.SetTicks([.. numbers.Select(row => (double)(matrix.Rows - 1 - row))], [.. numbers.Select(row => $"{row}")]);
        panel.HideGrid();
        return panel;
    }

    /// <summary>The Gram matrix W·Wᵀ.</summary>
    public static Plot Gram(this Figure figure, string title, Matrix w) =>
        figure.Heatmap(title, LinearAlgebra.MultiplyTranspose(w, w), 1, "feature", "feature");

    /// <summary>‖W_i‖² as bars, black where a feature is alone in its direction and yellow where its interference reaches one.</summary>
    public static Plot Norms(this Figure figure, string title, Matrix w, Func<int, double> interference)
    {
        var panel = figure.Panel(title, "feature", "‖Wᵢ‖², colour: interference");
        var colours = FigurePalette.Sequential;
        for (var i = 0; i < w.Rows; i++)
        {
            var squaredNorm = 0.0;
            foreach (var value in w.Row(i))
                squaredNorm += value * value;
            var bar = panel.Add.Bar(i, squaredNorm);
            bar.Bars[0].FillColor = colours.GetColor(Math.Clamp(interference(i), 0, 1));
            bar.Bars[0].LineWidth = 0;
        }
        panel.Axes.SetLimits(-1, w.Rows, 0, 1.4);
        return panel;
    }

    /// <summary>What each neuron carries: |W_ik| of its features stacked on one another, a colour per feature.</summary>
    /// <param name="figure">Where to.</param>
    /// <param name="title">The panel's title.</param>
    /// <param name="w">Features as rows, neurons as columns.</param>
    public static Plot StackedNeurons(this Figure figure, string title, Matrix w)
    {
        var panel = figure.Panel(title, "neuron", "|weight|, stacked");
        var highest = 0.0;
        for (var neuron = 0; neuron < w.Columns; neuron++)
        {
            var height = 0.0;
            for (var i = 0; i < w.Rows; i++)
            {
                var weight = Math.Abs(w[i, neuron]);
                if (weight < 0.02)
                    continue;
                var bar = panel.Add.Bar(
                    new Bar
                    {
                        Position = neuron,
                        ValueBase = height,
                        Value = height + weight,
                    }
                );
                bar.Bars[0].FillColor = FigurePalette.Category(i).WithAlpha(i < FigurePalette.Categories.Count ? 1 : 0.5);
                (bar.Bars[0].LineColor, bar.Bars[0].LineWidth) = (Colors.White, 1);
                height += weight;
            }
            highest = Math.Max(highest, height);
        }
        panel.Axes.SetLimits(-0.6, w.Columns - 0.4, 0, 1.08 * Math.Max(highest, 0.1));
        return panel;
    }

    /// <summary>Feature directions in a plane, as arrows from the origin.</summary>
    public static Plot Directions(this Figure figure, string title, Matrix w)
    {
        var panel = figure.Panel(title, "hidden unit 1", "hidden unit 2");
        for (var i = 0; i < w.Rows; i++)
        {
            var line = panel.Add.Line(0, 0, w[i, 0], w[i, 1]);
            line.Color = FigurePalette.Category(i);
            line.LineWidth = 2;
            panel.Add.Marker(w[i, 0], w[i, 1], size: 8, color: FigurePalette.Category(i));
        }
        panel.Axes.SetLimits(-1.4, 1.4, -1.4, 1.4);
        panel.Axes.SquareUnits();
        return panel;
    }

    /// <summary>Dimensionality of each represented feature, a column of points per setting, over lines at the values that polytopes have.</summary>
    /// <param name="figure">Where to.</param>
    /// <param name="title">The panel's title.</param>
    /// <param name="settings">The position of each setting along x, and its W.</param>
    /// <param name="x">What x is.</param>
    public static Plot Dimensionalities(this Figure figure, string title, IReadOnlyList<(double X, Matrix W)> settings, string x)
    {
        var panel = figure.Panel(title, x, "dimensionality Dᵢ");
        var right = settings.Max(setting => setting.X) + (0.55 * Spacing(settings, settings.Max(setting => setting.X)));
        foreach (var (value, name) in Plateaus)
        {
            panel.Add.HorizontalLine(value, 1, FigurePalette.Reference.WithAlpha(.35));
            var label = panel.Add.Text(name, right, value);
            (label.LabelFontSize, label.LabelFontColor) = (9, FigurePalette.Reference);
            label.LabelAlignment = name.Contains('⅜', StringComparison.Ordinal) ? Alignment.UpperLeft : Alignment.LowerLeft;
        }
        foreach (var (position, w) in settings)
        {
            var values = Dimensionality.PerFeature(w).Where(d => d is not null).Select(d => d!.Value).Order().ToArray();
            // Side by side in order of their value, so that a plateau is a flat stretch.
            var points = panel.Add.ScatterPoints(
                values.Select((_, k) => position + (0.8 * (((k + 0.5) / values.Length) - 0.5) * Spacing(settings, position))).ToArray(),
                values
            );
            points.MarkerSize = 4;
            points.Color = FigurePalette.Category(0);
        }
        panel.Axes.SetLimits(settings.Min(setting => setting.X) - 0.6, right + (0.18 * settings.Count), 0, 1.06);
        return panel;
    }

    /// <summary>Dimensionalities of uniform polytopes that the paper draws.</summary>
    public static IReadOnlyList<(double Value, string Name)> Plateaus { get; } =
    [(1, "1"), (0.75, "¾ tetra."), (2.0 / 3, "⅔ triangle"), (0.5, "½ digon"), (0.4, "⅖ pentagon"), (0.375, "⅜ antiprism"), (1.0 / 3, "⅓")];

    private static double Spacing(IReadOnlyList<(double X, Matrix W)> settings, double position) =>
        settings.Select(setting => Math.Abs(setting.X - position)).Where(distance => distance > 0).DefaultIfEmpty(1).Min();
}
