using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Metrics;

/// <summary>How well the directions of a dictionary are the true ones. Looks at directions alone; see <see cref="LatentDetection"/> for whether they fire when they should.</summary>
public sealed record DirectionRecovery
{
    /// <summary>A true feature counts as recovered above this cosine.</summary>
    public const double RecoveredAbove = 0.9;

    /// <summary>Whether a direction and its opposite count as the same, as they must for codes of both signs (PCA, ICA).</summary>
    public required bool UpToSign { get; init; }

    /// <summary>
    /// Mean over true features of the cosine with the nearest latent, in [−1, 1]: is everything that is there found? Sharkey et al. 2022, "Taking
    /// features out of superposition with sparse autoencoders" (MMCS). Latents that are nothing do not lower it.
    /// </summary>
    public required double MmcsTruthToDictionary { get; init; }

    /// <summary>Mean over latents of the cosine with the nearest true feature, in [−1, 1]: is everything that is found there? A zero direction counts 0.</summary>
    public required double MmcsDictionaryToTruth { get; init; }

    /// <summary>
    /// Mean |cosine| of the best one-to-one matching of latents and true features, in [0, 1], over the smaller of the two. O'Neill et al. 2024
    /// (arXiv 2411.13117), MCC. Two latents on the same feature cannot both count.
    /// </summary>
    public required double Mcc { get; init; }

    /// <summary>The latent matched to each true feature, −1 without one. Shape: <c>[n_features]</c>.</summary>
    public required int[] Matching { get; init; }

    /// <summary>Distinct nearest features (by |cosine|) over latents, in (0, 1]; 1 when no two latents share one. As SAELens counts it.</summary>
    public required double Uniqueness { get; init; }

    /// <summary>True features whose nearest latent has a cosine above <see cref="RecoveredAbove"/>.</summary>
    public required int Recovered { get; init; }

    /// <summary>The feature of largest |cosine| for each latent. Shape: <c>[n_latents]</c>.</summary>
    public required int[] NearestFeature { get; init; }

    /// <summary>Cosine of each true feature with its nearest latent. Shape: <c>[n_features]</c>.</summary>
    public required double[] NearestCosine { get; init; }

    /// <summary>Compares directions.</summary>
    /// <param name="truth">True feature directions. Shape: <c>[n_features, d]</c>.</param>
    /// <param name="directions">Those of the dictionary. Shape: <c>[n_latents, d]</c>.</param>
    /// <param name="upToSign">Whether a direction and its opposite count as the same.</param>
    /// <exception cref="ArgumentException">The widths differ, or there are no directions on one side.</exception>
    public static DirectionRecovery Measure(Matrix truth, Matrix directions, bool upToSign)
    {
        if (truth.Rows == 0 || directions.Rows == 0)
            throw new ArgumentException(
                $"there are {truth.Rows} true features and {directions.Rows} latents, but both must be at least 1",
                nameof(truth)
            );
        var cosines = Cosines.Between(truth, directions); // [n_features, n_latents]
        var magnitudes = new Matrix(cosines.Rows, cosines.Columns, Array.ConvertAll(cosines.Data, Math.Abs));
        var compared = upToSign ? magnitudes : cosines;
        var nearestCosine = new double[truth.Rows];
        for (var i = 0; i < truth.Rows; i++)
            nearestCosine[i] = Largest(compared.Row(i)).Value;
        var byLatent = compared.Transpose();
        var magnitudeByLatent = upToSign ? byLatent : magnitudes.Transpose();
        var nearestFeature = new int[directions.Rows];
        var back = 0.0;
        for (var k = 0; k < directions.Rows; k++)
        {
            back += Largest(byLatent.Row(k)).Value;
            nearestFeature[k] = Largest(magnitudeByLatent.Row(k)).Index;
        }
        var matching = Assignment.Maximise(magnitudes);
        var matched = matching.Select((latent, feature) => latent < 0 ? 0 : magnitudes[feature, latent]).Sum();
        return new DirectionRecovery
        {
            UpToSign = upToSign,
            MmcsTruthToDictionary = nearestCosine.Average(),
            MmcsDictionaryToTruth = back / directions.Rows,
            Mcc = matched / Math.Min(truth.Rows, directions.Rows),
            Matching = matching,
            Uniqueness = (double)nearestFeature.Distinct().Count() / directions.Rows,
            Recovered = nearestCosine.Count(cosine => cosine > RecoveredAbove),
            NearestFeature = nearestFeature,
            NearestCosine = nearestCosine,
        };
    }

    private static (double Value, int Index) Largest(ReadOnlySpan<double> values)
    {
        var best = 0;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] > values[best])
                best = i;
        }
        return (values[best], best);
    }
}
