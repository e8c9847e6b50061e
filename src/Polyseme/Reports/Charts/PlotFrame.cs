using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Charts;

/// <summary>The axes of a plot: grid lines, ticks, and what each axis counts.</summary>
internal static class PlotFrame
{
    /// <summary>Draws both axes; the vertical axis is named at its top.</summary>
    public static void Frame(
        this HtmlWriter html,
        Axis horizontal,
        Axis vertical,
        double left,
        double right,
        double top,
        double bottom,
        string horizontalName,
        string verticalName
    )
    {
        foreach (var tick in vertical.Ticks)
        {
            html.Line(left, vertical.At(tick), right, vertical.At(tick), tick == vertical.Low ? "axis" : "grid");
            html.Label(left - 5, vertical.At(tick) + 4, NumberText.Tick(tick), "end", "tick");
        }
        foreach (var tick in horizontal.Ticks)
        {
            html.Line(horizontal.At(tick), bottom, horizontal.At(tick), bottom + 3, "axis");
            html.Label(horizontal.At(tick), bottom + 15, NumberText.Tick(tick), "middle", "tick");
        }
        html.Label((left + right) / 2, bottom + 30, horizontalName, "middle", "tick");
        html.Label(2, top - 8, verticalName, "start", "tick");
    }
}
