using Polyseme.Numerics;
using Polyseme.Runs;
using static TorchSharp.torch;

namespace Polyseme.Networks;

/// <summary>What one training step sees.</summary>
/// <param name="Tokens">Token ids, the same for all models. Shape: <c>[contexts, n_ctx]</c>.</param>
/// <param name="Loss">From outputs <c>[models, contexts, n_ctx, outputs]</c> to losses <c>[models]</c>.</param>
internal sealed record TransformerBatch(long[] Tokens, Func<Tensor, Tensor> Loss);

/// <summary>A penalty on the size of activations, added to the loss: λ·Σ|h| of a row, averaged over rows.</summary>
/// <param name="Hook">Whose activations; one of <c>[models, rows, width]</c>, so none inside attention.</param>
/// <param name="Strengths">λ, one for each model.</param>
internal sealed record ActivationPenalty(string Hook, IReadOnlyList<double> Strengths);

/// <summary>What training gave.</summary>
/// <param name="Networks">The trained models, in the order of their seeds; <c>null</c> for one that diverged.</param>
/// <param name="Curve">Steps with the mean loss of the models that had not diverged.</param>
/// <param name="Losses">Every model's loss on the last batch.</param>
/// <param name="Diverged">Models whose loss stopped being a number, with the step at which that was found.</param>
internal sealed record TransformerTrained(
    IReadOnlyList<SmallTransformer?> Networks,
    IReadOnlyList<(int Step, double Loss)> Curve,
    IReadOnlyList<double> Losses,
    IReadOnlyList<(int Model, int Step)> Diverged
)
{
    /// <summary>All models.</summary>
    /// <exception cref="InvalidOperationException">One diverged; says which and when.</exception>
    public IReadOnlyList<SmallTransformer> RequireAll() =>
        Diverged is [var (model, step), ..]
            ? throw new InvalidOperationException($"transformer {model} diverged: its loss was not a number at step {step}")
            : [.. Networks.Select(network => network!)];
}

/// <summary>Trains transformers of one shape side by side, by Adam. Model k starts from the same weights and sees the same batches whatever trains beside it.</summary>
/// <remarks>By <see cref="BatchedAdam"/>. One thread trains: products this small take six times as long on two threads that wait for each other.</remarks>
internal sealed record TransformerTraining
{
    private const int CurvePoints = 50;

    /// <summary>Their shape.</summary>
    public required TransformerShape Shape { get; init; }

    /// <summary>Steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Models, each with a start of its own.</summary>
    public int Models { get; init; } = 1;

    /// <summary>The highest learning rate.</summary>
    public double LearningRate { get; init; } = 1e-2;

    /// <summary>Weight decay, times the learning rate.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Weights that are not trained, with their values.</summary>
    public IReadOnlyDictionary<string, Matrix> Fixed { get; init; } = new Dictionary<string, Matrix>();

    /// <summary>What activations cost; <c>null</c> = nothing. With it all models start from the weights of the first, so that only λ tells them apart.</summary>
    public ActivationPenalty? Penalty { get; init; }

    /// <summary>The stage that progress is reported under.</summary>
    public string Stage { get; init; } = "training transformers";

    /// <summary>The weights that model <paramref name="model"/> starts from.</summary>
    public IReadOnlyDictionary<string, Matrix> Start(ulong seed, int model)
    {
        var start = new Dictionary<string, Matrix>(TransformerWeights.Start(Shape, seed, $"transformer/{model}"), StringComparer.Ordinal);
        foreach (var (name, weight) in Fixed)
            start[name] = weight;
        return TransformerWeights.Checked(Shape, start);
    }

