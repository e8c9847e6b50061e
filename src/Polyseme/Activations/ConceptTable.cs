namespace Polyseme.Activations;

/// <summary>How a concept's values are read.</summary>
public enum ConceptKind
{
    /// <summary>0 or 1: booleans and two-valued integers (the larger value is 1).</summary>
    Binary,

    /// <summary>Integers or text with at most 50 values, numbered from 0 in sorted order.</summary>
    Categorical,

    /// <summary>Everything else that is a number.</summary>
    Numeric,
}

/// <summary>Something a person labelled: one value per row.</summary>
/// <param name="Name">The label's name.</param>
/// <param name="Kind">How the values are read.</param>
/// <param name="Values">Shape: <c>[n_samples]</c>. A missing value is <c>double.NaN</c>, here and nowhere else.</param>
/// <param name="Categories">The names of the categories, for <see cref="ConceptKind.Categorical"/>; else <c>null</c>.</param>
public sealed record Concept(string Name, ConceptKind Kind, double[] Values, string[]? Categories = null);

/// <summary>The concepts of an activation set, row for row.</summary>
/// <param name="NSamples">Rows, the same as the activations'.</param>
/// <param name="Concepts">The concepts, in the order of the file. Names are unique.</param>
public sealed record ConceptTable(int NSamples, IReadOnlyList<Concept> Concepts)
{
    /// <summary>The concepts of the named rows, in the order given.</summary>
    public ConceptTable Select(IReadOnlyList<int> rows) =>
        new(
            rows.Count,
            [
                .. Concepts.Select(concept =>
                {
                    var values = new double[rows.Count];
                    for (var i = 0; i < rows.Count; i++)
                        values[i] = concept.Values[rows[i]];
                    return concept with { Values = values };
                }),
            ]
        );
}
