namespace Polyseme.Zoo;

/// <summary>Area under the receiver operating characteristic: the probability that a positive row scores above a negative one, ties counted half.</summary>
/// <remarks>Hanley and McNeil 1982: equal to the Mann–Whitney statistic divided by the number of pairs.</remarks>
internal static class Auroc
{
    /// <summary>In [0, 1]; ½ is chance. <c>null</c> without both classes.</summary>
    /// <param name="scores">Shape: <c>[n]</c>.</param>
    /// <param name="positive">Above ½ is positive. Shape: <c>[n]</c>.</param>
    public static double? Of(double[] scores, double[] positive)
    {
        if (scores.Length != positive.Length)
            throw new ArgumentException($"there are {scores.Length} scores, but {positive.Length} labels", nameof(positive));
        var order = Enumerable.Range(0, scores.Length).ToArray();
        var sorted = (double[])scores.Clone();
        Array.Sort(sorted, order);
        double ranks = 0;
        long positives = 0;
        for (var first = 0; first < sorted.Length; )
        {
            var last = first;
            while (last + 1 < sorted.Length && sorted[last + 1] == sorted[first])
                last++;
            var rank = (first + last) / 2.0;
            for (var i = first; i <= last; i++)
            {
                if (positive[order[i]] > 0.5)
                {
                    ranks += rank;
                    positives++;
                }
            }
            first = last + 1;
        }
        var negatives = scores.Length - positives;
        if (positives == 0 || negatives == 0)
            return null;
        return (ranks - (positives * (positives - 1) / 2.0)) / ((double)positives * negatives);
    }
}
