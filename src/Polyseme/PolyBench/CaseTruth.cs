using Polyseme.Numerics;

namespace Polyseme.PolyBench;

/// <summary>What labels a case comes with.</summary>
public enum CaseConcepts
{
    /// <summary>None: access level A.</summary>
    None,

    /// <summary>Labels of what is there.</summary>
    True,

    /// <summary>Labels that have nothing to do with the layer, one a row or, where rows are items, one an item.</summary>
    Random,
}

/// <summary>What is true of a case, written down by its generator before any judge runs.</summary>
public sealed record CaseTruth
{
    /// <summary>The cause; <c>null</c> where there is nothing to find.</summary>
    public required Cause? Cause { get; init; }

    /// <summary>Verdicts that are right: ids of causes, <c>mixed</c> or <c>undetermined</c>.</summary>
    public required IReadOnlyList<string> Accepted { get; init; }

    /// <summary>Causes that the prediction set has to hold: of a mixture both, of noise all.</summary>
    public required IReadOnlyList<Cause> Possible { get; init; }

    /// <summary>Whether the case gives enough for a decision: rows, sparsity and access level. <see cref="Accepted"/> is then a cause alone.</summary>
    public required bool Sufficient { get; init; }

    /// <summary>Feature directions up to sign; <c>null</c> where features are no directions.</summary>
    public int? NLine { get; init; }

    /// <summary>Of each neuron's signal variance, the shares aligned, rotated, superposed, multidimensional and unstructured. Shape: <c>[n_neurons, 5]</c>.</summary>
    public Matrix? Budget { get; init; }

    /// <summary>Why, in a sentence.</summary>
    public required string Reason { get; init; }
}
