using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>The k largest latents of each row, with an auxiliary loss on dead ones. Gao et al. 2024 (arXiv 2406.04093).</summary>
/// <remarks>SAELens chooses by z·‖W_dec,i‖ with a free decoder; dictionary_learning by z with the decoder's rows at unit norm.</remarks>
public sealed record TopKKind : DictionaryKind
{
    /// <summary>Latents kept in each row.</summary>
    public int K
    {
        get;
        init => field = Allowed.Between(value, 1, 1 << 24);
    } = 32;

    /// <summary>Steps over which k falls linearly to its end; 0 = it is the same from the first step on.</summary>
    public int KAnnealSteps
    {
        get;
        init => field = Allowed.Between(value, 0, int.MaxValue);
    }

    /// <summary>k of the first step where it falls; 0 = d_in, as dictionary_learning, or the number of latents if that is less.</summary>
    public int KAnnealStart
    {
        get;
        init => field = Allowed.Between(value, 0, 1 << 24);
    }

    /// <summary>Weight of the auxiliary loss; SAELens has 1, dictionary_learning and the paper 1/32.</summary>
    public double Auxiliary
    {
        get;
        init => field = Allowed.Between(value, 0, 1e6);
    } = 1.0 / 32;

    /// <summary>Whose.</summary>
    public AuxiliaryVariant Variant { get; init; } = AuxiliaryVariant.DictionaryLearning;

    internal override string Name => "topk";

    internal override bool NeedsUnitNorm => Variant == AuxiliaryVariant.DictionaryLearning;

    internal override void Check(DictionaryConfig config)
    {
        CheckK(K, config);
        KAnnealing.Check(K, KAnnealSteps, KAnnealStart, config);
    }

    /// <summary>k of a step, rounded down.</summary>
    internal int KAt(LossInput input) => (int)KAnnealing.At(K, KAnnealSteps, KAnnealStart, input);

    internal override LossTerms Loss(LossInput input)
    {
        var norms = Variant == AuxiliaryVariant.SaeLens ? input.DecoderNorms() : null;
        var pre = input.PreActivations();
        if (norms is not null)
            pre = pre * norms;
        var (values, kept) = pre.topk(KAt(input), dim: 1, sorted: false);
        var latents = torch.zeros_like(pre).scatter(1, kept, values.relu());
        var reconstruction = input.Decode(norms is null ? latents : latents / norms);
        var loss = input.SquaredError(reconstruction);
        if (input.AuxiliaryLossOf(pre, norms, reconstruction, Auxiliary, Variant) is { } auxiliary)
            loss = loss + auxiliary;
        return new(loss, latents, reconstruction);
    }

    internal override IGradient Gradient(DictionaryConfig config) => config.Skip ? base.Gradient(config) : TopKGradient.Of(this);

    internal override LatentActivation Activation(DictionaryWeights weights, DictionaryConfig config, double? threshold) =>
        new LatentActivation.TopK(K, Variant == AuxiliaryVariant.SaeLens);
}
