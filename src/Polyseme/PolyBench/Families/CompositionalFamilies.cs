using Polyseme.Numerics;
using static Polyseme.PolyBench.Families.LinearLayer;

namespace Polyseme.PolyBench.Families;

/// <summary>Layers that store items as arbitrary codes: nothing learned on some says anything about others.</summary>
internal static class CompositionalFamilies
{
    /// <summary>All of them.</summary>
    public static IEnumerable<BenchmarkFamily> All =>
        [
            Family("table-gaussian", "table", "a Gaussian code for each item", draw => Of(draw, Gaussian(draw), jitter: 0)),
            Family("table-uniform", "table", "a code of uniform numbers for each item", draw => Of(draw, Uniform(draw), jitter: 0)),
            Family("table-relu", "table rectified", "a Gaussian code for each item, behind a ReLU", Rectified),
            Family(
                "table-scaled",
                "table scaled",
                "a Gaussian code for each item, of a length that varies from row to row: items are rays",
                draw => Of(draw, Gaussian(draw), jitter: draw.Uniform("jitter", 0.1, 0.6))
            ),
            Family("table-heavy", "table heavy", "a code of Laplace numbers for each item", draw => Of(draw, Laplace(draw), jitter: 0)),
            Family("table-low-rank", "table low rank", "a Gaussian code for each item in fewer dimensions than neurons", LowRank),
            Family("table-bits", "dense bits", "a code of fair bits for each item", Bits),
            Family("table-bits-rotated", "dense bits", "a code of fair bits for each item, in a rotated basis", RotatedBits),
            Family("hash", "hash", "a random network's code of each item's attributes: no attribute is left in it", Hash),
            Family("permutation", "permutation", "the binary digits of a permuted number, a digit a neuron", Permutation),
        ];

    private static BenchmarkFamily Family(string name, string mechanism, string description, Func<CaseDraw, PlantedLayer> make) =>
        new(name, mechanism, Cause.Compositional, description, make);

    /// <summary>Codes shown again and again with a little noise.</summary>
    /// <param name="draw">The case.</param>
    /// <param name="codes">Shape: <c>[items, neurons]</c>.</param>
    /// <param name="jitter">Deviation of the logarithm of a row's length.</param>
    private static PlantedLayer Of(CaseDraw draw, Matrix codes, double jitter)
    {
        var rows = RowsOf(draw);
        var noise = draw.LogUniform("noise_of_rows", 0.01, 0.2);
        var tables = Tables(codes.Rows, draw.Random);
        var (values, meant, items) = (new Matrix(rows, codes.Columns), new Matrix(rows, tables.Columns), new long[rows]);
        for (var i = 0; i < rows; i++)
        {
            var item = draw.Random.NextInt(codes.Rows);
            items[i] = item;
            tables.Row(item).CopyTo(meant.Row(i));
            var length = Math.Exp(jitter * draw.Random.NextNormal());
            for (var j = 0; j < codes.Columns; j++)
                values[i, j] = (length * codes[item, j]) + (noise * draw.Random.NextNormal());
        }
        // Who is not told which rows are one item sees clusters: a code an item, or one feature an item that is on alone.
        var known = draw.Happens("items_known", 0.75);
        var enough = rows >= 4 * codes.Rows && codes.Rows >= 40 && rows >= 20 * codes.Columns;
        var open = new PlantedLayer.Answer(false, "compositional", "undetermined");
        return new PlantedLayer
        {
            Rows = Afterwards.Finish(values, draw),
            Attributes = meant,
            Items = known ? items : null,
            Cause = Cause.Compositional,
            WithLabels = known && enough ? PlantedLayer.Answer.Of(Cause.Compositional) : open,
            Without = known && enough ? PlantedLayer.Answer.Of(Cause.Compositional) : open,
            Budget = Whole(codes.Columns, Cause.Compositional),
            Reason = "each item has a code of its own; labels are tables of items",
        };
    }

    /// <summary>Half of the items each, at random: what is known of an item says nothing of others.</summary>
    private static Matrix Tables(int items, RandomStream random)
    {
        var tables = new Matrix(items, 6);
        for (var i = 0; i < tables.Data.Length; i++)
            tables.Data[i] = random.NextInt(2);
        return tables;
    }

    private static int ItemsOf(CaseDraw draw) => draw.Integer("items", 40, 1_000);

