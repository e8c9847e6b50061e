namespace Polyseme.Zoo.Capacities;

/// <summary>How much capacity each feature gets when a total is shared out so that the loss of quadratic neurons is least.</summary>
/// <param name="Capacity">C_i. Shape: <c>[n]</c>, each in [0, 1], summing to the total.</param>
/// <param name="Loss">The loss at these capacities and the best norms.</param>
/// <remarks>
/// Scherlis et al. 2022, "Polysemanticity and Capacity in Neural Networks": capacity is shared so that the marginal loss is the same for every
/// feature that gets some and not all of a dimension. The closed form for this loss is derived.
/// </remarks>
public sealed record CapacityAllocation(double[] Capacity, double Loss)
{
    /// <summary>ℓ(C) = 2v²(κ − 1)(1 − C) / (2 + (κ − 3)C), the loss of a feature with capacity C at its best norm.</summary>
    public static double FeatureLoss(double importance, double kurtosis, double capacity) =>
        2 * importance * importance * (kurtosis - 1) * (1 - capacity) / (2 + ((kurtosis - 3) * capacity));

    /// <summary>Above this ratio of importances the less important of two features is ignored and the other monosemantic: (κ − 1)/2, at least 1.</summary>
    public static double PhaseRatio(double kurtosis) => Math.Max(1, (kurtosis - 1) / 2);

    /// <summary>The best allocation.</summary>
    /// <param name="importance">v_i, not negative.</param>
    /// <param name="kurtosis">κ of every input, above 1.</param>
    /// <param name="dimensions">Total capacity D. In 1 … n.</param>
    /// <exception cref="ArgumentException">A value out of range.</exception>
    public static CapacityAllocation Solve(IReadOnlyList<double> importance, double kurtosis, int dimensions)
    {
        if (kurtosis <= 1 || !double.IsFinite(kurtosis))
            throw new ArgumentException($"the kurtosis is {kurtosis}; it is above 1", nameof(kurtosis));
        if (dimensions < 1 || dimensions > importance.Count)
            throw new ArgumentException($"dimensions is {dimensions}; it ranges from 1 to {importance.Count}", nameof(dimensions));
        if (importance.FirstOrDefault(v => !(v >= 0)) is var wrong && wrong is not 0)
            throw new ArgumentException($"an importance is {wrong}; none is negative", nameof(importance));
        var capacity = kurtosis <= 3 ? Largest(importance, dimensions) : EqualMargins(importance, kurtosis, dimensions);
        return new CapacityAllocation(capacity, importance.Zip(capacity, (v, c) => FeatureLoss(v, kurtosis, c)).Sum());
    }

    /// <summary>Constant or increasing returns: whole dimensions for the most important features, as in principal components.</summary>
    private static double[] Largest(IReadOnlyList<double> importance, int dimensions)
    {
        var capacity = new double[importance.Count];
        foreach (var i in Enumerable.Range(0, importance.Count).OrderByDescending(i => importance[i]).Take(dimensions))
            capacity[i] = 1;
        return capacity;
    }

    /// <summary>Diminishing returns: −ℓ'(C) = 2v²(κ − 1)²/(2 + (κ − 3)C)² is 2/s² wherever 0 &lt; C &lt; 1, hence C = (v(κ − 1)s − 2)/(κ − 3), clipped.</summary>
    private static double[] EqualMargins(IReadOnlyList<double> importance, double kurtosis, int dimensions)
    {
        double At(double s, int i) => Math.Clamp(((importance[i] * (kurtosis - 1) * s) - 2) / (kurtosis - 3), 0, 1);
        double Total(double s) => Enumerable.Range(0, importance.Count).Sum(i => At(s, i));
        double low = 0,
            high = 1;
        // Features without importance get nothing however large s is.
        var reachable = importance.Count(v => v > 0);
        while (Total(high) < Math.Min(dimensions, reachable))
            high *= 2;
        for (var halving = 0; halving < 200; halving++)
        {
            var middle = (low + high) / 2;
            (low, high) = Total(middle) < dimensions ? (middle, high) : (low, middle);
        }
        return [.. Enumerable.Range(0, importance.Count).Select(i => At(high, i))];
    }
}
