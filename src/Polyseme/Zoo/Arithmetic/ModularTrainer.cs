using Polyseme.Numerics;
using Polyseme.Runs;
using static TorchSharp.torch;

namespace Polyseme.Zoo.Arithmetic;

/// <summary>How a modular-addition network is trained: full batch, AdamW, cross-entropy in double precision.</summary>
public sealed record ModularTraining
{
    /// <summary>p.</summary>
    public required int Modulus { get; init; }

    /// <summary>Neurons.</summary>
    public required int Neurons { get; init; }

    /// <summary>φ.</summary>
    public required ModularActivation Activation { get; init; }

    /// <summary>Whether both numbers share one embedding E and one layer L: pre = L(E_a + E_b) + bias, as in the pizza; otherwise each has weights of its own.</summary>
    public bool Shared { get; init; }

    /// <summary>Share of the p² pairs that are trained on.</summary>
    public required double TrainFraction { get; init; }

    /// <summary>Steps, each over all training pairs.</summary>
    public required int Epochs { get; init; }

    /// <summary>AdamW's learning rate, after ten steps of warm-up.</summary>
    public required double LearningRate { get; init; }

    /// <summary>AdamW's weight decay.</summary>
    public required double WeightDecay { get; init; }

    /// <summary>Epochs between two points of the curve.</summary>
    public int Every { get; init; } = 50;

    /// <summary>The one seed.</summary>
    public ulong Seed { get; init; }
}

/// <summary>A point of a grokking curve.</summary>
/// <param name="Epoch">1, 2, ….</param>
/// <param name="TrainLoss">Cross-entropy, nats.</param>
/// <param name="TrainAccuracy">In [0, 1].</param>
/// <param name="TestLoss">Cross-entropy on the pairs left out, nats.</param>
/// <param name="TestAccuracy">In [0, 1].</param>
public sealed record GrokkingPoint(int Epoch, double TrainLoss, double TrainAccuracy, double TestLoss, double TestAccuracy);

/// <summary>A trained modular-addition network.</summary>
/// <param name="Network">The network; a shared embedding is multiplied out.</param>
/// <param name="Curve">Its losses and accuracies.</param>
/// <param name="Embedding">E where it is shared, else <c>null</c>. Shape: <c>[p, d_embed]</c>.</param>
public sealed record GrokkedNetwork(ModularNetwork Network, IReadOnlyList<GrokkingPoint> Curve, Matrix? Embedding)
{
    /// <summary>The first epoch of the curve from which training accuracy reaches <paramref name="accuracy"/>; <c>null</c> if none does.</summary>
    public int? Memorised(double accuracy = 0.99) => Curve.FirstOrDefault(point => point.TrainAccuracy >= accuracy)?.Epoch;

    /// <summary>The same for the pairs left out.</summary>
    public int? Grokked(double accuracy = 0.95) => Curve.FirstOrDefault(point => point.TestAccuracy >= accuracy)?.Epoch;
}

/// <summary>Trains modular-addition networks until they grok.</summary>
/// <remarks>
/// Power et al. 2022; Nanda et al. 2023, "Progress measures for grokking via mechanistic interpretability"; Zhong et al. 2023, "The clock and
/// the pizza". Cross-entropy is summed in double precision: in single precision it stalls once the training loss is near 1e-7.
/// </remarks>
public static class ModularTrainer
{
    private const int EmbeddingWidth = 128;

