using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.Attention;

/// <summary>
/// Texts that each draw all their tokens from a few classes of tokens, as a text is in one script or on one subject: which classes a text is of is known from
/// what was read of it, and is all that there is to know about its next token.
/// </summary>
internal sealed record TokenClassCorpus
{
    /// <summary>Tokens of a text that a network sees.</summary>
    public const int Context = 12;

    /// <summary>Tokens of a class; no token is of two classes.</summary>
    public const int PerClass = 4;

    /// <summary>The first position whose row is kept: before it, classes of the text may not have been seen.</summary>
    public const int FirstKept = 3;

    /// <summary>Classes.</summary>
    public required int Classes { get; init; }

    /// <summary>Classes of a text; <c>null</c> for a number that varies: each class is then in a text with probability 1.6 over the number of classes.</summary>
    public int? ClassesOfText { get; init; } = 2;

    /// <summary>Tokens, d_vocab.</summary>
    public int Vocabulary => Classes * PerClass;

    /// <summary>Rows of a text's tokens. Shape: <c>[rows, Context + 1]</c>: the last token is only predicted.</summary>
    public Matrix Texts(int rows, RandomStream random)
    {
        var texts = new Matrix(rows, Context + 1);
        for (var row = 0; row < rows; row++)
        {
            var classes = ClassesOf(random);
            foreach (ref var token in texts.Row(row))
                token = (classes[random.NextInt(classes.Count)] * PerClass) + random.NextInt(PerClass);
        }
        return texts;
    }

    /// <summary>Which classes were seen up to each kept position of each text: 0 or 1. Shape: <c>[texts · (Context − FirstKept), Classes]</c>.</summary>
    public Matrix Seen(Matrix texts)
    {
        const int kept = Context - FirstKept;
        var seen = new Matrix(texts.Rows * kept, Classes);
        for (var row = 0; row < seen.Rows; row++)
        {
            foreach (var token in texts.Row(row / kept)[..(FirstKept + 1 + (row % kept))])
                seen[row, (int)token / PerClass] = 1;
        }
        return seen;
    }

    /// <summary>The contexts of texts, without the tokens that are only predicted. Shape: <c>[rows, Context]</c>.</summary>
    public static Matrix Contexts(Matrix texts) => texts.SelectColumns([.. Enumerable.Range(0, Context)]);

    /// <summary>Rows at the kept positions, of rows at all. Shape: <c>[texts · (Context − FirstKept), …]</c>.</summary>
    public static Matrix Kept(Matrix rows) => rows.SelectRows([.. Enumerable.Range(0, rows.Rows).Where(row => row % Context >= FirstKept)]);

    /// <summary>A one-layer transformer trained to predict it.</summary>
    /// <param name="settings">Its sizes and steps.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Stops it.</param>
    public TransformerTrained Train(TokenClassesConfig settings, IProgress<Step>? progress, CancellationToken cancellation)
    {
        const int texts = 64;
        var random = new RandomStream(settings.Seed, "token-classes/train");
        return new TransformerTraining
        {
            Shape = new TransformerShape
            {
                Vocabulary = Vocabulary,
                Context = Context,
                ModelWidth = settings.ModelWidth,
                HeadWidth = settings.ModelWidth / 2,
                Heads = 2,
                MlpWidth = settings.Neurons,
                LayerNorm = settings.LayerNorm,
            },
            Steps = settings.Steps,
            Stage = "training on token classes",
        }.Train(settings.Seed, _ => Batch(Texts(texts, random)), progress, cancellation);
    }

    private List<int> ClassesOf(RandomStream random)
    {
        if (ClassesOfText is { } count)
            return [.. random.Permutation(Classes).Take(count)];
        var classes = new List<int>();
        while (classes.Count == 0)
            classes.AddRange(Enumerable.Range(0, Classes).Where(_ => random.NextDouble() * Classes < 1.6));
        return classes;
    }

    private static TransformerBatch Batch(Matrix texts)
    {
        var (tokens, next) = (new long[texts.Rows * Context], new long[texts.Rows * Context]);
        for (var i = 0; i < tokens.Length; i++)
        {
            var (row, t) = Math.DivRem(i, Context);
            (tokens[i], next[i]) = ((long)texts[row, t], (long)texts[row, t + 1]);
        }
        return new TransformerBatch(tokens, TransformerLoss.NextToken(next));
    }
}
