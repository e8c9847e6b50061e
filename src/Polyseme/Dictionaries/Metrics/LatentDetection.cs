namespace Polyseme.Dictionaries.Metrics;

/// <summary>Whether one latent fires when its feature does.</summary>
/// <param name="Latent">Its number.</param>
/// <param name="Feature">The true feature whose direction is nearest.</param>
/// <param name="Fires">Rows in which the latent is not zero.</param>
/// <param name="Precision">Share of those rows in which the feature is active, in [0, 1]; <c>null</c> when the latent never fires.</param>
/// <param name="Recall">Share of the feature's rows in which the latent fires, in [0, 1]; <c>null</c> when the feature is never active.</param>
/// <param name="F1">2·TP / (fires + active), in [0, 1]; <c>null</c> when neither ever is.</param>
public sealed record LatentDetectionScore(int Latent, int Feature, long Fires, double? Precision, double? Recall, double? F1);

/// <summary>Whether the latents fire when their features do: each latent as a detector of the true feature with the largest |cosine|.</summary>
/// <remarks>Definitions as SAELens's synthetic evaluation has them; what is undefined (a dead latent's precision) counts 0 in the means and is <c>null</c> by itself.</remarks>
public sealed record LatentDetection
{
    /// <summary>Mean precision over all latents, in [0, 1].</summary>
    public required double Precision { get; init; }

    /// <summary>Mean recall over all latents, in [0, 1].</summary>
    public required double Recall { get; init; }

    /// <summary>Mean F1 over all latents, in [0, 1].</summary>
    public required double F1 { get; init; }

    /// <summary>Of all latents in all rows that are not zero, the share whose feature is not active, in [0, 1]; <c>null</c> when none ever fires.</summary>
    public required double? FalsePositiveShare { get; init; }

    /// <summary>Mean number of active true features in a row.</summary>
    public required double TrueL0 { get; init; }

    /// <summary>Each latent. Shape: <c>[n_latents]</c>.</summary>
    public required IReadOnlyList<LatentDetectionScore> Latents { get; init; }
}

/// <summary>Counts, block by block, what <see cref="LatentDetection"/> needs.</summary>
/// <param name="nearestFeature">The feature that each latent stands for. Shape: <c>[n_latents]</c>.</param>
/// <param name="nFeatures">True features.</param>
public sealed class LatentDetectionCounter(int[] nearestFeature, int nFeatures)
{
    private readonly long[] _together = new long[nearestFeature.Length];
    private readonly long[] _fires = new long[nearestFeature.Length];
    private readonly long[] _active = new long[nFeatures];
    private long _rows;

    /// <summary>Adds rows.</summary>
    /// <param name="latents">Shape: <c>[rows, n_latents]</c>.</param>
    /// <param name="features">True values of the same rows; active where not 0. Shape: <c>[rows, n_features]</c>.</param>
    /// <exception cref="ArgumentException">The blocks differ in rows.</exception>
    public void Add(ReadOnlySpan<float> latents, ReadOnlySpan<float> features)
    {
        var rows = latents.Length / nearestFeature.Length;
        if (features.Length != (long)rows * nFeatures || latents.Length != (long)rows * nearestFeature.Length)
            throw new ArgumentException($"{features.Length} feature values do not fit {rows} rows of {nFeatures}", nameof(features));
        _rows += rows;
        for (var row = 0; row < rows; row++)
        {
            var fired = latents.Slice(row * nearestFeature.Length, nearestFeature.Length);
            var active = features.Slice(row * nFeatures, nFeatures);
            for (var i = 0; i < active.Length; i++)
            {
                if (active[i] != 0)
                    _active[i]++;
            }
            for (var k = 0; k < fired.Length; k++)
            {
                if (fired[k] == 0)
                    continue;
                _fires[k]++;
                if (active[nearestFeature[k]] != 0)
                    _together[k]++;
            }
        }
    }

    /// <summary>The scores of all rows so far.</summary>
    /// <exception cref="InvalidOperationException">No rows were added.</exception>
    public LatentDetection Result()
    {
        if (_rows == 0)
            throw new InvalidOperationException("no rows were added");
        var scores = nearestFeature
            .Select(
                (feature, latent) =>
                {
                    var (both, fires, active) = (_together[latent], _fires[latent], _active[feature]);
                    return new LatentDetectionScore(
                        latent,
                        feature,
                        fires,
                        fires == 0 ? null : (double)both / fires,
                        active == 0 ? null : (double)both / active,
                        fires + active == 0 ? null : 2.0 * both / (fires + active)
                    );
                }
            )
            .ToArray();
        var all = _fires.Sum();
        return new LatentDetection
        {
            Precision = scores.Average(score => score.Precision ?? 0),
            Recall = scores.Average(score => score.Recall ?? 0),
            F1 = scores.Average(score => score.F1 ?? 0),
            FalsePositiveShare = all == 0 ? null : 1 - ((double)_together.Sum() / all),
            TrueL0 = (double)_active.Sum() / _rows,
            Latents = scores,
        };
    }
}
