using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.Attention;

/// <summary>Texts in which the context says what comes next: its own tokens again, or anything but them.</summary>
internal sealed record CopyCorpus
{
    /// <summary>In the copying corpus, how often the next token is one of the context's.</summary>
    private const double Repeats = 0.9;

    /// <summary>Whether the next token is, nine times of ten, drawn from those before it; else no token comes twice.</summary>
    public required bool Copies { get; init; }

    public int Vocabulary { get; init; } = 24;

    public int Context { get; init; } = 12;

    /// <summary>Rows of a text's tokens. Shape: <c>[rows, Context + 1]</c>: the last token is only predicted.</summary>
    public Matrix Texts(int rows, RandomStream random)
    {
        var texts = new Matrix(rows, Context + 1);
        for (var row = 0; row < rows; row++)
        {
            var text = texts.Row(row);
            if (!Copies)
            {
                var order = random.Permutation(Vocabulary);
                for (var t = 0; t < text.Length; t++)
                    text[t] = order[t];
                continue;
            }
            for (var t = 0; t < text.Length; t++)
                text[t] = t > 0 && random.NextDouble() < Repeats ? text[random.NextInt(t)] : random.NextInt(Vocabulary);
        }
        return texts;
    }

    /// <summary>One-layer attention-only models trained on it.</summary>
    /// <param name="heads">Heads of each.</param>
    /// <param name="models">How many, from different starts.</param>
    /// <param name="steps">Training steps, of 32 texts.</param>
    /// <param name="seed">The one seed.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Stops it.</param>
    public TransformerTrained Train(int heads, int models, int steps, ulong seed, IProgress<Step>? progress, CancellationToken cancellation)
    {
        const int texts = 32;
        var random = new RandomStream(seed, Copies ? "copy/train" : "anti-copy/train");
        return Training(heads, models, steps).Train(seed, _ => Batch(Texts(texts, random)), progress, cancellation);
    }

    /// <summary>The model number <paramref name="model"/> before training.</summary>
    public SmallTransformer Untrained(int heads, int model, ulong seed)
    {
        var training = Training(heads, model + 1, 1);
        return new SmallTransformer(training.Shape, training.Start(seed, model));
    }

    /// <summary>The contexts of texts, without the tokens that are only predicted. Shape: <c>[rows, Context]</c>.</summary>
    public static Matrix Contexts(Matrix texts) => texts.SelectColumns([.. Enumerable.Range(0, texts.Columns - 1)]);

    private TransformerTraining Training(int heads, int models, int steps) =>
        new()
        {
            Shape = new TransformerShape
            {
                Vocabulary = Vocabulary,
                Context = Context,
                ModelWidth = 24,
                HeadWidth = 16,
                Heads = heads,
                // Circuits over tokens alone are exact only without positions.
                Positions = false,
            },
            Steps = steps,
            Models = models,
            Stage = Copies ? "training on copies" : "training without copies",
        };

    private static TransformerBatch Batch(Matrix texts)
    {
        var length = texts.Columns - 1;
        var (tokens, next) = (new long[texts.Rows * length], new long[texts.Rows * length]);
        for (var row = 0; row < texts.Rows; row++)
        {
            for (var t = 0; t < length; t++)
                (tokens[(row * length) + t], next[(row * length) + t]) = ((long)texts[row, t], (long)texts[row, t + 1]);
        }
        return new TransformerBatch(tokens, TransformerLoss.NextToken(next));
    }
}
