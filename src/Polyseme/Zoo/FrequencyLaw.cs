namespace Polyseme.Zoo;

/// <summary>How often each feature of a toy model is active, from the most to the least frequent.</summary>
public enum FrequencyLaw
{
    /// <summary>All equally often.</summary>
    Uniform,

    /// <summary>p_i ∝ i^−1.2, i = 1 … n: the exponent of word frequencies.</summary>
    Power,

    /// <summary>p_i ∝ e^(−i/τ), τ = n/6.</summary>
    Exponential,

    /// <summary>p_i ∝ n + 1 − i, i = 1 … n.</summary>
    Linear,
}

/// <summary>Densities that follow a law.</summary>
/// <remarks>Liu, Liu and Gore 2025, "Superposition yields robust neural scaling", compares these laws.</remarks>
internal static class FrequencyLaws
{
    private const double PowerExponent = 1.2;

    /// <summary>Densities of a law whose sum is the mean number of active features. None exceeds 1: what a feature cannot take the others share by the law.</summary>
    /// <param name="law">The law.</param>
    /// <param name="features">n.</param>
    /// <param name="active">Mean number of active features in a row, above 0 and at most n.</param>
    /// <returns>In descending order. Shape: <c>[n_features]</c>.</returns>
    public static double[] Densities(FrequencyLaw law, int features, double active)
    {
        if (!(active > 0 && active <= features))
            throw new ArgumentException($"active is {active}; it lies above 0 and is at most {features}", nameof(active));
        var weights = Enumerable.Range(1, features).Select(i => Weight(law, i, features)).ToArray();
        // The k most frequent features are always active; the others share the rest.
        var remaining = weights.Sum();
        for (var k = 0; k < features; k++)
        {
            var scale = (active - k) / remaining;
            // The last of them would be 1 but for rounding.
            if (scale * weights[k] <= 1 || k == features - 1)
                return [.. weights.Select((weight, i) => i < k ? 1 : Math.Min(1, scale * weight))];
            remaining -= weights[k];
        }
        throw new InvalidOperationException("no feature is left");
    }

    private static double Weight(FrequencyLaw law, int i, int features) =>
        law switch
        {
            FrequencyLaw.Uniform => 1,
            FrequencyLaw.Power => Math.Pow(i, -PowerExponent),
            FrequencyLaw.Exponential => Math.Exp(-6.0 * i / features),
            FrequencyLaw.Linear => features + 1 - i,
            _ => throw new ArgumentOutOfRangeException(nameof(law), law, "no such law"),
        };
}
