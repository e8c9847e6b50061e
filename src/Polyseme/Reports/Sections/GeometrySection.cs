using Polyseme.Numerics;
using Polyseme.Reports.Charts;
using Polyseme.Reports.Markup;

namespace Polyseme.Reports.Sections;

/// <summary>A picture of where the features lie; without directions, of what the activations show instead.</summary>
internal static class GeometrySection
{
    public static void Write(HtmlWriter html, ReportEntry entry)
    {
        var geometry = entry.Geometry;
        html.Leaf("h3", "Geometry");
        if (geometry?.Directions is { Rows: > 0, Columns: > 0 } directions)
        {
            if (directions.Data.All(double.IsFinite))
            {
                using (html.Open("div", ("class", "figures")))
                {
                    Directions(html, directions, Names(geometry, directions.Rows));
                    Gram(html, geometry.Gram ?? Products(directions), Names(geometry, directions.Rows));
                }
                return;
            }
            html.Leaf("p", "The feature directions hold values that are not finite, so they cannot be drawn.", ("class", "note"));
        }
        else if (geometry?.Gram is { Rows: > 0 } gram)
        {
            using (html.Open("div", ("class", "figures")))
                Gram(html, gram, Names(geometry, gram.Rows));
            return;
        }
        WithoutDirections(html, entry);
    }

    private static void Directions(HtmlWriter html, Matrix directions, IReadOnlyList<string> names)
    {
        using (html.Open("figure"))
        {
            string caption,
                horizontal = "neuron 0",
                vertical = "neuron 1";
            IReadOnlyList<(double X, double Y)> points;
            if (directions.Columns <= 2)
            {
                points =
                [
                    .. Enumerable.Range(0, directions.Rows).Select(i => (directions[i, 0], directions.Columns == 2 ? directions[i, 1] : 0)),
                ];
                caption =
                    $"{NumberText.Count(directions.Rows, "feature direction")} in {NumberText.Count(directions.Columns, "dimension")}, as they are.";
                if (directions.Columns == 1)
                    vertical = "";
            }
            else
            {
                var projection = PrincipalProjection.Of(directions);
                points = projection.Points;
                (horizontal, vertical) = ("axis 1", "axis 2");
                caption =
                    $"{NumberText.Count(directions.Rows, "feature direction")} in {NumberText.Count(directions.Columns, "dimension")}, projected (PCA about the origin) on the two axes that hold most of their squared length: {NumberText.Percent(projection.Share)} of it. Angles between arrows are not those in the layer.";
            }
            if (points.Count > DirectionPlot.MostArrows)
                caption += $" {DirectionPlot.MostArrows} of {NumberText.Count(points.Count)} are shown, spread evenly.";
            html.Leaf("figcaption", caption);
            DirectionPlot.Draw(html, points, names, horizontal, vertical);
        }
    }

    private static void Gram(HtmlWriter html, Matrix gram, IReadOnlyList<string> names)
    {
        using (html.Open("figure"))
        {
            if (!gram.Data.All(double.IsFinite))
            {
                html.Leaf("figcaption", "The Gram matrix holds values that are not finite, so it cannot be drawn.");
                return;
            }
            var caption =
                "Inner products of the directions (Gram matrix). Diagonal: squared lengths. Off it: interference, orange positive, blue negative.";
            if (gram.Rows > GramHeatmap.MostRows)
                caption += $" {GramHeatmap.MostRows} of {NumberText.Count(gram.Rows)} directions are shown, spread evenly.";
            html.Leaf("figcaption", caption);
            GramHeatmap.Draw(html, gram, names);
        }
    }

    private static void WithoutDirections(HtmlWriter html, ReportEntry entry)
    {
        html.Leaf(
            "p",
            "No feature directions are known here, so the picture is of what the activations themselves show.",
            ("class", "note")
        );
        using (html.Open("div", ("class", "figures")))
        {
            if (entry.Geometry?.Spectrum is { Count: > 0 } spectrum && spectrum.All(double.IsFinite) && spectrum[0] > 0)
                using (html.Open("figure"))
                {
                    html.Leaf(
                        "figcaption",
                        $"Spectrum of the covariance of {NumberText.Count(spectrum.Count, "neuron")}. Effective dimension {NumberText.Of(entry.Result.Layer.EffectiveDimension)}."
                    );
                    SpectrumPlot.Draw(html, spectrum, entry.Result.Layer.R);
                }
            var scored = entry.Result.Neurons.Count(neuron => neuron.Score is { } score && double.IsFinite(score));
            if (scored > 0)
                using (html.Open("figure"))
                {
                    html.Leaf(
                        "figcaption",
                        $"Scores of {NumberText.Count(scored, "neuron")}: 0 = one feature explains the neuron, 1 = none does."
                    );
                    ScoreHistogram.Draw(html, entry.Result.Neurons);
                    Legends.Scores(html);
                }
        }
    }

    private static IReadOnlyList<string> Names(ReportGeometry geometry, int count) =>
        geometry.Names is { } names && names.Count == count ? names : [.. Enumerable.Range(0, count).Select(i => $"f{i}")];

    // Only the rows that are shown, and without libtorch: the picture of a small network shouldn't wait for it to load.
    private static Matrix Products(Matrix directions)
    {
        var gram = new Matrix(directions.Rows, directions.Rows);
        var rows = Subsample.Evenly(directions.Rows, GramHeatmap.MostRows);
        foreach (var i in rows)
        foreach (var j in rows)
        {
            var sum = 0.0;
            for (var k = 0; k < directions.Columns; k++)
                sum += directions[i, k] * directions[j, k];
            gram[i, j] = sum;
        }
        return gram;
    }
}
