using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.MagnitudeCodes;

/// <summary>
/// Texts whose next token's class is a fixed random function of the classes of the last two tokens; the token is any of its class. What a layer's MLP computes
/// of it has planted concepts: the last class, the one before it, and the next.
/// </summary>
/// <remarks>
/// With probability <see cref="Noise"/> a token is drawn from all instead, so that every pair of classes keeps appearing; the first two tokens always are.
/// </remarks>
internal sealed class ClassPairCorpus
{
    public const int Classes = 6,
        PerClass = 3,
        Context = 8;
    public const string Post = "blocks.0.mlp.hook_post";
    private const double Noise = 0.15;
    private readonly int[,] _next = new int[Classes, Classes];

    public ClassPairCorpus(ulong seed)
    {
        var random = new RandomStream(seed, "class-pairs/table");
        for (var before = 0; before < Classes; before++)
        {
            // Every last class leads to every next class: neither of the two says anything alone.
            var shift = random.Permutation(Classes);
            for (var last = 0; last < Classes; last++)
                _next[before, last] = shift[last];
        }
    }

    /// <summary>The class of a token.</summary>
    public static int ClassOf(double token) => (int)token / PerClass;

    /// <summary>The class that follows.</summary>
    public int Next(int before, int last) => _next[before, last];

    /// <summary>Texts, with the token that is only predicted. Shape: <c>[rows, Context + 1]</c>.</summary>
    public Matrix Texts(int rows, RandomStream random)
    {
        var texts = new Matrix(rows, Context + 1);
        for (var row = 0; row < rows; row++)
        {
            var text = texts.Row(row);
            for (var t = 0; t <= Context; t++)
            {
                text[t] =
                    t < 2 || random.NextDouble() < Noise
                        ? random.NextInt(Classes * PerClass)
                        : (Next(ClassOf(text[t - 2]), ClassOf(text[t - 1])) * PerClass) + random.NextInt(PerClass);
            }
        }
        return texts;
    }

    /// <summary>One-layer transformers trained side by side on it, one for each strength of the penalty, from the same start.</summary>
    /// <param name="strengths">λ of each.</param>
    /// <param name="mlpWidth">Neurons.</param>
    /// <param name="steps">Training steps, of 64 texts.</param>
    /// <param name="seed">The one seed.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Stops it.</param>
    public IReadOnlyList<SmallTransformer> Train(
        IReadOnlyList<double> strengths,
        int mlpWidth,
        int steps,
        ulong seed,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var random = new RandomStream(seed, "class-pairs/train");
        var training = new TransformerTraining
        {
            Shape = new TransformerShape
            {
                Vocabulary = Classes * PerClass,
                Context = Context,
                ModelWidth = 24,
                HeadWidth = 12,
                Heads = 2,
                MlpWidth = mlpWidth,
            },
            Steps = steps,
            Models = strengths.Count,
            Penalty = new ActivationPenalty(Post, strengths),
            Stage = "training sparse transformers",
        };
        return training.Train(seed, _ => Batch(Texts(64, random)), progress, cancellation).RequireAll();
    }

    /// <summary>The next class where both tokens before it are known, as concepts: last, before and next class, one column each class. Shape: <c>[rows · (Context − 1), Classes]</c>.</summary>
    public (Matrix Last, Matrix Before, Matrix Next) Concepts(Matrix texts)
    {
        var rows = texts.Rows * (Context - 1);
        var (last, before, next) = (new Matrix(rows, Classes), new Matrix(rows, Classes), new Matrix(rows, Classes));
        for (var row = 0; row < rows; row++)
        {
            var text = texts.Row(row / (Context - 1));
            var t = 1 + (row % (Context - 1));
            var (first, second) = (ClassOf(text[t - 1]), ClassOf(text[t]));
            before[row, first] = 1;
            last[row, second] = 1;
            next[row, Next(first, second)] = 1;
        }
        return (last, before, next);
    }

    /// <summary>Rows of activations at the positions that <see cref="Concepts"/> labels: all but the first of each context.</summary>
    public static Matrix Labelled(Matrix activations) =>
        activations.SelectRows([.. Enumerable.Range(0, activations.Rows).Where(row => row % Context > 0)]);

    /// <summary>The contexts of texts, without the tokens that are only predicted. Shape: <c>[rows, Context]</c>.</summary>
    public static Matrix Contexts(Matrix texts) => texts.SelectColumns([.. Enumerable.Range(0, Context)]);

    private static TransformerBatch Batch(Matrix texts)
    {
        var (tokens, next) = (new long[texts.Rows * Context], new long[texts.Rows * Context]);
        for (var row = 0; row < texts.Rows; row++)
        {
            for (var t = 0; t < Context; t++)
                (tokens[(row * Context) + t], next[(row * Context) + t]) = ((long)texts[row, t], (long)texts[row, t + 1]);
        }
        return new TransformerBatch(tokens, TransformerLoss.NextToken(next));
    }
}
