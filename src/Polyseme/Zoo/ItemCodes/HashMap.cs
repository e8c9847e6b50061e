using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="HashMap"/>.</summary>
public sealed record HashMapConfig : ZooConfig
{
    /// <summary>N, keys stored. In 2 … 4,096.</summary>
    public int Items
    {
        get;
        init => field = Allowed.Between(value, 2, 4096);
    } = 256;

    /// <summary>Width of a key, a random unit vector. In 2 … 1,024.</summary>
    public int KeyWidth
    {
        get;
        init => field = Allowed.Between(value, 2, 1024);
    } = 32;

    /// <summary>b, random bits stored with a key. In 1 … 64.</summary>
    public int Bits
    {
        get;
        init => field = Allowed.Between(value, 1, 64);
    } = 8;

    /// <summary>m, neurons of a random binary code that the N local neurons are compressed to; 0 = not compressed. In 0 … 4,096.</summary>
    public int Code
    {
        get;
        init => field = Allowed.Between(value, 0, 4096);
    }
}

/// <summary>A hash map as a network: one neuron a key, or a random binary code of the keys; values of other keys cannot be known.</summary>
public sealed class HashMap : ZooMember
{
    private const int UnseenKeys = 4000;

    /// <inheritdoc/>
    public override string Name => "hash-map";

    /// <inheritdoc/>
    public override string Summary => "random values stored under random keys: a neuron a key, or a random binary code of the keys";

    /// <inheritdoc/>
    public override string Source =>
        "LawrenceC 2024, Superposition is not \"just\" neuron polysemanticity, third example; Vardi et al. 2021, On the optimal memorization power of ReLU neural networks";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new HashMapConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var map = Of<HashMapConfig>(config);
        cancellation.ThrowIfCancellationRequested();
        var network = LookupNetwork.Make(map);
        var stream = new RandomStream(map.Seed, "hash-map/sample");
        var items = new long[map.Samples];
        for (var row = 0; row < items.Length; row++)
            items[row] = stream.NextInt(map.Items);
        var inputs = network.Keys.SelectRows([.. items.Select(item => (int)item)]);
        var hook = map.Code == 0 ? "hook_hidden" : "hook_code";
        var values = network.Values;
        var acceptances = new List<Acceptance>
        {
            new(
                "share of bits right on unseen keys",
                network.UnseenRecall(UnseenKeys, new RandomStream(map.Seed, "hash-map/unseen")),
                // The standard deviation is √(1/(4·4000·b)), .003 for eight bits; one bit needs more room.
                0.5 - Math.Max(0.02, 0.04 / Math.Sqrt(map.Bits)),
                0.5 + Math.Max(0.02, 0.04 / Math.Sqrt(map.Bits)),
                "derived: the values are independent of the keys"
            ),
        };
        if (map.Code == 0 || map.Items <= map.Code / 25)
            acceptances.Add(new("share of bits right on stored keys", network.StoredRecall(), 1, 1, "by construction"));
        return new ZooRun
        {
            Member = Name,
            Config = map,
            Network = network,
            Hook = hook,
            Truth = Truth(map),
            Activations = ActivationSet.FromMatrix(network.Run(inputs, [hook]).Recorded[hook], new RowIdentities { Item = items }),
            Features = new ConceptTable(
                items.Length,
                [
                    .. Enumerable
                        .Range(0, map.Bits)
                        .Select(bit => new Concept(
                            $"value_{bit}",
                            ConceptKind.Binary,
                            [.. items.Select(item => values[(int)item, bit] > 0 ? 1.0 : 0.0)]
                        )),
                ]
            ),
            Acceptances = acceptances,
        };
    }

    private static GroundTruth Truth(HashMapConfig config) =>
        new()
        {
            Cause = Cause.Compositional,
            Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
            {
                [AccessLevel.A] =
                    config.Code == 0
                        ? ["monosemantic", "compositional", "undetermined"]
                        : ["superposition", "compositional", "undetermined"],
                [AccessLevel.C] = ["compositional", "undetermined"],
                [AccessLevel.T] = ["compositional"],
            },
            Reason =
                config.Code == 0
                    ? $"each of the {config.Items} neurons fires for one key: monosemantic in items, and no neuron carries a value or says anything about another key."
                    : $"each of the {config.Items} keys has a random word of {config.Code} neurons, one key at a time: equivalently one feature per item, which never adds to another. Without items nothing excludes an extreme superposition.",
        };
}

