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
