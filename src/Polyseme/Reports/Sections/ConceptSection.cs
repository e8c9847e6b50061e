using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Sections;

/// <summary>How each concept that a person labelled is represented.</summary>
internal static class ConceptSection
{
    public static void Write(HtmlWriter html, ReportEntry entry)
    {
        if (entry.Result.Concepts.Count == 0)
            return;
        html.Leaf("h3", $"Concepts ({NumberText.Count(entry.Result.Concepts.Count)})");
        html.Table(
            "How each concept is represented: R² on held-out rows, 1 is best",
            ["concept", "verdict", "R² linear", "R² best read-out"],
            entry.Result.Concepts,
            concept =>
            {
                html.RowHead(concept.Name);
                html.Leaf("td", concept.Verdict.Replace('_', ' ') + (concept.Reason is { } reason ? $": {reason}" : ""));
                html.NumberCell(concept.R2Linear);
                html.NumberCell(concept.R2Best);
            }
        );
    }
}
