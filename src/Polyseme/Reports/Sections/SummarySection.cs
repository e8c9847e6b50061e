using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Sections;

/// <summary>Every network in one table.</summary>
internal static class SummarySection
{
    public static void Write(HtmlWriter html, IReadOnlyList<ReportEntry> entries)
    {
        using (html.Open("section", ("id", "summary"), ("aria-labelledby", "summary-title")))
        {
            html.Leaf("h2", "Summary", ("id", "summary-title"));
            if (entries.Count == 0)
            {
                html.Leaf("p", "No network was diagnosed.");
                return;
            }
            html.Leaf("p", Sentence(entries));
            html.Table(
                "Networks, their causes and their verdicts",
                ["network", "true cause", "verdict", "still possible", "right?", "seconds"],
                entries.Select((entry, i) => (entry, i)),
                row =>
                {
                    using (html.Open("th", ("scope", "row")))
                        html.Leaf("a", row.entry.Title, ("href", $"#{HtmlReport.Anchor(row.i)}"));
                    using (html.Open("td"))
                        VerdictSection.TrueCause(html, row.entry);
                    using (html.Open("td"))
                        html.Chip(row.entry.Result.Layer.Verdict);
                    using (html.Open("td"))
                        VerdictSection.Set(html, row.entry.Result.Layer.Set);
                    using (html.Open("td"))
                        VerdictSection.Rightness(html, row.entry.Right);
                    html.NumberCell(row.entry.Result.Seconds);
                }
            );
        }
    }

    private static string Sentence(IReadOnlyList<ReportEntry> entries)
    {
        int known = entries.Count(entry => entry.Right is not null),
            right = entries.Count(entry => entry.Right == true);
        var neurons = entries.Sum(entry => (long)entry.Result.Neurons.Count);
        return $"{NumberText.Count(entries.Count, "network")}, {NumberText.Count(neurons, "neuron")}. "
            + (
                known == 0
                    ? "None of them has a known cause."
                    : $"Where the cause is known, {right} of {NumberText.Count(known, "verdict")} lie in the set that was accepted before the judge ran."
            );
    }
}
