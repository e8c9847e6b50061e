using Polyseme.Reports.Markup;

namespace Polyseme.Reports;

/// <summary>How a verdict looks: a symbol, a name and a colour, always together, so that colour is never the only cue.</summary>
internal static class CauseMarks
{
    /// <summary>The symbol of a verdict: a cause id, <c>mixed</c>, <c>undetermined</c>.</summary>
    public static string Symbol(string verdict) =>
        verdict switch
        {
            "monosemantic" => "●",
            "rotated" => "◆",
            "superposition" => "▲",
            "nonlinear" => "★",
            "compositional" => "■",
            "mixed" => "◐",
            _ => "○",
        };

    /// <summary>The name shown for a verdict.</summary>
    public static string Name(string verdict)
    {
        foreach (var cause in Causes.All)
        {
            if (Causes.Id(cause) == verdict)
                return Causes.DisplayName(cause);
        }
        return verdict switch
        {
            "mixed" => "Mixed",
            "undetermined" => "Undetermined",
            _ => verdict,
        };
    }

    /// <summary>Style class that carries the verdict's colour; verdicts unknown to us are grey.</summary>
    public static string Kind(string verdict) =>
        verdict == "mixed" || Causes.All.Any(cause => Causes.Id(cause) == verdict) ? $"c-{verdict}" : "c-undetermined";

    /// <summary>What holds when a cause holds, for a reader who has never met it.</summary>
    public static string Meaning(Cause cause) =>
        cause switch
        {
            Cause.Monosemantic =>
                "Each live neuron carries one feature, or one group of related ones. Neurons that look polysemantic under a person's labels may still be reading one thing that the labels split.",
            Cause.Rotated =>
                "There are no more feature directions than dimensions in use, so one invertible linear map recovers every feature; the directions just don't line up with the neurons. A change of basis makes the neurons readable.",
            Cause.Superposition =>
                "There are more feature directions than dimensions, and they add. Neurons must be shared, features interfere a little, and only a dictionary larger than the layer takes them apart.",
            Cause.Nonlinear =>
                "The information is there, but not as directions that add and scale: it sits in magnitudes, gates, regions or products, and no linear, ReLU-linear or sparse-code read-out gets it.",
            Cause.Compositional =>
                "Items can be told apart, but nothing learned on some items explains new ones: codes, as in a hash table. Equivalently: one feature per item.",
            _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "not a cause"),
        };

    /// <summary>Symbol and name in the verdict's colour.</summary>
    public static void Chip(this HtmlWriter html, string verdict, string? suffix = null)
    {
        // No line break between the symbol and the name.
        using (html.Open("span", ("class", $"chip {Kind(verdict)}")))
        {
            html.Leaf("span", Symbol(verdict), ("class", "mark"), ("aria-hidden", "true"));
            html.Text("\u00a0" + Name(verdict) + (suffix is null ? "" : " " + suffix));
        }
    }

    /// <summary>Symbol and name of a cause.</summary>
    public static void Chip(this HtmlWriter html, Cause cause, string? suffix = null) => html.Chip(Causes.Id(cause), suffix);

    /// <summary>Symbol and id only, where room is short.</summary>
    public static void SmallChip(this HtmlWriter html, Cause cause)
    {
        using (html.Open("span", ("class", $"chip small {Kind(Causes.Id(cause))}"), ("title", Causes.DisplayName(cause))))
        {
            html.Leaf("span", Symbol(Causes.Id(cause)), ("class", "mark"), ("aria-hidden", "true"));
            html.Text("\u00a0" + Causes.Id(cause));
        }
    }
}
