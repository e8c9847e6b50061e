using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>Concepts from the inputs of a network.</summary>
internal static class LayerNetSample
{
    /// <summary>Every input as a concept called <c>feature_0</c>, …: numeric, or binary where it is one.</summary>
    public static ConceptTable Features(Matrix inputs, ConceptKind kind = ConceptKind.Numeric) =>
        new(inputs.Rows, [.. Enumerable.Range(0, inputs.Columns).Select(i => new Concept($"feature_{i}", kind, inputs.Column(i)))]);
}
