using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo.Attention;

/// <summary>
/// One attention head that learns a gate: token A carries x ∈ {−1, 1}, and the output is x unless token B is anywhere in the context. Softmax
/// attention can: B takes the attention away from A. A head whose weights do not compete cannot.
/// </summary>
/// <remarks>
/// The output is read at the query, which stands behind two to seven tokens; what follows it is not seen. Were there always as many, a small share of
/// attention times a large OV entry would do; only attention that goes to A whole does not depend on their number. The query's token
/// is a filler as well, or it would be the one source that is always there once, and take a fixed share. One context in ten has no A, and its
/// output is 0: the second difference needs contexts without A, and they change no bound.
/// </remarks>
internal static class GateHead
{
    public const int Query = 0,
        Minus = 1,
        Plus = 2,
        B = 3,
        FirstFiller = 4,
        Vocabulary = 6,
        Context = 8;
    private const int Batch = 128,
        ShortestContext = 3;

    /// <summary>A trained head.</summary>
    public static (SmallTransformer Network, IReadOnlyList<(int Step, double Loss)> Curve) Train(
        AttentionWeights attention,
        int steps,
        double learningRate,
        ulong seed,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var random = new RandomStream(seed, "gate/train");
        var trained = new TransformerTraining
        {
            Shape = new TransformerShape
            {
                Vocabulary = Vocabulary,
                Context = Context,
                ModelWidth = 16,
                HeadWidth = 8,
                Outputs = 1,
                Positions = false,
                Attention = attention,
            },
            Steps = steps,
            LearningRate = learningRate,
            Stage = attention == AttentionWeights.Softmax ? "training the softmax head" : "training the additive head",
        }.Train(
            seed,
            _ =>
            {
                var (contexts, x, b) = Contexts(Batch, 0.9, random);
                return new TransformerBatch(
                    Array.ConvertAll(contexts.Data, token => (long)token),
                    TransformerLoss.SquaredErrorAt(
                        [.. Enumerable.Range(0, Batch).Select(row => (long)QueryAt(contexts.Row(row)))],
                        [.. x.Zip(b, (payload, gate) => (float)(payload * (1 - gate)))]
                    )
                );
            },
            progress,
            cancellation
        );
        return (trained.RequireAll()[0], trained.Curve);
    }

    /// <summary>Where the query is read: its last place.</summary>
    public static int QueryAt(ReadOnlySpan<double> context) => context.LastIndexOf(Query);

    /// <summary>Contexts with a query, with their payloads (0 without A) and whether B is there.</summary>
    /// <param name="count">How many.</param>
    /// <param name="withA">Share of contexts with an A.</param>
    /// <param name="random">Draws them.</param>
    public static (Matrix Contexts, double[] X, double[] B) Contexts(int count, double withA, RandomStream random)
    {
        var contexts = new Matrix(count, Context);
        var (x, b) = (new double[count], new double[count]);
        for (var row = 0; row < count; row++)
        {
            var context = contexts.Row(row);
            var query = ShortestContext - 1 + random.NextInt(Context - ShortestContext + 1);
            for (var t = 0; t < Context; t++)
                context[t] = t < query && random.NextInt(2) == 0 ? Query : FirstFiller + random.NextInt(Vocabulary - FirstFiller);
            context[query] = Query;
            var at = random.NextInt(query);
            // Anywhere but where A is.
            var gateAt = (at + 1 + random.NextInt(query - 1)) % query;
            if (random.NextDouble() < withA)
            {
                x[row] = random.NextInt(2) == 0 ? -1 : 1;
                context[at] = x[row] > 0 ? Plus : Minus;
            }
            if (random.NextInt(2) == 0)
            {
                b[row] = 1;
                context[gateAt] = B;
            }
        }
        return (contexts, x, b);
    }

    /// <summary>Outputs at the query. Shape: <c>[n_contexts]</c>.</summary>
    public static double[] Outputs(SmallTransformer network, Matrix contexts)
    {
        var outputs = network.Run(contexts).Output;
        return [.. Enumerable.Range(0, contexts.Rows).Select(row => outputs[(row * Context) + QueryAt(contexts.Row(row)), 0])];
    }

    /// <summary>R² of the outputs on contexts that hold an A.</summary>
    public static double R2(SmallTransformer network, int contexts, ulong seed)
    {
        var (inputs, x, b) = Contexts(contexts, 1, new RandomStream(seed, "gate/judge"));
        return R2([.. x.Zip(b, (payload, gate) => payload * (1 - gate))], Outputs(network, inputs));
    }

    /// <summary>1 − residual over total sum of squares.</summary>
    public static double R2(double[] target, double[] predicted)
    {
        var mean = target.Average();
        return 1 - (target.Zip(predicted, (t, p) => (t - p) * (t - p)).Sum() / target.Sum(t => (t - mean) * (t - mean)));
    }

