using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>The k·batch largest latents of a batch, with an auxiliary loss on dead ones; used afterwards with a threshold.</summary>
/// <remarks>
/// Bussmann et al. 2024 (arXiv 2412.06410). The threshold follows the smallest active latent of each batch: t += (1 − β)·(min − t), from
/// <see cref="ThresholdFromStep"/> on.
/// </remarks>
public abstract record BatchTopKBase : DictionaryKind
{
    private protected BatchTopKBase() { }

    /// <summary>Latents kept on average in each row.</summary>
    public double K
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1 << 24);
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

    /// <summary>Weight of the auxiliary loss.</summary>
    public double Auxiliary
    {
        get;
        init => field = Allowed.Between(value, 0, 1e6);
    } = 1.0 / 32;

    /// <summary>Whose auxiliary loss.</summary>
    public AuxiliaryVariant Variant { get; init; } = AuxiliaryVariant.DictionaryLearning;

    /// <summary>β: SAELens has .99, dictionary_learning .999.</summary>
    public double ThresholdDecay
    {
        get;
        init => field = Allowed.Between(value, 0, 0.999999);
    } = 0.999;

    /// <summary>The first step that counts for the threshold; where k falls, none counts before it has fallen.</summary>
    public int ThresholdFromStep
    {
        get;
        init => field = Allowed.Between(value, 0, int.MaxValue);
    } = 1000;

    internal override bool NeedsUnitNorm => Variant == AuxiliaryVariant.DictionaryLearning;

    internal override void Check(DictionaryConfig config)
    {
        CheckK(K, config);
        KAnnealing.Check(K, KAnnealSteps, KAnnealStart, config);
    }

    internal override LossTerms Loss(LossInput input)
    {
        var norms = Variant == AuxiliaryVariant.SaeLens ? input.DecoderNorms() : null;
        var pre = input.PreActivations();
        var scaled = norms is null ? pre : pre * norms;
        var flat = scaled.relu().reshape(1, -1);
        var k = (int)Math.Clamp(KAnnealing.At(K, KAnnealSteps, KAnnealStart, input) * input.Inputs.shape[0], 1, flat.shape[1]);
        var (values, kept) = flat.topk(k, dim: 1, sorted: false);
        var latents = torch.zeros_like(flat).scatter(1, kept, values).reshape(pre.shape);
        var decoded = norms is null ? latents : latents / norms;
        var reconstruction = input.Decode(decoded);
        var loss = Reconstruction(input, decoded, reconstruction);
        if (input.AuxiliaryLossOf(scaled, norms, reconstruction, Auxiliary, Variant) is { } auxiliary)
            loss = loss + auxiliary;
        return new(loss, latents, reconstruction);
    }

    private protected abstract torch.Tensor Reconstruction(LossInput input, torch.Tensor latents, torch.Tensor reconstruction);

    internal override double? FollowThreshold(double? threshold, Func<double> least, long step)
    {
        if (step < Math.Max(ThresholdFromStep, KAnnealSteps) || least() is not (< double.PositiveInfinity and var smallest))
            return threshold;
        return threshold is { } t ? t + ((1 - ThresholdDecay) * (smallest - t)) : smallest;
    }

    internal override LatentActivation Activation(DictionaryWeights weights, DictionaryConfig config, double? threshold)
    {
        if (threshold is not { } t)
            return new LatentActivation.BatchTopK(K);
        var thresholds = new float[config.Latents];
        Array.Fill(thresholds, (float)t);
        // z·‖W_dec,i‖ > t is z > t / ‖W_dec,i‖.
        if (Variant == AuxiliaryVariant.SaeLens)
        {
            var norms = DictionaryWeights.Values(weights.Decoder.detach().norm(1).clamp_min(1e-8));
            for (var i = 0; i < norms.Length; i++)
                thresholds[i] /= norms[i];
        }
        return new LatentActivation.JumpRelu(thresholds);
    }
}

/// <summary>BatchTopK.</summary>
public sealed record BatchTopKKind : BatchTopKBase
{
    internal override string Name => "batchtopk";

    private protected override torch.Tensor Reconstruction(LossInput input, torch.Tensor latents, torch.Tensor reconstruction) =>
        input.SquaredError(reconstruction);
}
