using Polyseme.Numerics;

namespace Polyseme.Evidence;

/// <summary>How much of each neuron one independent component explains.</summary>
public sealed record NeuronAlignment
{
    /// <summary>Share of each live neuron's variance that each component explains. Shape: <c>[n_live, n_components]</c>; rows sum to at most 1.</summary>
    public required Matrix Shares { get; init; }

    /// <summary>The largest of them, per live neuron, in [0, 1].</summary>
    public required double[] Largest { get; init; }

    /// <summary>Median over live neurons of the largest share.</summary>
    public required double Median { get; init; }

    /// <summary>Share of live neurons that one component explains to at least .8: monosemantic with respect to the components.</summary>
    public required double AlignedNeurons { get; init; }

    /// <summary>The median when the components are rotated at random.</summary>
    public required NullSummary Null { get; init; }

    /// <summary>Share of random rotations with at least the median of the data, (1 + k) / (1 + n).</summary>
    public required double PValue { get; init; }

    /// <summary>A neuron carries one feature when that feature is at least this share of its variance above noise.</summary>
    public const double OneFeature = 0.8;

    /// <summary>Measures the alignment of neurons with components.</summary>
    /// <param name="subspace">The layer; loadings of shape <c>[n_live, dimensions]</c>.</param>
    /// <param name="rotation">Components as rows. Shape: <c>[n_components, dimensions]</c>.</param>
    /// <param name="draws">Draws of the rotation null.</param>
    /// <param name="random">Draws the rotations.</param>
    public static NeuronAlignment Measure(SignalSubspace subspace, Matrix rotation, int draws, RandomStream random)
    {
        var shares = SharesOf(subspace.Loadings, rotation);
        var largest = Largests(shares);
        var nulls = Enumerable
            .Range(0, draws)
            .Select(_ => MedianOf(Largests(SharesOf(subspace.Loadings, NullData.Rotation(rotation.Rows, random)))))
            .ToArray();
        // Above noise: what the subspace does not hold of a neuron is not counted against it.
        var explained = Enumerable.Range(0, shares.Rows).Select(j => shares.Row(j).ToArray().Sum()).ToArray();
        return new NeuronAlignment
        {
            Shares = shares,
            Largest = largest,
            Median = MedianOf(largest),
            AlignedNeurons =
                (double)largest.Where((share, j) => explained[j] > 0.02 && share >= OneFeature * explained[j]).Count() / largest.Length,
            Null = NullSummary.Of("rotation", nulls),
            PValue = (1.0 + nulls.Count(draw => draw >= MedianOf(largest))) / (1 + nulls.Length),
        };
    }

    private static Matrix SharesOf(Matrix loadings, Matrix rotation)
    {
        var shares = LinearAlgebra.MultiplyTranspose(loadings, rotation); // standardised neuron on component
        for (var i = 0; i < shares.Data.Length; i++)
            shares.Data[i] *= shares.Data[i];
        return shares;
    }

    private static double[] Largests(Matrix shares) => [.. Enumerable.Range(0, shares.Rows).Select(j => shares.Row(j).ToArray().Max())];

    private static double MedianOf(double[] values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
