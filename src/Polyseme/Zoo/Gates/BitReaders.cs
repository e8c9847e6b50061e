namespace Polyseme.Zoo.Gates;

/// <summary>W of zeros and ones: which neurons read which bits.</summary>
/// <param name="readers">The neurons that read each bit, ascending.</param>
/// <param name="neurons">d.</param>
internal sealed class BitReaders(int[][] readers, int neurons)
{
    /// <summary>d₀.</summary>
    public int Features => readers.Length;

    /// <summary>d.</summary>
    public int Neurons => neurons;

    /// <summary>The neurons that read a bit, ascending.</summary>
    public IReadOnlyList<int> Of(int bit) => readers[bit];

    /// <summary>The neurons that read all of these bits, ascending.</summary>
    public IReadOnlyList<int> Common(ReadOnlySpan<int> bits)
    {
        var common = readers[bits[0]];
        foreach (var bit in bits[1..])
            common = Intersection(common, readers[bit]);
        return common;
    }

    /// <summary>W·b: how many of the active bits each neuron reads. Shape: <c>[d]</c>.</summary>
    public double[] Counts(ReadOnlySpan<int> active)
    {
        var counts = new double[neurons];
        foreach (var bit in active)
        {
            foreach (var neuron in readers[bit])
                counts[neuron]++;
        }
        return counts;
    }

    /// <summary>The same of one neuron.</summary>
    public int Count(int neuron, ReadOnlySpan<int> active)
    {
        var count = 0;
        foreach (var bit in active)
            count += Array.BinarySearch(readers[bit], neuron) >= 0 ? 1 : 0;
        return count;
    }

    private static int[] Intersection(int[] a, int[] b)
    {
        var both = new List<int>();
        for (int i = 0, j = 0; i < a.Length && j < b.Length; )
        {
            if (a[i] == b[j])
                both.Add(a[i]);
            if (a[i] <= b[j])
                i++;
            else
                j++;
        }
        return [.. both];
    }
}
