using Polyseme.Numerics;
using static Polyseme.PolyBench.Families.LinearLayer;

namespace Polyseme.PolyBench.Families;

/// <summary>Layers that hold what no direction reads.</summary>
internal static class NonlinearFamilies
{
    /// <summary>All of them.</summary>
    public static IEnumerable<BenchmarkFamily> All =>
        [
            Family("mixed-radix", "mixed radix", "two numbers in one, as digits: the lower one is a sawtooth of it", MixedRadix),
            Family("magnitude-levels", "magnitude levels", "classes are levels of the length along a direction", MagnitudeLevels),
            Family("sign-gate", "gate", "a context turns the sign of what is represented", SignGate),
            Family("switched-basis", "gate", "a context decides which of two bases features are written in", SwitchedBasis),
            Family("products", "product", "products of pairs of numbers, along rotated directions", Products),
            Family("fourier-manifold", "manifold", "attributes through waves of random frequency: a curved sheet", FourierManifold),
            Family("folded", "fold", "attributes folded by tent maps, one after the other", Folded),
            Family("norm-coded", "norm", "a number is the length of a row; the direction is anything", NormCoded),
            Family("harmonics", "harmonics", "angles on closed curves of several harmonics", Harmonics),
            Family("xor", "xor", "labels are the XOR of bits that lie along rotated directions", Xor),
            Family("softmax-gate", "softmax gate", "a payload that vanishes where another token is there", SoftmaxGate),
        ];

    private static BenchmarkFamily Family(string name, string mechanism, string description, Func<CaseDraw, PlantedLayer> make) =>
        new(name, mechanism, Cause.Nonlinear, description, make);

    /// <summary>A layer from what is written along rotated directions and what it means.</summary>
    /// <param name="draw">The case.</param>
    /// <param name="written">Shape: <c>[rows, k]</c>.</param>
    /// <param name="meant">Shape: <c>[rows, attributes]</c>.</param>
    /// <param name="reason">Why it is not linear.</param>
    /// <param name="seen">What may be said of what is written, where its meaning is not known, besides nothing.</param>
    private static PlantedLayer Of(CaseDraw draw, Matrix written, Matrix meant, string reason, params IReadOnlyList<Cause> seen)
    {
        var neurons = draw.Integer("neurons", written.Columns, Math.Max(written.Columns, 96));
        var rows = Afterwards.Finish(LinearAlgebra.Multiply(written, FeatureMap.Rotated(written.Columns, neurons, draw.Random)), draw);
        return new PlantedLayer
        {
            Rows = rows,
            Attributes = meant,
            Cause = Cause.Nonlinear,
            // A probe that is not linear has to find a function of the written coordinates from rows alone.
            WithLabels = Told(Cause.Nonlinear, rows.Rows >= Math.Max(3_000, 100 * written.Columns)),
            Without = PlantedLayer.Answer.Untold([Cause.Nonlinear, .. seen]),
            Budget = Whole(neurons, Cause.Nonlinear),
            Reason = reason,
        };
    }

    /// <summary>Labels that are functions of what is linear: of the labels nonlinear, of the layer rotated.</summary>
    private static PlantedLayer Derived(PlantedLayer layer) =>
        layer with
        {
            WithLabels = new PlantedLayer.Answer(layer.WithLabels.Sufficient, "nonlinear", "rotated"),
        };

    private static PlantedLayer MixedRadix(CaseDraw draw)
    {
        var (rows, pairs, z) = (RowsOf(draw), draw.Integer("pairs", 2, 12), draw.Integer("radix", 2, 6));
        var (written, meant) = (new Matrix(rows, pairs), new Matrix(rows, 2 * pairs));
        for (var i = 0; i < rows; i++)
        for (var p = 0; p < pairs; p++)
        {
            var (high, low) = (draw.Random.NextInt(z), draw.Random.NextDouble());
            (meant[i, 2 * p], meant[i, (2 * p) + 1]) = (high, low);
            written[i, p] = (high + low) / z;
        }
        return Of(draw, written, meant, "the lower digit is a sawtooth of what is written", Cause.Rotated);
    }

