using System.Globalization;

namespace Polyseme.Activations;

/// <summary>Reads the concepts that a user brings, one value per row of the activations.</summary>
public static class ConceptFile
{
    /// <summary>The most values that integers or text may take and still be categories.</summary>
    public const int MostCategories = 50;

    /// <summary>Reads a file of concepts.</summary>
    /// <param name="path">A <c>.safetensors</c>, <c>.npz</c> or <c>.npy</c> file with one 1-D tensor per concept, or a <c>.csv</c>, <c>.tsv</c> or <c>.parquet</c> table with a column per concept.</param>
    /// <param name="expectedRows">Rows of the activations.</param>
    /// <returns>The concepts in the order of the file, and the row identities (<c>item</c>, <c>document</c> or <c>sentence</c>, <c>position</c>, <c>token_id</c>) that lie among them.</returns>
    /// <exception cref="InputException">The file cannot be read, a concept has another length, or a column is neither number nor category.</exception>
    public static (ConceptTable Concepts, RowIdentities Rows) Read(string path, long expectedRows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(expectedRows, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(expectedRows, Array.MaxLength);
        var ending = Path.GetExtension(path).ToLowerInvariant();
        var (concepts, rows) = ending is ".csv" or ".tsv" or ".parquet"
            ? ConceptQuery.Read(path, ending, (int)expectedRows)
            : ReadArrays(ArrayFiles.Open(path), expectedRows);
        return concepts.Count > 0
            ? (new ConceptTable((int)expectedRows, concepts), rows)
            : throw new InputException(path, "holds no concepts", expected: "one column or 1-D tensor per concept");
    }

    private static (List<Concept> Concepts, RowIdentities Rows) ReadArrays(ArrayFile file, long expectedRows)
    {
        var concepts = new List<Concept>();
        foreach (var array in file.Arrays)
        {
            if (IdentityArrays.IsIdentity(array.Name))
                continue;
            var where = file.Where(array);
            var type = file.ReadableType(array);
            if (array.Shape.Length != 1)
                throw new InputException(
                    where,
                    $"is {array.Shape.Length}-D, not a concept",
                    $"shape {array.ShapeText}",
                    $"[{expectedRows}]",
                    "one 1-D tensor per concept"
                );
            if (array.Shape[0] != expectedRows)
                throw new InputException(
                    where,
                    "has another length than the activations",
                    $"{array.Shape[0]} values",
                    $"{expectedRows}",
                    "one value per row, in the order of the rows"
                );
            concepts.Add(
                type.IsFloat() ? ConceptColumn.OfNumbers(where, array.Name, file.ReadDoubles(array))
                : type == DType.Bool ? new Concept(array.Name, ConceptKind.Binary, file.ReadDoubles(array))
                : ConceptColumn.OfIntegers(array.Name, file.ReadIntegers(array), missing: null)
            );
        }
        return (concepts, IdentityArrays.Read(file, expectedRows));
    }
}

/// <summary>Decides what kind of concept a column of values is.</summary>
internal static class ConceptColumn
{
    /// <summary>Two values are binary, the larger being 1; up to 50 are categories; the rest is numeric.</summary>
    /// <param name="name">The concept's name.</param>
    /// <param name="values">Shape: <c>[n_samples]</c>.</param>
    /// <param name="missing">Where there is no value; <c>null</c> when there is one everywhere.</param>
    public static Concept OfIntegers(string name, long[] values, bool[]? missing)
    {
        var distinct = new SortedSet<long>();
        for (var i = 0; i < values.Length && distinct.Count <= ConceptFile.MostCategories; i++)
            if (missing is null || !missing[i])
                distinct.Add(values[i]);
        // A label that is 0 or 1 throughout is a binary label that happens to be constant.
        if (distinct.Count == 2 || (distinct.Count == 1 && distinct.Min is 0 or 1))
        {
            var one = distinct.Count == 2 ? distinct.Max : 1;
            return new Concept(name, ConceptKind.Binary, Map(values, missing, value => value == one ? 1 : 0));
        }
        if (distinct.Count is 0 or > ConceptFile.MostCategories)
            return new Concept(name, ConceptKind.Numeric, Map(values, missing, value => value));
        var codes = new Dictionary<long, int>();
        foreach (var value in distinct)
            codes.Add(value, codes.Count);
        return new Concept(
            name,
            ConceptKind.Categorical,
            Map(values, missing, value => codes[value]),
            [.. distinct.Select(value => value.ToString(CultureInfo.InvariantCulture))]
        );
    }

    /// <summary>Numeric; NaN is missing, infinity an error.</summary>
    public static Concept OfNumbers(string where, string name, double[] values)
    {
        var infinite = Array.FindIndex(values, double.IsInfinity);
        return infinite < 0
            ? new Concept(name, ConceptKind.Numeric, values)
            : throw new InputException(where, "holds infinity", $"at row {infinite}", "finite numbers; NaN where a value is missing");
    }

    private static double[] Map(long[] values, bool[]? missing, Func<long, double> map)
    {
        var mapped = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
            mapped[i] = missing is not null && missing[i] ? double.NaN : map(values[i]);
        return mapped;
    }
}
