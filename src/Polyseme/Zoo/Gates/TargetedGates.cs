using Polyseme.Numerics;

namespace Polyseme.Zoo.Gates;

/// <summary>
/// Neurons for the ANDs that are wanted, and no others: a graph of wanted gates, for each a random set of neurons that reads both of its bits, so
/// that the neurons that read a bit are the union over its gates.
/// </summary>
/// <remarks>Vaintrob, Mendel and Hänni 2024, on the targeted superpositional AND.</remarks>
internal sealed class TargetedGates
{
    private readonly int[][] _neurons;
    private readonly BitReaders _readers;

    /// <summary>Draws the sets.</summary>
    /// <param name="features">d₀.</param>
    /// <param name="neurons">d.</param>
    /// <param name="wanted">E.</param>
    /// <param name="perGate">s, neurons of a gate.</param>
    /// <param name="stream">Randomness.</param>
    public TargetedGates(int features, int neurons, IReadOnlyList<(int First, int Second)> wanted, int perGate, RandomStream stream)
    {
        (Wanted, PerGate) = (wanted, perGate);
        _neurons = new int[wanted.Count][];
        var readers = Enumerable.Range(0, features).Select(_ => new SortedSet<int>()).ToArray();
        for (var gate = 0; gate < wanted.Count; gate++)
        {
            var set = new HashSet<int>();
            while (set.Count < perGate)
                set.Add(stream.NextInt(neurons));
            _neurons[gate] = [.. set.Order()];
            readers[wanted[gate].First].UnionWith(set);
            readers[wanted[gate].Second].UnionWith(set);
        }
        _readers = new BitReaders([.. readers.Select(set => set.ToArray())], neurons);
    }

    /// <summary>d₀.</summary>
    public int Features => _readers.Features;

    /// <summary>d.</summary>
    public int Neurons => _readers.Neurons;

    /// <summary>E.</summary>
    public IReadOnlyList<(int First, int Second)> Wanted { get; }

    /// <summary>s, neurons of a gate.</summary>
    public int PerGate { get; }

    /// <summary>The neurons that read a bit, ascending.</summary>
    public IReadOnlyList<int> Readers(int bit) => _readers.Of(bit);

    /// <summary>The neurons of a wanted gate, ascending.</summary>
    public IReadOnlyList<int> NeuronsOf(int gate) => _neurons[gate];

    /// <summary>A graph of different pairs of bits, each as likely as any other.</summary>
    public static (int First, int Second)[] RandomGraph(int features, int gates, RandomStream stream)
    {
        var pairs = new HashSet<(int First, int Second)>();
        if (gates > (long)features * (features - 1) / 2)
            throw new ArgumentException(
                $"{gates} gates are wanted, but {features} bits have {(long)features * (features - 1) / 2} pairs",
                nameof(gates)
            );
        while (pairs.Count < gates)
        {
            var (a, b) = (stream.NextInt(features), stream.NextInt(features));
            if (a != b)
                pairs.Add((Math.Min(a, b), Math.Max(a, b)));
        }
        return [.. pairs.Order()];
    }

    /// <summary>The read-out of a wanted gate: the mean of ReLU(W·b − 1) over its neurons.</summary>
    /// <param name="gate">Its number.</param>
    /// <param name="active">The bits that are one.</param>
    public double Read(int gate, ReadOnlySpan<int> active)
    {
        var sum = 0;
        foreach (var neuron in _neurons[gate])
            sum += Math.Max(_readers.Count(neuron, active) - 1, 0);
        return (double)sum / PerGate;
    }

    /// <summary>Reads random wanted gates on random rows of ℓ active bits: in equal parts gates of which both bits, one and none is on.</summary>
    /// <param name="active">ℓ, at least 2.</param>
    /// <param name="reads">Read-outs in all.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="universal">Other gates over the same bits that are asked the same on the same rows.</param>
    /// <returns>The errors of these gates, and of the others.</returns>
    public (AndErrors Targeted, AndErrors Universal) Measure(int active, int reads, ulong seed, AndGates universal)
    {
        var stream = new RandomStream(seed, "universal-and/wanted");
        AndTally targeted = new(2),
            others = new(2);
        var row = new int[active];
        for (var read = 0; read < reads; read++)
        {
            var on = read % 3;
            var gate = stream.NextInt(Wanted.Count);
            var (first, second) = Wanted[gate];
            for (var at = 0; at < active; )
            {
                var bit =
                    at >= on ? stream.NextInt(Features)
                    : at == 0 ? first
                    : second;
                if (at < on || (bit != first && bit != second && !row.AsSpan(0, at).Contains(bit)))
                    row[at++] = bit;
            }
            targeted.Add(on, Read(gate, row));
            others.Add(on, universal.Read([first, second], row));
        }
        return (targeted.Errors(), others.Errors());
    }

    /// <summary>The mean absolute error derived for wanted gates of which both bits are on, over the random sets, given the graph.</summary>
    /// <remarks>
    /// A neuron of the gate reads another bit of g gates unless none of their sets holds it: with probability 1 − (1 − s/d)^g. Each of the
    /// ℓ − 2 other active bits that it reads adds one to the AND.
    /// </remarks>
    public double ExpectedWhereBoth(int active)
    {
        var degrees = new int[Features];
        foreach (var (first, second) in Wanted)
        {
            degrees[first]++;
            degrees[second]++;
        }
        var read = degrees.Select(gates => 1 - Math.Pow(1 - ((double)PerGate / Neurons), gates)).ToArray();
        var total = read.Sum();
        return (active - 2) * Wanted.Average(pair => (total - read[pair.First] - read[pair.Second]) / (Features - 2));
    }
}
