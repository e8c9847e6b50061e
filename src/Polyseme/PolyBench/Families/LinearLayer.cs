using Polyseme.Numerics;

namespace Polyseme.PolyBench.Families;

/// <summary>Layers in which features are directions and add.</summary>
internal static class LinearLayer
{
    /// <summary>Columns of a budget: aligned, rotated, superposed, multidimensional, unstructured.</summary>
    public const int BudgetColumns = 5;

    /// <summary>Rows of a case.</summary>
    public static int RowsOf(CaseDraw draw) => draw.Integer("rows", 500, 20_000);

    /// <summary>Neurons of a case: mostly few, since the time of a case grows with their cube.</summary>
    public static int NeuronsOf(CaseDraw draw) =>
        draw.Happens("wide", 0.1) ? draw.Integer("neurons", 128, 256) : draw.Integer("neurons", 8, 128);

    /// <summary>A law of magnitudes that is not always one value.</summary>
    public static MagnitudeLaw Magnitudes(CaseDraw draw) =>
        draw.OneOf("magnitudes", MagnitudeLaw.Uniform, MagnitudeLaw.Exponential, MagnitudeLaw.HalfNormal, MagnitudeLaw.LogNormal);

    /// <summary>Features and directions become rows.</summary>
    /// <param name="draw">The case.</param>
    /// <param name="cause">What the directions make it.</param>
    /// <param name="source">The features.</param>
    /// <param name="map">Their directions.</param>
    /// <param name="change">Done to the rows before noise, offset and scale; may be <c>null</c>.</param>
    /// <param name="enough">Whether there is enough to tell the cause, with labels and without, besides rows: <c>null</c> = there is.</param>
    /// <param name="reason">Why it is this cause.</param>
    public static PlantedLayer Of(
        CaseDraw draw,
        Cause cause,
        FeatureSource source,
        Matrix map,
        string reason,
        Action<Matrix>? change = null,
        (bool WithLabels, bool Without)? enough = null
    )
    {
        var rows = RowsOf(draw);
        var values = source.Sample(rows, draw.Random);
        return Of(draw, cause, source, values, map, reason, items: null, change, enough);
    }

    /// <summary>The same from features that are drawn.</summary>
    public static PlantedLayer Of(
        CaseDraw draw,
        Cause cause,
        FeatureSource source,
        Matrix values,
        Matrix map,
        string reason,
        long[]? items,
        Action<Matrix>? change = null,
        (bool WithLabels, bool Without)? enough = null
    )
    {
        draw.Settings["features"] = source.Features;
        draw.Settings["density"] = double.Round(source.Density, 6);
        draw.Settings["dependence"] = $"{source.Dependence}";
        draw.Settings["frequencies"] = $"{source.Frequencies}";
        draw.Settings["signed"] = source.Signed;
        var rows = LinearAlgebra.Multiply(values, map);
        change?.Invoke(rows);
        var seen = Enough(values, map.Columns, items);
        var (withLabels, without) = enough ?? (true, true);
        return new PlantedLayer
        {
            Rows = Afterwards.Finish(rows, draw),
            Attributes = values,
            Items = items,
            Cause = cause,
            WithLabels = Told(cause, seen && withLabels),
            Without = Told(cause, seen && without),
            NLine = map.Rows,
            Budget = Whole(map.Columns, cause),
            Reason = reason,
        };
    }

    /// <summary>The cause, and <c>undetermined</c> as well where there may not be enough.</summary>
    public static PlantedLayer.Answer Told(Cause cause, bool sufficient) =>
        sufficient ? PlantedLayer.Answer.Of(cause) : new PlantedLayer.Answer(false, Causes.Id(cause), "undetermined");

    /// <summary>Twenty rows a feature, features that are each on in thirty rows, and few enough at once for sparse codes to be unique (d / (2 ln(n/d))).</summary>
    public static bool Enough(Matrix values, int neurons, long[]? items)
    {
        var on = new int[values.Columns];
        for (var i = 0; i < values.Rows; i++)
        for (var f = 0; f < on.Length; f++)
            on[f] += values[i, f] != 0 ? 1 : 0;
        var active = on.Sum() / (double)values.Rows;
        var ratio = values.Columns / (double)neurons;
        var rows = items?.Distinct().Count() ?? values.Rows;
        var sparse = ratio <= 1 || active < neurons / (2 * Math.Log(Math.Max(ratio, 1.3)));
        return rows >= 20 * Math.Max(values.Columns, neurons) / (items is null ? 1 : 4) && on.Min() >= 30 && sparse;
    }

    /// <summary>A budget that is all of one kind. Shape: <c>[neurons, 5]</c>.</summary>
    public static Matrix Whole(int neurons, Cause cause)
    {
        var column = cause switch
        {
            Cause.Monosemantic => 0,
            Cause.Rotated => 1,
            Cause.Superposition => 2,
            Cause.Nonlinear => 3,
            _ => 4,
        };
        var budget = new Matrix(neurons, BudgetColumns);
        for (var j = 0; j < neurons; j++)
            budget[j, column] = 1;
        return budget;
    }

    /// <summary>Types of tokens: each has its features once and for all; rows show types again and again, a little varied.</summary>
    /// <param name="draw">The case.</param>
    /// <param name="source">Features of a type.</param>
    /// <returns>Values of the rows' features, and the rows' types.</returns>
    public static (Matrix Values, long[] Items) Types(CaseDraw draw, FeatureSource source)
    {
        var rows = RowsOf(draw);
        var types = source.Sample(Math.Max(20, rows / draw.Integer("rows_a_type", 4, 30)), draw.Random);
        draw.Settings["types"] = types.Rows;
        var items = new long[rows];
        var values = new Matrix(rows, source.Features);
        for (var i = 0; i < rows; i++)
        {
            // Some types come more often than others.
            var type = Math.Min(draw.Random.NextInt(types.Rows), draw.Random.NextInt(types.Rows));
            items[i] = type;
            for (var f = 0; f < source.Features; f++)
                values[i, f] = types[type, f] * (1 + (0.05 * draw.Random.NextNormal()));
        }
        return (values, items);
    }
}
