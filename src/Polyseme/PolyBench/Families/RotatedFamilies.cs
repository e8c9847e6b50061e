using Polyseme.Numerics;
using static Polyseme.PolyBench.Families.LinearLayer;

namespace Polyseme.PolyBench.Families;

/// <summary>Layers with no more features than dimensions, along no neuron.</summary>
internal static class RotatedFamilies
{
    private const string Reason = "an invertible map recovers every feature, and neurons mix them";

    /// <summary>All of them.</summary>
    public static IEnumerable<BenchmarkFamily> All =>
        [
            Family("rotated-sparse", "rotated", "independent sparse features along orthogonal directions", draw => Of(draw, Sparse(draw))),
            Family(
                "rotated-signed",
                "rotated",
                "the same with values of either sign",
                draw => Of(draw, Sparse(draw) with { Signed = true })
            ),
            Family(
                "rotated-oblique",
                "rotated oblique",
                "independent sparse features along directions at any angle",
                draw => Of(draw, Sparse(draw), FeatureMap.Oblique)
            ),
            Family(
                "rotated-frequencies",
                "rotated frequencies",
                "some features far more frequent than others",
                draw => Of(draw, Sparse(draw) with { Frequencies = draw.OneOf("shape", FrequencyShape.Zipf, FrequencyShape.Exponential) })
            ),
            Family(
                "rotated-blocks",
                "rotated blocks",
                "features that come in threes: their energies go together, as those of more lines than dimensions do",
                draw => Of(draw, Sparse(draw) with { Dependence = FeatureDependence.Blocks })
            ),
            Family(
                "rotated-trees",
                "rotated trees",
                "features of features",
                draw => Of(draw, Sparse(draw) with { Dependence = FeatureDependence.Trees })
            ),
            Family(
                "rotated-exclusive",
                "rotated exclusive",
                "features that exclude each other",
                draw => Of(draw, Sparse(draw) with { Dependence = FeatureDependence.Exclusive })
            ),
            Family("rotated-dense", "rotated dense", "features that are always on and not Gaussian", draw => Of(draw, Dense(draw))),
            Family(
                "rotated-gain",
                "rotated gain",
                "a gain of the whole row makes independent features look dependent",
                draw =>
                {
                    var deviation = draw.Uniform("gain", 0.1, 0.5);
                    return Of(draw, Sparse(draw), change: rows => Afterwards.Gain(rows, deviation, draw.Random));
                }
            ),
            Family("rotated-relu", "rotated rectified", "sparse features along orthogonal directions, behind a ReLU", Rectified),
            Family("rotated-types", "rotated types", "types of tokens with a few features each, along orthogonal directions", Types),
            Family("rotated-gaussian", "elliptical", "Gaussian features: no direction is special, unless labels say which", Gaussian),
            Family("rotated-bits", "dense bits", "fair bits in a rotated basis: features, or digits of a code", Bits),
            Family("rotated-circles", "circles", "angles, each on a circle in a plane of its own", Circles),
        ];

    private static BenchmarkFamily Family(string name, string mechanism, string description, Func<CaseDraw, PlantedLayer> make) =>
        new(name, mechanism, Cause.Rotated, description, make);

    private static FeatureSource Sparse(CaseDraw draw) => MonosemanticFamilies.Sparse(draw);

    private static FeatureSource Dense(CaseDraw draw) => MonosemanticFamilies.Dense(draw);

    /// <summary>A source as wide as the layer gives the number of neurons; a share of as many features is kept.</summary>
    private static PlantedLayer Of(
        CaseDraw draw,
        FeatureSource source,
        Func<int, int, RandomStream, Matrix>? map = null,
        Action<Matrix>? change = null
    )
    {
        var neurons = source.Features;
        var features = FeaturesOf(draw, neurons);
        return LinearLayer.Of(
            draw,
            Cause.Rotated,
            source with
            {
                Features = features,
            },
            (map ?? FeatureMap.Rotated)(features, neurons, draw.Random),
            Reason,
            change
        );
    }