    /// <summary>Trains.</summary>
    /// <param name="seed">The one seed, for the start.</param>
    /// <param name="batch">The batch of a step, from 0.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Checked every step.</param>
    public TransformerTrained Train(
        ulong seed,
        Func<int, TransformerBatch> batch,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        using var thread = new OneThread();
        using var scope = NewDisposeScope();
        CheckPenalty();
        var strengths = Penalty is null ? null : tensor(Penalty.Strengths.ToArray()).to(Shape.DoublePrecision ? float64 : float32);
        var weights = WeightDictionary(seed);
        var trained = Shape.Parameters().Where(parameter => !Fixed.ContainsKey(parameter.Name)).ToList();
        var adam = new BatchedAdam([.. trained.Select(parameter => weights[parameter.Name])], LearningRate, Steps, WeightDecay);
        foreach (var (parameter, leaf) in trained.Zip(adam.Parameters))
            weights[parameter.Name] = leaf;
        var curve = new List<(int, double)>();
        var diverged = new SortedDictionary<int, int>();
        double[] losses = [];
        for (var step = 0; step < Steps && diverged.Count < Models; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var (tokens, lossOf) = batch(step);
            Tensor? penalised = null;
            var outputs = TransformerForward.Run(
                Shape,
                weights,
                tensor(tokens),
                (hook, held) => hook == Penalty?.Hook ? penalised = held : held
            );
            var perModel = lossOf(outputs.view(Models, tokens.Length / Shape.Context, Shape.Context, Shape.OutputWidth));
            var total = perModel.sum();
            if (penalised is not null && strengths is not null)
                total = total + (strengths * penalised.abs().sum(dim: -1).mean([1])).sum();
            if (step % Math.Max(1, Steps / CurvePoints) == 0 || step == Steps - 1)
            {
                losses = perModel.detach().to(float64).data<double>().ToArray();
                for (var model = 0; model < Models; model++)
                {
                    if (!double.IsFinite(losses[model]))
                        diverged.TryAdd(model, step);
                }
                var loss = losses.Where(double.IsFinite).DefaultIfEmpty(0).Average();
                curve.Add((step, loss));
                progress?.Report(new Step(Stage, step + 1, Steps, $"loss {loss:0.0000}"));
            }
            adam.Descend(total, step);
        }
        return new TransformerTrained(
            [
                .. Enumerable
                    .Range(0, Models)
                    .Select(model =>
                        diverged.ContainsKey(model)
                            ? null
                            : new SmallTransformer(Shape, TransformerWeights.ToMatrices(Shape, weights, model))
                    ),
            ],
            curve,
            losses,
            [.. diverged.Select(pair => (pair.Key, pair.Value))]
        );
    }

    private Dictionary<string, Tensor> WeightDictionary(ulong seed) =>
        TransformerWeights.ToTensors(Shape, [.. Enumerable.Range(0, Models).Select(model => Start(seed, Penalty is null ? model : 0))]);

    private void CheckPenalty()
    {
        if (Penalty is not { } penalty)
            return;
        if (!Shape.Hooks().Any(hook => hook.Name == penalty.Hook) || penalty.Hook.Contains(".attn.", StringComparison.Ordinal))
            throw new ArgumentException($"no hook '{penalty.Hook}' outside attention can be penalised");
        if (penalty.Strengths.Count != Models)
            throw new ArgumentException($"there are {penalty.Strengths.Count} strengths of the penalty, but {Models} models");
        foreach (var strength in penalty.Strengths)
        {
            if (!(strength >= 0 && double.IsFinite(strength)))
                throw new ArgumentException($"a penalty's strength is {strength}; it ranges from 0 up");
        }
    }
}

/// <summary>Losses of next-token prediction and of regression, one for each model. Outputs: <c>[models, contexts, n_ctx, outputs]</c>.</summary>
internal static class TransformerLoss
{
    /// <summary>Mean cross-entropy in nats against the next tokens, over all positions.</summary>
    /// <param name="next">Shape: <c>[contexts, n_ctx]</c>.</param>
    public static Func<Tensor, Tensor> NextToken(long[] next) =>
        outputs =>
        {
            var (models, width) = (outputs.shape[0], outputs.shape[3]);
            var targets = tensor(next).view(1, -1, 1).expand(models, -1, 1);
            return -outputs.reshape(models, -1, width).log_softmax(-1).gather(2, targets).mean([1, 2]);
        };

    /// <summary>Mean cross-entropy in nats at the last position against a distribution over outputs.</summary>
    /// <param name="distribution">Shape: <c>[contexts, outputs]</c>.</param>
    public static Func<Tensor, Tensor> LastDistribution(float[] distribution) =>
        outputs =>
        {
            var last = outputs.select(2, outputs.shape[2] - 1); // [models, contexts, outputs]
            return -(last.log_softmax(-1) * tensor(distribution).view(1, last.shape[1], last.shape[2])).sum(dim: -1).mean([1]);
        };

    /// <summary>Mean squared error of the only output at one position of each context.</summary>
    /// <param name="positions">Shape: <c>[contexts]</c>.</param>
    /// <param name="targets">Shape: <c>[contexts]</c>.</param>
    public static Func<Tensor, Tensor> SquaredErrorAt(long[] positions, float[] targets) =>
        outputs =>
        {
            var (models, contexts) = (outputs.shape[0], outputs.shape[1]);
            var index = tensor(positions).view(1, contexts, 1).expand(models, contexts, 1);
            var difference = outputs.squeeze(-1).gather(2, index).squeeze(-1) - tensor(targets).view(1, contexts);
            return (difference * difference).mean([1]);
        };
}
