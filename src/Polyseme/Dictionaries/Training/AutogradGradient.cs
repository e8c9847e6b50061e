using System.Runtime.InteropServices;
using TorchSharp;

namespace Polyseme.Dictionaries.Training;

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
