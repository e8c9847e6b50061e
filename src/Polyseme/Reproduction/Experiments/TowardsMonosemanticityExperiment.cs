using System.Globalization;
using System.Numerics.Tensors;
using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Metrics;
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
    private static readonly double[] s_densities = [0.05, 0.1];

    private const string Bricken = "Bricken et al. 2023";

    /// <inheritdoc/>
    public override string Name => "towards-monosemanticity";

    /// <inheritdoc/>
    public override string Title => "dead latents, points learnt by heart, and the size that data asks for";

    /// <inheritdoc/>
    public override string Source =>
        "Bricken et al. 2023, Towards Monosemanticity; Circuits Updates, May 2023; A Toy Model of Mechanistic (Un)Faithfulness, 2025";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var rows = new List<ClaimRow>();
        rows.AddRange(Resampling(config, progress, cancellation));
        rows.AddRange(RepeatedPoint(config, progress, cancellation));
        rows.AddRange(Bounce(config, progress, cancellation));
        return new ExperimentResult(
            $"resampling: 60 features in 20 dimensions, ReLU with L1, 2,000 steps of 128 rows, one latent silenced at the start; transcoders: |x| of {Width} numbers, p = {string.Join(" and ", s_densities)}, {TranscoderLatents} ReLU latents with λ = 0.1, {config.Choose(600, Steps, 4 * Steps):N0} steps of 256 rows; description length: TopK with k = 4 of every size on the same 60 features, {config.Choose(400, Steps, 4 * Steps):N0} steps of 128 rows, judged on 20,000 fresh rows",
            rows,
            []
        );
    }

    private static IEnumerable<ClaimRow> Resampling(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        const int latent = 3;
        var (features, _) = SaeToyExperiment.Directions(config.Seed, cancellation);
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
        foreach (var (density, repeated) in s_densities.SelectMany(density => new[] { (density, 0.05), (density, 0.0) }))
        {
            var data = new AbsoluteValueRows(Width, density, repeated, config.Seed);
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
            new AbsoluteValueRows(Width, density, 0, config.Seed).Fill(-1, inputs, targets);
            using var scope = torch.NewDisposeScope();
            var elsewhere = transcoder.Encode(torch.tensor(inputs, [10_000, Width])).select(1, best);
            var there = transcoder.Encode(torch.tensor(point, [1, Width])).select(1, best).item<float>();
            var fired = (elsewhere > 0.1 * there).to(torch.float32).mean().item<float>();
            var note = string.Create(
                CultureInfo.InvariantCulture,
                $"that latent: {there:0.00} at the point; above a tenth of it in {100 * fired:0.0} % of other rows"
            );
            var claim =
                $"transcoder of |x|, p = {density}, {(repeated > 0 ? "one point in 5 % of the rows" : "without the repetition")}: largest cosine of a latent with the point";
            if (config.Size == ReproductionSize.Quick)
                yield return ClaimRow.Measure(claim, Unfaithful, repeated > 0 ? "> .95" : "no such latent", cosines[best], note);
            else if (repeated > 0)
                yield return ClaimRow.Check(claim, Unfaithful, "> .95", cosines[best], 0.95, 1.0001, note);
            else
                yield return ClaimRow.Check(claim, Unfaithful, "no such latent", cosines[best], -1, 0.95, note);
        }
    }

    private static IEnumerable<ClaimRow> Bounce(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        const int judged = 20_000;
        const string source = "Circuits Updates, May 2023";
        var (features, _) = SaeToyExperiment.Directions(config.Seed, cancellation);
        var data = new SparseFeatureRows(features, 0.03, 0.2, config.Seed);
        var sizes = config.Choose<int[]>([30, 60, 120], [20, 30, 40, 50, 60, 75, 90, 120], [20, 30, 40, 50, 55, 60, 65, 70, 80, 100, 120]);
        var trainings = sizes
            .Select(size => new DictionaryTraining(
                new TopKKind { K = 4 },
                new DictionaryConfig
                {
                    Latents = size,
                    Steps = config.Choose(400, Steps, 4 * Steps),
                    Batch = 128,
                    LearningRate = 2e-3,
                    Seed = config.Seed,
                },
                data
            ))
            .ToList();
        Dictionary<int, SparseAutoencoder> trained;
        try
        {
            DictionaryTrainer.Run(trainings, data, null, progress, cancellation);
            trained = trainings.ToDictionary(training => training.Config.Latents, training => training.Result());
        }
        finally
        {
            trainings.ForEach(training => training.Dispose());
        }
        FloatMatrix Fresh(long step)
        {
            var rows = new FloatMatrix(judged, features.Columns, new float[judged * features.Columns]);
            data.Fill(step, rows.Data, []);
            return rows;
        }
        var curve = DescriptionLengthCurve.Measure(
            Fresh(-1),
            Fresh(-2),
            sizes,
            (_, size) => trained[size],
            new DescriptionLengthConfig(),
            cancellation
        );
        var truth = new Matrix(features.Rows, features.Columns, Array.ConvertAll(features.Data, value => (double)value));
        var agreement = sizes.ToDictionary(
            size => size,
            size =>
            {
                var recovery = DirectionRecovery.Measure(truth, trained[size].DirectionsInDouble(), upToSign: false);
                return (recovery.MmcsTruthToDictionary + recovery.MmcsDictionaryToTruth) / 2;
            }
        );
        var bits = string.Create(
            CultureInfo.InvariantCulture,
            $"bits a row by size: {string.Join(", ", curve.Points.Select(point => FormattableString.Invariant($"{point.NLatents}: {point.HeldOut.Total:0.0}")))}"
        );
        var cosines = string.Join(", ", agreement.Select(pair => FormattableString.Invariant($"{pair.Key}: {pair.Value:0.000}")));
        if (config.Size == ReproductionSize.Quick)
        {
            yield return ClaimRow.Measure(
                "size of least description length",
                source,
                "60, the features there are",
                curve.HeldOutMinimum,
                bits
            );
            yield break;
        }
        yield return ClaimRow.Check(
            "size of least description length",
            source,
            "60, the features there are",
            curve.HeldOutMinimum,
            54,
            66,
            bits
        );
        yield return ClaimRow.Check(
            "size of best agreement with the truth",
            source,
            "60, the features there are",
            agreement.MaxBy(pair => pair.Value).Key,
            54,
            66,
            $"mean of both mean largest cosines by size: {cosines}"
        );
    }
}
