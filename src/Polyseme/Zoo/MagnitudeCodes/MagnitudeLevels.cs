namespace Polyseme.Zoo.MagnitudeCodes;

/// <summary>The levels that a neuron's values fall into.</summary>
/// <param name="Centres">Ascending.</param>
/// <param name="Level">The level of every value. Shape: <c>[n]</c>.</param>
internal sealed record MagnitudeLevels(double[] Centres, int[] Level)
{
    private const int Rounds = 50;

    /// <summary>k-means on a line from 1 to <paramref name="most"/> levels; the number with the lowest BIC of equal-width Gaussians is taken.</summary>
    /// <remarks>Pelleg and Moore 2000, "X-means", for the criterion, n·ln σ² + 2·(levels)·ln n less constants; starts are quantiles, so nothing is random.</remarks>
    /// <param name="values">At least one.</param>
    /// <param name="most">Most levels.</param>
    public static MagnitudeLevels Of(IReadOnlyList<double> values, int most)
    {
        if (values.Count == 0)
            throw new ArgumentException("there are 0 values, but levels need at least 1", nameof(values));
        var sorted = values.Order().ToArray();
        var range = sorted[^1] - sorted[0];
        var best = new double[] { sorted.Average() };
        var lowest = double.PositiveInfinity;
        for (var count = 1; count <= Math.Min(most, sorted.Length); count++)
        {
            var centres = Fit(sorted, count);
            var error = sorted.Sum(value => Math.Pow(value - centres[Nearest(centres, value)], 2)) / sorted.Length;
            // A floor at a thousandth of the range: levels that a noiseless network gives exactly would else be split for ever.
            var criterion = (sorted.Length * Math.Log(Math.Max(error, 1e-6 * range * range))) + (2 * count * Math.Log(sorted.Length));
            // Mixing proportions: a level of few values costs as much as it should.
            criterion -=
                2
                * sorted
                    .GroupBy(value => Nearest(centres, value))
                    .Sum(group => group.Count() * Math.Log(group.Count() / (double)sorted.Length));
            if (criterion < lowest)
                (lowest, best) = (criterion, centres);
        }
        return new MagnitudeLevels(best, [.. values.Select(value => Nearest(best, value))]);
    }

    /// <summary>Different labels that are the most frequent of some level and make up at least half of it.</summary>
    /// <param name="labels">Of every value. Shape: <c>[n]</c>.</param>
    public int ConceptsOf(IReadOnlyList<int> labels) =>
        Enumerable
            .Range(0, Level.Length)
            .GroupBy(row => Level[row])
            .Select(level =>
            {
                var most = level.CountBy(row => labels[row]).MaxBy(entry => entry.Value);
                return 2 * most.Value >= level.Count() ? most.Key : -1;
            })
            .Where(label => label >= 0)
            .Distinct()
            .Count();

    private static double[] Fit(double[] sorted, int count)
    {
        var centres = Enumerable.Range(0, count).Select(i => sorted[(int)((i + 0.5) * sorted.Length / count)]).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            var (sum, members) = (new double[count], new int[count]);
            foreach (var value in sorted)
            {
                var at = Nearest(centres, value);
                sum[at] += value;
                members[at]++;
            }
            var moved = false;
            for (var i = 0; i < count; i++)
            {
                var centre = members[i] > 0 ? sum[i] / members[i] : centres[i];
                moved |= centre != centres[i];
                centres[i] = centre;
            }
            if (!moved)
                break;
        }
        Array.Sort(centres);
        return centres;
    }

    private static int Nearest(double[] centres, double value)
    {
        var best = 0;
        for (var i = 1; i < centres.Length; i++)
            best = Math.Abs(value - centres[i]) < Math.Abs(value - centres[best]) ? i : best;
        return best;
    }
}
