using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>
/// A network of two layers whose weights are not tied: x → z = P·x (or x) → h = ReLU(W₁·z + b₁) → ŷ = W₂·h + b₂ (or its ReLU); loss
/// Σ_i I_i (y_i − ŷ_i)² summed over outputs and averaged over the batch.
/// </summary>
public sealed record LayerNetShape
{
    /// <summary>n, the features of x.</summary>
    public required int Inputs { get; init; }

    /// <summary>P, fixed, or <c>null</c> when W₁ reads x itself. Shape: <c>[d, n_features]</c>.</summary>
    public Matrix? Projection { get; init; }

    /// <summary>k, the neurons.</summary>
    public required int Hidden { get; init; }

    /// <summary>o, the outputs.</summary>
    public required int Outputs { get; init; }

    /// <summary>Whether b₁ is trained; else it keeps its first value.</summary>
    public bool HiddenBias { get; init; } = true;

    /// <summary>Whether b₂ is trained; else it keeps its first value.</summary>
    public bool OutputBias { get; init; } = true;

    /// <summary>Whether the output ends in a ReLU.</summary>
    public bool OutputRelu { get; init; }

    /// <summary>I_i, or <c>null</c> when all outputs count alike. Shape: <c>[n_outputs]</c>.</summary>
    public float[]? Importance { get; init; }

    /// <summary>d, what W₁ reads: the projection's rows, or n.</summary>
    public int Width => Projection?.Rows ?? Inputs;
}
