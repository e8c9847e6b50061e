using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>f = u·1[u + b &gt; 0 and u &gt; 0]: the bias gates and does not shift. L1 penalty, the decoder's rows at unit norm.</summary>
/// <remarks>
/// Taggart 2024, "ProLU: a nonlinearity for sparse autoencoders". The true gradient with respect to b is 0 almost everywhere; as the post's
/// ProLU-ReLU, both ∂f/∂u and ∂f/∂b are taken to be 1 where f is on, as if f were relu(u + b).
/// </remarks>
public sealed record ProLuKind : DictionaryKind
{
    /// <summary>λ.</summary>
    public double L1
    {
        get;
        init => field = Allowed.Between(value, 0, 1e6);
    } = 0.1;

    internal override string Name => "prolu";

    internal override bool NeedsUnitNorm => true;

    internal override LossTerms Loss(LossInput input)
    {
        var product = input.Product(); // u
        var bias = input.Weights.EncoderBias;
        var on = ((product > 0) & (product + bias > 0)).to_type(torch.float32).detach();
        // The second summand is worth nothing and differentiates to 1[on] with respect to b.
        var latents = (product * on) + (on * (bias - bias.detach()));
        var reconstruction = input.Decode(latents);
        return new(input.SquaredError(reconstruction) + (L1 * input.Sparsity * latents.sum(1).mean()), latents, reconstruction);
    }

    internal override LatentActivation Activation(DictionaryWeights weights, DictionaryConfig config, double? threshold) =>
        new LatentActivation.ProLu();
}
