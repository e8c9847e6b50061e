namespace Polyseme.Dictionaries.Training;

/// <summary>Which "standard" sparse autoencoder.</summary>
public enum PenaltyVariant
{
    /// <summary>λ·Σ f_i‖W_dec,i‖, the decoder free: SAELens' standard, dictionary_learning's standard_april_update.</summary>
    SaeLens,

    /// <summary>λ·Σ f_i, the decoder's rows at unit norm: dictionary_learning's standard.</summary>
    DictionaryLearning,
}

/// <summary>ReLU with an L1 penalty: mean Σ(x̂ − x)² + λ·mean Σ f_i (·‖W_dec,i‖).</summary>
/// <remarks>Bricken et al. 2023, "Towards Monosemanticity"; the norm in the penalty: Conerly et al. 2024, "Update on how we train SAEs".</remarks>
public sealed record ReluKind : DictionaryKind
{
    /// <summary>λ.</summary>
    public double L1
    {
        get;
        init => field = Allowed.Between(value, 0, 1e6);
    } = 1;

    /// <summary>Whose.</summary>
    public PenaltyVariant Variant { get; init; }

    internal override string Name => "relu";

    internal override bool NeedsUnitNorm => Variant == PenaltyVariant.DictionaryLearning;

    internal override LossTerms Loss(LossInput input)
    {
        var latents = input.PreActivations().relu();
        var reconstruction = input.Decode(latents);
        var penalised = Variant == PenaltyVariant.SaeLens ? latents * input.DecoderNorms() : latents;
        return new(input.SquaredError(reconstruction) + (L1 * input.Sparsity * penalised.sum(1).mean()), latents, reconstruction);
    }

    internal override LatentActivation Activation(DictionaryWeights weights, DictionaryConfig config, double? threshold) =>
        new LatentActivation.Relu();
}
