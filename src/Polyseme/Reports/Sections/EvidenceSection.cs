using Polyseme.Evidence;
using Polyseme.Reports.Charts;
using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Sections;

/// <summary>Every measured number against what it would be if there were nothing to find.</summary>
internal static class EvidenceSection
{
    public static void Write(HtmlWriter html, ReportEntry entry)
    {
        var layer = entry.Result.Evidence.Where(item => item.Scope == "layer").ToArray();
        var others = entry.Result.Evidence.Where(item => item.Scope != "layer").ToArray();
        html.Leaf("h3", $"Evidence against its null ({NumberText.Count(entry.Result.Evidence.Count, "measurement")})");
        if (entry.Result.Evidence.Count == 0)
        {
            html.Leaf("p", "No measure was run.", ("class", "note"));
            return;
        }
        html.Leaf(
            "p",
            "Each strip has an axis of its own. The grey band is where the deciding null puts the value: its mean and two standard deviations on each side. Thin lines under it are the other nulls. The triangle is what was measured.",
            ("class", "note")
        );
        if (layer.Length > 0)
            using (html.Open("ul", ("class", "evidence")))
            {
                foreach (var item in layer)
                    using (html.Open("li"))
                        Item(html, item);
            }
        if (others.Length > 0)
            using (html.Open("details"))
            {
                html.Leaf("summary", $"{NumberText.Count(others.Length, "measurement")} on single neurons and concepts");
                Table(html, others);
            }
    }

    private static void Item(HtmlWriter html, EvidenceItem item)
    {
        using (html.Open("div", ("class", "evidence-head")))
        {
            html.Leaf("h4", item.Measure.Replace('_', ' '));
            if (item.Favours is { } cause)
            {
                using (html.Open("span", ("class", "favours")))
                {
                    html.Text("favours\u00a0");
                    html.SmallChip(cause);
                }
            }
            else
                html.Leaf("span", "favours no cause", ("class", "favours"));
        }
        if (IsDefined(item))
            EvidenceStrip.Draw(html, item);
        using (html.Open("p", ("class", "reading")))
        {
            if (IsDefined(item))
            {
                html.Leaf("b", NumberText.Of(item.Value));
                html.Text($" {item.Unit}");
            }
            else
            {
                html.Leaf("b", "undefined");
                html.Text($" ({item.Unit})");
            }
            if (Distance(item) is { } distance)
                html.Text($" · {distance}");
            html.Text($" · {PValue(item)}");
        }
        if (item.Reason is { } reason)
            html.Leaf("p", reason, ("class", "reason"));
        else if (!IsDefined(item))
            html.Leaf("p", "No reason was given.", ("class", "reason"));
        html.Leaf(
            "p",
            item.Nulls.Count == 0 ? "no null was run" : string.Join("; ", item.Nulls.Select(EvidenceStrip.NullText)),
            ("class", "nulls")
        );
        html.Leaf("p", item.Source, ("class", "source"));
    }

    private static void Table(HtmlWriter html, IReadOnlyList<EvidenceItem> items) =>
        html.Table(
            "Evidence on single neurons and concepts",
            ["measure", "scope", "value", "unit", "deciding null", "p", "favours", "source"],
            items,
            item =>
            {
                html.RowHead(item.Measure.Replace('_', ' '));
                html.Leaf("td", item.Scope);
                html.Leaf(
                    "td",
                    IsDefined(item) ? NumberText.Of(item.Value) : "undefined" + (item.Reason is { } reason ? $": {reason}" : ""),
                    ("class", "number")
                );
                html.Leaf("td", item.Unit);
                html.Leaf("td", item.Nulls.Count == 0 ? NumberText.Undefined : EvidenceStrip.NullText(item.Nulls[0]));
                html.Leaf("td", NumberText.Of(item.PValue), ("class", "number"));
                using (html.Open("td"))
                {
                    if (item.Favours is { } cause)
                        html.SmallChip(cause);
                    else
                        html.Text(NumberText.Undefined);
                }
                html.Leaf("td", item.Source, ("class", "source"));
            }
        );

    private static bool IsDefined(EvidenceItem item) => item.Value is { } value && double.IsFinite(value);

    private static string? Distance(EvidenceItem item)
    {
        if (item is not { Value: { } value, NullMean: { } mean, NullSd: > 0 and { } sd } || !double.IsFinite(value))
            return null;
        var distance = (value - mean) / sd;
        return double.IsFinite(distance) ? $"{NumberText.Signed(distance)} sd from the null" : null;
    }

    // With n draws no p-value can be below 1 / (1 + n); saying so keeps a small n from looking like weak evidence.
    private static string PValue(EvidenceItem item)
    {
        if (item.PValue is not { } p || !double.IsFinite(p))
            return "p not computed";
        var floor = item.Nulls.Count > 0 && Math.Abs(p - (1.0 / (1 + item.Nulls[0].N))) < 1e-9;
        return $"p = {NumberText.Of(p)}" + (floor ? $" (the least that {NumberText.Count(item.Nulls[0].N, "draw")} can give)" : "");
    }
}
