namespace Polyseme.Activations;

/// <summary>A file or an array that a user brought cannot be used: what, where, found, expected, and a hint that helps. The command line exits with 3.</summary>
public sealed class InputException : Exception
{
    /// <summary>One line, put together from its parts.</summary>
    /// <param name="path">The file or directory, with the tensor or member where there is one.</param>
    /// <param name="problem">What is wrong, in a few words.</param>
    /// <param name="found">What was found.</param>
    /// <param name="expected">What was expected.</param>
    /// <param name="hint">What the user can do about it.</param>
    /// <param name="inner">The exception that revealed it.</param>
    public InputException(
        string path,
        string problem,
        string? found = null,
        string? expected = null,
        string? hint = null,
        Exception? inner = null
    )
        : base(Line(path, problem, found, expected, hint), inner)
    {
        Path = path;
    }

    /// <summary>The file or directory.</summary>
    public string Path { get; }

    /// <summary>A name from a file as a message may show it: in quotes, short, control characters as <c>\u</c>.</summary>
    public static string Quote(string text)
    {
        const int longest = 80;
        var shown = new System.Text.StringBuilder("'");
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, longest)))
            shown.Append(char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' ? $"\\u{(int)c:x4}" : c.ToString());
        return shown.Append(text.Length > longest ? "…'" : "'").ToString();
    }

    private static string Line(string path, string problem, string? found, string? expected, string? hint)
    {
        var line = $"{path}: {problem}";
        if (found is not null)
            line += $"; found {found}";
        if (expected is not null)
            line += $"; expected {expected}";
        // A parser that is quoted may repeat what it stumbled over, line ends included.
        return string.Concat((hint is null ? line : $"{line} ({hint})").Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString()));
    }
}
