using System.Globalization;
using System.Text;
using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Charts;

/// <summary>Feature directions as arrows from the origin, both axes to the same scale.</summary>
internal static class DirectionPlot
{
    /// <summary>More arrows than this are subsampled evenly.</summary>
    public const int MostArrows = 200;

    private const double Size = 320,
        Centre = Size / 2,
        Reach = 116;
    private const int MostLabels = 16;

    /// <summary>Draws the arrows.</summary>
    /// <param name="html">Where to.</param>
    /// <param name="directions">At least one direction, all finite.</param>
    /// <param name="names">One name per direction; shown when there are at most 16.</param>
    /// <param name="horizontal">What the horizontal axis is.</param>
    /// <param name="vertical">What the vertical axis is.</param>
    public static void Draw(
        HtmlWriter html,
        IReadOnlyList<(double X, double Y)> directions,
        IReadOnlyList<string> names,
        string horizontal,
        string vertical
    )
    {
        var shown = Subsample.Evenly(directions.Count, MostArrows);
        var longest = shown.Max(i => Length(directions[i]));
        var scale = longest == 0 ? 0 : Reach / longest;
        var description =
            $"{NumberText.Count(shown.Count, "arrow")} from the origin; the longest has length {NumberText.Of(longest)}. Horizontal: {horizontal}. Vertical: {vertical}.";
        using (html.OpenSvg(Size, Size, "Feature directions", description, "directions"))
        {
            html.Line(8, Centre, Size - 8, Centre, "grid");
            html.Line(Centre, 8, Centre, Size - 8, "grid");
            if (longest > 0)
            {
                html.Circle(Centre, Centre, Reach, "grid");
                html.Label(Centre + (Reach * 0.72) + 4, Centre + (Reach * 0.72) + 12, $"length {NumberText.Of(longest)}", "start", "tick");
            }
            html.Label(Size - 8, Centre + 18, horizontal, "end", "tick");
            html.Label(Centre + 5, 14, vertical, "start", "tick");
            foreach (var i in shown)
                Arrow(html, directions[i].X * scale, directions[i].Y * scale, shown.Count > 24, names[i]);
            if (shown.Count <= MostLabels && longest > 0)
                Labels(html, directions, names, scale);
        }
    }

    private static void Arrow(HtmlWriter html, double x, double y, bool thin, string name)
    {
        double tipX = Centre + x,
            tipY = Centre - y,
            length = Math.Sqrt((x * x) + (y * y));
        using (html.Open("g", ("class", thin ? "arrow thin" : "arrow")))
        {
            html.Leaf("title", name);
            if (length < 6)
            {
                html.Circle(tipX, tipY, 2, "tip");
                return;
            }
            double alongX = x / length,
                alongY = -y / length,
                head = thin ? 5 : 8;
            var path = new StringBuilder();
            path.Append(CultureInfo.InvariantCulture, $"M{Svg.N(tipX)} {Svg.N(tipY)}");
            path.Append(
                CultureInfo.InvariantCulture,
                $"L{Svg.N(tipX - (head * alongX) - (head * 0.45 * alongY))} {Svg.N(tipY - (head * alongY) + (head * 0.45 * alongX))}"
            );
            path.Append(
                CultureInfo.InvariantCulture,
                $"L{Svg.N(tipX - (head * alongX) + (head * 0.45 * alongY))} {Svg.N(tipY - (head * alongY) - (head * 0.45 * alongX))}z"
            );
            html.Line(Centre, Centre, tipX - (head * 0.8 * alongX), tipY - (head * 0.8 * alongY), "shaft");
            html.Empty("path", ("class", "tip"), ("d", path.ToString()));
        }
    }

    // Directions that point the same way share a label.
    private static void Labels(HtmlWriter html, IReadOnlyList<(double X, double Y)> directions, IReadOnlyList<string> names, double scale)
    {
        var groups = new List<(double X, double Y, List<string> Names)>();
        for (var i = 0; i < directions.Count; i++)
        {
            var length = Length(directions[i]);
            var stretch = length == 0 ? 0 : ((length * scale) + 13) / length;
            double x = Centre + (directions[i].X * stretch),
                y = Centre - (directions[i].Y * stretch);
            var near = groups.FindIndex(group => Math.Abs(group.X - x) < 20 && Math.Abs(group.Y - y) < 11);
            if (near >= 0)
                groups[near].Names.Add(names[i]);
            else
                groups.Add((x, y, [names[i]]));
        }
        foreach (var (x, y, members) in groups)
        {
            var text =
                string.Join(", ", members.Take(3).Select(name => name.Length > 12 ? name[..11] + "…" : name))
                + (members.Count > 3 ? $" +{members.Count - 3}" : "");
            var anchor =
                x < Centre - 8 ? "end"
                : x > Centre + 8 ? "start"
                : "middle";
            html.Label(x, y + 4, text, anchor, "name");
        }
    }

    private static double Length((double X, double Y) direction) => double.Hypot(direction.X, direction.Y);
}
