using System.Runtime.InteropServices;
using Polyseme.Activations;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Metrics;

/// <summary>How a dictionary is evaluated.</summary>
public sealed record DictionaryEvaluationConfig
{
    private readonly int _batchRows = 4096;
    private readonly int _probeRows = 5_000;

    /// <summary>Draws the rows that probes see, their division, and the random directions of the nulls.</summary>
    public ulong Seed { get; init; }

    /// <summary>Rows of a batch, for the two variants of explained variance that depend on it; at least 2.</summary>
    public int BatchRows
    {
        get => _batchRows;
        init => _batchRows = value >= 2 ? value : throw new ArgumentException($"batch rows are {value}, but must be at least 2");
    }

    /// <summary>Most rows that probes learn from and are tested on; at least 10. A fifth of their groups is for testing.</summary>
    public int ProbeRows
    {
        get => _probeRows;
        init => _probeRows = value >= 10 ? value : throw new ArgumentException($"probe rows are {value}, but must be at least 10");
    }

    /// <summary>k of the k-sparse probes; those above the number of latents are left out.</summary>
    public IReadOnlyList<int> ProbeSizes { get; init; } = [1, 2, 5, 10];

    /// <summary>What a description length charges for.</summary>
    public DescriptionLengthConfig DescriptionLength { get; init; } = new();
}

/// <summary>How well one concept is read from few latents, and from as few neurons.</summary>
/// <param name="Concept">The concept; of a categorical one, <c>name=category</c>.</param>
/// <param name="Positives">Rows of the sample in which it holds.</param>
/// <param name="Latents">Probes on latents.</param>
/// <param name="Neurons">Probes on neurons, to compare with.</param>
public sealed record ConceptProbe(string Concept, int Positives, IReadOnlyList<KSparseProbe> Latents, IReadOnlyList<KSparseProbe> Neurons);

/// <summary>Everything measured about a dictionary on activations. What is not defined for it, or not asked for, is <c>null</c>.</summary>
public sealed record DictionaryEvaluation
{
    /// <summary>The schema of this record's JSON.</summary>
    public const string SchemaId = "polyseme.dictionary-evaluation/1";

    // Latents of a block, and of the sample for probes: floats.
    private const int BlockLatents = 1 << 22;
    private const int SampleLatents = 1 << 26;

    /// <summary>Always <see cref="SchemaId"/>.</summary>
    public string Schema { get; init; } = SchemaId;

    /// <summary>The configuration.</summary>
    public required DictionaryEvaluationConfig Config { get; init; }

    /// <summary>What kind of dictionary: the name of its type, and of an autoencoder its activation's.</summary>
    public required string Kind { get; init; }

    /// <summary>Columns that it reads.</summary>
    public required int DIn { get; init; }

    /// <summary>Latents.</summary>
    public required int NLatents { get; init; }

    /// <summary>How rows come back.</summary>
    public required Reconstruction Reconstruction { get; init; }

    /// <summary>How latents fire.</summary>
    public required LatentActivity Activity { get; init; }

    /// <summary>Bits to send a row; <c>null</c> for constant rows.</summary>
    public required DescriptionLength? DescriptionLength { get; init; }

    /// <summary>Bits of a row in all.</summary>
    public double? DescriptionBits => DescriptionLength?.Total;

    /// <summary>What of its error the input foretells; <c>null</c> with too few rows.</summary>
    public required DarkMatter? DarkMatter { get; init; }

    /// <summary>Whether directions lie along neurons.</summary>
    public required BasisAlignment Alignment { get; init; }

    /// <summary>Mean over latents of the cosine of what a latent reads and writes; <c>null</c> where a latent reads nothing of its own.</summary>
    public required double? EncoderDecoderCosine { get; init; }

    /// <summary>Against the true directions.</summary>
    public DirectionRecovery? Recovery { get; init; }

    /// <summary>Against the true features.</summary>
    public LatentDetection? Detection { get; init; }

    /// <summary>Against other dictionaries of other seeds.</summary>
    public SeedStability? Stability { get; init; }

    /// <summary>Against the rows that it was fitted on.</summary>
    public HeldOutGap? HeldOut { get; init; }

    /// <summary>In the model that the rows are of.</summary>
    public LossRecovered? LossRecovered { get; init; }

    /// <summary>Probes, a concept each.</summary>
    public IReadOnlyList<ConceptProbe>? Probes { get; init; }

    /// <summary>Absorption, a concept each.</summary>
    public IReadOnlyList<Absorption>? Absorption { get; init; }

