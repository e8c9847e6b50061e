using Polyseme.Numerics;
using static Polyseme.PolyBench.Families.LinearLayer;

namespace Polyseme.PolyBench.Families;

/// <summary>Layers in which there is nothing to find.</summary>
internal static class NullFamilies
{
    /// <summary>All of them.</summary>
    public static IEnumerable<BenchmarkFamily> All =>
        [
            Family("noise-white", "noise", "independent normal numbers, turned", draw => Of(draw, White(draw, NeuronsOf(draw)))),
            Family("noise-coloured", "noise", "normal numbers with a falling spectrum", Coloured),
            Family("noise-low-rank", "noise", "normal numbers of fewer dimensions than neurons", LowRank),
            Family("noise-student", "elliptical", "Student's law: rows of any length, no direction", Student),
            Family("noise-two-lengths", "elliptical", "rows of two lengths, no direction", TwoLengths),
            Family("noise-sphere", "elliptical", "rows of one length, no direction", Sphere),
            Family("noise-documents", "noise documents", "normal rows around the normal mean of their document", Documents),
            Family("noise-walk", "noise walk", "normal rows, each near the one before", Walk),
        ];

    private static BenchmarkFamily Family(string name, string mechanism, string description, Func<CaseDraw, PlantedLayer> make) =>
        new(name, mechanism, Cause: null, description, make);

    private static PlantedLayer Of(CaseDraw draw, Matrix rows) =>
        new()
        {
            Rows = Afterwards.Finish(rows, draw),
            Cause = null,
            WithLabels = new PlantedLayer.Answer(false, "undetermined"),
            Without = new PlantedLayer.Answer(false, "undetermined"),
            Reason = "no direction differs from another",
        };

    private static Matrix White(CaseDraw draw, int neurons) => draw.Random.NormalMatrix(RowsOf(draw), neurons);

    /// <summary>Each dimension with a standard deviation of its own, then turned.</summary>
    private static Matrix Coloured(CaseDraw draw, Matrix rows, double exponent)
    {
        for (var i = 0; i < rows.Rows; i++)
        for (var j = 0; j < rows.Columns; j++)
            rows[i, j] *= Math.Pow(j + 1, -exponent);
        return LinearAlgebra.Multiply(rows, FeatureMap.Rotated(rows.Columns, rows.Columns, draw.Random));
    }

    private static PlantedLayer Coloured(CaseDraw draw) =>
        Of(draw, Coloured(draw, White(draw, NeuronsOf(draw)), draw.Uniform("fall", 0.2, 1.2)));

    private static PlantedLayer LowRank(CaseDraw draw)
    {
        var neurons = NeuronsOf(draw);
        var rank = Math.Max(3, (int)(neurons * draw.Uniform("rank_share", 0.1, 0.7)));
        return Of(draw, LinearAlgebra.Multiply(White(draw, rank), FeatureMap.Rotated(rank, neurons, draw.Random)));
    }

    private static PlantedLayer Student(CaseDraw draw)
    {
        var rows = White(draw, NeuronsOf(draw));
        var freedom = draw.Integer("freedom", 3, 12);
        for (var i = 0; i < rows.Rows; i++)
        {
            var chi = 0.0;
            for (var k = 0; k < freedom; k++)
                chi += Math.Pow(draw.Random.NextNormal(), 2);
            foreach (ref var value in rows.Row(i))
                value /= Math.Sqrt(chi / freedom);
        }
        return Of(draw, Coloured(draw, rows, draw.Uniform("fall", 0, 0.8)));
    }

    private static PlantedLayer TwoLengths(CaseDraw draw)
    {
        var rows = White(draw, NeuronsOf(draw));
        var (factor, share) = (draw.Uniform("factor", 2, 6), draw.Uniform("share", 0.05, 0.5));
        for (var i = 0; i < rows.Rows; i++)
        {
            if (draw.Random.NextDouble() >= share)
                continue;
            foreach (ref var value in rows.Row(i))
                value *= factor;
        }
        return Of(draw, Coloured(draw, rows, draw.Uniform("fall", 0, 0.8)));
    }

    private static PlantedLayer Sphere(CaseDraw draw) =>
        Of(draw, Coloured(draw, FeatureMap.Unit(White(draw, NeuronsOf(draw))), draw.Uniform("fall", 0, 0.8)));

    private static PlantedLayer Documents(CaseDraw draw)
    {
        var rows = White(draw, NeuronsOf(draw));
        var (length, share) = (draw.Integer("rows_a_document", 5, 50), draw.Uniform("share_of_document", 0.1, 0.7));
        var mean = new double[rows.Columns];
        for (var i = 0; i < rows.Rows; i++)
        {
            for (var j = 0; j < rows.Columns; j++)
            {
                if (i % length == 0)
                    mean[j] = draw.Random.NextNormal();
                rows[i, j] = (Math.Sqrt(1 - share) * rows[i, j]) + (Math.Sqrt(share) * mean[j]);
            }
        }
        return Of(draw, rows);
    }

    private static PlantedLayer Walk(CaseDraw draw)
    {
        var rows = White(draw, NeuronsOf(draw));
        var memory = draw.Uniform("memory", 0.3, 0.95);
        for (var i = 1; i < rows.Rows; i++)
        for (var j = 0; j < rows.Columns; j++)
            rows[i, j] = (memory * rows[i - 1, j]) + (Math.Sqrt(1 - (memory * memory)) * rows[i, j]);
        return Of(draw, rows);
    }
}
