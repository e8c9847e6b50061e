using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Charts;

/// <summary>The posterior over the five causes as five small bars.</summary>
internal static class PosteriorBars
{
    private const double Width = 320,
        Left = 118,
        Bar = 150,
        Row = 20;

    /// <summary>Draws the bars; a cause that the posterior lacks is undefined.</summary>
    public static void Draw(HtmlWriter html, IReadOnlyDictionary<string, double> posterior)
    {
        double? Of(Cause cause) => posterior.TryGetValue(Causes.Id(cause), out var value) ? value : null;
        var description = string.Join(", ", Causes.All.Select(cause => $"{Causes.Id(cause)} {NumberText.Of(Of(cause))}")) + ".";
        using (html.OpenSvg(Width, Causes.All.Count * Row, "Posterior over the causes", description, "posterior"))
        {
            for (var i = 0; i < Causes.All.Count; i++)
            {
                var id = Causes.Id(Causes.All[i]);
                var value = Of(Causes.All[i]);
                using (html.Open("g", ("class", CauseMarks.Kind(id))))
                {
                    html.Label(0, (i * Row) + 14, CauseMarks.Symbol(id), "start", "mark");
                    html.Label(17, (i * Row) + 14, id);
                    html.Rect(Left, (i * Row) + 4, Bar, Row - 8, "track");
                    if (value is { } share && double.IsFinite(share))
                        html.Rect(Left, (i * Row) + 4, Math.Clamp(share, 0, 1) * Bar, Row - 8, "bar");
                    html.Label(Left + Bar + 7, (i * Row) + 14, NumberText.Of(value));
                }
            }
        }
    }
}
