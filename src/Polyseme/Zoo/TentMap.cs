using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="TentMap"/>.</summary>
public sealed record TentMapConfig : ZooConfig
{
    /// <summary>L, the compositions of the tent. In 2 … 20.</summary>
    public int Depth
    {
        get;
        init => field = Allowed.Between(value, 2, 20);
    } = 12;

    /// <summary>Labels of the items, each a random half of them. In 1 … 64.</summary>
    public int Tables
    {
        get;
        init => field = Allowed.Between(value, 1, 64);
    } = 6;
}

/// <summary>The tent map composed with itself: 2^L linear pieces from 2L neurons, and read at every depth the Gray code of the input's number.</summary>
public sealed class TentMap : ZooMember
{
    private const int GrayBits = 12,
        MostCounted = 10;

    /// <inheritdoc/>
    public override string Name => "tent-map";

    /// <inheritdoc/>
    public override string Summary => "a tent composed with itself: exponentially many pieces, and the Gray code of an item's number";

    /// <inheritdoc/>
    public override string Source => "Telgarsky 2016, Benefits of depth in neural networks";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new TentMapConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var tent = Of<TentMapConfig>(config);
        cancellation.ThrowIfCancellationRequested();
        var network = new TentBlocks(tent.Depth);
        var (items, inputs) = BitBlocks.Draw(tent.Samples, tent.Depth, new RandomStream(tent.Seed, "tent/sample"));
        const string source = "Telgarsky 2016; derived";
        return new ZooRun
        {
            Member = Name,
            Config = tent,
            Network = network,
            Hook = "hook_gray",
            Truth = new GroundTruth
            {
                Cause = Cause.Compositional,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["monosemantic", "compositional", "undetermined"],
                    [AccessLevel.C] = ["compositional", "undetermined"],
                    [AccessLevel.T] = ["compositional"],
                },
                Reason =
                    "the neurons are the bits of the Gray code of an item's number: independent and dense, so activations alone show one binary source per neuron. The labels are arbitrary tables of the items: they can be read on seen items and not on others, and no bit carries one.",
            },
            Activations = ActivationSet.FromMatrix(
                network.Run(inputs, ["hook_gray"]).Recorded["hook_gray"],
                new RowIdentities { Item = items }
            ),
            Features = ItemTables.Concepts(ItemTables.Of(1 << tent.Depth, tent.Tables, tent.Seed, "tent"), items),
            Acceptances =
            [
                new($"share of the 2^{GrayBits} inputs whose code is not the Gray code", TentBlocks.WrongShare(GrayBits), 0, 0, source),
                new(
                    $"depths of 1 to {MostCounted} with exactly 2^L linear pieces",
                    Enumerable.Range(1, MostCounted).Count(depth => TentBlocks.LinearPieces(depth) == 1L << depth),
                    MostCounted,
                    MostCounted,
                    source
                ),
            ],
        };
    }
}

/// <summary>The construction: t ← 2·ReLU(t) − 4·ReLU(t − ½), L times, in single precision; before each, 1[t > ½] is read by a ramp of two more ReLUs.</summary>
/// <remarks>
/// Hooks: <c>blocks.k.hook_hidden</c>, the four ReLUs of a block (tent, tent, ramp, ramp); <c>hook_gray</c>, what the ramps read, side by side.
/// The output is Σ_k g_k 2^−(k+1).
/// </remarks>
internal sealed class TentBlocks : Network
{
    private readonly int _depth;

