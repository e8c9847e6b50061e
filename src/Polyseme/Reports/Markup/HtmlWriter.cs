using System.Globalization;
using System.Text;

namespace Polyseme.Reports.Markup;

/// <summary>
/// Writes markup that is HTML to a browser and well-formed XML to a parser: every element is closed, every text and attribute escaped.
/// Nothing is written but through it, so no name from a file can become markup.
/// </summary>
internal sealed class HtmlWriter(TextWriter output)
{
    private static readonly HashSet<string> Block =
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "script",
        "body",
        "header",
        "main",
        "nav",
        "footer",
        "section",
        "article",
        "details",
        "summary",
        "h1",
        "h2",
        "h3",
        "h4",
        "p",
        "div",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "figure",
        "figcaption",
        "svg",
        "desc",
        "g",
        "path",
        "rect",
        "line",
        "circle",
        "pre",
    ];

    private int ids;

    /// <summary>Opens an element; disposing the result closes it. Attributes with a <c>null</c> value are left out.</summary>
    public Scope Open(string name, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        StartTag(name, attributes);
        output.Write('>');
        return new Scope(this, name);
    }

    /// <summary>An element that holds text only.</summary>
    public void Leaf(string name, string text, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        StartTag(name, attributes);
        output.Write('>');
        Text(text);
        Close(name);
    }

    /// <summary>An element that holds nothing: <c>meta</c>, <c>br</c>, and the shapes of SVG.</summary>
    public void Empty(string name, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        StartTag(name, attributes);
        output.Write(" />");
        if (Block.Contains(name))
            output.Write('\n');
    }

    /// <summary>Text, escaped.</summary>
    public void Text(string text) => output.Write(Escape(text));

    /// <summary>Content that is known to hold nothing of markup: our own style sheet, and JSON with every <c>&lt;</c> and <c>&amp;</c> escaped.</summary>
    public void Verbatim(string content) => output.Write(content);

    /// <summary>An id that this document has not used, the same in every run.</summary>
    public string NextId() => string.Create(CultureInfo.InvariantCulture, $"x{++ids}");

    /// <summary>
    /// Text for markup: the five special characters as entities; control characters, lone surrogates and characters that reorder
    /// text visibly, as <c>\u</c> and four digits. Line feeds and tabs stay.
    /// </summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                escaped.Append(c).Append(text[++i]);
            else if (Misleads(c))
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                _ = c switch
                {
                    '<' => escaped.Append("&lt;"),
                    '>' => escaped.Append("&gt;"),
                    '&' => escaped.Append("&amp;"),
                    '"' => escaped.Append("&quot;"),
                    '\'' => escaped.Append("&#39;"),
                    _ => escaped.Append(c),
                };
        }
        return escaped.ToString();
    }

    // Bidirectional marks and overrides can make one name look like another; U+2028 and U+2029 break lines.
    private static bool Misleads(char c) =>
        (char.IsControl(c) && c is not ('\n' or '\t'))
        || char.IsSurrogate(c)
        || c
            is '\u061c'
                or '\u200e'
                or '\u200f'
                or (>= '\u2028' and <= '\u202e')
                or (>= '\u2066' and <= '\u2069')
                or '\ufeff'
                or '\ufffe'
                or '\uffff';

    private void StartTag(string name, ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        output.Write('<');
        output.Write(name);
        foreach (var (attribute, value) in attributes)
        {
            if (value is null)
                continue;
            output.Write(' ');
            output.Write(attribute);
            output.Write("=\"");
            output.Write(Escape(value));
            output.Write('"');
        }
    }

    private void Close(string name)
    {
        output.Write("</");
        output.Write(name);
        output.Write('>');
        if (Block.Contains(name))
            output.Write('\n');
    }

    /// <summary>An open element.</summary>
    internal readonly struct Scope(HtmlWriter writer, string name) : IDisposable
    {
        /// <summary>Closes the element.</summary>
        public void Dispose() => writer.Close(name);
    }
}
