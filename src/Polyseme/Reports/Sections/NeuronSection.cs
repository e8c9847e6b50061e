using Polyseme.Reports.Markup;
using Polyseme.Verdicts;

namespace Polyseme.Reports.Sections;

/// <summary>The most polysemantic neurons, each with the text it fires on and the concepts it detects.</summary>
internal static class NeuronSection
{
    private const int MostConcepts = 6;

    public static void Write(HtmlWriter html, ReportEntry entry)
    {
        if (entry.Neurons.Count == 0)
            return;
        var verdicts = entry.Result.Neurons.GroupBy(neuron => neuron.Index).ToDictionary(group => group.Key, group => group.First());
        var scored = entry.Neurons.Any(detail => verdicts.GetValueOrDefault(detail.Index)?.Score is not null);
        html.Leaf(
            "h3",
            $"{(scored ? "The most polysemantic neurons" : "Neurons that respond to the most concepts")} ({NumberText.Count(entry.Neurons.Count)})"
        );
        if (!scored)
            html.Leaf("p", "No score was measured in this layer, so none of these neurons is marked polysemantic.", ("class", "note"));
        html.Leaf(
            "p",
            "Text around the places where the neuron fires most, strongest first, with the activation there. Shading: activation as a share of the neuron's largest; the underlined token is the one each line was chosen for. AUC: the neuron as a detector of the concept, .5 is chance.",
            ("class", "note")
        );
        using (html.Open("div", ("class", "neurons")))
        {
            foreach (var detail in entry.Neurons)
                using (html.Open("article", ("class", "neuron")))
                    Neuron(html, detail, verdicts.GetValueOrDefault(detail.Index));
        }
    }

    private static void Neuron(HtmlWriter html, NeuronDetail detail, NeuronVerdict? verdict)
    {
        using (html.Open("div", ("class", "evidence-head")))
        {
            html.Leaf("h4", $"Neuron {detail.Index}");
            if (verdict is not null)
            {
                html.Leaf(
                    "span",
                    $"score {NumberText.Of(verdict.Score)}" + (verdict.Polysemantic == true ? " ● polysemantic" : ""),
                    ("class", "favours")
                );
                html.Chip(verdict.Verdict);
            }
        }
        if (verdict is { Flags.Count: > 0 })
            html.Leaf("p", "flags: " + string.Join(", ", verdict.Flags), ("class", "nulls"));
        if (verdict is { Concepts.Count: > 0 })
            using (html.Open("ul", ("class", "concepts"), ("aria-label", "Concepts with AUC")))
            {
                foreach (var concept in verdict.Concepts.Take(MostConcepts))
                    using (html.Open("li"))
                    {
                        html.Text(concept.Name + " ");
                        html.Leaf("b", NumberText.Of(concept.Auc));
                    }
                if (verdict.Concepts.Count > MostConcepts)
                    html.Leaf("li", $"and {verdict.Concepts.Count - MostConcepts} more");
            }
        else
            html.Leaf("p", "No concept that was given explains where it fires.", ("class", "note"));
        if (detail.Contexts.Count == 0)
        {
            html.Leaf("p", "No token text was given.", ("class", "note"));
            return;
        }
        var largest = detail.Contexts.SelectMany(context => context.Activations).Where(double.IsFinite).DefaultIfEmpty(0).Max();
        // Some tokenizers keep the space before a word in its token; lists of words have none.
        var separator = detail.Contexts.SelectMany(context => context.Tokens).Any(token => token.Length > 1 && IsSpace(token[0]))
            ? ""
            : " ";
        using (html.Open("ol", ("class", "contexts")))
        {
            foreach (var context in detail.Contexts)
                using (html.Open("li"))
                    Context(html, context, largest, separator);
        }
    }

    private static void Context(HtmlWriter html, TokenContext context, double largest, string separator)
    {
        html.Leaf("span", NumberText.Of(context.Activations[context.Peak]), ("class", "activation"));
        using (html.Open("span", ("class", "text")))
        {
            for (var i = 0; i < context.Tokens.Count; i++)
            {
                if (i > 0)
                    html.Text(separator);
                var share = largest > 0 && double.IsFinite(context.Activations[i]) ? Math.Clamp(context.Activations[i] / largest, 0, 1) : 0;
                var percent = (int)Math.Round(share * 70);
                var token = Visible(context.Tokens[i]);
                if (percent == 0 && i != context.Peak)
                    html.Text(token);
                else
                    html.Leaf(
                        "span",
                        token,
                        ("class", i == context.Peak ? "token peak" : "token"),
                        ("style", $"--a:{percent}%"),
                        ("title", $"activation {NumberText.Of(context.Activations[i])}")
                    );
            }
        }
    }

    private static bool IsSpace(char c) => c is ' ' or '\u2581' or 'Ġ';

    // Line breaks and tabs are tokens too, and a reader must see them where they fired; SentencePiece and GPT-2 spell a space ▁ and Ġ.
    private static string Visible(string token)
    {
        var text = token.Replace("\r", "").Replace('\n', '↵').Replace('\t', '⇥').Replace('\u2581', ' ');
        return text.StartsWith('Ġ') ? " " + text[1..] : text;
    }
}
