using System.Globalization;
using System.Numerics.Tensors;
using Polyseme.Dictionaries.Training;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo;
using TorchSharp;

namespace Polyseme.Reproduction.Experiments;

/// <summary>What is claimed about dictionaries trained by gradient descent: dead latents come back, and a point that is repeated gets a latent of its own.</summary>
public sealed class TowardsMonosemanticityExperiment : Experiment
{
    private const string Unfaithful = "A Toy Model of Mechanistic (Un)Faithfulness";
    private const int Width = 20,
        TranscoderLatents = 48,
        Steps = 6_000;
    private const double Density = 0.05;

    private const string Bricken = "Bricken et al. 2023";

    /// <inheritdoc/>
    public override string Name => "towards-monosemanticity";

    /// <inheritdoc/>
    public override string Title => "dictionary learning on a one-layer transformer, and what dictionaries make up";

    /// <inheritdoc/>
    public override string Source =>
        "Bricken et al. 2023, Towards Monosemanticity; Circuits Updates, May 2023; A Toy Model of Mechanistic (Un)Faithfulness, 2025; Elhage et al. 2023, Privileged Bases in the Transformer Residual Stream";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var rows = new List<ClaimRow>();
        rows.AddRange(Resampling(config, progress, cancellation));
        rows.AddRange(RepeatedPoint(config, progress, cancellation));
        rows.AddRange([
            ClaimRow.Pending(
                "one-layer transformer on a grammar of planted token classes: median best |correlation| of latents, and of neurons, with a class",
                Bricken,
                "≥ .9, ≤ .6; on shuffled weights latents no better than neurons",
                "a transformer trained on a grammar of planted classes"
            ),
            ClaimRow.Pending(
                "description length over dictionary size has its minimum, and agreement with the truth its maximum, at the true number of features",
                "Circuits Updates, May 2023",
                "a bounce",
                "dictionaries of many sizes trained on one layer"
            ),
            ClaimRow.Pending(
                "kurtosis of the residual stream's coordinates in a transformer trained by Adam, and after a random rotation",
                "Elhage et al. 2023",
                "> 3; 3",
                "a transformer trained by Adam for long enough, or a loaded one"
            ),
        ]);
        return new ExperimentResult(
            $"resampling: 60 features in 20 dimensions, ReLU with L1, 2,000 steps of 128 rows, one latent silenced at the start; transcoders: |x| of {Width} numbers, p = {Density}, {TranscoderLatents} ReLU latents, {config.Choose(600, Steps, 4 * Steps):N0} steps of 256 rows",
            rows,
            []
        );
    }

    private static IEnumerable<ClaimRow> Resampling(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        const int latent = 3;
        var directions = new RandomStream(config.Seed, "towards/features").NormalMatrix(60, 20);
        var features = new FloatMatrix(60, 20, Array.ConvertAll(directions.Data, value => (float)value));
        for (var i = 0; i < features.Rows; i++)
            TensorPrimitives.Divide(features.Row(i), TensorPrimitives.Norm<float>(features.Row(i)), features.Row(i));
        var data = new SparseFeatureRows(features, 0.03, 0.2, config.Seed);
        var settings = new DictionaryConfig
        {
            Latents = 60,
            Steps = 2_000,
            Batch = 128,
            LearningRate = 2e-3,
            ResampleEvery = 500,
            DeadAfterSteps = 250,
            Seed = config.Seed,
        };
        using var training = new DictionaryTraining(new ReluKind { L1 = 0.2, Variant = PenaltyVariant.DictionaryLearning }, settings, data);
        using (torch.no_grad())
        using (torch.NewDisposeScope())
        {
            training.Weights.Encoder[latent] = torch.zeros(20);
            training.Weights.EncoderBias[latent] = torch.tensor(-100f);
        }
        double? cosine = null;
        DictionaryTrainer.Run(
            [training],
            data,
            _ =>
            {
                if (
                    cosine is null
                    && training.LastResampled is { } resampled
                    && Array.IndexOf(resampled.Latents, latent) is >= 0 and var at
                )
                    cosine = TensorPrimitives.CosineSimilarity<float>(
                        training.Weights.Matrix("decoder").Row(latent),
                        resampled.Rows.Row(at)
                    );
            },
            progress,
            cancellation
        );
        yield return ClaimRow.Check(
            "resampling: cosine of a dead latent's new direction with an input drawn by its squared loss",
            Bricken,
            "> .9",
            cosine ?? 0,
            0.9,
            1.0001
        );
        var fresh = new float[10_000 * 20];
        data.Fill(-1, fresh, []);
        using var scope = torch.NewDisposeScope();
        var share = (training.Result().Encode(torch.tensor(fresh, [10_000, 20])).select(1, latent) > 0)
            .to(torch.float32)
            .mean()
            .item<float>();
        yield return ClaimRow.Check(
            "resampling: the latent is alive after 2,000 steps: share of fresh rows in which it is on",
            Bricken,
            "revived",
            share,
            1e-3,
            1
        );
    }

    private static IEnumerable<ClaimRow> RepeatedPoint(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var point = new float[Width];
        point.AsSpan(0, AbsoluteValueRows.Ones).Fill(1);
        foreach (var repeated in new[] { 0.05, 0 })
        {
            var data = new AbsoluteValueRows(Width, Density, repeated, config.Seed);
            var settings = new DictionaryConfig
            {
                Latents = TranscoderLatents,
                Steps = config.Choose(600, Steps, 4 * Steps),
                Batch = 256,
                LearningRate = 3e-3,
                DecaySteps = config.Choose(100, Steps / 5, Steps),
                Seed = config.Seed,
            };
            using var training = new DictionaryTraining(new ReluKind { L1 = 0.1 }, settings, data);
            DictionaryTrainer.Run([training], data, null, progress, cancellation);
            var transcoder = training.Result();
            var cosines = Enumerable
                .Range(0, TranscoderLatents)
                .Select(i => TensorPrimitives.CosineSimilarity<float>(transcoder.Decoder.Row(i), point))
                .ToArray();
            var best = Array.IndexOf(cosines, cosines.Max());
            float[] inputs = new float[10_000 * Width],
                targets = new float[inputs.Length];
            new AbsoluteValueRows(Width, Density, 0, config.Seed).Fill(-1, inputs, targets);
            using var scope = torch.NewDisposeScope();
            var elsewhere = transcoder.Encode(torch.tensor(inputs, [10_000, Width])).select(1, best);
            var there = transcoder.Encode(torch.tensor(point, [1, Width])).select(1, best).item<float>();
            var fired = (elsewhere > 0.1 * there).to(torch.float32).mean().item<float>();
            var note = string.Create(
                CultureInfo.InvariantCulture,
                $"that latent: {there:0.00} at the point; above a tenth of it in {100 * fired:0.0} % of other rows"
            );
            var claim =
                $"transcoder of |x|, {(repeated > 0 ? "one point in 5 % of the rows" : "without the repetition")}: largest cosine of a latent with the point";
            if (config.Size == ReproductionSize.Quick)
                yield return ClaimRow.Measure(claim, Unfaithful, repeated > 0 ? "> .95" : "no such latent", cosines[best], note);
            else if (repeated > 0)
                yield return ClaimRow.Check(claim, Unfaithful, "> .95", cosines[best], 0.95, 1.0001, note);
            else
                yield return ClaimRow.Check(claim, Unfaithful, "no such latent", cosines[best], -1, 0.95, note);
        }
    }
}
