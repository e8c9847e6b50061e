namespace Polyseme.Dictionaries.Metrics;

/// <summary>What is charged for in a description length.</summary>
public sealed record DescriptionLengthConfig
{
    private readonly double _bitsPerValue = 8;
    private readonly double _precision = 0.05;

    /// <summary>B: bits of one latent's value and of one entry of the dictionary, above 0.</summary>
    public double BitsPerValue
    {
        get => _bitsPerValue;
        init => _bitsPerValue = value > 0 ? value : throw new ArgumentException($"bits per value is {value}, but must be above 0");
    }

    /// <summary>σ as a share of the targets' standard deviation: errors below it cost nothing, above 0 and below 1.</summary>
    public double Precision
    {
        get => _precision;
        init =>
            _precision = value is > 0 and < 1 ? value : throw new ArgumentException($"precision is {value}, but must lie between 0 and 1");
    }
}

/// <summary>Bits to send one row, given that both sides hold the code. Less is better.</summary>
/// <param name="Config">What is charged for.</param>
/// <param name="Latents">L0·(B + log₂ n_latents): which latents, and their values.</param>
/// <param name="Dictionary">n_latents·d·B / n_rows: the dictionary, shared by the rows that are sent with it.</param>
/// <param name="Residual">Σ_d max(0, ½·log₂(E[e_d²]/σ²)): what is missing, at precision σ.</param>
/// <remarks>
/// Ayonrinde, Pearce and Sharkey 2024, "Interpretability as compression" (MDL-SAE), for the first part; the residual is the rate of a Gaussian at distortion
/// σ² (Cover and Thomas 2006, theorem 10.3.2), each column by itself. Without that charge more latents or fewer of them win for nothing.
/// </remarks>
public sealed record DescriptionLength(DescriptionLengthConfig Config, double Latents, double Dictionary, double Residual)
{
    /// <summary>Bits of a row in all.</summary>
    public double Total => Latents + Dictionary + Residual;

    /// <summary>Adds up the parts.</summary>
    /// <param name="l0">Mean latents in a row that are not zero.</param>
    /// <param name="nLatents">Latents of the dictionary.</param>
    /// <param name="errorSquares">E[e_d²] of each column. Shape: <c>[d]</c>.</param>
    /// <param name="meanVariance">Mean over columns of the targets' variance, above 0.</param>
    /// <param name="nRows">Rows that share the cost of the dictionary, at least 1.</param>
    /// <param name="config">What is charged for.</param>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public static DescriptionLength Of(
        double l0,
        int nLatents,
        ReadOnlySpan<double> errorSquares,
        double meanVariance,
        long nRows,
        DescriptionLengthConfig config
    )
    {
        if (!(l0 >= 0 && l0 <= nLatents))
            throw new ArgumentException($"L0 is {l0}, but there are {nLatents} latents", nameof(l0));
        if (!(meanVariance > 0))
            throw new ArgumentException($"the mean variance is {meanVariance}, but must be above 0", nameof(meanVariance));
        ArgumentOutOfRangeException.ThrowIfLessThan(nRows, 1);
        var distortion = config.Precision * config.Precision * meanVariance;
        var residual = 0.0;
        foreach (var square in errorSquares)
            residual += Math.Max(0, Math.Log2(Math.Max(square, distortion) / distortion) / 2);
        return new DescriptionLength(
            config,
            l0 * (config.BitsPerValue + Math.Log2(nLatents)),
            (double)nLatents * errorSquares.Length * config.BitsPerValue / nRows,
            residual
        );
    }
}
