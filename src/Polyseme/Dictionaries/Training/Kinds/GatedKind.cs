using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>A gate says which latents are on and a magnitude how much: mean Σ(x̂ − x)² + λ·mean Σ relu(π) + mean Σ(x̂(relu(π)) − x)².</summary>
/// <remarks>
/// Rajamanoharan et al. 2024 (arXiv 2404.16014). dictionary_learning keeps the decoder at unit norm and takes it as given in the third term, as the
/// paper does; SAELens puts ‖W_dec,i‖ in the penalty and lets the third term train the decoder.
/// </remarks>
public sealed record GatedKind : DictionaryKind
{
    /// <summary>λ.</summary>
    public double L1
    {
        get;
        init => field = Allowed.Between(value, 0, 1e6);
    } = 1;

    /// <summary>Whose.</summary>
    public PenaltyVariant Variant { get; init; }

    internal override string Name => "gated";

    internal override bool NeedsUnitNorm => Variant == PenaltyVariant.DictionaryLearning;

    internal override void AddWeights(DictionaryWeights weights, DictionaryConfig config)
    {
        weights.Add("magnitude_bias", new float[config.Latents], config.Latents);
        weights.Add("log_scale", new float[config.Latents], config.Latents);
    }

    internal override LossTerms Loss(LossInput input)
    {
        var weights = input.Weights;
        var product = input.Product();
        var gate = product + weights.EncoderBias; // π
        var on = (gate > 0).to_type(torch.float32);
        var latents = on * ((product * weights["log_scale"].exp()) + weights["magnitude_bias"]).relu();
        var reconstruction = input.Decode(latents);
        var open = gate.relu();
        torch.Tensor penalised,
            byGate;
        if (Variant == PenaltyVariant.SaeLens)
            (penalised, byGate) = (open * input.DecoderNorms(), input.Decode(open));
        else
        {
            penalised = open;
            byGate = torch.mm(open, weights.Decoder.detach()) + weights.DecoderBias.detach();
            if (weights.Skip is { } skip)
                byGate = byGate + torch.mm(input.Inputs, skip.detach().t());
        }
        return new(
            input.SquaredError(reconstruction) + (L1 * input.Sparsity * penalised.sum(1).mean()) + input.SquaredError(byGate),
            latents,
            reconstruction
        );
    }

    internal override LatentActivation Activation(DictionaryWeights weights, DictionaryConfig config, double? threshold) =>
        new LatentActivation.Gated(weights.Values("magnitude_bias"), weights.Values("log_scale"));
}
