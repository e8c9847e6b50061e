using Polyseme.Numerics;

namespace Polyseme.Zoo.Disentangling;

/// <summary>How well latents stand for known factors, one each.</summary>
/// <param name="MeanCorrelation">Mean over factors of the largest |correlation| with a latent; 1 = every factor has a latent of its own.</param>
/// <param name="Recovered">Factors whose largest |correlation| is above .9.</param>
/// <param name="Factors">Factors in all.</param>
/// <param name="InformationGap">Mutual information gap, in [0, 1].</param>
internal sealed record Disentanglement(double MeanCorrelation, int Recovered, int Factors, double InformationGap)
{
    /// <summary>Bins of a factor and of a latent.</summary>
    public const int Bins = 20;

    /// <summary>Measures latents against factors, row for row.</summary>
    /// <param name="latents">Shape: <c>[n_rows, n_latents]</c>.</param>
    /// <param name="factors">Shape: <c>[n_rows, n_factors]</c>.</param>
    public static Disentanglement Of(Matrix latents, Matrix factors)
    {
        var correlations = Readouts.AbsoluteCorrelations(factors, latents);
        var best = Enumerable.Range(0, factors.Columns).Select(factor => correlations.Row(factor).ToArray().Max()).ToArray();
        return new Disentanglement(best.Average(), best.Count(value => value > 0.9), best.Length, InformationGapOf(latents, factors));
    }

    /// <summary>MIG: mean over factors of (information about the factor in the best latent less that in the second best) over the factor's entropy.</summary>
    /// <remarks>
    /// Chen et al. 2018, "Isolating sources of disentanglement in variational autoencoders", eq. 6, from histograms of the latents' means as Locatello et al. 2019
    /// estimate it: 20 bins of equal width. A factor that is continuous is put into 20 bins as well, of which exact zeros have one of their own.
    /// </remarks>
    public static double InformationGapOf(Matrix latents, Matrix factors)
    {
        var latentBins = Enumerable.Range(0, latents.Columns).Select(column => Binned(latents.Column(column), false)).ToArray();
        var sum = 0.0;
        for (var factor = 0; factor < factors.Columns; factor++)
        {
            var bins = Binned(factors.Column(factor), true);
            var entropy = Information(bins, bins);
            double first = 0,
                second = 0;
            foreach (var latent in latentBins)
            {
                var information = Information(bins, latent);
                (first, second) = information > first ? (information, first) : (first, Math.Max(second, information));
            }
            sum += entropy > 0 ? (first - second) / entropy : 0;
        }
        return sum / factors.Columns;
    }

    private static int[] Binned(double[] values, bool zerosApart)
    {
        double low = values.Min(),
            high = values.Max();
        var apart = zerosApart && values.Contains(0) ? 1 : 0;
        var bins = Bins - apart;
        return
        [
            .. values.Select(value =>
                apart == 1 && value == 0 ? 0
                : high > low ? apart + Math.Min((int)((value - low) / (high - low) * bins), bins - 1)
                : 0
            ),
        ];
    }

    /// <summary>Mutual information of two binned columns, nats; of a column with itself its entropy.</summary>
    private static double Information(int[] one, int[] other)
    {
        var joint = new double[Bins, Bins];
        double[] first = new double[Bins],
            second = new double[Bins];
        for (var row = 0; row < one.Length; row++)
        {
            joint[one[row], other[row]]++;
            first[one[row]]++;
            second[other[row]]++;
        }
        var sum = 0.0;
        for (var i = 0; i < Bins; i++)
        for (var j = 0; j < Bins; j++)
            sum += joint[i, j] > 0 ? joint[i, j] / one.Length * Math.Log(joint[i, j] * one.Length / (first[i] * second[j])) : 0;
        return sum;
    }
}