/// <summary>The construction: h = ReLU(K·x − θ), θ the largest cosine of two keys; c = B·h with random signs B where it is compressed; values read by majority.</summary>
/// <remarks>
/// Hooks: <c>hook_hidden</c>, a neuron a key; <c>hook_code</c>, the compressed code, where there is one. The output is scaled so that a stored
/// value comes out as ±1 from the local code.
/// </remarks>
internal sealed class LookupNetwork : Network
{
    private readonly double _threshold;
    private readonly Matrix? _code; // [N, m], ±1

    private LookupNetwork(Matrix keys, Matrix values, Matrix? code)
    {
        (Keys, Values, _code) = (keys, values, code);
        var cosines = LinearAlgebra.MultiplyTranspose(keys, keys);
        _threshold = double.NegativeInfinity;
        for (var i = 0; i < keys.Rows; i++)
        for (var j = 0; j < i; j++)
            _threshold = Math.Max(_threshold, cosines[i, j]);
        var hidden = new Hook("hook_hidden", keys.Rows);
        Hooks = code is null ? [hidden] : [hidden, new Hook("hook_code", code.Columns)];
    }

    /// <summary>Stored keys. Shape: <c>[N, key_width]</c>, unit rows.</summary>
    public Matrix Keys { get; }

    /// <summary>Stored values, ±1. Shape: <c>[N, b]</c>.</summary>
    public Matrix Values { get; }

    public override int InputWidth => Keys.Columns;

    public override IReadOnlyList<Hook> Hooks { get; }

    public override IReadOnlyDictionary<string, Matrix> Weights
    {
        get
        {
            var weights = new Dictionary<string, Matrix>
            {
                ["W_in"] = Keys,
                ["threshold"] = new(1, 1, [_threshold]),
                ["values"] = Values,
            };
            if (_code is not null)
                weights["code"] = _code;
            return weights;
        }
    }

    /// <summary>Random keys and values.</summary>
    public static LookupNetwork Make(HashMapConfig config) =>
        new(
            UnitRows(config.Items, config.KeyWidth, new RandomStream(config.Seed, "hash-map/keys")),
            Signs(config.Items, config.Bits, new RandomStream(config.Seed, "hash-map/values")),
            config.Code == 0 ? null : Signs(config.Items, config.Code, new RandomStream(config.Seed, "hash-map/code"))
        );

    /// <summary>Share of the stored bits that come out right.</summary>
    public double StoredRecall() => Agreement(Run(Keys).Output, Values);

    /// <summary>Share of bits right on keys that were not stored, each with random bits of its own.</summary>
    public double UnseenRecall(int keys, RandomStream random) =>
        Agreement(Run(UnitRows(keys, InputWidth, random)).Output, Signs(keys, Values.Columns, random));

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var hidden = LinearAlgebra.MultiplyTranspose(inputs, Keys);
        for (var i = 0; i < hidden.Data.Length; i++)
            hidden.Data[i] = Math.Max(0, hidden.Data[i] - _threshold);
        hidden = at("hook_hidden", hidden);
        var read = hidden;
        if (_code is not null)
            // Reading a word is asking every stored word how far it agrees.
            read = LinearAlgebra.MultiplyTranspose(at("hook_code", LinearAlgebra.Multiply(hidden, _code)), _code);
        var output = LinearAlgebra.Multiply(read, Values);
        var scale = 1 / ((1 - _threshold) * (_code?.Columns ?? 1));
        for (var i = 0; i < output.Data.Length; i++)
            output.Data[i] *= scale;
        return output;
    }

    private static double Agreement(Matrix output, Matrix values) =>
        output.Data.Zip(values.Data, (read, stored) => (read >= 0) == (stored > 0)).Average(right => right ? 1.0 : 0.0);

    private static Matrix UnitRows(int rows, int columns, RandomStream random)
    {
        var matrix = random.NormalMatrix(rows, columns);
        for (var row = 0; row < rows; row++)
        {
            var norm = System.Numerics.Tensors.TensorPrimitives.Norm<double>(matrix.Row(row));
            foreach (ref var value in matrix.Row(row))
                value /= norm;
        }
        return matrix;
    }

    private static Matrix Signs(int rows, int columns, RandomStream random)
    {
        var matrix = new Matrix(rows, columns);
        for (var i = 0; i < matrix.Data.Length; i++)
            matrix.Data[i] = (random.NextUInt32() & 1) == 0 ? -1 : 1;
        return matrix;
    }
}