    /// <summary>Mean attention from the query to A, in contexts without B and with it.</summary>
    public static (double Without, double With) AttentionToA(SmallTransformer network, int contexts, ulong seed)
    {
        const string hook = "blocks.0.attn.hook_pattern";
        var (inputs, _, b) = Contexts(contexts, 1, new RandomStream(seed, "gate/judge"));
        var pattern = network.Run(inputs, [hook]).Recorded[hook];
        double[] sums = [0, 0],
            counts = [0, 0];
        for (var row = 0; row < inputs.Rows; row++)
        {
            var at = inputs.Row(row).IndexOfAny(Minus, Plus);
            sums[(int)b[row]] += pattern[(row * Context) + QueryAt(inputs.Row(row)), at];
            counts[(int)b[row]]++;
        }
        return (sums[0] / counts[0], sums[1] / counts[1]);
    }

    /// <summary>
    /// x·(y(A, B) − y(A, –) − y(–, B) + y(–, –)), over contexts that differ in nothing else: 0 for a sum over sources, −1 for the gate. Mean, and the
    /// largest distance of one from −1.
    /// </summary>
    public static (double Mean, double Worst) SecondDifference(SmallTransformer network, int contexts, ulong seed)
    {
        var random = new RandomStream(seed, "gate/second-difference");
        var inputs = new Matrix(4 * contexts, Context);
        var x = new double[contexts];
        for (var i = 0; i < contexts; i++)
        {
            var (fillers, _, _) = Contexts(1, 0, random);
            var query = QueryAt(fillers.Row(0));
            var a = random.NextInt(query);
            var gate = (a + 1 + random.NextInt(query - 1)) % query;
            // Where B was drawn, a filler stands again.
            for (var t = 0; t < Context; t++)
                fillers[0, t] = fillers[0, t] == B ? FirstFiller : fillers[0, t];
            x[i] = i % 2 == 0 ? 1 : -1;
            for (var variant = 0; variant < 4; variant++)
            {
                var row = inputs.Row((4 * i) + variant);
                fillers.Row(0).CopyTo(row);
                if ((variant & 1) != 0)
                    row[a] = x[i] > 0 ? Plus : Minus;
                if ((variant & 2) != 0)
                    row[gate] = B;
            }
        }
        var y = Outputs(network, inputs);
        var differences = x.Select((payload, i) => payload * (y[(4 * i) + 3] - y[(4 * i) + 1] - y[(4 * i) + 2] + y[4 * i])).ToArray();
        return (differences.Average(), differences.Max(difference => Math.Abs(difference + 1)));
    }

    /// <summary>What the softmax head computes, over kinds of source.</summary>
    public static GateCircuit Circuit(SmallTransformer network)
    {
        var circuits = new HeadCircuits(network);
        double Weight(int token) => Math.Exp(circuits.Qk[0][Query, token]);
        // Attention sums to one, so the direct path is the same as a constant added to every OV entry.
        double Value(int token) => circuits.Ov[0][token, 0] + circuits.Direct[Query, 0];
        var fillers = Enumerable.Range(FirstFiller, Vocabulary - FirstFiller).ToArray();
        var filler = fillers.Average(Weight);
        return new GateCircuit
        {
            WeightA = (Weight(Plus) + Weight(Minus)) / 2,
            WeightB = Weight(B),
            WeightFiller = filler,
            WeightQuery = Weight(Query),
            ValueA = (Value(Plus) - Value(Minus)) / 2,
            ValueB = Value(B),
            ValueFiller = fillers.Sum(token => Weight(token) * Value(token)) / (filler * fillers.Length),
            ValueQuery = Value(Query),
        };
    }
}

/// <summary>A trained gate written out over kinds of source: weights are exponentiated QK entries of the query, values OV entries with the direct path.</summary>
internal sealed record GateCircuit
{
    public required double WeightA { get; init; }
    public required double WeightB { get; init; }
    public required double WeightFiller { get; init; }
    public required double WeightQuery { get; init; }

    /// <summary>OV(A → y), per unit of payload.</summary>
    public required double ValueA { get; init; }
    public required double ValueB { get; init; }
    public required double ValueFiller { get; init; }
    public required double ValueQuery { get; init; }

    /// <summary>The head's output where A carries <paramref name="x"/> and B is there <paramref name="b"/> times (0 or 1), in place of a filler; in contexts of full length.</summary>
    public double Output(double x, double b)
    {
        var present = Math.Clamp(b, 0, 1);
        var fillers = (GateHead.Context - 2 - present) * WeightFiller;
        var total = WeightA + (present * WeightB) + fillers + WeightQuery;
        return ((WeightA * ValueA * x) + (present * WeightB * ValueB) + (fillers * ValueFiller) + (WeightQuery * ValueQuery)) / total;
    }

    /// <summary>The numbers as one row, to be saved.</summary>
    public Matrix ToMatrix() => Matrix.FromRows([WeightA, WeightB, WeightFiller, WeightQuery, ValueA, ValueB, ValueFiller, ValueQuery]);
}