    private static PlantedLayer MagnitudeLevels(CaseDraw draw)
    {
        var (rows, directions, levels) = (RowsOf(draw), draw.Integer("directions", 2, 12), draw.Integer("levels", 3, 6));
        var (written, meant) = (new Matrix(rows, directions), new Matrix(rows, directions * levels));
        for (var i = 0; i < rows; i++)
        for (var k = 0; k < directions; k++)
        {
            if (draw.Random.NextDouble() < 0.3)
                continue;
            var level = draw.Random.NextInt(levels);
            meant[i, (k * levels) + level] = 1;
            written[i, k] = (level + 1 + (0.2 * (draw.Random.NextDouble() - 0.5))) / levels;
        }
        // The last level of each direction is read by a line; those between are not.
        int[] between = [.. Enumerable.Range(0, directions * levels).Where(c => c % levels < levels - 1)];
        return Of(draw, written, meant.SelectColumns(between), "levels between are read by no direction", Cause.Rotated);
    }

    private static PlantedLayer SignGate(CaseDraw draw)
    {
        var (rows, features) = (RowsOf(draw), draw.Integer("features", 4, 24));
        var (written, meant) = (new Matrix(rows, features + 1), new Matrix(rows, features));
        for (var i = 0; i < rows; i++)
        {
            var context = draw.Random.NextDouble() < 0.5 ? -1 : 1;
            written[i, features] = context * 1.5;
            for (var f = 0; f < features; f++)
            {
                meant[i, f] = draw.Random.NextNormal();
                written[i, f] = context * meant[i, f];
            }
        }
        return Of(draw, written, meant, "what a direction means turns with the context", Cause.Rotated);
    }

    private static PlantedLayer SwitchedBasis(CaseDraw draw)
    {
        var (rows, features) = (RowsOf(draw), draw.Integer("features", 4, 16));
        var bases = new[] { FeatureMap.Rotated(features, features, draw.Random), FeatureMap.Rotated(features, features, draw.Random) };
        var (written, meant) = (new Matrix(rows, features + 1), new Matrix(rows, features));
        for (var i = 0; i < rows; i++)
        {
            var context = draw.Random.NextInt(2);
            written[i, features] = context == 0 ? -1.5 : 1.5;
            for (var f = 0; f < features; f++)
            {
                // Of mean nought, so that what the two bases have in common is little.
                meant[i, f] = draw.Random.NextDouble() < 0.5 ? draw.Random.NextNormal() : 0;
                for (var k = 0; k < features; k++)
                    written[i, k] += meant[i, f] * bases[context][f, k] * (context == 0 ? 1 : -1);
            }
        }
        return Of(draw, written, meant, "which direction a feature has is decided by the context", Cause.Superposition, Cause.Rotated);
    }

    private static PlantedLayer Products(CaseDraw draw)
    {
        var (rows, pairs) = (RowsOf(draw), draw.Integer("pairs", 3, 16));
        var (written, meant) = (new Matrix(rows, 2 * pairs), new Matrix(rows, pairs));
        for (var i = 0; i < rows; i++)
        for (var p = 0; p < pairs; p++)
        {
            var (x, y) = ((2 * draw.Random.NextDouble()) - 1, (2 * draw.Random.NextDouble()) - 1);
            (written[i, 2 * p], written[i, (2 * p) + 1]) = (x, y);
            meant[i, p] = x * y;
        }
        return Derived(Of(draw, written, meant, "numbers are linear, the labels are their products", Cause.Rotated));
    }

    private static PlantedLayer FourierManifold(CaseDraw draw)
    {
        var (rows, attributes) = (RowsOf(draw), draw.Integer("attributes", 2, 4));
        var waves = draw.Integer("waves", 8, 48);
        var strength = draw.Uniform("frequency", 1.5, 4);
        var (meant, written) = (new Matrix(rows, attributes), new Matrix(rows, waves));
        var (frequency, phase) = (draw.Random.NormalMatrix(attributes, waves), draw.Random.NormalMatrix(1, waves));
        for (var i = 0; i < rows; i++)
        {
            for (var a = 0; a < attributes; a++)
                meant[i, a] = (2 * draw.Random.NextDouble()) - 1;
            for (var w = 0; w < waves; w++)
            {
                var argument = 2 * Math.PI * phase[0, w];
                for (var a = 0; a < attributes; a++)
                    argument += strength * frequency[a, w] * meant[i, a];
                written[i, w] = Math.Cos(argument);
            }
        }
        // Even functions of an attribute: many waves do add up to a line, and never to these.
        var layer = Of(draw, written, meant, "attributes lie along a curved sheet of few dimensions in many");
        return layer with { WithLabels = new PlantedLayer.Answer(false, "nonlinear", "undetermined", "rotated") };
    }