    /// <summary>Mean absorption fraction of the concepts that could be measured, in [0, 1].</summary>
    public double? MeanAbsorption => Absorption?.Select(one => one.Fraction).Average();

    /// <summary>Evaluates in one pass, holding a block of rows; probes hold the rows of their sample besides.</summary>
    /// <param name="dictionary">Gives back what it reads: not a transcoder.</param>
    /// <param name="activations">As wide as the dictionary.</param>
    /// <param name="config">How.</param>
    /// <param name="truth">True directions and features, if known.</param>
    /// <param name="concepts">Labels of the rows, if any.</param>
    /// <param name="progress">Told of rows done, of all.</param>
    /// <param name="cancellation">Checked at each block.</param>
    /// <exception cref="ArgumentException">Widths differ, the dictionary is a transcoder, or a latent is not finite.</exception>
    public static DictionaryEvaluation Run(
        FeatureDictionary dictionary,
        ActivationSource activations,
        DictionaryEvaluationConfig config,
        DictionaryTruth? truth = null,
        ConceptTable? concepts = null,
        IProgress<(long Done, long All)>? progress = null,
        CancellationToken cancellation = default
    )
    {
        CheckWidths(dictionary, activations);
        var directions = dictionary.DirectionsInDouble();
        var nearest = truth is null ? null : DirectionRecovery.Measure(truth.Directions, directions, upToSign: true).NearestFeature;
        var reconstruction = new ReconstructionSums(dictionary.DOut, config.BatchRows);
        var activity = new LatentActivityCounter(dictionary.NLatents);
        var bits = new DescriptionLengthSums(dictionary.NLatents, dictionary.DOut);
        var dark = new DarkMatterSums(dictionary.DIn, dictionary.DOut);
        var detection = truth?.Features is null ? null : new LatentDetectionCounter(nearest!, truth.Directions.Rows);
        foreach (var (block, latents, back) in Blocks(dictionary, activations, cancellation))
        {
            var values = block.Values.Span;
            reconstruction.Add(values, back);
            activity.Add(latents);
            bits.Add(values, back, latents);
            dark.Add(values, values, back);
            if (detection is not null)
            {
                var features = truth!.Features!;
                detection.Add(
                    latents,
                    features.Data.AsSpan(checked((int)block.FirstRow * features.Columns), block.Rows * features.Columns)
                );
            }
            progress?.Report((block.FirstRow + block.Rows, activations.NSamples));
        }
        var measured = reconstruction.Result();
        var fired = activity.Result();
        var (probes, absorption) = concepts is null
            ? (null, null)
            : Probe(dictionary, activations, concepts, directions, config, cancellation);
        return new DictionaryEvaluation
        {
            Config = config,
            Kind = KindOf(dictionary),
            DIn = dictionary.DIn,
            NLatents = dictionary.NLatents,
            Reconstruction = measured,
            Activity = fired,
            DescriptionLength = measured.Fvu is null ? null : bits.Result(activations.NSamples, config.DescriptionLength),
            DarkMatter = dark.Result(),
            Alignment = BasisAlignment.Measure(directions, new RandomStream(config.Seed, "evaluation/alignment")),
            EncoderDecoderCosine = ReadsAlongWrites(dictionary),
            Recovery = truth is null ? null : DirectionRecovery.Measure(truth.Directions, directions, fired.BothSigns),
            Detection = detection?.Result(),
            Probes = probes,
            Absorption = absorption,
        };
    }

    /// <summary>Reconstruction alone, for instance of the rows that a dictionary was fitted on.</summary>
    public static Reconstruction Reconstruct(
        FeatureDictionary dictionary,
        ActivationSource activations,
        DictionaryEvaluationConfig config,
        CancellationToken cancellation = default
    )
    {
        CheckWidths(dictionary, activations);
        var sums = new ReconstructionSums(dictionary.DOut, config.BatchRows);
        foreach (var (block, _, back) in Blocks(dictionary, activations, cancellation))
            sums.Add(block.Values.Span, back);
        return sums.Result();
    }

    private static void CheckWidths(FeatureDictionary dictionary, ActivationSource activations)
    {
        if (dictionary.DIn != dictionary.DOut)
            throw new ArgumentException(
                $"the dictionary reads {dictionary.DIn} columns and gives {dictionary.DOut}: a transcoder needs targets to be held against",
                nameof(dictionary)
            );
        if (activations.NNeurons != dictionary.DIn)
            throw new ArgumentException(
                $"the activations have {activations.NNeurons} columns, but the dictionary reads {dictionary.DIn}",
                nameof(activations)
            );
    }

