using System.Runtime.InteropServices;
using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>What a step's loss came to, besides its gradient.</summary>
/// <param name="Loss">The whole loss.</param>
/// <param name="L0">Latents on, mean over the batch.</param>
/// <param name="Fired">Whether each latent was on in any row. Shape: <c>[n_latents]</c>.</param>
/// <param name="Least">The smallest latent that is on, +∞ if none is: found when asked for. <c>null</c> where no threshold follows it.</param>
/// <param name="Reconstruction">x̂, found when asked for. Shape: <c>[batch, d_out]</c>.</param>
internal readonly record struct GradientOutcome(
    double Loss,
    double L0,
    bool[] Fired,
    Func<double>? Least,
    Func<torch.Tensor> Reconstruction
);

/// <summary>Finds the gradient of a dictionary's loss and writes it to its weights.</summary>
internal interface IGradient
{
    /// <summary>The gradient at the weights as they are, in place of what was there. The outcome is good until the next.</summary>
    GradientOutcome Of(LossInput input);
}

/// <summary>libtorch's automatic differentiation of the kind's loss.</summary>
internal sealed class AutogradGradient(DictionaryKind kind) : IGradient
{
    /// <inheritdoc/>
    public GradientOutcome Of(LossInput input)
    {
        var terms = kind.Loss(input);
        input.Weights.ClearGradients();
        var loss = terms.Loss.item<float>();
        if (float.IsFinite(loss))
            terms.Loss.backward();
        var latents = terms.Latents.detach();
        var on = latents > 0;
        return new GradientOutcome(
            loss,
            on.sum(torch.float64).item<double>() / input.Inputs.shape[0],
            MemoryMarshal.Cast<byte, bool>(on.any(0).bytes).ToArray(),
            () => latents.masked_fill(latents <= 0, double.PositiveInfinity).min().item<float>(),
            () => terms.Reconstruction.detach()
        );
    }
}
