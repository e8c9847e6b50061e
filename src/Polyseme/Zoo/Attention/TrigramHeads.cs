using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.Attention;

/// <summary>
/// Skip-trigrams [A_i] … [B] → [C_i] with one destination and unrelated outputs: heads look at the same places for all of them, and what they write
/// differs by source. With more trigrams than the heads have dimensions they must share.
/// </summary>
internal sealed record TrigramHeads
{
    private const int Fillers = 4,
        Context = 6,
        Batch = 64,
        Judged = 64;

    /// <summary>How often a context holds a second source; the next token is then either's.</summary>
    private const double SecondSource = 0.1;

    /// <summary>n, trigrams.</summary>
    public required int Trigrams { get; init; }

    /// <summary>H.</summary>
    public required int Heads { get; init; }

    /// <summary>d_h.</summary>
    public required int HeadWidth { get; init; }

    /// <summary>Training steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Trained models.</summary>
    public TransformerTrained Train(int models, ulong seed, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var random = new RandomStream(seed, $"trigram-heads/{Trigrams}/train");
        return new TransformerTraining
        {
            Shape = new TransformerShape
            {
                Vocabulary = Trigrams + 1 + Fillers,
                Context = Context,
                ModelWidth = 32,
                HeadWidth = HeadWidth,
                Heads = Heads,
                Outputs = Trigrams,
                Positions = false,
            },
            Steps = Steps,
            Models = models,
            Stage = $"training {Trigrams} trigrams in {Heads} heads",
        }.Train(seed, _ => Draw(random), progress, cancellation);
    }

    /// <summary>What each head adds to each trigram's own logit above the mean of all outputs, by its measured attention and its OV circuit.</summary>
    /// <returns>Per head and trigram, and the share of trigrams whose own output is the largest. Shape: <c>[heads, trigrams]</c>.</returns>
    public (Matrix Contributions, double Accuracy) Measure(SmallTransformer network, ulong seed)
    {
        const string hook = "blocks.0.attn.hook_pattern";
        var circuits = new HeadCircuits(network);
        var random = new RandomStream(seed, $"trigram-heads/{Trigrams}/judge");
        var contributions = new Matrix(Heads, Trigrams);
        var right = 0;
        for (var trigram = 0; trigram < Trigrams; trigram++)
        {
            var contexts = new Matrix(Judged, Context);
            var positions = new int[Judged];
            for (var row = 0; row < Judged; row++)
            {
                Fill(contexts.Row(row), random);
                contexts[row, positions[row] = random.NextInt(Context - 1)] = trigram;
            }
            var trace = network.Run(contexts, [hook]);
            var pattern = trace.Recorded[hook];
            for (var row = 0; row < Judged; row++)
            {
                var last = (row * Context) + Context - 1;
                var output = trace.Output.Row(last);
                right += output.IndexOf(System.Numerics.Tensors.TensorPrimitives.Max<double>(output)) == trigram ? 1 : 0;
                for (var head = 0; head < Heads; head++)
                {
                    var circuit = circuits.Ov[head].Row(trigram);
                    contributions[head, trigram] +=
                        pattern[last, (head * Context) + positions[row]]
                        * (circuit[trigram] - System.Numerics.Tensors.TensorPrimitives.Average<double>(circuit))
                        / Judged;
                }
            }
        }
        return (contributions, (double)right / (Trigrams * Judged));
    }

    /// <summary>Each head's share of each trigram's logit. Shape: <c>[heads, trigrams]</c>; a trigram's shares sum to 1.</summary>
    public static Matrix Shares(Matrix contributions)
    {
        var shares = new Matrix(contributions.Rows, contributions.Columns);
        for (var trigram = 0; trigram < shares.Columns; trigram++)
        {
            var total = contributions.Column(trigram).Sum();
            for (var head = 0; head < shares.Rows; head++)
                shares[head, trigram] = contributions[head, trigram] / total;
        }
        return shares;
    }

    private TransformerBatch Draw(RandomStream random)
    {
        var tokens = new long[Batch * Context];
        var targets = new float[Batch * Trigrams];
        var context = new double[Context];
        for (var row = 0; row < Batch; row++)
        {
            Fill(context, random);
            var order = random.Permutation(Context - 1);
            var sources = random.NextDouble() < SecondSource ? 2 : 1;
            for (var i = 0; i < sources; i++)
            {
                var trigram = random.NextInt(Trigrams);
                context[order[i]] = trigram;
                targets[(row * Trigrams) + trigram] += 1f / sources;
            }
            for (var t = 0; t < Context; t++)
                tokens[(row * Context) + t] = (long)context[t];
        }
        return new TransformerBatch(tokens, TransformerLoss.LastDistribution(targets));
    }

    private void Fill(Span<double> context, RandomStream random)
    {
        for (var t = 0; t < Context - 1; t++)
            context[t] = Trigrams + 1 + random.NextInt(Fillers);
        context[Context - 1] = Trigrams;
    }
}