    private static IEnumerable<(RowBlock Block, float[] Latents, float[] Back)> Blocks(
        FeatureDictionary dictionary,
        ActivationSource activations,
        CancellationToken cancellation
    )
    {
        var rows = Math.Clamp(BlockLatents / Math.Max(dictionary.NLatents, dictionary.DIn), 1, 4096);
        foreach (var block in activations.ReadBlocks(rows, cancellation))
        {
            var (latents, back) = Through(dictionary, block.Values.ToArray(), block.Rows);
            yield return (block, latents, back);
        }
    }

    private static (float[] Latents, float[] Back) Through(FeatureDictionary dictionary, float[] values, int rows)
    {
        using var scope = torch.NewDisposeScope();
        var inputs = torch.frombuffer(values, torch.float32).reshape(rows, dictionary.DIn);
        return (Floats(dictionary.Encode(inputs)), Floats(dictionary.Reconstruct(inputs)));
    }

    private static float[] Floats(torch.Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.contiguous().bytes).ToArray();

    private static string KindOf(FeatureDictionary dictionary) =>
        dictionary is SparseAutoencoder autoencoder
            ? $"SparseAutoencoder/{autoencoder.Activation.GetType().Name}"
            : dictionary.GetType().Name;

    private static double? ReadsAlongWrites(FeatureDictionary dictionary) =>
        dictionary is SparseAutoencoder { Encoder: var encoder, Decoder: var decoder }
            ? Metrics.EncoderDecoderCosine.PerLatent(encoder, decoder).Average()
            : null;

    private static (List<ConceptProbe> Probes, List<Absorption> Absorption) Probe(
        FeatureDictionary dictionary,
        ActivationSource activations,
        ConceptTable concepts,
        Matrix directions,
        DictionaryEvaluationConfig config,
        CancellationToken cancellation
    )
    {
        if (concepts.NSamples != activations.NSamples)
            throw new ArgumentException($"{concepts.NSamples} labels do not fit {activations.NSamples} rows", nameof(concepts));
        var wanted = Math.Min(config.ProbeRows, Math.Max(10, SampleLatents / dictionary.NLatents));
        var random = new RandomStream(config.Seed, "evaluation/probe-rows");
        int[] rows = [.. random.Permutation(checked((int)activations.NSamples)).Take(wanted).Order()];
        var values = activations.ReadRows(rows, cancellation);
        var (latents, _) = Through(dictionary, values, rows.Length);
        var inputs = new FloatMatrix(rows.Length, dictionary.DIn, values);
        var coded = new FloatMatrix(rows.Length, dictionary.NLatents, latents);
        var set = new ActivationSet
        {
            NSamples = rows.Length,
            NNeurons = dictionary.DIn,
            Values = values,
            Rows = activations.Rows.Select(rows),
        };
        var (learn, test) = RowGroups.Of(set).Split(0.2, random);
        var probes = new List<ConceptProbe>();
        var absorption = new List<Absorption>();
        foreach (var (name, labels) in concepts.Select(rows).Concepts.SelectMany(Binary))
        {
            cancellation.ThrowIfCancellationRequested();
            bool[] known = [.. labels.Select(label => label is not null)];
            bool[] truths = [.. labels.Select(label => label == true)];
            int[] Known(int[] side) => [.. side.Where(row => known[row])];
            var neurons = new ProbeData(inputs, truths, Known(learn), Known(test));
            if (!neurons.IsDecidable)
                continue;
            var ofLatents = neurons with { Values = coded };
            probes.Add(new ConceptProbe(name, truths.Count(label => label), Sizes(ofLatents), Sizes(neurons)));
            absorption.Add(Metrics.Absorption.Measure(name, neurons, ofLatents, directions));
        }
        return (probes, absorption);

        KSparseProbe[] Sizes(ProbeData data) =>
            config.ProbeSizes.Where(k => k <= data.Values.Columns).ToArray() is { Length: > 0 } sizes
                ? SparseProbe.Measure(data, sizes)
                : [];
    }

    /// <summary>Concepts that are or are not there: binary ones, and each category of a categorical one. Numbers are none.</summary>
    private static IEnumerable<(string Name, bool?[] Labels)> Binary(Concept concept)
    {
        bool?[] Where(double value) => Array.ConvertAll(concept.Values, label => double.IsNaN(label) ? (bool?)null : label == value);
        return concept.Kind switch
        {
            ConceptKind.Binary => [(concept.Name, Where(1))],
            ConceptKind.Categorical => Enumerable
                .Range(0, concept.Categories?.Length ?? 0)
                .Select(category => ($"{concept.Name}={concept.Categories![category]}", Where(category))),
            _ => [],
        };
    }
}
