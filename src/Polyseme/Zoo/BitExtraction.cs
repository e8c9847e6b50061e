using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="BitExtraction"/>.</summary>
public sealed record BitExtractionConfig : ZooConfig
{
    /// <summary>L, bits and blocks. In 2 … 23: single precision has no more.</summary>
    public int Bits
    {
        get;
        init => field = Allowed.Between(value, 2, 23);
    } = 12;

    /// <summary>Labels of the items, each a random half of them. In 1 … 64.</summary>
    public int Tables
    {
        get;
        init => field = Allowed.Between(value, 1, 64);
    } = 6;
}

/// <summary>The bits of a number, one ReLU block each: every item is told apart, and nothing about one item says anything about another.</summary>
public sealed class BitExtraction : ZooMember
{
    private const int ExhaustiveBits = 16,
        FailingBits = 24;

    /// <inheritdoc/>
    public override string Name => "bit-extraction";

    /// <inheritdoc/>
    public override string Summary =>
        "the bits of an item's number, dense and independent: items are decodable, and labels of items do not transfer";

    /// <inheritdoc/>
    public override string Source =>
        "Bartlett et al. 2019, Nearly-tight VC-dimension bounds for piecewise linear neural networks, on bit extraction; Telgarsky 2016";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new BitExtractionConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var extraction = Of<BitExtractionConfig>(config);
        cancellation.ThrowIfCancellationRequested();
        var network = new BitBlocks(extraction.Bits);
        var (items, inputs) = BitBlocks.Draw(extraction.Samples, extraction.Bits, new RandomStream(extraction.Seed, "bits/sample"));
        return new ZooRun
        {
            Member = Name,
            Config = extraction,
            Network = network,
            Hook = "hook_bits",
            Truth = new GroundTruth
            {
                Cause = Cause.Compositional,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    // Rotated would be wrong even here: the independent sources that can be seen lie along the neurons.
                    [AccessLevel.A] = ["monosemantic", "compositional", "undetermined"],
                    [AccessLevel.C] = ["compositional", "undetermined"],
                    [AccessLevel.T] = ["compositional"],
                },
                Reason =
                    "the neurons are the bits of an item's number. Activations alone show independent binary sources, one per neuron, which would be monosemantic if the bits meant something. The labels are arbitrary tables of the items: seen items are decodable, unseen ones are at chance, and no bit carries a label. Given labels only, that others exist which the bits do carry cannot be excluded.",
            },
            Activations = ActivationSet.FromMatrix(
                network.Run(inputs, ["hook_bits"]).Recorded["hook_bits"],
                new RowIdentities { Item = items }
            ),
            Features = ItemTables.Concepts(ItemTables.Of(1 << extraction.Bits, extraction.Tables, extraction.Seed, "bits"), items),
            Acceptances = Acceptances(),
        };
    }

    private static List<Acceptance> Acceptances()
    {
        const string source = "a ramp of slope 2^(L+2) needs the float's 24 bits; derived and measured";
        return
        [
            new(
                $"share of the 2^{ExhaustiveBits} inputs read wrongly in single precision",
                BitBlocks.WrongShare(ExhaustiveBits, 1),
                0,
                0,
                source
            ),
            // Inputs at the centres of 2^24 bins need 25 bits, one more than a float has.
            new($"the same with {FailingBits} bits, every 251st input", BitBlocks.WrongShare(FailingBits, 251), 0.5, 1, source),
        ];
    }
}

/// <summary>The construction: b = ReLU(D(x − ½)) − ReLU(D(x − ½) − 1), x' = 2x − b, L times, in single precision.</summary>
/// <remarks>
/// Hooks: <c>blocks.k.hook_hidden</c>, the two ReLUs of a block; <c>hook_bits</c>, the bits of all depths side by side, from which the
/// output is read: Σ_k b_k 2^−(k+1).
/// </remarks>
internal sealed class BitBlocks : Network
{
    private readonly int _bits;

    public BitBlocks(int bits)
    {
        _bits = bits;
        Hooks = [.. Enumerable.Range(0, bits).Select(block => new Hook($"blocks.{block}.hook_hidden", 2)), new Hook("hook_bits", bits)];
        var read = new Matrix(bits, 1);
        for (var k = 0; k < bits; k++)
            read[k, 0] = Math.ScaleB(1, -(k + 1));
        Weights = new Dictionary<string, Matrix>
        {
            ["blocks.W_in"] = Matrix.FromRows([Slope(bits), Slope(bits)]),
            ["blocks.b_in"] = Matrix.FromRows([-Slope(bits) / 2.0, (-Slope(bits) / 2.0) - 1]),
            ["blocks.W_out"] = Matrix.FromRows([1, -1]),
            ["W_out"] = read,
        };
    }

    public override int InputWidth => 1;

    public override IReadOnlyList<Hook> Hooks { get; }

    public override IReadOnlyDictionary<string, Matrix> Weights { get; }

    /// <summary>The input of item v, at the centre of its bin: at ½ exactly the ramp would return 0.</summary>
    public static double Input(long v, int bits) => Math.ScaleB(v + 0.5, -bits);

    /// <summary>Items drawn at random from all 2^bits, and their inputs. Shape of the inputs: <c>[count, 1]</c>.</summary>
    public static (long[] Items, Matrix Inputs) Draw(int count, int bits, RandomStream stream)
    {
        var items = new long[count];
        var inputs = new Matrix(count, 1);
        for (var row = 0; row < count; row++)
        {
            items[row] = stream.NextInt(1 << bits);
            inputs[row, 0] = Input(items[row], bits);
        }
        return (items, inputs);
    }

    /// <summary>Share of the items of which any bit is read wrongly in single precision, over every <paramref name="every"/>-th item.</summary>
    public static double WrongShare(int bits, int every)
    {
        long wrong = 0,
            total = 0;
        var slope = Slope(bits);
        for (long v = 0; v < 1L << bits; v += every, total++)
        {
            var x = (float)Input(v, bits);
            for (var k = 0; k < bits; k++)
            {
                var (rising, late) = Ramp(x, slope);
                var bit = rising - late;
                if (bit != ((v >> (bits - 1 - k)) & 1))
                {
                    wrong++;
                    break;
                }
                x = (2 * x) - bit;
            }
        }
        return (double)wrong / total;
    }

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var slope = Slope(_bits);
        var x = new float[inputs.Rows];
        for (var row = 0; row < x.Length; row++)
            x[row] = (float)inputs[row, 0];
        var bits = new Matrix(inputs.Rows, _bits);
        for (var k = 0; k < _bits; k++)
        {
            var hidden = new Matrix(inputs.Rows, 2);
            for (var row = 0; row < x.Length; row++)
                (hidden[row, 0], hidden[row, 1]) = Ramp(x[row], slope);
            hidden = at($"blocks.{k}.hook_hidden", hidden);
            for (var row = 0; row < x.Length; row++)
            {
                var bit = (float)hidden[row, 0] - (float)hidden[row, 1];
                bits[row, k] = bit;
                x[row] = (2 * x[row]) - bit;
            }
        }
        return LinearAlgebra.Multiply(at("hook_bits", bits), Weights["W_out"]);
    }

    private static float Slope(int bits) => MathF.ScaleB(1, bits + 2);

    private static (float Rising, float Late) Ramp(float x, float slope)
    {
        var scaled = slope * (x - 0.5f);
        return (Math.Max(scaled, 0), Math.Max(scaled - 1, 0));
    }
}
