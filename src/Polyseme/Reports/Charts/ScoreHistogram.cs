using Polyseme.Reports.Markup;
using Polyseme.Verdicts;

namespace Polyseme.Reports.Charts;

/// <summary>How the neurons' scores are distributed, those marked polysemantic apart.</summary>
internal static class ScoreHistogram
{
    private const int Bins = 20;
    private const double Left = 42,
        Right = 336,
        Top = 18,
        Bottom = 150;

    /// <summary>Draws the neurons that have a score; at least one.</summary>
    public static void Draw(HtmlWriter html, IReadOnlyList<NeuronVerdict> neurons)
    {
        int[] marked = new int[Bins],
            unmarked = new int[Bins];
        foreach (var neuron in neurons)
        {
            if (neuron.Score is { } score && double.IsFinite(score))
                (neuron.Polysemantic == true ? marked : unmarked)[Math.Clamp((int)(score * Bins), 0, Bins - 1)]++;
        }
        var horizontal = Axis.Linear([0, 1], Left, Right, 5);
        var vertical = Axis.Linear(
            Enumerable.Range(0, Bins).Select(bin => (double)(marked[bin] + unmarked[bin])).Append(0).Append(4),
            Bottom,
            Top
        );
        var description =
            $"{NumberText.Count(marked.Sum() + unmarked.Sum(), "neuron")} with a score, {NumberText.Count(marked.Sum())} marked polysemantic, in {Bins} bins from 0 to 1.";
        using (html.OpenSvg(344, 184, "Distribution of neuron scores", description, "histogram"))
        {
            html.Frame(horizontal, vertical, Left, Right, Top, Bottom, "score, fraction of variance", "neurons");
            for (var bin = 0; bin < Bins; bin++)
            {
                double low = horizontal.At((double)bin / Bins) + 0.75,
                    width = horizontal.At((bin + 1.0) / Bins) - low - 0.75,
                    middle = vertical.At(marked[bin]),
                    top = vertical.At(marked[bin] + unmarked[bin]);
                var tooltip = $"score {NumberText.Of((double)bin / Bins)} to {NumberText.Of((bin + 1.0) / Bins)}: ";
                if (marked[bin] > 0)
                    html.Rect(low, middle, width, Bottom - middle, "h-poly", tooltip + $"{marked[bin]} polysemantic");
                if (unmarked[bin] > 0)
                    html.Rect(low, top, width, middle - top, "h-rest", tooltip + $"{unmarked[bin]} not marked");
            }
        }
    }
}
