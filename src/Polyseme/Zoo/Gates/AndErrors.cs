namespace Polyseme.Zoo.Gates;

/// <summary>How wrong the read-outs of ANDs are.</summary>
/// <param name="ByOn">Mean absolute error where so many of the gate's bits are on. Shape: <c>[fan-in + 1]</c>.</param>
/// <param name="Misread">Share that falls on the wrong side of one half, over these kinds in equal parts.</param>
internal sealed record AndErrors(IReadOnlyList<double> ByOn, double Misread)
{
    /// <summary>Mean absolute error over the kinds in equal parts.</summary>
    public double Mean => ByOn.Average();
}

/// <summary>Counts read-outs by how many of the gate's bits are on.</summary>
/// <param name="fanIn">Bits of a gate.</param>
internal sealed class AndTally(int fanIn)
{
    private readonly double[] _sums = new double[fanIn + 1];
    private readonly int[] _counts = new int[fanIn + 1];
    private readonly int[] _misread = new int[fanIn + 1];

    /// <summary>Counts a read-out: one where all bits are on, zero elsewhere, would be right.</summary>
    public void Add(int on, double read)
    {
        var truth = on == fanIn ? 1 : 0;
        _counts[on]++;
        _sums[on] += Math.Abs(read - truth);
        _misread[on] += read > 0.5 != truth > 0.5 ? 1 : 0;
    }

    /// <summary>What was counted; every kind was asked for at least once.</summary>
    public AndErrors Errors() =>
        new([.. _sums.Zip(_counts, (sum, count) => sum / count)], _misread.Zip(_counts, (wrong, count) => (double)wrong / count).Average());
}
