using System.Text.Json.Nodes;
using Polyseme.Activations;

namespace Polyseme.PolyBench;

/// <summary>One layer whose cause is known.</summary>
public sealed record BenchmarkCase
{
    /// <summary>The family's name.</summary>
    public required string Family { get; init; }

    /// <summary>What its family shares with no other but its siblings: how magnitudes, non-linearity and dependence make the layer. Left out as a whole.</summary>
    public required string Mechanism { get; init; }

    /// <summary>The number of the case in its family, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The activations, with items where rows have some.</summary>
    public required ActivationSet Activations { get; init; }

    /// <summary>Labels; <c>null</c> at access level A.</summary>
    public required ConceptTable? Concepts { get; init; }

    /// <summary>Which labels these are.</summary>
    public required CaseConcepts Labels { get; init; }

    /// <summary>What is true.</summary>
    public required CaseTruth Truth { get; init; }

    /// <summary>How it was drawn: sizes, densities, noise. The axes of difficulty.</summary>
    public required JsonObject Settings { get; init; }
}

/// <summary>Layers of one kind, of random sizes and details: equal numbers, equal layers.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Mechanism">See <see cref="BenchmarkCase.Mechanism"/>.</param>
/// <param name="Cause">What causes its neurons to mix concepts; <c>null</c> of a null family.</param>
/// <param name="Description">What its layers are, in a sentence.</param>
/// <param name="Make">Makes a layer.</param>
public sealed record BenchmarkFamily(string Name, string Mechanism, Cause? Cause, string Description, Func<CaseDraw, PlantedLayer> Make)
{
    /// <summary>The case of a number.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="seed">The benchmark's seed.</param>
    public BenchmarkCase Case(int index, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var draw = new CaseDraw(seed, $"{Name}/{index}", index);
        return Make(draw).ToCase(this, draw);
    }
}
