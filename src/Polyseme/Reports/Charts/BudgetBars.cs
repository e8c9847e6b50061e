using Polyseme.Reports.Markup;
using Polyseme.Verdicts;

namespace Polyseme.Reports.Charts;

/// <summary>Where neurons' variance goes: one stacked bar a neuron, the five shares always in the same order.</summary>
internal static class BudgetBars
{
    private const double Width = 350,
        Left = 62,
        Bar = 232,
        Row = 15;

    /// <summary>The shares, in the order of the bars: letter, name, style class, value.</summary>
    public static IReadOnlyList<(string Letter, string Name, string Kind, Func<NeuronBudget, double> Of)> Shares { get; } =
    [
        ("A", "aligned", "b-aligned", budget => budget.Aligned),
        ("R", "rotated", "b-rotated", budget => budget.Rotated),
        ("S", "superposed", "b-superposed", budget => budget.Superposed),
        ("M", "multidimensional", "b-multidimensional", budget => budget.Multidimensional),
        ("U", "unstructured", "b-unstructured", budget => budget.Unstructured),
    ];

    /// <summary>Draws some neurons, in the order given.</summary>
    public static void Draw(HtmlWriter html, IReadOnlyList<NeuronVerdict> neurons, string title)
    {
        var live = neurons.Count(neuron => neuron.Budget is not null);
        var description =
            $"{NumberText.Count(neurons.Count, "neuron")}, {NumberText.Count(live)} of them live. Bars: shares of the neuron's variance, 0 to 1. Right: score. {NumberText.Count(neurons.Count(neuron => neuron.Polysemantic == true))} marked polysemantic.";
        var bottom = 16 + (neurons.Count * Row);
        using (html.OpenSvg(Width, bottom + 18, title, description, "budgets"))
        {
            html.Label(Left - 6, 10, "neuron", "end", "tick");
            html.Label(Left + Bar + 6, 10, "score", "start", "tick");
            for (var i = 0; i < neurons.Count; i++)
                Neuron(html, neurons[i], 16 + (i * Row));
            Scale(html, bottom);
        }
    }

    /// <summary>Draws one budget that stands for many neurons.</summary>
    public static void DrawMean(HtmlWriter html, NeuronBudget mean, string title)
    {
        var description = string.Join(", ", Shares.Select(share => $"{share.Name} {NumberText.Of(share.Of(mean))}")) + ".";
        using (html.OpenSvg(Width, 16 + Row + 18, title, description, "budgets"))
        {
            html.Label(Left - 6, 16 + 11, "mean", "end");
            Stack(html, mean, 16);
            Scale(html, 16 + Row);
        }
    }

    private static void Neuron(HtmlWriter html, NeuronVerdict neuron, double top)
    {
        html.Label(Left - 18, top + 11, NumberText.Coordinate(neuron.Index), "end");
        html.Circle(Left - 10, top + 7, 3.5, neuron.Polysemantic == true ? "poly" : "not-poly");
        if (neuron.Budget is { } budget)
            Stack(html, budget, top);
        else
        {
            html.Rect(Left, top + 1, Bar, Row - 3, "frame");
            html.Label(Left + 5, top + 11, "no budget: dead, or not measured", "start", "tick");
        }
        html.Label(Left + Bar + 6, top + 11, NumberText.Of(neuron.Score));
    }

    private static void Stack(HtmlWriter html, NeuronBudget budget, double top)
    {
        var x = Left;
        foreach (var (letter, name, kind, of) in Shares)
        {
            var share = double.IsFinite(of(budget)) ? Math.Clamp(of(budget), 0, 1) : 0;
            var width = Math.Min(share * Bar, Left + Bar - x);
            if (width >= 0.25)
                html.Rect(x, top + 1, width, Row - 3, kind, $"{name} {NumberText.Of(share)}");
            if (width >= 22)
                html.Label(x + 4, top + 11, letter, "start", "on-fill");
            x += width;
        }
    }

    private static void Scale(HtmlWriter html, double top)
    {
        html.Line(Left, top + 1, Left + Bar, top + 1, "axis");
        foreach (var share in (double[])[0, 0.5, 1])
            html.Label(
                Left + (share * Bar),
                top + 14,
                NumberText.Tick(share),
                share == 0 ? "start"
                    : share == 1 ? "end"
                    : "middle",
                "tick"
            );
    }
}
