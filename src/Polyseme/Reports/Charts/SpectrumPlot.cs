using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Charts;

/// <summary>Eigenvalues of the activations' covariance, largest first, both axes logarithmic.</summary>
internal static class SpectrumPlot
{
    private const double Left = 58,
        Right = 330,
        Top = 20,
        Bottom = 200;

    /// <summary>Draws the positive eigenvalues; at least one.</summary>
    /// <param name="html">Where to.</param>
    /// <param name="spectrum">Eigenvalues, largest first.</param>
    /// <param name="rank">r, marked when it is known.</param>
    public static void Draw(HtmlWriter html, IReadOnlyList<double> spectrum, int? rank)
    {
        // Rounding leaves eigenvalues near 1e-16 of the largest; drawing them would squeeze the rest into a corner.
        var floor = spectrum.Max() * 1e-9;
        var points = spectrum.Select((value, i) => (X: i + 1.0, Y: value)).Where(point => point.Y > floor).ToArray();
        var horizontal = Axis.Logarithmic([1, spectrum.Count], Left, Right);
        var vertical = Axis.Logarithmic(points.Select(point => point.Y), Bottom, Top);
        var description =
            $"{NumberText.Count(points.Length, "eigenvalue")} from {NumberText.Of(points[0].Y)} down to {NumberText.Of(points[^1].Y)}. Rank above noise: {NumberText.Estimate(rank)}.";
        using (html.OpenSvg(344, 236, "Spectrum of the activations' covariance", description, "spectrum"))
        {
            html.Frame(horizontal, vertical, Left, Right, Top, Bottom, "component, largest first", "eigenvalue, squared activation");
            if (rank is > 0 and var r)
            {
                html.Line(horizontal.At(r), Top, horizontal.At(r), Bottom, "marker");
                var left = horizontal.At(r) > (Left + Right) / 2;
                html.Label(horizontal.At(r) + (left ? -5 : 5), Bottom - 8, $"r = {NumberText.Count(r)}", left ? "end" : "start", "name");
            }
            html.Polyline(points.Select(point => (horizontal.At(point.X), vertical.At(point.Y))), "curve");
        }
    }
}
