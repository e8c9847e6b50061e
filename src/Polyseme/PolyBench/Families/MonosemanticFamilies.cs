using Polyseme.Numerics;
using static Polyseme.PolyBench.Families.LinearLayer;

namespace Polyseme.PolyBench.Families;

/// <summary>Layers whose neurons carry a feature each.</summary>
internal static class MonosemanticFamilies
{
    private const string Reason = "each neuron carries one feature";

    /// <summary>All of them.</summary>
    public static IEnumerable<BenchmarkFamily> All =>
        [
            Family("aligned-sparse", "aligned", "independent sparse features, a neuron each", draw => Of(draw, Sparse(draw))),
            Family(
                "aligned-signed",
                "aligned",
                "the same with values of either sign",
                draw => Of(draw, Sparse(draw) with { Signed = true })
            ),
            Family(
                "aligned-frequencies",
                "aligned frequencies",
                "some features far more frequent than others",
                draw => Of(draw, Sparse(draw) with { Frequencies = draw.OneOf("shape", FrequencyShape.Zipf, FrequencyShape.Exponential) })
            ),
            Family(
                "aligned-blocks",
                "aligned dependent",
                "features that come in threes, a neuron each",
                draw => Of(draw, Sparse(draw) with { Dependence = FeatureDependence.Blocks })
            ),
            Family(
                "aligned-trees",
                "aligned dependent",
                "features of features, a neuron each",
                draw => Of(draw, Sparse(draw) with { Dependence = FeatureDependence.Trees })
            ),
            Family(
                "aligned-exclusive",
                "aligned exclusive",
                "features that exclude each other, a neuron each",
                draw => Of(draw, Sparse(draw) with { Dependence = FeatureDependence.Exclusive })
            ),
            Family(
                "aligned-relu",
                "aligned rectified",
                "sparse signed features behind a ReLU, a neuron each",
                draw =>
                {
                    var above = draw.Uniform("above", 0.3, 0.9);
                    return Of(draw, Sparse(draw) with { Signed = true }, change: rows => Afterwards.Rectify(rows, above, draw.Random));
                }
            ),
            Family("aligned-redundant", "aligned redundant", "fewer features than neurons: several neurons share one", Redundant),
            Family(
                "aligned-gain",
                "aligned gain",
                "a neuron each, and a gain of the whole row",
                draw =>
                {
                    var deviation = draw.Uniform("gain", 0.1, 0.5);
                    return Of(draw, Sparse(draw), change: rows => Afterwards.Gain(rows, deviation, draw.Random));
                }
            ),
            Family(
                "aligned-dense",
                "aligned dense",
                "features that are always on and not Gaussian, a neuron each",
                draw => Of(draw, Dense(draw))
            ),
            Family("aligned-leaking", "aligned leaking", "a neuron each, with up to a tenth of its variance from others", Leaking),
            Family("aligned-types", "aligned types", "types of tokens with a few features each, a neuron a feature", Types),
            Family("aligned-bits", "dense bits", "fair bits, a neuron each: features, or digits of a code", Bits),
        ];

    /// <summary>Sparse features, as many as the case has neurons; the number is drawn here.</summary>
    public static FeatureSource Sparse(CaseDraw draw)
    {
        var neurons = NeuronsOf(draw);
        return new FeatureSource
        {
            Features = neurons,
            Density = draw.LogUniform("density_drawn", 0.02, 0.5),
            Magnitudes = Magnitudes(draw),
        };
    }

    /// <summary>Features that are always on: uniform-like, skewed or heavy-tailed, none Gaussian.</summary>
    public static FeatureSource Dense(CaseDraw draw) =>
        new()
        {
            Features = NeuronsOf(draw),
            Density = 1,
            Magnitudes = draw.OneOf("magnitudes", MagnitudeLaw.Uniform, MagnitudeLaw.Exponential, MagnitudeLaw.LogNormal),
            // Uniform sizes of either sign have two humps; exponential ones are Laplace.
            Signed = draw.Happens("signs", 0.5),
        };

    private static BenchmarkFamily Family(string name, string mechanism, string description, Func<CaseDraw, PlantedLayer> make) =>
        new(name, mechanism, Cause.Monosemantic, description, make);

    private static PlantedLayer Of(CaseDraw draw, FeatureSource source, Action<Matrix>? change = null) =>
        LinearLayer.Of(
            draw,
            Cause.Monosemantic,
            source,
            FeatureMap.Aligned(
                source.Features,
                source.Features,
                signs: change is null && draw.Happens("signs_of_neurons", 0.5),
                draw.Random
            ),
            Reason,
            change
        );

    private static PlantedLayer Redundant(CaseDraw draw)
    {
        var source = Sparse(draw);
        var features = Math.Max(4, (int)(source.Features * draw.Uniform("share", 0.3, 0.8)));
        var map = FeatureMap.Aligned(features, source.Features, signs: false, draw.Random);
        return LinearLayer.Of(
            draw,
            Cause.Monosemantic,
            source with
            {
                Features = features,
            },
            map,
            "each neuron carries one feature, and several share it"
        );
    }

    private static PlantedLayer Leaking(CaseDraw draw)
    {
        var source = Sparse(draw);
        var map = FeatureMap.Aligned(source.Features, source.Features, signs: true, draw.Random);
        var (leak, others) = (draw.Uniform("leak", 0.02, 0.1), FeatureMap.Random(source.Features, source.Features, draw.Random));
        for (var i = 0; i < map.Data.Length; i++)
            map.Data[i] = (map.Data[i] * Math.Sqrt(1 - leak)) + (others.Data[i] * Math.Sqrt(leak));
        return LinearLayer.Of(draw, Cause.Monosemantic, source, map, "one feature has at least .8 of each neuron's variance");
    }

    private static PlantedLayer Types(CaseDraw draw)
    {
        var source = Sparse(draw);
        source = source with { Density = Math.Min(0.3, Math.Max(source.Density, 1.5 / source.Features)) };
        var (values, items) = LinearLayer.Types(draw, source);
        var map = FeatureMap.Aligned(source.Features, source.Features, signs: false, draw.Random);
        return LinearLayer.Of(draw, Cause.Monosemantic, source, values, map, Reason, items);
    }

    private static PlantedLayer Bits(CaseDraw draw)
    {
        var source = new FeatureSource
        {
            Features = NeuronsOf(draw),
            Density = 0.5,
            Magnitudes = MagnitudeLaw.Constant,
        };
        return LinearLayer.Of(
            draw,
            Cause.Monosemantic,
            source,
            FeatureMap.Aligned(source.Features, source.Features, signs: true, draw.Random),
            "each neuron carries one bit; without labels the same activations are the digits of an arbitrary code"
        ) with
        {
            Without = PlantedLayer.Answer.Untold(),
        };
    }
}