    private static PlantedLayer Folded(CaseDraw draw)
    {
        var (rows, attributes, folds) = (RowsOf(draw), draw.Integer("attributes", 2, 10), draw.Integer("folds", 2, 3));
        var (written, meant) = (new Matrix(rows, attributes), new Matrix(rows, attributes));
        for (var i = 0; i < rows; i++)
        for (var a = 0; a < attributes; a++)
        {
            var x = draw.Random.NextDouble();
            written[i, a] = x;
            for (var fold = 0; fold < folds; fold++)
                x = 1 - Math.Abs((2 * x) - 1);
            meant[i, a] = x;
        }
        return Derived(Of(draw, written, meant, "numbers are linear, the labels are their folds", Cause.Rotated));
    }

    private static PlantedLayer NormCoded(CaseDraw draw)
    {
        var (rows, dimensions) = (RowsOf(draw), draw.Integer("dimensions", 6, 32));
        var (written, meant) = (draw.Random.NormalMatrix(rows, dimensions), new Matrix(rows, 1));
        FeatureMap.Unit(written);
        for (var i = 0; i < rows; i++)
        {
            meant[i, 0] = draw.Random.NextDouble();
            foreach (ref var value in written.Row(i))
                value *= 0.5 + meant[i, 0];
        }
        return Of(draw, written, meant, "a length is read by no direction");
    }

    private static PlantedLayer Harmonics(CaseDraw draw)
    {
        var (rows, curves, harmonics) = (RowsOf(draw), draw.Integer("curves", 1, 6), draw.Integer("harmonics", 2, 4));
        var (written, meant) = (new Matrix(rows, 2 * curves * harmonics), new Matrix(rows, curves));
        for (var i = 0; i < rows; i++)
        for (var c = 0; c < curves; c++)
        {
            var angle = draw.Random.NextDouble();
            meant[i, c] = angle;
            for (var h = 1; h <= harmonics; h++)
            {
                var (sin, cos) = Math.SinCos(2 * Math.PI * h * angle);
                var at = 2 * ((c * harmonics) + h - 1);
                (written[i, at], written[i, at + 1]) = (cos / h, sin / h);
            }
        }
        var layer = Of(draw, written, meant, "an angle on a closed curve; its waves are linear subspaces", Cause.Rotated);
        // With as many harmonics a line reads a good part of a sawtooth: a subspace is no wrong answer.
        return Derived(layer);
    }

    private static PlantedLayer Xor(CaseDraw draw)
    {
        var (rows, bits) = (RowsOf(draw), draw.Integer("bits", 4, 24));
        var (written, meant) = (new Matrix(rows, bits), new Matrix(rows, bits / 2));
        for (var i = 0; i < rows; i++)
        {
            for (var b = 0; b < bits; b++)
                written[i, b] = draw.Random.NextInt(2) == 0 ? -1 : 1;
            for (var p = 0; p < bits / 2; p++)
                meant[i, p] = written[i, 2 * p] != written[i, (2 * p) + 1] ? 1 : 0;
        }
        return Derived(Of(draw, written, meant, "bits are linear, the labels are their XORs", Cause.Rotated));
    }

    private static PlantedLayer SoftmaxGate(CaseDraw draw)
    {
        var (rows, payloads) = (RowsOf(draw), draw.Integer("payloads", 3, 16));
        var (written, meant) = (new Matrix(rows, 2 * payloads), new Matrix(rows, payloads));
        for (var i = 0; i < rows; i++)
        for (var p = 0; p < payloads; p++)
        {
            var (payload, there) = (draw.Random.NextInt(2) == 0 ? -1 : 1, draw.Random.NextInt(2));
            (written[i, 2 * p], written[i, (2 * p) + 1]) = (payload, there == 1 ? 1 : -1);
            meant[i, p] = payload * (1 - there);
        }
        return Derived(
            Of(
                draw,
                written,
                meant,
                "payload and presence are linear, the labels are what comes of both: a line reads R² = .5",
                Cause.Rotated
            )
        );
    }
}
