using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="RandomCodewords"/>.</summary>
public sealed record RandomCodewordsConfig : ZooConfig
{
    /// <summary>Items. In 10 … 100,000.</summary>
    public int Items
    {
        get;
        init => field = Allowed.Between(value, 10, 100_000);
    } = 2000;

    /// <summary>b, bits of a codeword and neurons. In 2 … 1,024.</summary>
    public int Bits
    {
        get;
        init => field = Allowed.Between(value, 2, 1024);
    } = 128;

    /// <summary>Labels of the items, each a random half of them. In 1 … 64.</summary>
    public int Tables
    {
        get;
        init => field = Allowed.Between(value, 1, 64);
    } = 6;

    /// <summary>Whether the bits lie along random orthogonal directions instead of the neurons.</summary>
    public bool Rotated { get; init; }
}

/// <summary>Every item has a codeword of random bits: labels of seen items can be read, those of other items cannot, and the bits mean nothing.</summary>
public sealed class RandomCodewords : ZooMember
{
    /// <inheritdoc/>
    public override string Name => "random-codewords";

    /// <inheritdoc/>
    public override string Summary => "a random word of bits for every item: memorised labels, nothing that transfers";

    /// <inheritdoc/>
    public override string Source =>
        "LawrenceC 2024, Superposition is not \"just\" neuron polysemanticity, third example; Cover 1965 on separable dichotomies";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new RandomCodewordsConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var codewords = Of<RandomCodewordsConfig>(config);
        cancellation.ThrowIfCancellationRequested();
        var network = Layer(codewords);
        var stream = new RandomStream(codewords.Seed, "codewords/sample");
        var items = new long[codewords.Samples];
        var inputs = new Matrix(codewords.Samples, 1);
        for (var row = 0; row < items.Length; row++)
            inputs[row, 0] = items[row] = stream.NextInt(codewords.Items);
        var hidden = network.Hidden(inputs);
        var aligned = codewords.Rotated ? "rotated" : "monosemantic";
        return new ZooRun
        {
            Member = Name,
            Config = codewords,
            Network = network,
            Hook = "hook_hidden",
            Truth = new GroundTruth
            {
                Cause = Cause.Compositional,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = [aligned, "compositional", "undetermined"],
                    [AccessLevel.C] = ["compositional", "undetermined"],
                    [AccessLevel.T] = ["compositional"],
                },
                Reason =
                    $"each item has {codewords.Bits} random bits. Activations alone show independent binary sources {(codewords.Rotated ? "in a rotated basis" : "along the neurons")}, which would be features if the bits meant something. The labels are random halves of the items: they are read on seen items and at chance on others.",
            },
            Activations = ActivationSet.FromMatrix(hidden, new RowIdentities { Item = items }),
            Features = ItemTables.Concepts(ItemTables.Of(codewords.Items, codewords.Tables, codewords.Seed, "codewords"), items),
            Acceptances =
            [
                new(
                    "participation ratio per dimension",
                    Readouts.ParticipationRatio(hidden) / codewords.Bits,
                    // N random rows in d dimensions: 1/(1 + d/N) on average.
                    0.8 / (1 + ((double)codewords.Bits / codewords.Items)),
                    1,
                    "derived"
                ),
            ],
        };
    }

    /// <summary>The layer: an item's number to its codeword.</summary>
    internal static CodeLayer Layer(RandomCodewordsConfig config)
    {
        var words = Words(config);
        var directions = config.Rotated
            ? Rotations.OrthonormalRows(config.Bits, config.Bits, new RandomStream(config.Seed, "codewords/rotation"))
            : Matrix.Identity(config.Bits);
        return new CodeLayer(
            1,
            (input, code) => words.Row((int)Math.Clamp(Math.Round(input[0]), 0, config.Items - 1)).CopyTo(code),
            directions
        );
    }

    /// <summary>The codewords. Shape: <c>[items, bits]</c>, 0 or 1.</summary>
    internal static Matrix Words(RandomCodewordsConfig config)
    {
        var stream = new RandomStream(config.Seed, "codewords/bits");
        var words = new Matrix(config.Items, config.Bits);
        for (var i = 0; i < words.Data.Length; i++)
            words.Data[i] = stream.NextUInt32() & 1;
        return words;
    }
}
