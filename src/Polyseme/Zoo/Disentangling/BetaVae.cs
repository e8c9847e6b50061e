using Polyseme.Numerics;
using static TorchSharp.torch;

namespace Polyseme.Zoo.Disentangling;

/// <summary>How variational autoencoders are trained.</summary>
internal sealed record BetaVaeConfig
{
    /// <summary>Latents, all with a unit Gaussian prior.</summary>
    public required int Latents { get; init; }

    /// <summary>Weights of the divergence from the prior, a model each; 0 = a plain autoencoder, without noise.</summary>
    public required IReadOnlyList<double> Betas { get; init; }

    /// <summary>ReLU units of the one hidden layer of encoder and decoder; 0 = both linear.</summary>
    public int Hidden { get; init; } = 64;

    /// <summary>Steps.</summary>
    public int Steps { get; init; } = 2_000;

    /// <summary>Rows a step, the same for all models.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Adam's rate, falling to zero along a quarter cosine.</summary>
    public double LearningRate { get; init; } = 3e-3;

    /// <summary>Variance of the decoder's Gaussian, of data whose neurons have variance 1 on average.</summary>
    public double Noise { get; init; } = 0.05;
}

/// <summary>What a trained model makes of rows that it was not trained on.</summary>
/// <param name="Beta">Its β.</param>
/// <param name="Means">Means of the latents' posteriors. Shape: <c>[n_rows, n_latents]</c>.</param>
/// <param name="Unexplained">Fraction of variance that the reconstruction from the means leaves.</param>
/// <param name="Divergence">KL from the prior, nats a row; 0 for a plain autoencoder, which has none.</param>
internal sealed record BetaVaeOutcome(double Beta, Matrix Means, double Unexplained, double Divergence);

/// <summary>Variational autoencoders whose divergence from the prior is weighted by β, several trained side by side.</summary>
/// <remarks>
/// Higgins et al. 2017, "β-VAE", eq. 4: ½‖x − x̂‖²/σ² + β·KL(N(μ, s²) ‖ N(0, 1)), minimised. Kingma and Welling 2014 for the reparametrised
/// sample. Trains on one thread: products this small are slower on two.
/// </remarks>
internal static class BetaVae
{
    /// <summary>Trains one model for every β, and encodes the test rows.</summary>
    /// <param name="learn">Shape: <c>[n_learn, d]</c>.</param>
    /// <param name="test">Shape: <c>[n_test, d]</c>.</param>
    /// <param name="config">Sizes and schedule.</param>
    /// <param name="random">Draws starts, batches and noise.</param>
    /// <param name="cancellation">Checked once a step.</param>
    public static IReadOnlyList<BetaVaeOutcome> Train(
        Matrix learn,
        Matrix test,
        BetaVaeConfig config,
        RandomStream random,
        CancellationToken cancellation
    )
    {
        using var thread = new OneThread();
        using var scope = NewDisposeScope();
        var (models, d) = (config.Betas.Count, learn.Columns);
        var shift = Readouts.Means(learn);
        var centred = Readouts.Less(learn, shift);
        var scale = 1 / Math.Sqrt(centred.Data.Average(value => value * value));
        Tensor Scaled(Matrix rows) => (LinearAlgebra.ToTensor(Readouts.Less(rows, shift)) * scale).to(float32);
        var data = Scaled(learn);
        var betas = tensor(config.Betas.Select(beta => (float)beta).ToArray());
        var adam = new BatchedAdam(Starts(config, models, d, random), config.LearningRate, config.Steps);
        var noise = new float[config.Batch * config.Latents];
        var rows = new long[config.Batch];
        for (var step = 0; step < config.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            for (var i = 0; i < rows.Length; i++)
                rows[i] = random.NextInt(learn.Rows);
            for (var i = 0; i < noise.Length; i++)
                noise[i] = (float)random.NextNormal();
            var batch = data.index_select(0, tensor(rows)).unsqueeze(0).expand(models, -1, -1);
            var loss = Loss(adam.Parameters, batch, tensor(noise).view(1, config.Batch, config.Latents), betas, config.Noise);
            adam.Descend(loss.sum(), step);
        }
        using var quiet = no_grad();
        var held = Scaled(test).unsqueeze(0).expand(models, -1, -1);
        var (means, logVariances) = Encode(adam.Parameters, held);
        var error = (Decode(adam.Parameters, means) - held).to(float64).square().sum(dim: -1).mean([1]);
        var total = held.to(float64).square().sum(dim: -1).mean([1]);
        var divergences = Divergences(means, logVariances);
        return
        [
            .. config.Betas.Select(
                (beta, model) =>
                    new BetaVaeOutcome(
                        beta,
                        LinearAlgebra.ToMatrix(means.select(0, model).to(float64).contiguous()),
                        (error[model] / total[model]).item<double>(),
                        beta > 0 ? divergences[model].to(float64).item<double>() : 0
                    )
            ),
        ];
    }

    /// <summary>The loss of every model on rows. Shape: <c>[models]</c>.</summary>
    /// <param name="weights">Encoder's layers, then the decoder's: matrix and bias of each. Shape: <c>[models, in, out]</c>, <c>[models, 1, out]</c>.</param>
    /// <param name="rows">Shape: <c>[models, batch, d]</c>.</param>
    /// <param name="noise">Standard normal, the same for all models. Shape: <c>[1, batch, n_latents]</c>.</param>
    /// <param name="betas">Shape: <c>[models]</c>.</param>
    /// <param name="variance">σ².</param>
    public static Tensor Loss(IReadOnlyList<Tensor> weights, Tensor rows, Tensor noise, Tensor betas, double variance)
    {
        var (means, logVariances) = Encode(weights, rows);
        var noisy = betas.gt(0).to(rows.dtype).view(-1, 1, 1);
        var latents = means + (noisy * noise * (0.5 * logVariances).exp());
        var error = (Decode(weights, latents) - rows).square().sum(dim: -1).mean([1]);
        return (error / (2 * variance)) + (betas * Divergences(means, logVariances));
    }

    // [models, rows, n_latents] each
    private static (Tensor Means, Tensor LogVariances) Encode(IReadOnlyList<Tensor> weights, Tensor rows)
    {
        var both = Through(weights, 0, rows).chunk(2, -1);
        return (both[0], both[1]);
    }

    private static Tensor Decode(IReadOnlyList<Tensor> weights, Tensor latents) => Through(weights, weights.Count / 2, latents);

    private static Tensor Through(IReadOnlyList<Tensor> weights, int first, Tensor rows)
    {
        for (var at = first; at < first + (weights.Count / 2); at += 2)
            rows = (at > first ? rows.relu() : rows).matmul(weights[at]) + weights[at + 1];
        return rows;
    }

    private static Tensor Divergences(Tensor means, Tensor logVariances) =>
        (0.5 * (means.square() + logVariances.exp() - 1 - logVariances)).sum(dim: -1).mean([1]);

    private static List<Tensor> Starts(BetaVaeConfig config, int models, int d, RandomStream random)
    {
        var starts = new List<Tensor>();
        void Layer(int width, int outputs)
        {
            var start = random.NormalMatrix(models * width, outputs);
            starts.Add((LinearAlgebra.ToTensor(start) / Math.Sqrt(width)).to(float32).view(models, width, outputs));
            starts.Add(zeros(models, 1, outputs));
        }
        foreach (var (from, to) in new[] { (d, 2 * config.Latents), (config.Latents, d) })
        {
            if (config.Hidden > 0)
                Layer(from, config.Hidden);
            Layer(config.Hidden > 0 ? config.Hidden : from, to);
        }
        return starts;
    }
}
