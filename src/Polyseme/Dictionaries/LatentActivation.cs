namespace Polyseme.Dictionaries;

/// <summary>How a sparse autoencoder turns pre-activations z = W_enc·(x − b) + b_enc into latents f.</summary>
public abstract record LatentActivation
{
    private LatentActivation() { }

    /// <summary>f = max(z, 0).</summary>
    public sealed record Relu : LatentActivation;

    /// <summary>The k largest z of each row, if positive. Gao et al. 2024 (arXiv 2406.04093).</summary>
    /// <param name="K">Latents kept in each row, in [1, n_latents].</param>
    /// <param name="RescaleByDecoderNorm">Select by, and give out, z·‖W_dec,i‖, and divide by it again before decoding, as SAELens trains it.</param>
    public sealed record TopK(int K, bool RescaleByDecoderNorm = false) : LatentActivation;

    /// <summary>The k·n_rows largest positive z of all rows together. Bussmann et al. 2024 (arXiv 2412.06410).</summary>
    /// <param name="K">Latents kept on average in each row, in (0, n_latents].</param>
    /// <remarks>A row's latents depend on the rows beside it; trained ones are used as <see cref="JumpRelu"/>.</remarks>
    public sealed record BatchTopK(double K) : LatentActivation;

    /// <summary>f = max(z, 0) where z &gt; θ, else 0; strictly greater. Rajamanoharan et al. 2024 (arXiv 2407.14435).</summary>
    /// <param name="Threshold">θ. Shape: <c>[n_latents]</c>.</param>
    public sealed record JumpRelu(float[] Threshold) : LatentActivation;

    /// <summary>
    /// f = 1[z &gt; 0]·max(e^r·(W_enc·(x − b)) + b_mag, 0); z has the gate's bias b_gate for b_enc. Rajamanoharan et al. 2024 (arXiv 2404.16014).
    /// </summary>
    /// <param name="MagnitudeBias">b_mag. Shape: <c>[n_latents]</c>.</param>
    /// <param name="LogScale">r_mag. Shape: <c>[n_latents]</c>.</param>
    public sealed record Gated(float[] MagnitudeBias, float[] LogScale) : LatentActivation;

    /// <summary>f = u where u = W_enc·(x − b) is positive and u + b_enc is too, else 0: the bias gates and does not shift. Taggart 2024.</summary>
    public sealed record ProLu : LatentActivation;

    /// <summary>The largest positive z of each of k equal consecutive groups of latents, as sparsify's "groupmax".</summary>
    /// <param name="K">Number of groups; divides n_latents.</param>
    public sealed record GroupMax(int K) : LatentActivation;

    /// <summary>
    /// No encoder: again and again, the direction with the largest positive product with what is left of x − b takes its share out. W_enc is W_dec and
    /// b_enc is 0. SAELens' "matching_pursuit"; see <see cref="Dictionaries.MatchingPursuit"/>.
    /// </summary>
    /// <param name="ResidualThreshold">A row is done when the norm of what is left is below this; 0 = never by this.</param>
    /// <param name="MaxIterations">Steps at most, at least 1; <c>null</c> = d_in.</param>
    /// <param name="StopOnDuplicateSupport">A row is done after the first step that adds no latent to those that are on.</param>
    public sealed record MatchingPursuit(double ResidualThreshold = 0.01, int? MaxIterations = null, bool StopOnDuplicateSupport = true)
        : LatentActivation;
}
