using Polyseme.Reports.Charts;
using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Sections;

/// <summary>How the network was trained and whether it became the network it claims to be.</summary>
internal static class TrainingSection
{
    public static void Write(HtmlWriter html, ReportEntry entry)
    {
        if (entry.Training is null && entry.Acceptances.Count == 0)
            return;
        html.Leaf("h3", "Is it the network it claims to be?");
        if (entry.Training is { } training)
            using (html.Open("figure"))
            {
                html.Leaf("figcaption", Caption(training));
                if (training.Curve.Any(point => double.IsFinite(point.Loss)))
                    LossCurve.Draw(html, training);
            }
        if (entry.Acceptances.Count > 0)
            Acceptances(html, entry);
    }

    private static string Caption(ReportTraining training)
    {
        int? steps = training.Steps ?? (training.Curve.Count == 0 ? null : training.Curve[^1].Step);
        var finite = training.SeedLosses.Where(double.IsFinite).ToArray();
        return $"Training: {NumberText.Estimate(steps)} steps, {NumberText.Count(training.SeedLosses.Count, "seed")}"
            + (finite.Length == 0 ? "" : $", final losses {NumberText.Of(finite.Min())} (shown) to {NumberText.Of(finite.Max())}")
            + (training.ReferenceLoss is { } reference ? $"; reference {NumberText.Of(reference)}." : ".");
    }

    private static void Acceptances(HtmlWriter html, ReportEntry entry) =>
        html.Table(
            $"Numbers it must reproduce: {NumberText.Count(entry.Acceptances.Count(acceptance => acceptance.Passed))} of {NumberText.Count(entry.Acceptances.Count)} in range",
            ["claim", "measured", "accepted", "in range?", "source"],
            entry.Acceptances,
            acceptance =>
            {
                html.RowHead(acceptance.Claim);
                html.NumberCell(acceptance.Value);
                html.Leaf("td", Range(acceptance.Low, acceptance.High), ("class", "number"));
                using (html.Open("td"))
                    html.Leaf("span", acceptance.Passed ? "✓ yes" : "✗ no", ("class", acceptance.Passed ? "right" : "wrong"));
                html.Leaf("td", acceptance.Source, ("class", "source"));
            }
        );

    private static string Range(double low, double high) =>
        (double.IsFinite(low), double.IsFinite(high)) switch
        {
            (true, true) => $"{NumberText.Of(low)} … {NumberText.Of(high)}",
            (true, false) => $"≥ {NumberText.Of(low)}",
            (false, true) => $"≤ {NumberText.Of(high)}",
            _ => "any",
        };
}
