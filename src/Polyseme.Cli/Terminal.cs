using System.Globalization;
using System.Text;

namespace Polyseme.Cli;

/// <summary>Where results and progress go, and whether a person is looking.</summary>
internal sealed class Terminal
{
    /// <summary>Results.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Progress and errors.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Whether <see cref="Out"/> is a screen.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>Whether <see cref="Error"/> is a screen.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>This process's own.</summary>
    public static Terminal OfProcess()
    {
        var smart = Environment.GetEnvironmentVariable("TERM") != "dumb";
        return new Terminal
        {
            Out = Console.Out,
            Error = Console.Error,
            OutIsTerminal = smart && !Console.IsOutputRedirected,
            ErrorIsTerminal = smart && !Console.IsErrorRedirected,
        };
    }

    /// <summary>
    /// Text that came from a file or a user, made safe to show: control characters, line breaks, direction marks and broken surrogates
    /// become <c>\u</c> and four hex digits, so that nothing in a file can steer the terminal or pretend to be another line.
    /// </summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
            {
                // Tag characters and other invisible formatting outside the basic plane.
                if (CharUnicodeInfo.GetUnicodeCategory(text, i) == UnicodeCategory.Format)
                    escaped.Append($"\\u{(int)text[i]:x4}\\u{(int)text[i + 1]:x4}");
                else
                    escaped.Append(text, i, 2);
                i++;
            }
            else if (
                char.GetUnicodeCategory(text[i])
                is UnicodeCategory.Control
                    or UnicodeCategory.Format
                    or UnicodeCategory.LineSeparator
                    or UnicodeCategory.ParagraphSeparator
                    or UnicodeCategory.Surrogate
            )
                escaped.Append($"\\u{(int)text[i]:x4}");
            else
                escaped.Append(text[i]);
        }
        return escaped.ToString();
    }
}
