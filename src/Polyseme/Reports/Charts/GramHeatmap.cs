using System.Text;
using Polyseme.Numerics;
using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Charts;

/// <summary>A symmetric matrix of inner products in two colours: one for negative, one for positive, paper for zero.</summary>
internal static class GramHeatmap
{
    /// <summary>More rows than this are subsampled evenly: finer cells could not be seen, and the file would grow with the square.</summary>
    public const int MostRows = 80;

    // Shades on each side of zero. A path per shade keeps 6,400 cells in a few kilobytes.
    private const int Shades = 10;
    private const double Size = 280;

    /// <summary>Draws the matrix and its legend.</summary>
    /// <param name="html">Where to.</param>
    /// <param name="gram">Inner products, all finite. Shape: <c>[n, n]</c>, n ≥ 1.</param>
    /// <param name="names">One name per row, shown when there are at most 12.</param>
    public static void Draw(HtmlWriter html, Matrix gram, IReadOnlyList<string> names)
    {
        var rows = Subsample.Evenly(gram.Rows, MostRows);
        double largest = 0,
            largestOff = 0;
        foreach (var i in rows)
        foreach (var j in rows)
        {
            largest = Math.Max(largest, Math.Abs(gram[i, j]));
            if (i != j)
                largestOff = Math.Max(largestOff, Math.Abs(gram[i, j]));
        }
        var labelled = rows.Count <= 12 && rows.All(row => names[row].Length <= 6);
        double margin = labelled ? 44 : 4,
            cell = (Size - margin) / rows.Count;
        var description =
            $"{rows.Count} by {rows.Count} inner products; the largest size is {NumberText.Of(largest)}, off the diagonal {NumberText.Of(largestOff)}.";
        using (html.OpenSvg(Size + 8, Size + 40, "Gram matrix of the feature directions", description, "heatmap"))
        {
            html.Rect(margin, margin, Size - margin, Size - margin, "frame");
            foreach (var (level, path) in Runs(gram, rows, largest))
            {
                using (
                    html.Open(
                        "g",
                        ("class", level > 0 ? "positive" : "negative"),
                        ("fill-opacity", Svg.N((double)Math.Abs(level) / Shades)),
                        ("transform", $"translate({Svg.N(margin)} {Svg.N(margin)}) scale({cell.ToString("0.####")})")
                    )
                )
                    html.Empty("path", ("d", path));
            }
            if (labelled)
                Labels(html, rows, names, margin, cell);
            Legend(html, largest, margin);
        }
    }

    // Cells of one shade, merged along rows, as one path in units of cells.
    private static SortedDictionary<int, string> Runs(Matrix gram, IReadOnlyList<int> rows, double largest)
    {
        var paths = new SortedDictionary<int, StringBuilder>();
        for (var i = 0; i < rows.Count; i++)
        for (var j = 0; j < rows.Count; )
        {
            var level = Level(gram[rows[i], rows[j]], largest);
            var start = j;
            while (j < rows.Count && Level(gram[rows[i], rows[j]], largest) == level)
                j++;
            if (level == 0)
                continue;
            if (!paths.TryGetValue(level, out var path))
                paths[level] = path = new StringBuilder();
            path.Append($"M{start} {i}h{j - start}v1h-{j - start}z");
        }
        var texts = new SortedDictionary<int, string>();
        foreach (var (level, path) in paths)
            texts[level] = path.ToString();
        return texts;
    }

    private static int Level(double value, double largest) =>
        largest == 0 ? 0 : (int)Math.Round(Shades * value / largest, MidpointRounding.AwayFromZero);

    private static void Labels(HtmlWriter html, IReadOnlyList<int> rows, IReadOnlyList<string> names, double margin, double cell)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            var middle = margin + ((i + 0.5) * cell);
            html.Label(margin - 5, middle + 4, names[rows[i]], "end", "tick");
            html.Leaf(
                "text",
                names[rows[i]],
                ("class", "tick"),
                ("transform", $"translate({Svg.N(middle + 4)} {Svg.N(margin - 5)}) rotate(-90)")
            );
        }
    }

    private static void Legend(HtmlWriter html, double largest, double margin)
    {
        double step = (Size - margin) / ((2 * Shades) + 1),
            top = Size + 8;
        html.Rect(margin, top, Size - margin, 10, "frame");
        for (var level = -Shades; level <= Shades; level++)
        {
            if (level == 0)
                continue;
            html.Empty(
                "rect",
                ("class", level > 0 ? "positive" : "negative"),
                ("fill-opacity", Svg.N((double)Math.Abs(level) / Shades)),
                ("x", Svg.N(margin + ((level + Shades) * step))),
                ("y", Svg.N(top)),
                ("width", Svg.N(step)),
                ("height", "10")
            );
        }
        html.Label(margin, top + 24, NumberText.Tick(-largest), "start", "tick");
        html.Label((Size + margin) / 2, top + 24, "0", "middle", "tick");
        html.Label(Size, top + 24, NumberText.Tick(largest), "end", "tick");
    }
}
