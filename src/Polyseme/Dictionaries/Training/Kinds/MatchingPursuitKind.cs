namespace Polyseme.Dictionaries.Training;

/// <summary>Latents by matching pursuit over the rows of W_dec, which have unit norm: mean Σ(x̂ − x)². There is no encoder and no penalty.</summary>
/// <remarks>
/// Costa et al. 2025 (arXiv 2506.03093). The gradient goes through the values, each of which depends on the directions taken before it, with the choices as
/// they are. SAELens starts the rows at unit norm and leaves them free; there a share r·d_i is not the projection any more once the norm has moved.
/// No auxiliary loss: dead latents come back by resampling.
/// </remarks>
public sealed record MatchingPursuitKind : DictionaryKind
{
    /// <summary>A row is done when the norm of what is left of it is below this; 0 = never by this.</summary>
    public double ResidualThreshold
    {
        get;
        init => field = Allowed.Between(value, 0, 1e9);
    } = 0.01;

    /// <summary>Steps at most, and so the most latents of a row; <c>null</c> = d_in.</summary>
    public int? MaxIterations
    {
        get;
        init => field = value is { } most ? Allowed.Between(most, 1, 1 << 24) : null;
    }

    /// <summary>A row is done after the first step that adds no latent to those that are on.</summary>
    public bool StopOnDuplicateSupport { get; init; } = true;

    internal override string Name => "matching-pursuit";

    internal override bool NeedsUnitNorm => true;

    internal override bool HasEncoder => false;

    internal override void Check(DictionaryConfig config)
    {
        if (config.Skip)
            throw new ArgumentException(
                "matching pursuit writes with the directions it reads with: it cannot be a transcoder",
                nameof(config)
            );
    }

    internal override LossTerms Loss(LossInput input)
    {
        var latents = MatchingPursuit.Encode(input.Inputs - input.Weights.DecoderBias, input.Weights.Decoder, Settings, input.Multiply);
        var reconstruction = input.Decode(latents);
        return new(input.SquaredError(reconstruction), latents, reconstruction);
    }

    internal override LatentActivation Activation(DictionaryWeights weights, DictionaryConfig config, double? threshold) => Settings;

    private LatentActivation.MatchingPursuit Settings => new(ResidualThreshold, MaxIterations, StopOnDuplicateSupport);
}
