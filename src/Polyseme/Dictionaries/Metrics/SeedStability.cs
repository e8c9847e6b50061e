using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Metrics;

/// <summary>Whether dictionaries that differ in their seed alone hold the same directions.</summary>
/// <param name="MeanMmcs">Mean over ordered pairs of dictionaries (A, B) of the mean over A's latents of the largest cosine in B, in [−1, 1].</param>
/// <param name="LeastMmcs">The smallest of them.</param>
/// <param name="MeanMcc">Mean over pairs of the mean |cosine| of the best one-to-one matching, in [0, 1].</param>
/// <param name="Dictionaries">Dictionaries compared.</param>
/// <remarks>
/// High stability says that the data determines the dictionary, not that its latents are features: random codewords come back as stably. Directions that
/// are zero are left out on both sides.
/// </remarks>
public sealed record SeedStability(double MeanMmcs, double LeastMmcs, double MeanMcc, int Dictionaries)
{
    /// <summary>Compares all pairs.</summary>
    /// <param name="directions">At least two, each of shape <c>[n_latents, d]</c>; their numbers of latents may differ.</param>
    /// <param name="upToSign">Whether a direction and its opposite count as the same.</param>
    /// <exception cref="ArgumentException">Fewer than two, or widths differ.</exception>
    public static SeedStability Measure(IReadOnlyList<Matrix> directions, bool upToSign)
    {
        if (directions.Count < 2)
            throw new ArgumentException($"{directions.Count} dictionaries cannot be compared; give at least 2", nameof(directions));
        var live = directions
            .Select(all => all.SelectRows([.. Enumerable.Range(0, all.Rows).Where(i => all.Row(i).ContainsAnyExcept(0.0))]))
            .ToArray();
        var mmcs = new List<double>();
        var mcc = new List<double>();
        for (var a = 0; a < live.Length; a++)
        for (var b = a + 1; b < live.Length; b++)
        {
            var compared = DirectionRecovery.Measure(live[a], live[b], upToSign);
            mmcs.Add(compared.MmcsTruthToDictionary);
            mmcs.Add(compared.MmcsDictionaryToTruth);
            mcc.Add(compared.Mcc);
        }
        return new SeedStability(mmcs.Average(), mmcs.Min(), mcc.Average(), live.Length);
    }
}
