using Polyseme.Reports.Charts;
using Polyseme.Reports.Markup;
using Polyseme.Verdicts;

namespace Polyseme.Reports.Sections;

/// <summary>Where each neuron's variance goes, and which neurons are polysemantic.</summary>
internal static class BudgetSection
{
    /// <summary>With more neurons than this only those with the largest score get a bar.</summary>
    public const int MostBars = 60;

    // A chart of this many bars fits a screen; more of them stand side by side where there is room.
    private const int BarsInAChart = 30;

    public static void Write(HtmlWriter html, ReportEntry entry)
    {
        var neurons = entry.Result.Neurons;
        html.Leaf("h3", $"Budgets ({NumberText.Count(neurons.Count, "neuron")})");
        if (neurons.Count == 0)
        {
            html.Leaf("p", "No neuron was reported.", ("class", "note"));
            return;
        }
        var live = neurons.Where(neuron => neuron.Budget is not null).ToArray();
        html.Leaf("p", Counts(neurons, live.Length));
        Legends.Budgets(html);

        IReadOnlyList<NeuronVerdict> shown = neurons;
        if (neurons.Count > MostBars)
        {
            shown = [.. neurons.OrderByDescending(neuron => neuron.Score ?? -1).ThenBy(neuron => neuron.Index).Take(MostBars)];
            using (html.Open("div", ("class", "figures")))
            {
                if (live.Length > 0)
                    using (html.Open("figure"))
                    {
                        html.Leaf(
                            "figcaption",
                            $"Mean budget of {NumberText.Count(live.Length, "live neuron")}: fraction of a neuron's variance."
                        );
                        BudgetBars.DrawMean(html, Mean(live), "Mean budget");
                    }
                if (neurons.Any(neuron => neuron.Score is not null) && HasOwnPicture(entry))
                    using (html.Open("figure"))
                    {
                        html.Leaf("figcaption", "Scores of all neurons.");
                        ScoreHistogram.Draw(html, neurons);
                        Legends.Scores(html);
                    }
            }
            html.Leaf(
                "p",
                (
                    neurons.Any(neuron => neuron.Score is not null)
                        ? $"The {MostBars} neurons with the largest score, largest first"
                        : $"No score was measured; the first {MostBars} neurons"
                ) + $"; all {NumberText.Count(neurons.Count)} are in the data block.",
                ("class", "note")
            );
        }
        using (html.Open("div", ("class", "figures")))
        {
            foreach (var chunk in shown.Chunk(BarsInAChart))
                using (html.Open("figure"))
                    BudgetBars.Draw(html, chunk, "Budgets of single neurons, fraction of variance");
        }
    }

    // Without directions the score histogram already stands under Geometry.
    private static bool HasOwnPicture(ReportEntry entry) => entry.Geometry is { Directions: not null } or { Gram: not null };

    private static string Counts(IReadOnlyList<NeuronVerdict> neurons, int live)
    {
        var verdicts = neurons
            .GroupBy(neuron => neuron.Verdict, StringComparer.Ordinal)
            .OrderByDescending(group => group.Count())
            .ThenBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => $"{NumberText.Count(group.Count())} {group.Key}");
        var flags = neurons
            .SelectMany(neuron => neuron.Flags)
            .GroupBy(flag => flag, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => $"{NumberText.Count(group.Count())} {group.Key}")
            .ToArray();
        return $"{NumberText.Count(live)} of {NumberText.Count(neurons.Count)} have a budget, {NumberText.Count(neurons.Count(neuron => neuron.Polysemantic == true))} marked polysemantic. Verdicts on single neurons: {string.Join(", ", verdicts)}."
            + (flags.Length == 0 ? "" : $" Flags: {string.Join(", ", flags)}.");
    }

    private static NeuronBudget Mean(IReadOnlyList<NeuronVerdict> live) =>
        new(
            live.Average(neuron => neuron.Budget!.Aligned),
            live.Average(neuron => neuron.Budget!.Rotated),
            live.Average(neuron => neuron.Budget!.Superposed),
            live.Average(neuron => neuron.Budget!.Multidimensional),
            live.Average(neuron => neuron.Budget!.Unstructured)
        );
}
