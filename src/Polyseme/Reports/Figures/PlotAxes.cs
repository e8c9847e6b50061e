using ScottPlot;

namespace Polyseme.Reports.Figures;

/// <summary>Axes whose positions are logarithms to base ten: ScottPlot has no logarithmic scale, so data are put there as logarithms and only labels tell the value.</summary>
internal static class PlotAxes
{
    /// <summary>Labels log₁₀ positions along x by their values.</summary>
    public static void LogTicksX(this Plot plot, IEnumerable<double> values) => SetTicks(plot.Axes.Bottom, values);

    /// <summary>Labels log₁₀ positions along y by their values.</summary>
    public static void LogTicksY(this Plot plot, IEnumerable<double> values) => SetTicks(plot.Axes.Left, values);

    /// <summary>Powers of ten from one exponent to another.</summary>
    public static IEnumerable<double> Decades(int from, int to) =>
        Enumerable.Range(from, to - from + 1).Select(exponent => Math.Pow(10, exponent));

    private static void SetTicks(IAxis axis, IEnumerable<double> values)
    {
        var sorted = values.Where(value => value > 0).Distinct().Order().ToArray();
        axis.SetTicks(
            [.. sorted.Select(Math.Log10)],
            [.. sorted.Select(value => value.ToString("0.####", System.Globalization.CultureInfo.InvariantCulture))]
        );
    }
}
