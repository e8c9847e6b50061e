using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.Attention;

/// <summary>
/// "keep … in mind" and "keep … at bay", and nothing else to learn: without "keep", and after "on", every word is as likely as any other.
/// </summary>
/// <remarks>
/// Embedding and unembedding are fixed, orthonormal and orthogonal to each other, so the direct path is zero. Fillers must then add nothing
/// (texts without "keep" are undecided), and what is left is the term of the skip-trigram alone. With a direct path one head solves the task: the
/// destination's own OV entry cancels the direct path until "keep" takes the attention away, which is inhibition and not a sum of trigrams.
/// </remarks>
internal static class SkipTrigrams
{
    public const int Keep = 0,
        In = 1,
        At = 2,
        On = 3;
    public const int Mind = 0,
        Bay = 1;
    private const int Fillers = 8,
        Context = 8,
        Batch = 48;

    /// <summary>How surely the trigrams are completed; the rest is spread over all words, so that the best logits are finite.</summary>
    private const double Sure = 0.9;

    /// <summary>The words before the gap that is predicted.</summary>
    public static IReadOnlyList<string> Destinations { get; } = ["in", "at", "on"];

    /// <summary>The words that may follow. With many, raising a wrong word beside the right one costs less than leaving both at a guess.</summary>
    public static IReadOnlyList<string> Words { get; } =
    ["mind", "bay", "sun", "top", "way", "end", "sea", "day", "air", "bed", "car", "hat"];

    /// <summary>How far the best prediction raises the right word above the others, in nats.</summary>
    public static double BestLogit => Math.Log((Sure + ((1 - Sure) / Words.Count)) / ((1 - Sure) / Words.Count));

    /// <summary>Nats of the best prediction, averaged over texts.</summary>
    public static double BestLoss
    {
        get
        {
            double other = (1 - Sure) / Words.Count,
                right = Sure + other;
            var known = -(right * Math.Log(right)) - ((Words.Count - 1) * other * Math.Log(other));
            // Half of the texts hold "keep", two thirds of those end in "in" or "at".
            return (known + (2 * Math.Log(Words.Count))) / 3;
        }
    }

    /// <summary>Models trained on such texts.</summary>
    public static TransformerTrained Train(
        int heads,
        int models,
        int steps,
        ulong seed,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var random = new RandomStream(seed, "skip-trigrams/train");
        const int vocabulary = 4 + Fillers;
        var width = vocabulary + Words.Count;
        var (embedding, unembedding) = (new Matrix(vocabulary, width), new Matrix(width, Words.Count));
        for (var token = 0; token < vocabulary; token++)
            embedding[token, token] = 1;
        for (var word = 0; word < Words.Count; word++)
            unembedding[vocabulary + word, word] = 1;
        return new TransformerTraining
        {
            Shape = new TransformerShape
            {
                Vocabulary = vocabulary,
                Context = Context,
                ModelWidth = width,
                HeadWidth = 8,
                Heads = heads,
                Outputs = Words.Count,
                Positions = false,
            },
            Steps = steps,
            Models = models,
            Fixed = new Dictionary<string, Matrix> { ["embed.W_E"] = embedding, ["unembed.W_U"] = unembedding },
            LearningRate = 2e-2,
            Stage = $"training skip-trigrams, {heads} heads",
        }.Train(seed, _ => Draw(random), progress, cancellation);
    }

    /// <summary>
    /// What "keep" adds to the logits through the heads, by intervention: outputs at the last position minus outputs with its attention weight set to 0
    /// in every head. Shape: <c>[destination, word]</c>, means over texts.
    /// </summary>
    public static Matrix Contributions(SmallTransformer network, ulong seed)
    {
        var contributions = new Matrix(Destinations.Count, Words.Count);
        foreach (var (destination, texts, positions) in KeepTexts(seed))
        {
            var cut = network
                .Run(
                    texts,
                    null,
                    new Dictionary<string, Func<Matrix, Matrix>>
                    {
                        ["blocks.0.attn.hook_pattern"] = pattern =>
                        {
                            var without = pattern.Copy();
                            for (var row = 0; row < without.Rows; row++)
                            for (var head = 0; head < network.Shape.Heads; head++)
                                without[row, (head * Context) + positions[row / Context]] = 0;
                            return without;
                        },
                    }
                )
                .Output;
            var whole = network.Run(texts).Output;
            for (var text = 0; text < texts.Rows; text++)
            for (var word = 0; word < Words.Count; word++)
            {
                var row = (text * Context) + Context - 1;
                contributions[destination, word] += (whole[row, word] - cut[row, word]) / texts.Rows;
            }
        }
        return contributions;
    }

    /// <summary>How much of each head's attention goes from the last position to "keep". Shape: <c>[head, destination]</c>, means over texts.</summary>
    public static Matrix AttentionToKeep(SmallTransformer network, ulong seed)
    {
        var attention = new Matrix(network.Shape.Heads, Destinations.Count);
        foreach (var (destination, texts, positions) in KeepTexts(seed))
        {
            var pattern = network.Run(texts, ["blocks.0.attn.hook_pattern"]).Recorded["blocks.0.attn.hook_pattern"];
            for (var text = 0; text < texts.Rows; text++)
            for (var head = 0; head < attention.Rows; head++)
                attention[head, destination] += pattern[(text * Context) + Context - 1, (head * Context) + positions[text]] / texts.Rows;
        }
        return attention;
    }

    /// <summary>A contribution above the mean of the words that no trigram speaks of: logits mean nothing but their differences.</summary>
    public static double Raised(Matrix contributions, int destination, int word)
    {
        var unrelated = 0.0;
        for (var other = Bay + 1; other < Words.Count; other++)
            unrelated += contributions[destination, other] / (Words.Count - Bay - 1);
        return contributions[destination, word] - unrelated;
    }

    private static IEnumerable<(int Destination, Matrix Texts, int[] KeepAt)> KeepTexts(ulong seed)
    {
        const int texts = 64;
        for (var destination = 0; destination < Destinations.Count; destination++)
        {
            var random = new RandomStream(seed, $"skip-trigrams/{Destinations[destination]}");
            var inputs = new Matrix(texts, Context);
            var positions = new int[texts];
            for (var text = 0; text < texts; text++)
                Fill(inputs.Row(text), positions[text] = random.NextInt(Context - 1), In + destination, random);
            yield return (destination, inputs, positions);
        }
    }

    private static TransformerBatch Draw(RandomStream random)
    {
        var tokens = new long[Batch * Context];
        var targets = new float[Batch * Words.Count];
        var text = new double[Context];
        for (var row = 0; row < Batch; row++)
        {
            var (kept, destination) = (random.NextInt(2) == 0, In + random.NextInt(Destinations.Count));
            Fill(text, kept ? random.NextInt(Context - 1) : -1, destination, random);
            for (var t = 0; t < Context; t++)
                tokens[(row * Context) + t] = (long)text[t];
            var target = targets.AsSpan(row * Words.Count, Words.Count);
            var decided = kept && destination != On;
            target.Fill((float)((decided ? 1 - Sure : 1) / Words.Count));
            if (decided)
                target[destination == In ? Mind : Bay] += (float)Sure;
        }
        return new TransformerBatch(tokens, TransformerLoss.LastDistribution(targets));
    }

    private static void Fill(Span<double> text, int keepAt, int destination, RandomStream random)
    {
        for (var t = 0; t < text.Length - 1; t++)
            text[t] = t == keepAt ? Keep : 4 + random.NextInt(Fillers);
        text[^1] = destination;
    }
}
