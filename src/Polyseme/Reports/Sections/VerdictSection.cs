using Polyseme.Reports.Charts;
using Polyseme.Reports.Markup;
using Polyseme.Verdicts;

namespace Polyseme.Reports.Sections;

/// <summary>What was expected, what was found, what remains possible, and the four numbers that every verdict prints.</summary>
internal static class VerdictSection
{
    public static void Write(HtmlWriter html, ReportEntry entry)
    {
        var layer = entry.Result.Layer;
        using (html.Open("div", ("class", "verdict")))
        {
            using (html.Open("dl", ("class", "answer")))
            {
                Answer(html, "True cause", () => TrueCause(html, entry));
                Answer(
                    html,
                    "Verdict",
                    () =>
                    {
                        html.Chip(layer.Verdict, layer.Subtype is { } subtype ? $"({subtype})" : null);
                        if (entry.Right is null)
                            return;
                        html.Text(" ");
                        Rightness(html, entry.Right);
                    }
                );
                Answer(html, $"Still possible ({NumberText.Percent(layer.Coverage)} set)", () => Set(html, layer.Set));
                if (layer.Components.Count > 1)
                    Answer(
                        html,
                        "Causes that coexist, share of signal variance",
                        () =>
                        {
                            foreach (var component in layer.Components)
                            {
                                html.Chip(component.Cause, NumberText.Of(component.Share));
                                html.Text(" ");
                            }
                        }
                    );
            }
            using (html.Open("figure", ("class", "posterior-figure")))
            {
                html.Leaf("figcaption", "Posterior over the causes, sums to 1");
                PosteriorBars.Draw(html, layer.Posterior);
            }
        }
        html.Leaf("p", VerdictWords.Sentence(layer), ("class", "why"));
        if (layer.OutOfDistribution)
            html.Leaf("p", "⚠ This layer is unlike anything the judge was checked on: read the verdict as a guess.", ("class", "warning"));
        if (entry.TruthReason is { } truth)
            html.Leaf("p", "What is true, written down before the judge ran: " + truth, ("class", "truth"));
        Facts(html, entry.Result);
    }

    /// <summary>The true cause, or that it is unknown.</summary>
    public static void TrueCause(HtmlWriter html, ReportEntry entry)
    {
        if (entry.TrueCause is { } cause)
            html.Chip(cause);
        else
            html.Leaf("span", "unknown", ("class", "unknown"));
    }

    /// <summary>Whether the verdict was accepted, in a symbol and words.</summary>
    public static void Rightness(HtmlWriter html, bool? right)
    {
        var (kind, text) = right switch
        {
            true => ("right", "✓ accepted"),
            false => ("wrong", "✗ not accepted"),
            null => ("unknown", "no truth to compare"),
        };
        html.Leaf("span", text, ("class", kind));
    }

    /// <summary>A prediction set as chips.</summary>
    public static void Set(HtmlWriter html, IReadOnlyList<Cause> set)
    {
        if (set.Count == Causes.All.Count)
        {
            html.Leaf("span", "all five causes", ("class", "unknown"));
            return;
        }
        foreach (var cause in set)
        {
            html.SmallChip(cause);
            html.Text(" ");
        }
    }

    private static void Answer(HtmlWriter html, string question, Action answer)
    {
        html.Leaf("dt", question);
        using (html.Open("dd"))
            answer();
    }

    private static void Facts(HtmlWriter html, DiagnosisResult result)
    {
        var layer = result.Layer;
        var interval = layer.EstimatedFeaturesInterval is { Count: 2 } ends ? $" [{NumberText.Of(ends[0])}, {NumberText.Of(ends[1])}]" : "";
        using (html.Open("dl", ("class", "facts")))
        {
            Fact(html, "d", "neurons", NumberText.Count(layer.D));
            Fact(html, "r", "rank of the signal above noise", NumberText.Estimate(layer.R));
            Fact(html, "n_line", "feature directions, up to sign", NumberText.Estimate(layer.NLine));
            Fact(html, "n_ray", "feature directions, with sign", NumberText.Estimate(layer.NRay));
            Fact(html, "effective dimension", "(Σλ)² / Σλ²", NumberText.Of(layer.EffectiveDimension));
            Fact(html, "features that fire", "estimate [interval]", NumberText.Of(layer.EstimatedFeatures) + interval);
            Fact(html, "rows", $"split by {result.Input.Groups}", NumberText.Count(result.Input.NSamples));
            Fact(html, "access", "what the judge was given", string.Join(" ", result.Input.Access));
        }
    }

    private static void Fact(HtmlWriter html, string name, string meaning, string value)
    {
        using (html.Open("div"))
        {
            using (html.Open("dt"))
            {
                html.Leaf("b", name);
                html.Leaf("small", meaning);
            }
            html.Leaf("dd", value);
        }
    }
}