    /// <summary>Trains one network.</summary>
    /// <exception cref="DivergenceException">The loss stopped being a number; names the epoch.</exception>
    public static GrokkedNetwork Train(ModularTraining training, IProgress<Step>? progress, CancellationToken cancellation)
    {
        using var outer = NewDisposeScope();
        int p = training.Modulus,
            n = training.Neurons;
        var random = new RandomStream(training.Seed, "modular/init");
        TorchSharp.Modules.Parameter Normal(int rows, int columns, double deviation)
        {
            var values = random.NormalMatrix(rows, columns);
            return new TorchSharp.Modules.Parameter(
                tensor(values.Data.Select(v => (float)(deviation * v)).ToArray()).reshape(rows, columns)
            );
        }
        TorchSharp.Modules.Parameter[] parameters;
        Func<(Tensor First, Tensor Second, Tensor Bias, Tensor Output)> weights;
        if (training.Shared)
        {
            parameters =
            [
                Normal(p, EmbeddingWidth, 1 / Math.Sqrt(EmbeddingWidth)),
                Normal(EmbeddingWidth, n, 1 / Math.Sqrt(EmbeddingWidth)),
                new TorchSharp.Modules.Parameter(zeros(n)),
                Normal(n, p, 1 / Math.Sqrt(n)),
            ];
            weights = () =>
            {
                var both = mm(parameters[0], parameters[1]);
                return (both, both, parameters[2], parameters[3]);
            };
        }
        else
        {
            parameters =
            [
                Normal(p, n, 1 / Math.Sqrt(2 * p)),
                Normal(p, n, 1 / Math.Sqrt(2 * p)),
                new TorchSharp.Modules.Parameter(zeros(n)),
                Normal(n, p, 1 / Math.Sqrt(n)),
            ];
            weights = () => (parameters[0], parameters[1], parameters[2], parameters[3]);
        }
        using var optimiser = optim.AdamW(parameters, training.LearningRate, beta1: 0.9, beta2: 0.98, weight_decay: training.WeightDecay);
        var order = new RandomStream(training.Seed, "modular/split").Permutation(p * p);
        var trained = Pairs(order.Take((int)Math.Round(training.TrainFraction * p * p)), p);
        var held = Pairs(order.Skip((int)Math.Round(training.TrainFraction * p * p)), p);
        Tensor Logits(Pair pairs)
        {
            var (first, second, bias, output) = weights();
            var pre = first.index_select(0, pairs.A) + second.index_select(0, pairs.B) + bias;
            return mm(training.Activation == ModularActivation.Square ? pre * pre : nn.functional.relu(pre), output);
        }
        (double Loss, double Accuracy) Score(Pair pairs)
        {
            using var scope = NewDisposeScope();
            using var none = no_grad();
            var logits = Logits(pairs).to(float64);
            return (
                nn.functional.cross_entropy(logits, pairs.Sum).item<double>(),
                (logits.argmax(1) == pairs.Sum).to(float64).mean().item<double>()
            );
        }

        var curve = new List<GrokkingPoint>();
        for (var epoch = 1; epoch <= training.Epochs; epoch++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            foreach (var group in optimiser.ParamGroups)
                group.LearningRate = training.LearningRate * Math.Min(1, epoch / 10.0);
            optimiser.zero_grad();
            var loss = nn.functional.cross_entropy(Logits(trained).to(float64), trained.Sum);
            loss.backward();
            optimiser.step();
            if (epoch % training.Every != 0 && epoch != training.Epochs)
                continue;
            var (trainLoss, trainAccuracy) = Score(trained);
            if (!double.IsFinite(trainLoss))
                throw new DivergenceException($"the modular-addition network diverged by epoch {epoch}: its loss is {trainLoss}");
            var (testLoss, testAccuracy) = held.Count == 0 ? (trainLoss, trainAccuracy) : Score(held);
            curve.Add(new GrokkingPoint(epoch, trainLoss, trainAccuracy, testLoss, testAccuracy));
            progress?.Report(new Step("grokking", epoch, training.Epochs, $"train {trainAccuracy:P0}, held out {testAccuracy:P0}"));
        }
        using var done = no_grad();
        var (a, b, bias0, w) = weights();
        return new GrokkedNetwork(
            new ModularNetwork(ToMatrix(a), ToMatrix(b), [.. bias0.to(float64).data<double>()], ToMatrix(w), training.Activation),
            curve,
            training.Shared ? ToMatrix(parameters[0]) : null
        );
    }

    private static Matrix ToMatrix(Tensor values) => LinearAlgebra.ToMatrix(values.detach().to(float64));

    private static Pair Pairs(IEnumerable<int> numbers, int p)
    {
        var pairs = numbers.ToArray();
        return new Pair(
            tensor(pairs.Select(pair => (long)(pair / p)).ToArray()),
            tensor(pairs.Select(pair => (long)(pair % p)).ToArray()),
            tensor(pairs.Select(pair => (long)(((pair / p) + (pair % p)) % p)).ToArray()),
            pairs.Length
        );
    }

    private sealed record Pair(Tensor A, Tensor B, Tensor Sum, int Count);
}
