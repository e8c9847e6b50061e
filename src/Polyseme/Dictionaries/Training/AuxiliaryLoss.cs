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
    /// <summary>The loss.</summary>
    /// <param name="pre">z of the dead, by which some are chosen. Shape: <c>[batch, n_dead]</c>.</param>
    /// <param name="decoder">W_dec of the dead. Shape: <c>[n_dead, d_out]</c>.</param>
    /// <param name="norms">‖W_dec,i‖ of the dead where z is scaled by it, to divide by again. Shape: <c>[n_dead]</c>.</param>
    /// <param name="error">x − x̂, a constant. Shape: <c>[batch, d_out]</c>.</param>
    /// <param name="most">Dead latents that act in a row, at most: d_in/2.</param>
    /// <param name="coefficient">Its weight.</param>
    /// <param name="variant">Whose.</param>
    public static torch.Tensor Of(
        torch.Tensor pre,
        torch.Tensor decoder,
        torch.Tensor? norms,
        torch.Tensor error,
        int most,
        double coefficient,
        AuxiliaryVariant variant
    )
    {
        var nDead = (int)pre.shape[1];
        var active = pre;
        if (nDead > most)
        {
            var (values, latents) = pre.topk(most, dim: 1, sorted: false);
            active = torch.zeros_like(pre).scatter(1, latents, values);
        }
        if (variant == AuxiliaryVariant.DictionaryLearning)
            active = active.relu();
        if (norms is not null)
            active = active / norms;
        // Without b_dec, which the error has no more of.
        var loss = (torch.mm(active, decoder) - error).square().sum(1).mean();
        if (variant == AuxiliaryVariant.SaeLens)
            return loss * (coefficient * Math.Min((double)nDead / most, 1));
        var spread = (error - error.mean([0L], keepdim: true)).square().sum(1).mean();
        return coefficient * (loss / spread).nan_to_num(0);
    }
}
