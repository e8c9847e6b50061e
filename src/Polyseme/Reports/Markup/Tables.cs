namespace Polyseme.Reports.Markup;

/// <summary>Tables with a caption and named columns, which scroll in their own box where the page is narrow.</summary>
internal static class Tables
{
    /// <summary>A table with one row per item; <paramref name="cells"/> writes a row's cells, the first by <see cref="RowHead"/>.</summary>
    public static void Table<T>(this HtmlWriter html, string caption, IReadOnlyList<string> columns, IEnumerable<T> items, Action<T> cells)
    {
        // Focusable, so that the keyboard can scroll it too.
        using (html.Open("div", ("class", "scroll"), ("role", "region"), ("aria-label", caption), ("tabindex", "0")))
        using (html.Open("table"))
        {
            html.Leaf("caption", caption);
            using (html.Open("thead"))
            using (html.Open("tr"))
            {
                foreach (var column in columns)
                    html.Leaf("th", column, ("scope", "col"));
            }
            using (html.Open("tbody"))
            {
                foreach (var item in items)
                    using (html.Open("tr"))
                        cells(item);
            }
        }
    }

    /// <summary>The cell that names its row.</summary>
    public static void RowHead(this HtmlWriter html, string text) => html.Leaf("th", text, ("scope", "row"));

    /// <summary>A cell that holds a number.</summary>
    public static void NumberCell(this HtmlWriter html, double? value) => html.Leaf("td", NumberText.Of(value), ("class", "number"));
}
