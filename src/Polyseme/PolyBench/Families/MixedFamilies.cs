using Polyseme.Numerics;
using static Polyseme.PolyBench.Families.LinearLayer;

namespace Polyseme.PolyBench.Families;

/// <summary>Layers in which two causes stand side by side, each in a subspace of its own.</summary>
internal static class MixedFamilies
{
    /// <summary>All of them.</summary>
    public static IEnumerable<BenchmarkFamily> All =>
        [
            Family("mixed-aligned-rotated", Cause.Monosemantic, Cause.Rotated, turned: false),
            Family("mixed-aligned-superposed", Cause.Monosemantic, Cause.Superposition, turned: false),
            Family("mixed-rotated-superposed", Cause.Rotated, Cause.Superposition, turned: false),
            Family("mixed-rotated-superposed-turned", Cause.Rotated, Cause.Superposition, turned: true),
        ];

    private static BenchmarkFamily Family(string name, Cause first, Cause second, bool turned) =>
        new(
            name,
            turned ? "mixed turned" : "mixed",
            second,
            $"{Causes.Id(first)} and {Causes.Id(second)} side by side{(turned ? ", turned together" : "")}",
            draw => Make(draw, first, second, turned)
        );

    private static PlantedLayer Make(CaseDraw draw, Cause first, Cause second, bool turned)
    {
        var (rows, size) = (RowsOf(draw), draw.Integer("neurons_each", 8, 40));
        var share = draw.Uniform("share_of_second", 0.3, 0.7);
        var parts = new[] { Part(draw, first, size, rows), Part(draw, second, size, rows) };
        var neurons = 2 * size;
        var layer = new Matrix(rows, neurons);
        for (var p = 0; p < 2; p++)
        {
            var written = LinearAlgebra.Multiply(parts[p].Values, parts[p].Map);
            var scale = Math.Sqrt((p == 0 ? 1 - share : share) / Variance(written));
            for (var i = 0; i < rows; i++)
            for (var j = 0; j < size; j++)
                layer[i, (p * size) + j] = scale * written[i, j];
        }
        if (turned)
            layer = LinearAlgebra.Multiply(layer, FeatureMap.Rotated(neurons, neurons, draw.Random));
        var budget = new Matrix(neurons, BudgetColumns);
        for (var j = 0; j < neurons; j++)
        {
            var (one, other) = (Whole(1, first), Whole(1, second));
            for (var k = 0; k < BudgetColumns; k++)
                budget[j, k] =
                    turned ? ((1 - share) * one[0, k]) + (share * other[0, k])
                    : j < size ? one[0, k]
                    : other[0, k];
        }
        var answer = new PlantedLayer.Answer(
            Enough(parts[0].Values, size, items: null) && Enough(parts[1].Values, size, items: null),
            "mixed",
            "undetermined"
        );
        var attributes = new Matrix(rows, parts[0].Values.Columns + parts[1].Values.Columns);
        for (var i = 0; i < rows; i++)
        {
            parts[0].Values.Row(i).CopyTo(attributes.Row(i));
            parts[1].Values.Row(i).CopyTo(attributes.Row(i)[parts[0].Values.Columns..]);
        }
        return new PlantedLayer
        {
            Rows = Afterwards.Finish(layer, draw),
            Attributes = attributes,
            Cause = second,
            Possible = [first, second],
            WithLabels = answer,
            Without = answer,
            NLine = attributes.Columns,
            Budget = budget,
            Reason = "each of two causes has at least .3 of the variance",
        };
    }

    private static (Matrix Values, Matrix Map) Part(CaseDraw draw, Cause cause, int neurons, int rows)
    {
        var ratio = cause == Cause.Superposition ? draw.LogUniform("features_per_dimension", 1.5, 5) : 1;
        var features = (int)Math.Ceiling(ratio * neurons);
        var source = new FeatureSource
        {
            Features = features,
            Density = draw.LogUniform($"density_{Causes.Id(cause)}", 0.02, 0.15) / ratio,
            Magnitudes = Magnitudes(draw),
        };
        var map = cause switch
        {
            Cause.Monosemantic => FeatureMap.Aligned(features, neurons, signs: false, draw.Random),
            Cause.Rotated => FeatureMap.Rotated(features, neurons, draw.Random),
            _ => FeatureMap.Random(features, neurons, draw.Random),
        };
        return (source.Sample(rows, draw.Random), map);
    }

    /// <summary>Of all columns together.</summary>
    private static double Variance(Matrix rows)
    {
        var variance = 0.0;
        for (var j = 0; j < rows.Columns; j++)
        {
            var column = rows.Column(j);
            var mean = column.Average();
            variance += column.Average(value => (value - mean) * (value - mean));
        }
        return Math.Max(variance, 1e-12);
    }
}
