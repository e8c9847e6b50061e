using Polyseme.Networks;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Metrics;

/// <summary>What a language model loses when the activations at a hook are replaced: by what a dictionary gives back, by zeros, by their mean.</summary>
/// <remarks>
/// Cross-entropy of the next token and KL(model ‖ model with the replacement), in nats a position. Scores are those of SAEBench's core evaluation
/// (<c>ce_loss_score</c>, <c>kl_div_score</c>), against zeros: 1 where nothing is lost, 0 where the dictionary is worth no more than zeros. Against the
/// mean they are lower and say more: zeros are an input that the rest of the network never saw.
/// </remarks>
public sealed record LossRecovered
{
    private const int Batch = 64;

    /// <summary>Positions whose next token is known.</summary>
    public required int Positions { get; init; }

    /// <summary>Cross-entropy of the model as it is.</summary>
    public required double CrossEntropy { get; init; }

    /// <summary>With the dictionary's reconstruction at the hook.</summary>
    public required Replaced Reconstructed { get; init; }

    /// <summary>With zeros.</summary>
    public required Replaced Zero { get; init; }

    /// <summary>With the mean over the positions of the texts.</summary>
    public required Replaced Mean { get; init; }

    /// <summary>(CE with zeros − CE with the dictionary) / (CE with zeros − CE); <c>null</c> where zeros cost nothing.</summary>
    public double? CrossEntropyScore => Score(Zero.CrossEntropy, Reconstructed.CrossEntropy, CrossEntropy);

    /// <summary>The same against the mean.</summary>
    public double? CrossEntropyScoreOfMean => Score(Mean.CrossEntropy, Reconstructed.CrossEntropy, CrossEntropy);

    /// <summary>(KL with zeros − KL with the dictionary) / KL with zeros; <c>null</c> where zeros change nothing.</summary>
    public double? DivergenceScore => Score(Zero.Divergence, Reconstructed.Divergence, 0);

    /// <summary>The same against the mean.</summary>
    public double? DivergenceScoreOfMean => Score(Mean.Divergence, Reconstructed.Divergence, 0);

