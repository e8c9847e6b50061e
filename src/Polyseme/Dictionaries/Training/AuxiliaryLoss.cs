using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>How a TopK kind makes its dead latents account for the error.</summary>
public enum AuxiliaryVariant
{
    /// <summary>c·min(n_dead/(d/2), 1)·mean Σ (ê − e)², dead latents without ReLU.</summary>
    SaeLens,

    /// <summary>α·mean Σ (ê − e)² / mean Σ (e − ē)², dead latents with ReLU.</summary>
    DictionaryLearning,
}

/// <summary>The auxiliary loss on dead latents. Gao et al. 2024 (arXiv 2406.04093), section 2 and appendix A.2.</summary>
internal static class AuxiliaryLoss
{
    /// <summary>The loss, or <c>null</c> where nothing is dead.</summary>
    /// <param name="input">The step.</param>
    /// <param name="pre">z, by which the dead are chosen. Shape: <c>[batch, n_latents]</c>.</param>
    /// <param name="reconstruction">x̂. Shape: <c>[batch, d_out]</c>.</param>
    /// <param name="coefficient">Its weight.</param>
    /// <param name="variant">Whose.</param>
    /// <param name="norms">‖W_dec,i‖ where z is scaled by it, to divide by again. Shape: <c>[n_latents]</c>.</param>
    public static torch.Tensor? Of(
        LossInput input,
        torch.Tensor pre,
        torch.Tensor reconstruction,
        double coefficient,
        AuxiliaryVariant variant,
        torch.Tensor? norms
    )
    {
        if (input.NDead == 0 || coefficient == 0)
            return null;
        var most = Math.Max(1, (int)input.Inputs.shape[1] / 2);
        var k = Math.Min(most, input.NDead);
        var (values, latents) = pre.masked_fill(input.Dead == 0, double.NegativeInfinity).topk(k, dim: 1, sorted: false);
        if (variant == AuxiliaryVariant.DictionaryLearning)
            values = values.relu();
        var active = torch.zeros_like(pre).scatter(1, latents, values);
        if (norms is not null)
            active = active / norms;
        // Without b_dec, which the error has no more of.
        var error = (input.Targets - reconstruction).detach();
        var loss = (torch.mm(active, input.Weights.Decoder) - error).square().sum(1).mean();
        if (variant == AuxiliaryVariant.SaeLens)
            return loss * (coefficient * Math.Min((double)input.NDead / most, 1));
        var spread = (error - error.mean([0L], keepdim: true)).square().sum(1).mean();
        return coefficient * (loss / spread).nan_to_num(0);
    }
}