    public TentBlocks(int depth)
    {
        _depth = depth;
        Hooks = [.. Enumerable.Range(0, depth).Select(block => new Hook($"blocks.{block}.hook_hidden", 4)), new Hook("hook_gray", depth)];
        var read = new Matrix(depth, 1);
        for (var k = 0; k < depth; k++)
            read[k, 0] = Math.ScaleB(1, -(k + 1));
        var slope = (double)Slope(depth);
        Weights = new Dictionary<string, Matrix>
        {
            ["blocks.W_in"] = Matrix.FromRows([1, 1, slope, slope]),
            ["blocks.b_in"] = Matrix.FromRows([0, -0.5, -slope / 2, (-slope / 2) - 1]),
            ["blocks.W_out"] = Matrix.FromRows([2, -4, 0, 0]),
            ["blocks.W_read"] = Matrix.FromRows([0, 0, 1, -1]),
            ["W_out"] = read,
        };
    }

    public override int InputWidth => 1;

    public override IReadOnlyList<Hook> Hooks { get; }

    public override IReadOnlyDictionary<string, Matrix> Weights { get; }

    /// <summary>The tent: rises from 0 at 0 to 1 at ½ and falls to 0 at 1.</summary>
    public static double Tent(double t) => (2 * Math.Max(t, 0)) - (4 * Math.Max(t - 0.5, 0));

    /// <summary>Bit k of the Gray code of v, from the highest: b_k ⊕ b_{k−1}.</summary>
    public static int Gray(long v, int k, int bits) => (int)(((v ^ (v >> 1)) >> (bits - 1 - k)) & 1);

    /// <summary>Share of all 2^bits items whose code differs from the Gray code of their number anywhere, in single precision.</summary>
    public static double WrongShare(int bits)
    {
        var slope = Slope(bits);
        long wrong = 0;
        for (long v = 0; v < 1L << bits; v++)
        {
            var t = (float)BitBlocks.Input(v, bits);
            for (var k = 0; k < bits; k++)
            {
                var (rising, falling, ramp, late) = Block(t, slope);
                if (ramp - late != Gray(v, k, bits))
                {
                    wrong++;
                    break;
                }
                t = (2 * rising) - (4 * falling);
            }
        }
        return (double)wrong / (1L << bits);
    }

    /// <summary>Linear pieces of the composed tent on [0, 1], counted: runs of equal slope between neighbours of a grid of eight points a piece.</summary>
    public static long LinearPieces(int depth)
    {
        var cells = 8L << depth;
        long pieces = 0;
        double before = 0,
            slope = double.NaN;
        for (long i = 1; i <= cells; i++)
        {
            // Dyadic numbers throughout: every value and slope is exact.
            var value = (double)i / cells;
            for (var k = 0; k < depth; k++)
                value = Tent(value);
            var next = (value - before) * cells;
            if (next != slope)
                pieces++;
            (before, slope) = (value, next);
        }
        return pieces;
    }

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var slope = Slope(_depth);
        var t = new float[inputs.Rows];
        for (var row = 0; row < t.Length; row++)
            t[row] = (float)inputs[row, 0];
        var bits = new Matrix(inputs.Rows, _depth);
        for (var k = 0; k < _depth; k++)
        {
            var hidden = new Matrix(inputs.Rows, 4);
            for (var row = 0; row < t.Length; row++)
                (hidden[row, 0], hidden[row, 1], hidden[row, 2], hidden[row, 3]) = Block(t[row], slope);
            hidden = at($"blocks.{k}.hook_hidden", hidden);
            for (var row = 0; row < t.Length; row++)
            {
                bits[row, k] = (float)hidden[row, 2] - (float)hidden[row, 3];
                t[row] = (2 * (float)hidden[row, 0]) - (4 * (float)hidden[row, 1]);
            }
        }
        return LinearAlgebra.Multiply(at("hook_gray", bits), Weights["W_out"]);
    }

    private static float Slope(int bits) => MathF.ScaleB(1, bits + 2);

    private static (float Rising, float Falling, float Ramp, float Late) Block(float t, float slope)
    {
        var scaled = slope * (t - 0.5f);
        return (Math.Max(t, 0), Math.Max(t - 0.5f, 0), Math.Max(scaled, 0), Math.Max(scaled - 1, 0));
    }
}
