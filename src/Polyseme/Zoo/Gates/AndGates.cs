using Polyseme.Numerics;

namespace Polyseme.Zoo.Gates;

/// <summary>Which neurons of the construction read which bits: each reads each with probability (μ/d)^(1/k), independently, for ANDs of k bits.</summary>
internal sealed class AndGates
{
    private readonly BitReaders _readers;

    /// <summary>Draws them.</summary>
    /// <param name="features">d₀.</param>
    /// <param name="neurons">d.</param>
    /// <param name="overlap">μ, neurons that read all bits of a gate, on average.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="fanIn">k, the bits of a gate.</param>
    public AndGates(int features, int neurons, double overlap, ulong seed, int fanIn = 2)
    {
        FanIn = fanIn;
        Probability = Math.Pow(overlap / neurons, 1.0 / fanIn);
        var named = $"universal-and/gates/{features}/{neurons}/{overlap}";
        var stream = new RandomStream(seed, fanIn == 2 ? named : $"{named}/{fanIn}");
        _readers = new BitReaders(
            [
                .. Enumerable
                    .Range(0, features)
                    .Select(_ => Enumerable.Range(0, neurons).Where(_ => stream.NextDouble() < Probability).ToArray()),
            ],
            neurons
        );
    }

    /// <summary>d₀.</summary>
    public int Features => _readers.Features;

    /// <summary>d.</summary>
    public int Neurons => _readers.Neurons;

    /// <summary>k, the bits of a gate.</summary>
    public int FanIn { get; }

    /// <summary>(μ/d)^(1/k).</summary>
    public double Probability { get; }

    /// <summary>S_i, ascending.</summary>
    public IReadOnlyList<int> Readers(int bit) => _readers.Of(bit);

    /// <summary>The neurons that read all of these bits, ascending.</summary>
    public IReadOnlyList<int> Common(params ReadOnlySpan<int> bits) => _readers.Common(bits);

    /// <summary>W·b: how many of the active bits each neuron reads. Shape: <c>[d]</c>.</summary>
    public double[] Counts(ReadOnlySpan<int> active) => _readers.Counts(active);

    /// <summary>ReLU(W·b − k + 1). Shape: <c>[d]</c>.</summary>
    /// <param name="active">The bits that are one.</param>
    /// <param name="noise">Added before the ReLU; may be empty. Shape: <c>[d]</c>.</param>
    public double[] Activations(ReadOnlySpan<int> active, ReadOnlySpan<double> noise)
    {
        var neurons = Counts(active);
        for (var neuron = 0; neuron < neurons.Length; neuron++)
            neurons[neuron] = Math.Max(neurons[neuron] - (FanIn - 1) + (noise.IsEmpty ? 0 : noise[neuron]), 0);
        return neurons;
    }

    /// <summary>The read-out of an AND: the mean of the neurons that read all of its bits; 0 where none does.</summary>
    public double Read(ReadOnlySpan<int> bits, ReadOnlySpan<double> activations) => Mean(Common(bits), activations);

    /// <summary>The same for a row with these bits on; no other neurons are worked out.</summary>
    public double Read(ReadOnlySpan<int> bits, ReadOnlySpan<int> active)
    {
        var sum = 0;
        var neurons = Common(bits);
        foreach (var neuron in neurons)
            sum += Math.Max(_readers.Count(neuron, active) - (FanIn - 1), 0);
        return neurons.Count == 0 ? 0 : (double)sum / neurons.Count;
    }

    /// <summary>The mean of some neurons; 0 for none.</summary>
    public static double Mean(IReadOnlyList<int> neurons, ReadOnlySpan<double> activations)
    {
        var sum = 0.0;
        foreach (var neuron in neurons)
            sum += activations[neuron];
        return neurons.Count == 0 ? 0 : sum / neurons.Count;
    }

    /// <summary>Reads ANDs on random rows of ℓ active bits: in equal parts gates of which 0 … k bits are on.</summary>
    /// <param name="active">ℓ, at least k.</param>
    /// <param name="reads">Read-outs in all.</param>
    /// <param name="seed">The seed.</param>
    public AndErrors Measure(int active, int reads, ulong seed)
    {
        var stream = new RandomStream(seed, "universal-and/reads");
        var tally = new AndTally(FanIn);
        for (var row = 0; row < reads / (FanIn + 1); row++)
        {
            var bits = Question(stream, active);
            for (var on = FanIn; on >= 0; on--)
                tally.Add(on, Read(Gate(bits, active, on), bits.AsSpan(0, active)));
        }
        return tally.Errors();
    }

    /// <summary>ℓ + k different bits: the first ℓ are on, the others off.</summary>
    public int[] Question(RandomStream stream, int active) => Distinct(stream, active + FanIn);

    /// <summary>A gate of which so many bits are on, from <see cref="Question"/>'s bits.</summary>
    public int[] Gate(int[] bits, int active, int on) => [.. bits[..on], .. bits[active..(active + FanIn - on)]];

    /// <summary>The mean absolute error derived for gates of which so many bits are on.</summary>
    /// <remarks>
    /// A neuron that reads all bits of a gate reads the other ℓ − j active bits independently with probability p, so it holds
    /// ReLU(j + B − k + 1) with B binomial. That is never below the AND, so the mean absolute error is the mean error, whatever the number of
    /// neurons that the read-out averages.
    /// </remarks>
    public double Expected(int active, int on)
    {
        var others = active - on;
        double mean = 0,
            chance = Math.Pow(1 - Probability, others);
        for (var read = 0; read <= others; read++)
        {
            mean += chance * Math.Max(on + read - FanIn + 1, 0);
            chance *= (others - read) / (read + 1.0) * Probability / (1 - Probability);
        }
        return on == FanIn ? mean - 1 : mean;
    }

    /// <summary>The same, over gates of which 0 … k bits are on, in equal parts.</summary>
    public double Expected(int active) => Enumerable.Range(0, FanIn + 1).Average(on => Expected(active, on));

    /// <summary>Different bits in random order.</summary>
    internal int[] Distinct(RandomStream stream, int count)
    {
        var bits = new List<int>();
        while (bits.Count < count)
        {
            var bit = stream.NextInt(Features);
            if (!bits.Contains(bit))
                bits.Add(bit);
        }
        return [.. bits];
    }
}
