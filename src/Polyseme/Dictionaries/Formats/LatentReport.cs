namespace Polyseme.Dictionaries.Formats;

/// <summary>What a dashboard shows of one latent, whichever tool's. Numbers that are not known are empty lists or 0, as those tools keep them.</summary>
public sealed record LatentReport
{
    /// <summary>The latent.</summary>
    public required int Index { get; init; }

    /// <summary>The neurons with the largest weights in its direction.</summary>
    public IReadOnlyList<int> AlignedNeurons { get; init; } = [];

    /// <summary>Those weights.</summary>
    public IReadOnlyList<double> AlignedWeights { get; init; } = [];

    /// <summary>Those weights as shares of the sum of all absolute weights of the direction.</summary>
    public IReadOnlyList<double> AlignedShares { get; init; } = [];

    /// <summary>The neurons whose activations go with it most.</summary>
    public IReadOnlyList<int> CorrelatedNeurons { get; init; } = [];

    /// <summary>Their Pearson correlations with it.</summary>
    public IReadOnlyList<double> CorrelatedNeuronsPearson { get; init; } = [];

    /// <summary>Their cosines with it, uncentred; both tools keep them under a name that ends in l1.</summary>
    public IReadOnlyList<double> CorrelatedNeuronsCosine { get; init; } = [];

    /// <summary>The latents whose activations go with it most.</summary>
    public IReadOnlyList<int> CorrelatedLatents { get; init; } = [];

    /// <summary>Their Pearson correlations with it.</summary>
    public IReadOnlyList<double> CorrelatedLatentsPearson { get; init; } = [];

    /// <summary>Their cosines with it, uncentred.</summary>
    public IReadOnlyList<double> CorrelatedLatentsCosine { get; init; } = [];

    /// <summary>The tokens that it makes least likely, and by how much.</summary>
    public IReadOnlyList<(string Token, double Logit)> NegativeLogits { get; init; } = [];

    /// <summary>The tokens that it makes most likely, and by how much.</summary>
    public IReadOnlyList<(string Token, double Logit)> PositiveLogits { get; init; } = [];

    /// <summary>Share of tokens on which it is active.</summary>
    public double FractionActive { get; init; }

    /// <summary>Histogram of its activations where it is active: the middle and the height of each bar.</summary>
    public IReadOnlyList<(double Middle, double Height)> ActivationHistogram { get; init; } = [];

    /// <summary>Histogram of its effect on the logits.</summary>
    public IReadOnlyList<(double Middle, double Height)> LogitHistogram { get; init; } = [];

    /// <summary>Shares of its direction's norm by attention head, where the layer is one of heads.</summary>
    public IReadOnlyList<double> DecoderWeightsByHead { get; init; } = [];

    /// <summary>Stretches of text on which it is active.</summary>
    public IReadOnlyList<ActivationExample> Examples { get; init; } = [];

    /// <summary>Its direction. Shape: <c>[d_out]</c>.</summary>
    public IReadOnlyList<double> Direction { get; init; } = [];

    /// <summary>The largest activation among the examples; 0 without any.</summary>
    public double LargestActivation =>
        Examples.Count == 0 ? 0 : Examples.Max(example => example.Values.Count == 0 ? 0 : example.Values.Max());
}

/// <summary>A stretch of text with a latent's activation on each token.</summary>
/// <param name="Tokens">The tokens.</param>
/// <param name="Values">One activation a token.</param>
public sealed record ActivationExample(IReadOnlyList<string> Tokens, IReadOnlyList<double> Values)
{
    /// <summary>Lower end of the interval of activations that it stands for; −1 for a top example.</summary>
    public double BinMin { get; init; } = -1;

    /// <summary>Upper end of that interval.</summary>
    public double BinMax { get; init; }

    /// <summary>Share of tokens in that interval; −1 for a top example.</summary>
    public double BinContains { get; init; } = -1;

    /// <summary>The token for which it was chosen.</summary>
    public int QualifyingToken { get; init; }

    /// <summary>Direct attribution to earlier tokens, where it was computed.</summary>
    public TokenAttribution? Attribution { get; init; }
}

/// <summary>How much each token contributes, through attention, to an activation.</summary>
/// <param name="Values">One contribution a token.</param>
/// <param name="Largest">The largest of them.</param>
/// <param name="Target">The token whose activation is explained.</param>
public sealed record TokenAttribution(IReadOnlyList<double> Values, double Largest, int Target);
