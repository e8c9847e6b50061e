using Polyseme.Numerics;
using static Polyseme.PolyBench.Families.LinearLayer;

namespace Polyseme.PolyBench.Families;

/// <summary>Layers with more features than dimensions, along directions that add.</summary>
internal static class SuperpositionFamilies
{
    private const string Reason = "more features than dimensions, and they add";

    /// <summary>All of them.</summary>
    public static IEnumerable<BenchmarkFamily> All =>
        [
            Family("superposed-random", "superposed", "sparse features along random directions", draw => Of(draw, Source(draw))),
            Family(
                "superposed-apart",
                "superposed",
                "sparse features along directions pushed apart",
                draw => Of(draw, Source(draw), FeatureMap.PushedApart)
            ),
            Family(
                "superposed-signed",
                "superposed signed",
                "sparse features of either sign",
                draw => Of(draw, Source(draw) with { Signed = true })
            ),
            Family(
                "superposed-constant",
                "superposed constant",
                "features that are on or off",
                draw => Of(draw, Source(draw) with { Magnitudes = MagnitudeLaw.Constant })
            ),
            Family(
                "superposed-frequencies",
                "superposed frequencies",
                "some features far more frequent than others",
                draw => Of(draw, Source(draw) with { Frequencies = draw.OneOf("shape", FrequencyShape.Zipf, FrequencyShape.Exponential) })
            ),
            Family(
                "superposed-clustered",
                "superposed clustered",
                "features that lean on one another in fours",
                draw => Of(draw, Source(draw), FeatureMap.Clustered)
            ),
            Family(
                "superposed-blocks",
                "superposed blocks",
                "features that come in threes",
                draw => Of(draw, Source(draw) with { Dependence = FeatureDependence.Blocks })
            ),
            Family(
                "superposed-trees",
                "superposed trees",
                "features of features",
                draw => Of(draw, Source(draw) with { Dependence = FeatureDependence.Trees })
            ),
            Family(
                "superposed-exclusive",
                "superposed exclusive",
                "features that exclude each other in fours",
                draw => Of(draw, Source(draw) with { Dependence = FeatureDependence.Exclusive })
            ),
            Family(
                "superposed-gain",
                "superposed gain",
                "a gain of the whole row",
                draw =>
                {
                    var deviation = draw.Uniform("gain", 0.1, 0.5);
                    return Of(draw, Source(draw), change: rows => Afterwards.Gain(rows, deviation, draw.Random));
                }
            ),
            Family("superposed-relu", "superposed rectified", "sparse features along random directions, behind a ReLU", Rectified),
            Family("superposed-types", "superposed types", "types of tokens, each a sum of a few of more features than dimensions", Types),
            Family("superposed-in-span", "superposed in span", "more features than the rank, no more than neurons", InSpan),
            Family(
                "superposed-antipodal",
                "antipodal",
                "two features a line, one either way, never together: signed features, or twice as many rays",
                Antipodal
            ),
        ];

    private static BenchmarkFamily Family(string name, string mechanism, string description, Func<CaseDraw, PlantedLayer> make) =>
        new(name, mechanism, Cause.Superposition, description, make);

    /// <summary>Features of a layer whose neurons are drawn, too: kept in the settings until the map is made.</summary>
    private static FeatureSource Source(CaseDraw draw)
    {
        var neurons = draw.Integer("neurons", 8, 96);
        var ratio = draw.LogUniform("features_per_dimension", 1.3, 8);
        var features = Math.Min(512, (int)Math.Ceiling(ratio * neurons));
        var most = neurons / (2 * Math.Log(Math.Max(1.5, ratio)));
        var active = draw.LogUniform("active", 0.7, Math.Max(1, 1.3 * most));
        return new FeatureSource
        {
            Features = features,
            Density = Math.Min(0.5, active / features),
            Magnitudes = Magnitudes(draw),
        };
    }

    private static int Neurons(CaseDraw draw) => (int)draw.Settings["neurons"]!;

    private static PlantedLayer Of(
        CaseDraw draw,
        FeatureSource source,
        Func<int, int, RandomStream, Matrix>? map = null,
        Action<Matrix>? change = null,
        (bool, bool)? enough = null
    ) =>
        LinearLayer.Of(
            draw,
            Cause.Superposition,
            source,
            (map ?? FeatureMap.Random)(source.Features, Neurons(draw), draw.Random),
            Reason,
            change,
            enough
        );

    private static PlantedLayer Rectified(CaseDraw draw)
    {
        var above = draw.Uniform("above", 0.3, 0.9);
        return Of(draw, Source(draw), change: rows => Afterwards.Rectify(rows, above, draw.Random), enough: (true, above >= 0.6));
    }

    private static PlantedLayer Types(CaseDraw draw)
    {
        var source = Source(draw);
        source = source with { Density = Math.Max(source.Density, 1.5 / source.Features) };
        var (values, items) = LinearLayer.Types(draw, source);
        return LinearLayer.Of(
            draw,
            Cause.Superposition,
            source,
            values,
            FeatureMap.Random(source.Features, Neurons(draw), draw.Random),
            "features of types are directions, shared between types and more than dimensions",
            items
        );
    }

    private static PlantedLayer InSpan(CaseDraw draw)
    {
        var source = Source(draw);
        var rank = Neurons(draw);
        var neurons = Math.Max(source.Features, rank + 1);
        var map = LinearAlgebra.Multiply(
            FeatureMap.Random(source.Features, rank, draw.Random),
            FeatureMap.Rotated(rank, neurons, draw.Random)
        );
        draw.Settings["rank"] = rank;
        var rows = RowsOf(draw);
        var values = source.Sample(rows, draw.Random);
        var layer = LinearLayer.Of(draw, Cause.Superposition, source, values, map, "more features than the rank of the layer", items: null);
        var enough = Enough(values, rank, items: null);
        return layer with { WithLabels = Told(Cause.Superposition, enough), Without = Told(Cause.Superposition, enough) };
    }

    private static PlantedLayer Antipodal(CaseDraw draw)
    {
        var neurons = draw.Integer("neurons", 8, 96);
        var source = new FeatureSource
        {
            Features = neurons,
            Density = draw.LogUniform("density_drawn", 0.02, 0.4),
            Magnitudes = Magnitudes(draw),
            Signed = true,
        };
        var signed = source.Sample(RowsOf(draw), draw.Random);
        var map = FeatureMap.Rotated(neurons, neurons, draw.Random);
        var layer = LinearLayer.Of(
            draw,
            Cause.Superposition,
            source,
            signed,
            map,
            "two features a line, told apart by a ReLU: superposition in the strict count, rotated in the ReLU-linear sense",
            items: null
        );
        // Each side of a line is a feature of its own.
        var sides = new Matrix(signed.Rows, 2 * neurons);
        for (var i = 0; i < signed.Rows; i++)
        for (var f = 0; f < neurons; f++)
            (sides[i, 2 * f], sides[i, (2 * f) + 1]) = (Math.Max(0, signed[i, f]), Math.Max(0, -signed[i, f]));
        var both = new PlantedLayer.Answer(false, "superposition", "rotated", "undetermined");
        return layer with { Attributes = sides, WithLabels = both, Without = both };
    }
}
