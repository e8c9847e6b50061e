using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Charts;

/// <summary>The loss over training, with the reference and where every seed ended.</summary>
internal static class LossCurve
{
    private const double Left = 58,
        Right = 306,
        Top = 20,
        Bottom = 170;

    /// <summary>Draws the curve: at least one point with a finite loss. The loss axis is logarithmic where every loss is positive.</summary>
    public static void Draw(HtmlWriter html, ReportTraining training)
    {
        var points = training.Curve.Where(point => double.IsFinite(point.Loss)).ToArray();
        double[] losses = [.. points.Select(point => point.Loss), .. training.SeedLosses.Where(double.IsFinite)];
        if (training.ReferenceLoss is { } goal && double.IsFinite(goal))
            losses = [.. losses, goal];
        var vertical = losses.All(loss => loss > 0) ? Axis.Logarithmic(losses, Bottom, Top) : Axis.Linear(losses, Bottom, Top);
        var horizontal = Axis.Linear(points.Select(point => (double)point.Step).Append(0), Left, Right, 3);
        var description =
            $"Loss {NumberText.Of(points[0].Loss)} at step {NumberText.Count(points[0].Step)}, {NumberText.Of(points[^1].Loss)} at step {NumberText.Count(points[^1].Step)}; final losses of {NumberText.Count(training.SeedLosses.Count, "seed")}.";
        using (html.OpenSvg(344, 206, "Training curve", description, "losses"))
        {
            html.Frame(horizontal, vertical, Left, Right, Top, Bottom, "step", "loss");
            if (training.ReferenceLoss is { } reference && double.IsFinite(reference))
            {
                html.Line(Left, vertical.At(reference), Right, vertical.At(reference), "marker");
                // Under the line at its left end: the curve comes down from above it.
                html.Label(
                    Left + 6,
                    Math.Min(vertical.At(reference) + 12, Bottom - 4),
                    $"reference {NumberText.Of(reference)}",
                    "start",
                    "name"
                );
            }
            html.Polyline(points.Select(point => (horizontal.At(point.Step), vertical.At(point.Loss))), "curve");
            foreach (var loss in training.SeedLosses.Where(double.IsFinite))
                html.Circle(Right + 14, vertical.At(loss), 3, "seed");
            if (training.SeedLosses.Count > 0)
                html.Label(Right + 14, Top - 8, "seeds", "middle", "tick");
        }
    }
}
