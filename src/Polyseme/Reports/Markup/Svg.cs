using System.Globalization;
using System.Text;

namespace Polyseme.Reports.Markup;

/// <summary>The few shapes that the charts are drawn with. Lengths are in the units of the view box, about one CSS pixel each.</summary>
internal static class Svg
{
    /// <summary>
    /// Opens a drawing that reads aloud as <paramref name="title"/> and <paramref name="description"/>. It shrinks with its column
    /// and never grows past <paramref name="width"/>, so that text keeps its size.
    /// </summary>
    public static HtmlWriter.Scope OpenSvg(
        this HtmlWriter html,
        double width,
        double height,
        string title,
        string description,
        string? kind = null
    )
    {
        string titleId = html.NextId(),
            descriptionId = html.NextId();
        var scope = html.Open(
            "svg",
            ("class", kind),
            ("role", "img"),
            ("aria-labelledby", $"{titleId} {descriptionId}"),
            ("viewBox", $"0 0 {N(width)} {N(height)}"),
            ("width", N(width)),
            ("height", N(height))
        );
        html.Leaf("title", title, ("id", titleId));
        html.Leaf("desc", description, ("id", descriptionId));
        return scope;
    }

    /// <summary>A rectangle, with a tooltip where one is given. Negative sizes are drawn as nothing.</summary>
    public static void Rect(this HtmlWriter html, double x, double y, double width, double height, string kind, string? tooltip = null)
    {
        ReadOnlySpan<(string, string?)> attributes =
        [
            ("class", kind),
            ("x", N(x)),
            ("y", N(y)),
            ("width", N(Math.Max(0, width))),
            ("height", N(Math.Max(0, height))),
        ];
        if (tooltip is null)
            html.Empty("rect", attributes);
        else
            using (html.Open("rect", attributes))
                html.Leaf("title", tooltip);
    }

    /// <summary>A straight line.</summary>
    public static void Line(this HtmlWriter html, double x1, double y1, double x2, double y2, string kind) =>
        html.Empty("line", ("class", kind), ("x1", N(x1)), ("y1", N(y1)), ("x2", N(x2)), ("y2", N(y2)));

    /// <summary>A circle.</summary>
    public static void Circle(this HtmlWriter html, double x, double y, double radius, string kind) =>
        html.Empty("circle", ("class", kind), ("cx", N(x)), ("cy", N(y)), ("r", N(radius)));

    /// <summary>A line of text. <paramref name="anchor"/> is <c>start</c>, <c>middle</c> or <c>end</c>.</summary>
    public static void Label(this HtmlWriter html, double x, double y, string text, string anchor = "start", string? kind = null) =>
        html.Leaf("text", text, ("class", kind), ("x", N(x)), ("y", N(y)), ("text-anchor", anchor == "start" ? null : anchor));

    /// <summary>A line through points.</summary>
    public static void Polyline(this HtmlWriter html, IEnumerable<(double X, double Y)> points, string kind)
    {
        var path = new StringBuilder();
        foreach (var (x, y) in points)
            path.Append(CultureInfo.InvariantCulture, $"{(path.Length == 0 ? 'M' : 'L')}{N(x)} {N(y)}");
        html.Empty("path", ("class", kind), ("d", path.ToString()));
    }

    /// <summary>A coordinate as text.</summary>
    public static string N(double value) => NumberText.Coordinate(value);
}
