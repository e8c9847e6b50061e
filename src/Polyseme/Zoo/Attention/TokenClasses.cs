using Polyseme.Activations;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.Attention;

/// <summary>Configuration of <see cref="TokenClasses"/>.</summary>
public sealed record TokenClassesConfig : ZooConfig
{
    /// <summary>Planted classes, of four tokens each; two in each text. In 3 … 256.</summary>
    public int Classes
    {
        get;
        init => field = Allowed.Between(value, 3, 256);
    } = 40;

    /// <summary>Neurons of the MLP, d. In 2 … 1,024.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 2, 1024);
    } = 32;

    /// <summary>d_model. In 2 … 1,024.</summary>
    public int ModelWidth
    {
        get;
        init => field = Allowed.Between(value, 2, 1024);
    } = 24;

    /// <summary>Whether there is layer normalisation.</summary>
    public bool LayerNorm { get; init; }

    /// <summary>Training steps, of 64 texts. In 1 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, 1_000_000);
    } = 2_000;
}

/// <summary>A one-layer transformer that keeps track of more classes of tokens than its MLP has neurons: superposition that training finds by itself.</summary>
public sealed class TokenClasses : ZooMember
{
    /// <summary>The MLP's neurons after the ReLU.</summary>
    internal const string Post = "blocks.0.mlp.hook_post";
    private const int RowsOfText = TokenClassCorpus.Context - TokenClassCorpus.FirstKept;

    /// <inheritdoc/>
    public override string Name => "token-classes";

    /// <inheritdoc/>
    public override string Summary => "a one-layer transformer with more planted classes of tokens than MLP neurons, two in each text";

    /// <inheritdoc/>
    public override string Source =>
        "Bricken et al. 2023, Towards Monosemanticity, on a one-layer transformer; the grammar of planted classes is our design";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new TokenClassesConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var settings = Of<TokenClassesConfig>(config);
        if (settings.Classes <= settings.Neurons)
            throw new ArgumentException(
                $"Classes is {settings.Classes}; it is more than Neurons, {settings.Neurons}, since this member is in superposition",
                nameof(config)
            );
        var corpus = new TokenClassCorpus { Classes = settings.Classes };
        var trained = corpus.Train(settings, progress, cancellation);
        var network = trained.RequireAll()[0];
        var texts = corpus.Texts((settings.Samples + RowsOfText - 1) / RowsOfText, new RandomStream(settings.Seed, "token-classes/sample"));
        var (activations, seen) = Rows(network, corpus, texts);
        int[] first = [.. Enumerable.Range(0, settings.Samples)];
        seen = seen.SelectRows(first);
        return new ZooRun
        {
            Member = Name,
            Config = settings,
            Network = network,
            Hook = Post,
            Truth = Truth(settings),
            Activations = ActivationSet.FromMatrix(activations.SelectRows(first), Identities(texts, settings.Samples)),
            Texts = texts,
            Features = new ConceptTable(
                settings.Samples,
                [.. Enumerable.Range(0, settings.Classes).Select(k => new Concept($"class_{k}", ConceptKind.Binary, seen.Column(k)))]
            ),
            Acceptances = Acceptances(TokenClassReadout.Of(network, corpus, 2_000, settings.Seed)),
            Curve = [.. trained.Curve.Select(point => new CurvePoint(point.Step, point.Loss))],
            SeedLosses = trained.Losses,
        };
    }

    /// <summary>Activations of the MLP's neurons and the classes seen, at the kept positions. Shape: <c>[texts · 9, d]</c>, <c>[texts · 9, classes]</c>.</summary>
    internal static (Matrix Activations, Matrix Seen) Rows(SmallTransformer network, TokenClassCorpus corpus, Matrix texts) =>
        (TokenClassCorpus.Kept(network.Run(TokenClassCorpus.Contexts(texts), [Post]).Recorded[Post]), corpus.Seen(texts));

    /// <summary>What makes it superposition, and its neurons polysemantic.</summary>
    internal static IReadOnlyList<Acceptance> Acceptances(TokenClassReadout readout) =>
        [
            new(
                "median over classes of a neuron's best |correlation| with a class",
                readout.NeuronMedian,
                0,
                0.6,
                "Bricken et al. 2023; bound set by judgement"
            ),
            new(
                "classes that a direction tells (AUROC ≥ .95 on held-out texts), over neurons",
                (double)readout.ClassesTold / readout.Neurons,
                1 + (1e-9 / readout.Neurons),
                double.PositiveInfinity,
                "derived"
            ),
        ];

    private static RowIdentities Identities(Matrix texts, int samples)
    {
        long[] Each(Func<int, int, long> value) =>
            [.. Enumerable.Range(0, samples).Select(row => value(row / RowsOfText, TokenClassCorpus.FirstKept + (row % RowsOfText)))];
        return new RowIdentities
        {
            Document = Each((text, _) => text),
            Position = Each((_, position) => position),
            TokenId = Each((text, position) => (long)texts[text, position]),
        };
    }

    private static GroundTruth Truth(TokenClassesConfig settings) =>
        new()
        {
            Cause = Cause.Superposition,
            Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
            {
                [AccessLevel.A] = ["superposition", "undetermined"],
                [AccessLevel.C] = ["superposition"],
            },
            Reason =
                $"{settings.Classes} classes, two of them in a text, are each told by a direction of {settings.Neurons} neurons: more features than dimensions, found by training. The sum of their linear R² cannot exceed {settings.Neurons}; with so few on at once, directions and a threshold still tell nearly all.",
        };
}
