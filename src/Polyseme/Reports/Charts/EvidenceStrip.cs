using Polyseme.Evidence;
using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Charts;

/// <summary>One measured number on its own axis, with the band where its null would put it.</summary>
internal static class EvidenceStrip
{
    private const double Width = 340,
        Left = 14,
        Right = 326,
        BandTop = 20,
        BandHeight = 16;

    /// <summary>Draws the strip. The value must be defined.</summary>
    public static void Draw(HtmlWriter html, EvidenceItem item)
    {
        var value = item.Value!.Value;
        var axis = Axis.Linear(item.Nulls.SelectMany(Ends).Append(value), Left, Right, 3);
        var others = item.Nulls.Skip(1).Where(IsDrawable).Take(4).ToArray();
        var baseline = BandTop + BandHeight + 4 + (4 * others.Length);
        using (html.OpenSvg(Width, baseline + 20, $"{item.Measure} against its null", Describe(item), "strip"))
        {
            html.Line(Left, baseline, Right, baseline, "axis");
            Scale(html, axis, baseline);
            if (item.Nulls.Count > 0 && IsDrawable(item.Nulls[0]))
            {
                Band(html, axis, item.Nulls[0], BandTop, BandHeight, "null-band");
                var mean = axis.At(item.Nulls[0].Mean);
                html.Line(mean, BandTop, mean, BandTop + BandHeight, "null-mean");
            }
            for (var i = 0; i < others.Length; i++)
                Band(html, axis, others[i], BandTop + BandHeight + 2 + (4 * i), 2, "null-other");

            var x = axis.At(value);
            using (html.Open("g", ("class", item.Favours is { } cause ? CauseMarks.Kind(Causes.Id(cause)) : "c-none")))
            {
                html.Line(x, BandTop - 4, x, baseline, "value-line");
                html.Empty("path", ("class", "value-mark"), ("d", $"M{Svg.N(x - 5)} {Svg.N(BandTop - 9)}h10l-5 8z"));
                var left = x > Width / 2;
                html.Label(x + (left ? -9 : 9), BandTop - 7, NumberText.Of(value), left ? "end" : "start", "value-label");
            }
        }
    }

    private static IEnumerable<double> Ends(NullSummary summary) =>
        IsDrawable(summary) ? [summary.Mean - (2 * summary.Sd), summary.Mean + (2 * summary.Sd)] : [];

    private static bool IsDrawable(NullSummary summary) => double.IsFinite(summary.Mean) && double.IsFinite(summary.Sd);

    private static void Band(HtmlWriter html, Axis axis, NullSummary summary, double top, double height, string kind)
    {
        double low = axis.At(summary.Mean - (2 * summary.Sd)),
            high = axis.At(summary.Mean + (2 * summary.Sd));
        // A null a hundred times narrower than the axis still shows where it is.
        var width = Math.Max(2, high - low);
        html.Rect(((low + high) / 2) - (width / 2), top, width, height, kind, NullText(summary));
    }

    // The ends always carry their number; a tick between them only where it keeps clear of its neighbours.
    private static void Scale(HtmlWriter html, Axis axis, double baseline)
    {
        var free = Left + TextWidth(axis.Low) + 8;
        var last = Right - TextWidth(axis.High) - 8;
        foreach (var tick in axis.Ticks)
        {
            double x = axis.At(tick),
                half = TextWidth(tick) / 2;
            var end = tick == axis.Low || tick == axis.High;
            html.Line(x, baseline, x, baseline + 3, "axis");
            if (!end && (x - half < free || x + half > last))
                continue;
            html.Label(x, baseline + 15, NumberText.Tick(tick), Anchor(tick, axis), "tick");
            if (!end)
                free = x + half + 8;
        }
    }

    private static double TextWidth(double tick) => 6.2 * NumberText.Tick(tick).Length;

    private static string Anchor(double tick, Axis axis) =>
        tick == axis.Low ? "start"
        : tick == axis.High ? "end"
        : "middle";

    /// <summary>A null in words: <c>elliptical null 0.410 ± 0.0100 sd, 20 draws</c>.</summary>
    /// <remarks>A summary without draws is a number to compare with: <c>reference dimensions: 200</c>.</remarks>
    public static string NullText(NullSummary summary) =>
        summary.N == 0
            ? $"reference {summary.Kind}: {NumberText.Of(summary.Mean)}"
            : $"{summary.Kind} null {NumberText.Of(summary.Mean)} ± {NumberText.Of(summary.Sd)} sd, {NumberText.Count(summary.N, "draw")}";

    private static string Describe(EvidenceItem item) =>
        $"Value {NumberText.Of(item.Value)} ({item.Unit}). "
        + (item.Nulls.Count == 0 ? "No null was run." : $"Deciding null: {NullText(item.Nulls[0])}.");
}