    private static int Width(CaseDraw draw) => draw.Integer("neurons", 12, 96);

    private static Matrix Gaussian(CaseDraw draw) => draw.Random.NormalMatrix(ItemsOf(draw), Width(draw));

    private static Matrix Uniform(CaseDraw draw) => Drawn(draw, random => (random.NextDouble() - 0.5) * Math.Sqrt(12));

    private static Matrix Laplace(CaseDraw draw) =>
        Drawn(draw, random => Math.Log(1 - random.NextDouble()) / Math.Sqrt(2) * (random.NextInt(2) == 0 ? -1 : 1));

    private static Matrix Drawn(CaseDraw draw, Func<RandomStream, double> value)
    {
        var codes = new Matrix(ItemsOf(draw), Width(draw));
        for (var i = 0; i < codes.Data.Length; i++)
            codes.Data[i] = value(draw.Random);
        return codes;
    }

    private static PlantedLayer Rectified(CaseDraw draw)
    {
        var codes = Gaussian(draw);
        Afterwards.Rectify(codes, draw.Uniform("above", 0.3, 0.8), draw.Random);
        return Of(draw, codes, jitter: 0);
    }

    private static PlantedLayer LowRank(CaseDraw draw)
    {
        var neurons = Width(draw);
        var rank = Math.Max(8, (int)(neurons * draw.Uniform("rank_share", 0.2, 0.7)));
        var codes = draw.Random.NormalMatrix(ItemsOf(draw), rank);
        return Of(draw, LinearAlgebra.Multiply(codes, FeatureMap.Rotated(rank, Math.Max(rank, neurons), draw.Random)), jitter: 0);
    }

    private static PlantedLayer Bits(CaseDraw draw) => Digits(draw, Drawn(draw, random => random.NextInt(2) == 0 ? -1 : 1));

    private static PlantedLayer RotatedBits(CaseDraw draw)
    {
        var codes = Drawn(draw, random => random.NextInt(2) == 0 ? -1 : 1);
        return Digits(draw, LinearAlgebra.Multiply(codes, FeatureMap.Rotated(codes.Columns, codes.Columns, draw.Random)));
    }

    private static PlantedLayer Permutation(CaseDraw draw)
    {
        var digits = draw.Integer("digits", 8, 12);
        var order = draw.Random.Permutation(1 << digits);
        var codes = new Matrix(Math.Min(order.Length, ItemsOf(draw)), digits);
        for (var item = 0; item < codes.Rows; item++)
        for (var b = 0; b < digits; b++)
            codes[item, b] = ((order[item] >> b) & 1) == 0 ? -1 : 1;
        return Digits(draw, codes);
    }

    /// <summary>Codes whose digits are directions that hold for all items: without labels they are features as well.</summary>
    private static PlantedLayer Digits(CaseDraw draw, Matrix codes) =>
        Of(draw, codes, jitter: 0) with
        {
            Without = PlantedLayer.Answer.Untold(),
        };

    /// <summary>Attributes of an item through three random layers of steep steps.</summary>
    private static PlantedLayer Hash(CaseDraw draw)
    {
        var (items, neurons, attributes) = (ItemsOf(draw), Width(draw), 6);
        var values = new Matrix(items, attributes + 10);
        for (var i = 0; i < values.Data.Length; i++)
            values.Data[i] = draw.Random.NextInt(2) == 0 ? -1 : 1;
        var meant = values.SelectColumns([.. Enumerable.Range(0, attributes)]);
        for (var layer = 0; layer < 3; layer++)
        {
            values = LinearAlgebra.Multiply(values, draw.Random.NormalMatrix(values.Columns, layer == 2 ? neurons : 64));
            if (layer == 2)
                break;
            for (var i = 0; i < values.Data.Length; i++)
                values.Data[i] = Math.Sign(Math.Sin(3 * values.Data[i]));
        }
        for (var i = 0; i < values.Data.Length; i++)
            values.Data[i] /= 8;
        var layerOf = Of(draw, values, jitter: 0);
        if (layerOf.Items is not { } known)
            return layerOf;
        var labels = new Matrix(known.Length, attributes);
        for (var i = 0; i < known.Length; i++)
            meant.Row((int)known[i]).CopyTo(labels.Row(i));
        return layerOf with
        {
            Attributes = labels,
            Reason = "attributes are hashed: their values are there on items seen before and nowhere else",
        };
    }
}
