using System.Reflection;
using Polyseme.Reports.Markup;
using Polyseme.Reports.Sections;

namespace Polyseme.Reports;

/// <summary>
/// The report: one file that opens offline, static HTML with inline SVG and the data beside it in a JSON block
/// (<c>script#polyseme-data</c>, schema <c>polyseme.report/1</c>). It loads nothing and runs nothing. Same entries, same bytes.
/// </summary>
public static class HtmlReport
{
    // What stands under each network, in order; a part with nothing to say writes nothing.
    private static readonly Action<HtmlWriter, ReportEntry>[] Parts =
    [
        VerdictSection.Write,
        GeometrySection.Write,
        EvidenceSection.Write,
        BudgetSection.Write,
        NeuronSection.Write,
        ConceptSection.Write,
        TrainingSection.Write,
        ProvenanceSection.Write,
    ];

    /// <summary>The report as text.</summary>
    /// <param name="entries">One per network, in the order of the page. May be empty.</param>
    /// <param name="title">The page's heading.</param>
    /// <param name="subtitle">A line under it, for instance the command that made the report.</param>
    public static string Write(IReadOnlyList<ReportEntry> entries, string title, string? subtitle = null)
    {
        using var text = new StringWriter { NewLine = "\n" };
        Write(text, entries, title, subtitle);
        return text.ToString();
    }

    /// <summary>Writes the report of one diagnosis, titled by its entry.</summary>
    public static void Write(TextWriter output, ReportEntry entry) => Write(output, [entry], entry.Title);

    /// <summary>Writes the report. The caller opens the file, as UTF-8.</summary>
    public static void Write(TextWriter output, IReadOnlyList<ReportEntry> entries, string title, string? subtitle = null)
    {
        // First, so that data that cannot be serialized leaves no half page behind.
        var data = ReportData.ToJson(entries, title);
        var html = new HtmlWriter(output);
        output.Write("<!DOCTYPE html>\n");
        using (html.Open("html", ("lang", "en")))
        {
            Head(html, title);
            using (html.Open("body"))
            {
                html.Leaf("a", "Skip to the content", ("class", "skip"), ("href", "#content"));
                using (html.Open("header", ("class", "page")))
                {
                    html.Leaf("p", "Polyseme", ("class", "brand"));
                    html.Leaf("h1", title);
                    html.Leaf("p", subtitle ?? "Why do these neurons fire on unrelated concepts?", ("class", "subtitle"));
                }
                Contents(html, entries);
                using (html.Open("main", ("id", "content")))
                {
                    if (entries.Count != 1)
                        SummarySection.Write(html, entries);
                    GuideSection.Write(html);
                    for (var i = 0; i < entries.Count; i++)
                        Entry(html, entries[i], Anchor(i));
                }
                Footer(html);
                using (html.Open("script", ("type", "application/json"), ("id", "polyseme-data")))
                    html.Verbatim(data);
            }
        }
    }

    /// <summary>Where a network stands on the page.</summary>
    internal static string Anchor(int entry) => $"network-{entry + 1}";

    private static void Head(HtmlWriter html, string title)
    {
        using (html.Open("head"))
        {
            html.Empty("meta", ("charset", "utf-8"));
            html.Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
            html.Empty("meta", ("name", "color-scheme"), ("content", "light dark"));
            // The browser itself sees to it that the page loads nothing and runs nothing.
            html.Empty("meta", ("http-equiv", "Content-Security-Policy"), ("content", "default-src 'none'; style-src 'unsafe-inline'"));
            html.Leaf("title", title);
            using (html.Open("style"))
                html.Verbatim(StyleSheet());
        }
    }

    private static void Contents(HtmlWriter html, IReadOnlyList<ReportEntry> entries)
    {
        using (html.Open("nav", ("aria-label", "Contents")))
        {
            html.Leaf("p", "Contents", ("class", "nav-title"));
            using (html.Open("ol"))
            {
                if (entries.Count != 1)
                    Link(html, "summary", "Summary");
                Link(html, "causes", "The five causes");
                Link(html, "limits", "What this cannot tell you");
                for (var i = 0; i < entries.Count; i++)
                    Link(html, Anchor(i), entries[i].Title, entries[i].Result.Layer.Verdict);
            }
        }
    }

    private static void Link(HtmlWriter html, string anchor, string text, string? verdict = null)
    {
        using (html.Open("li"))
        using (html.Open("a", ("href", "#" + anchor)))
        {
            if (verdict is not null)
            {
                html.Leaf(
                    "span",
                    CauseMarks.Symbol(verdict),
                    ("class", $"mark {CauseMarks.Kind(verdict)}"),
                    ("role", "img"),
                    ("aria-label", CauseMarks.Name(verdict) + ":")
                );
                html.Text(" ");
            }
            html.Text(text);
        }
    }

    private static void Entry(HtmlWriter html, ReportEntry entry, string anchor)
    {
        using (html.Open("section", ("id", anchor), ("class", "entry"), ("aria-labelledby", anchor + "-title")))
        {
            html.Leaf("h2", entry.Title, ("id", anchor + "-title"));
            foreach (var part in Parts)
                part(html, entry);
        }
    }

    private static void Footer(HtmlWriter html)
    {
        using (html.Open("footer"))
        using (html.Open("p"))
        {
            html.Text("The numbers that this page is drawn from are in the JSON block at its end (");
            html.Leaf("code", "script#polyseme-data");
            html.Text("), in full precision. A dash stands where a number is undefined. Numbers are rounded to three significant digits.");
        }
    }

    private static string StyleSheet()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Polyseme.Reports.report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