    private static int FeaturesOf(CaseDraw draw, int neurons) =>
        draw.Happens("as_many_as_neurons", 0.5) ? neurons : Math.Max(4, (int)(neurons * draw.Uniform("share", 0.3, 1)));

    private static PlantedLayer Rectified(CaseDraw draw)
    {
        var above = draw.Uniform("above", 0.5, 0.97);
        var source = Sparse(draw);
        var features = FeaturesOf(draw, source.Features);
        return LinearLayer.Of(
            draw,
            Cause.Rotated,
            source with
            {
                Features = features,
            },
            FeatureMap.Rotated(features, source.Features, draw.Random),
            "an invertible map recovers every feature before the ReLU and nearly so after it",
            rows => Afterwards.Rectify(rows, above, draw.Random),
            // A ReLU that cuts off half of the rows leaves half of what a linear map could read.
            enough: (above >= 0.7, above >= 0.8)
        );
    }

    private static PlantedLayer Types(CaseDraw draw)
    {
        var source = Sparse(draw);
        var neurons = source.Features;
        var features = FeaturesOf(draw, neurons);
        source = source with { Features = features, Density = Math.Min(0.3, Math.Max(source.Density, 1.5 / features)) };
        var (values, items) = LinearLayer.Types(draw, source);
        return LinearLayer.Of(draw, Cause.Rotated, source, values, FeatureMap.Rotated(features, neurons, draw.Random), Reason, items);
    }

    private static PlantedLayer Gaussian(CaseDraw draw)
    {
        var neurons = NeuronsOf(draw);
        var values = draw.Random.NormalMatrix(RowsOf(draw), neurons);
        var source = new FeatureSource { Features = neurons, Density = 1 };
        return LinearLayer.Of(
            draw,
            Cause.Rotated,
            source,
            values,
            FeatureMap.Rotated(neurons, neurons, draw.Random),
            "Gaussian features along orthogonal directions; without labels the same activations are noise",
            items: null
        ) with
        {
            Without = PlantedLayer.Answer.Untold(),
        };
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
            Cause.Rotated,
            source,
            FeatureMap.Rotated(source.Features, source.Features, draw.Random),
            "bits along orthogonal directions; without labels the same activations are the digits of an arbitrary code"
        ) with
        {
            Without = PlantedLayer.Answer.Untold(),
        };
    }

    private static PlantedLayer Circles(CaseDraw draw)
    {
        var neurons = NeuronsOf(draw);
        var circles = Math.Max(2, (int)(neurons * draw.Uniform("share", 0.2, 0.5)));
        var rows = RowsOf(draw);
        var (values, angles) = (new Matrix(rows, 2 * circles), new Matrix(rows, circles));
        for (var i = 0; i < rows; i++)
        for (var c = 0; c < circles; c++)
        {
            angles[i, c] = draw.Random.NextDouble();
            (values[i, (2 * c) + 1], values[i, 2 * c]) = Math.SinCos(2 * Math.PI * angles[i, c]);
        }
        var labels = draw.OneOf("labelled", "coordinates", "angles");
        var budget = new Matrix(neurons, BudgetColumns);
        for (var j = 0; j < neurons; j++)
            budget[j, 3] = 1;
        return new PlantedLayer
        {
            Rows = Afterwards.Finish(LinearAlgebra.Multiply(values, FeatureMap.Rotated(2 * circles, neurons, draw.Random)), draw),
            Attributes = labels == "angles" ? angles : values,
            Cause = Cause.Rotated,
            WithLabels = new PlantedLayer.Answer(rows >= 20 * neurons, "rotated", "nonlinear"),
            Without = new PlantedLayer.Answer(false, "rotated", "nonlinear", "undetermined"),
            NLine = 2 * circles,
            Budget = budget,
            Reason = "linear subspaces of two dimensions, or angles: only the use made of them can tell",
        };
    }
}