    /// <summary>Measures it.</summary>
    /// <param name="network">Reads token ids and gives logits of the next token at each position, causally.</param>
    /// <param name="hook">Where to replace.</param>
    /// <param name="dictionary">As wide as the hook.</param>
    /// <param name="texts">Token ids, a text a row: of two to one more than the network's context. Shape: <c>[n_texts, length]</c>.</param>
    /// <param name="cancellation">Checked at each batch of texts.</param>
    /// <exception cref="ArgumentException">These do not go together; says how.</exception>
    public static LossRecovered Measure(
        Network network,
        string hook,
        FeatureDictionary dictionary,
        Matrix texts,
        CancellationToken cancellation = default
    )
    {
        var context = network.RowsPerInput;
        if (context < 2 || network.InputWidth != context)
            throw new ArgumentException("the network reads no texts: it has no positions", nameof(network));
        if (network.Hooks.FirstOrDefault(one => one.Name == hook) is not { } at)
            throw new ArgumentException(
                $"no hook '{hook}'; this network has {string.Join(", ", network.Hooks.Select(one => one.Name))}",
                nameof(hook)
            );
        if (dictionary.DIn != at.Width || dictionary.DOut != at.Width)
            throw new ArgumentException(
                $"the dictionary reads {dictionary.DIn} and gives {dictionary.DOut} values, but {hook} is {at.Width} wide",
                nameof(dictionary)
            );
        if (texts.Rows == 0 || texts.Columns < 2 || texts.Columns > context + 1)
            throw new ArgumentException(
                $"texts are [{texts.Rows}, {texts.Columns}]; at least one, of 2 to {context + 1} tokens each, are needed",
                nameof(texts)
            );
        var mean = MeanAt(network, hook, at.Width, texts, cancellation);
        var (clean, reconstructed, zero, toMean) = (new Sums(), new Sums(), new Sums(), new Sums());
        foreach (var (inputs, next) in Batches(texts, context))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = torch.NewDisposeScope();
            var asIs = LogProbabilities(network.Run(inputs).Output, next.Length / inputs.Rows, context);
            clean.Add(asIs, asIs, next);
            void With(Sums sums, Func<Matrix, Matrix> replace) =>
                sums.Add(
                    asIs,
                    LogProbabilities(
                        network.Run(inputs, interventions: new Dictionary<string, Func<Matrix, Matrix>> { [hook] = replace }).Output,
                        next.Length / inputs.Rows,
                        context
                    ),
                    next
                );
            With(reconstructed, rows => Back(dictionary, rows));
            With(zero, rows => new Matrix(rows.Rows, rows.Columns));
            With(toMean, rows => Repeated(mean, rows.Rows));
        }
        return new LossRecovered
        {
            Positions = clean.Count,
            CrossEntropy = clean.Result().CrossEntropy,
            Reconstructed = reconstructed.Result(),
            Zero = zero.Result(),
            Mean = toMean.Result(),
        };
    }

    private static double? Score(double ablated, double reconstructed, double clean) =>
        ablated - clean > 1e-9 ? (ablated - reconstructed) / (ablated - clean) : null;

    /// <summary>Contexts, filled up with the token 0, and the tokens that follow at the positions that have one.</summary>
    private static IEnumerable<(Matrix Inputs, long[] Next)> Batches(Matrix texts, int context)
    {
        var scored = texts.Columns - 1;
        for (var first = 0; first < texts.Rows; first += Batch)
        {
            var inputs = new Matrix(Math.Min(Batch, texts.Rows - first), context);
            var next = new long[inputs.Rows * scored];
            for (var row = 0; row < inputs.Rows; row++)
            {
                var text = texts.Row(first + row);
                text[..Math.Min(context, texts.Columns)].CopyTo(inputs.Row(row));
                for (var t = 0; t < scored; t++)
                    next[(row * scored) + t] = (long)text[t + 1];
            }
            yield return (inputs, next);
        }
    }

    private static double[] MeanAt(Network network, string hook, int width, Matrix texts, CancellationToken cancellation)
    {
        var (sum, count, context) = (new double[width], 0L, network.RowsPerInput);
        foreach (var (inputs, next) in Batches(texts, context))
        {
            cancellation.ThrowIfCancellationRequested();
            var rows = network.Run(inputs, [hook]).Recorded[hook];
            var scored = next.Length / inputs.Rows;
            for (var row = 0; row < rows.Rows; row++)
            {
                if (row % context >= scored)
                    continue;
                count++;
                for (var j = 0; j < width; j++)
                    sum[j] += rows[row, j];
            }
        }
        return Array.ConvertAll(sum, value => value / count);
    }

    /// <summary>Logarithms of the probabilities at the first <paramref name="scored"/> positions of each context. Shape: <c>[n · scored, d_vocab]</c>.</summary>
    private static torch.Tensor LogProbabilities(Matrix logits, int scored, int context) =>
        LinearAlgebra
            .ToTensor(logits)
            .reshape(logits.Rows / context, context, logits.Columns)
            .narrow(1, 0, scored)
            .reshape(-1, logits.Columns)
            .log_softmax(1);

    private static Matrix Back(FeatureDictionary dictionary, Matrix rows)
    {
        using var scope = torch.NewDisposeScope();
        return LinearAlgebra.ToMatrix(dictionary.Reconstruct(LinearAlgebra.ToTensor(rows).to(torch.float32)).to(torch.float64));
    }

    private static Matrix Repeated(double[] row, int rows)
    {
        var matrix = new Matrix(rows, row.Length);
        for (var i = 0; i < rows; i++)
            row.CopyTo(matrix.Row(i));
        return matrix;
    }

    /// <summary>A model with a replacement.</summary>
    /// <param name="CrossEntropy">Of the next token, nats a position.</param>
    /// <param name="Divergence">KL(model ‖ model with the replacement), nats a position.</param>
    public sealed record Replaced(double CrossEntropy, double Divergence);

    private sealed class Sums
    {
        private double _crossEntropy,
            _divergence;

        public int Count { get; private set; }

        public void Add(torch.Tensor asIs, torch.Tensor replaced, long[] next)
        {
            var vocabulary = asIs.shape[1];
            foreach (var token in next)
            {
                if (token < 0 || token >= vocabulary)
                    throw new ArgumentException($"a text has token {token}; the network knows 0 to {vocabulary - 1}");
            }
            Count += next.Length;
            _crossEntropy -= replaced.gather(1, torch.tensor(next).unsqueeze(1)).sum().item<double>();
            _divergence += (asIs.exp() * (asIs - replaced)).sum().item<double>();
        }

        public Replaced Result() => new(_crossEntropy / Count, _divergence / Count);
    }
}
