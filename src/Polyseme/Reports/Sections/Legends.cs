using Polyseme.Reports.Charts;
using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Sections;

/// <summary>Keys to the colours, letters and marks of the charts.</summary>
internal static class Legends
{
    /// <summary>The five shares of a budget and the polysemantic mark.</summary>
    public static void Budgets(HtmlWriter html)
    {
        using (html.Open("ul", ("class", "legend"), ("aria-label", "Key to the budget bars")))
        {
            foreach (var (letter, name, kind, _) in BudgetBars.Shares)
                using (html.Open("li"))
                {
                    html.Leaf("span", letter, ("class", $"swatch {kind}"), ("aria-hidden", "true"));
                    html.Text($" {letter}: {name}");
                }
            using (html.Open("li"))
            {
                html.Leaf("span", "●", ("class", "poly-key"), ("aria-hidden", "true"));
                html.Text(" polysemantic at level .05; ○ not marked, or no null");
            }
        }
    }

    /// <summary>The two parts of a score histogram.</summary>
    public static void Scores(HtmlWriter html)
    {
        using (html.Open("ul", ("class", "legend"), ("aria-label", "Key to the score histogram")))
        {
            using (html.Open("li"))
            {
                html.Leaf("span", "", ("class", "swatch h-poly"), ("aria-hidden", "true"));
                html.Text(" bottom: marked polysemantic");
            }
            using (html.Open("li"))
            {
                html.Leaf("span", "", ("class", "swatch h-rest"), ("aria-hidden", "true"));
                html.Text(" top: not marked");
            }
        }
    }
}
