using Polyseme.Activations;
using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Training;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Tests.Dictionaries.Training;

public sealed class DictionaryTrainingTests
{
    public static TheoryData<string> Differentiable => ["relu saelens", "relu unit", "gated saelens", "gated unit", "p-anneal", "prolu"];

    [Theory]
    [MemberData(nameof(Differentiable))]
    public void The_gradient_is_that_of_finite_differences(string name)
    {
        using var training = new DictionaryTraining(Kind(name), Config, Rows());
        using var scope = torch.NewDisposeScope();
        var x = Batch(Rows(), 64);
        training.Loss(x, x).Loss.backward();
        var encoder = training.Weights.Encoder;
        var direction = torch.tensor(Normals(encoder.numel(), 3), encoder.shape);
        var expected = (encoder.grad! * direction).sum().item<float>();
        const double Step = 2e-3;
        double Shifted(double by)
        {
            using (torch.no_grad())
                encoder.add_(direction, alpha: by);
            var loss = training.Loss(x, x).Loss.item<float>();
            using (torch.no_grad())
                encoder.add_(direction, alpha: -by);
            return loss;
        }
        var found = (Shifted(Step) - Shifted(-Step)) / (2 * Step);
        // Single precision: a loss near 1 is known to 1e-7, its difference quotient to about 1e-4; kinks within the step add a little.
        Assert.Equal(expected, found, (0.03 * Math.Abs(expected)) + 2e-3);
        Assert.True(Math.Abs(expected) > 1e-3);
    }

    /// <summary>Differences are no measure here: where a step changes which latents are chosen the loss jumps. The chosen ones are held, as the gradient holds them.</summary>
    [Theory]
    [InlineData("topk", new[] { 24 })]
    [InlineData("topk saelens", new[] { 24 })]
    [InlineData("batchtopk", new[] { 24 })]
    [InlineData("matryoshka", new[] { 1, 3, 6, 12, 24 })]
    public void The_encoders_gradient_goes_through_the_chosen_latents_alone(string name, int[] widths)
    {
        using var training = new DictionaryTraining(Kind(name), Config, Rows());
        using var scope = torch.NewDisposeScope();
        var x = Batch(Rows(), 64);
        var terms = training.Loss(x, x);
        terms.Loss.backward();
        var weights = training.Weights;
        var decoder = weights.Decoder.detach();
        var centred = x - weights.DecoderBias.detach();
        var chosen = (terms.Latents.detach() > 0).to_type(torch.float32);
        var latents = chosen * torch.mm(centred, weights.Encoder.detach().t()); // b_enc starts at 0
        var pull = torch.zeros_like(latents); // dL/df
        foreach (var width in widths)
        {
            var inside = torch.cat([torch.ones(width), torch.zeros(24 - width)]);
            var error = torch.mm(latents * inside, decoder) - centred;
            pull = pull + (inside * torch.mm(error, decoder.t()) * (2.0 / 64 / widths.Length));
        }
        var expected = DictionaryWeights.Values(torch.mm((pull * chosen).t(), centred));
        var found = DictionaryWeights.Values(weights.Encoder.grad!);
        var scale = expected.Max(Math.Abs);
        Assert.True(scale > 1e-3);
        Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 1e-4 * scale));
    }

    /// <summary>300 rows are two pieces of work, 130 latents three; 37 columns leave a rest in every register.</summary>
    [Theory]
    [InlineData("topk", false, 37)]
    [InlineData("topk", true, 160)]
    [InlineData("topk saelens", false, 160)]
    [InlineData("topk saelens", true, 37)]
    public void TopK_by_hand_is_what_automatic_differentiation_finds(string name, bool transcoder, int width)
    {
        const int Rows = 300,
            Latents = 130;
        var inputs = new FloatMatrix(Rows, width, Normals(Rows * width, 4));
        var rows = ShuffledRows.Of(inputs, transcoder ? new FloatMatrix(Rows, 21, Normals(Rows * 21, 5)) : null, 0);
        var config = Config with { Latents = Latents, Batch = Rows, DeadAfterSteps = 2, LearningRate = 1e-2 };
        using var training = new DictionaryTraining(Kind(name), config, rows);
        foreach (var latent in (int[])[3, 64, 129])
            Kill(training, latent, -0.1f);
        using var scope = torch.NewDisposeScope();
        var x = torch.tensor(inputs.Data, [Rows, width]);
        var y = transcoder ? torch.tensor(Normals(Rows * 21, 5), [Rows, 21]) : x;
        for (var step = 0; step < 4; step++)
            training.Step(x, y);
        var names = (string[])["encoder", "encoder_bias", "decoder", "decoder_bias"];
        List<float[]> Gradients() => [.. names.Select(weight => DictionaryWeights.Values(training.Weights[weight].grad!))];
        var automatic = training.Gradient(x, y, automatic: true);
        var (loss, l0, reconstruction) = (automatic.Loss, automatic.L0, automatic.Reconstruction());
        var expected = Gradients();
        var found = training.Gradient(x, y);
        Assert.Equal(loss, found.Loss, 1e-5 * loss);
        Assert.Equal(l0, found.L0);
        Assert.Equal(automatic.Fired, found.Fired);
        Assert.True((reconstruction - found.Reconstruction()).abs().max().item<float>() < 1e-5);
        foreach (var (first, second) in expected.Zip(Gradients()))
        {
            var scale = first.Max(Math.Abs);
            Assert.True(scale > 1e-4);
            Assert.All(first.Zip(second), pair => Assert.Equal(pair.First, pair.Second, 2e-5 * scale));
        }
    }

    [Fact]
    public void Products_in_bfloat16_leave_the_gradient_near_that_in_float32()
    {
        var inputs = new FloatMatrix(300, 32, Normals(300 * 32, 4));
        var rows = ShuffledRows.Of(inputs, null, 0);
        using var scope = torch.NewDisposeScope();
        var x = torch.tensor(inputs.Data, [300, 32]);
        var found = new List<(double Loss, torch.Tensor Gradient)>();
        foreach (var products in new[] { ProductPrecision.Float32, ProductPrecision.Bfloat16 })
        {
            using var training = new DictionaryTraining(new TopKKind { K = 8 }, Config with { Batch = 300, Products = products }, rows);
            found.Add((training.Gradient(x, x).Loss, training.Weights.Encoder.grad!.clone()));
        }
        Assert.NotEqual(found[0].Loss, found[1].Loss);
        Assert.Equal(found[0].Loss, found[1].Loss, 0.01 * found[0].Loss);
        var cosine = (found[0].Gradient * found[1].Gradient).sum() / (found[0].Gradient.norm() * found[1].Gradient.norm());
        Assert.True(cosine.item<float>() > 0.99);
    }

    /// <summary>SAELens' variant; in dictionary_learning's, dead latents act behind their ReLU, and one that is silent everywhere has no gradient.</summary>
    [Fact]
    public void A_latent_forced_dead_is_revived_by_the_auxiliary_loss()
    {
        var rows = Rows();
        var config = Config with { Steps = 2000, Batch = 128, LearningRate = 5e-3, DeadAfterSteps = 50 };
        using var training = new DictionaryTraining(Kind("topk saelens"), config, rows);
        Kill(training, 3, -0.1f);
        Assert.False(Fires(training.Result(), rows, 3));
        var wasDead = false;
        for (var i = 0; i < 1000; i++)
            wasDead |= Step(training, rows).Dead > 0;
        Assert.True(wasDead);
        Assert.True(Fires(training.Result(), rows, 3));
    }

    [Fact]
    public void JumpReLU_moves_its_threshold_as_the_papers_estimator_says()
    {
        var kind = new JumpReluKind
        {
            L0 = 0.3,
            Bandwidth = 0.3,
            StartThreshold = 0.2,
        };
        using var training = new DictionaryTraining(kind, Config with { UnitNormDecoder = true }, Rows());
        using var scope = torch.NewDisposeScope();
        var x = Batch(Rows(), 64);
        var terms = training.Loss(x, x);
        terms.Loss.backward();
        var found = DictionaryWeights.Values(training.Weights["log_threshold"].grad!);
        var weights = training.Weights;
        var pre = DictionaryWeights.Values(torch.mm(x, weights.Encoder.t())); // b_dec and b_enc start at 0
        // dL/df_i = 2(x̂ − x)·W_dec,i / batch
        var pull = DictionaryWeights.Values(torch.mm(2 * (terms.Reconstruction - x), weights.Decoder.t()) / 64);
        var n = Config.Latents;
        var expected = new double[n];
        for (var i = 0; i < pre.Length; i++)
        {
            if (Math.Abs((pre[i] - 0.2f) / 0.3f) >= 0.5)
                continue;
            // ∂f/∂θ = −θ/ε, ∂L0/∂θ = −1/ε, ∂θ/∂t = θ
            expected[i % n] += ((pull[i] * (-0.2 / 0.3)) + (0.3 / 64 * (-1 / 0.3))) * 0.2;
        }
        Assert.Contains(expected, value => Math.Abs(value) > 1e-3);
        for (var i = 0; i < n; i++)
            Assert.Equal(expected[i], found[i], 1e-4);
    }

    [Fact]
    public void JumpReLU_uses_fewer_latents_the_more_they_cost()
    {
        var on = new[] { 0.0, 0.01, 0.1, 0.5 }
            .Select(l0 =>
            {
                // log θ moves by at most the learning rate in a step: from .1 to where it must be, well within these steps.
                var result = Trained(
                    new JumpReluKind
                    {
                        L0 = l0,
                        StartThreshold = 0.1,
                        Bandwidth = 0.1,
                    },
                    Config with
                    {
                        Steps = 2000,
                        Batch = 128,
                        LearningRate = 3e-3,
                    }
                );
                return FeatureRecovery.Of(result, Rows(), 2000).L0;
            })
            .ToList();
        for (var i = 1; i < on.Count; i++)
            Assert.True(on[i] < on[i - 1], string.Join(", ", on));
        Assert.True(on[^1] < on[0] / 3, string.Join(", ", on));
    }

    [Fact]
    public void A_latent_forced_dead_is_revived_by_resampling_towards_a_row_it_lost()
    {
        var rows = Rows();
        var config = Config with { Steps = 400, Batch = 128, LearningRate = 2e-3, DeadAfterSteps = 50, ResampleEvery = 100 };
        using var training = new DictionaryTraining(new ReluKind { L1 = 0.05, Variant = PenaltyVariant.DictionaryLearning }, config, rows);
        Kill(training, 3);
        while (training.LastResampled is null)
            Assert.True(Step(training, rows).Step < 2000);
        var (latents, seen) = training.LastResampled.Value;
        var at = Array.IndexOf(latents, 3);
        Assert.True(at >= 0);
        var direction = training.Weights.Matrix("decoder").Row(3).ToArray();
        var row = seen.Row(at).ToArray();
        Assert.True(System.Numerics.Tensors.TensorPrimitives.CosineSimilarity<float>(direction, row) > 0.9f);
        for (var i = 0; i < 200; i++)
            Step(training, rows);
        Assert.True(Fires(training.Result(), rows, 3));
    }

    [Theory]
    [InlineData("relu saelens")]
    [InlineData("gated unit")]
    [InlineData("topk saelens")]
    [InlineData("topk falling")]
    [InlineData("batchtopk")]
    [InlineData("batchtopk falling")]
    [InlineData("matryoshka")]
    [InlineData("jumprelu")]
    [InlineData("p-anneal")]
    [InlineData("prolu")]
    [InlineData("matching-pursuit")]
    public void A_training_that_was_stopped_goes_on_bit_for_bit(string name)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "state.safetensors");
        var config = Config with { Steps = 40, Batch = 32, DeadAfterSteps = 5, ResampleEvery = 7 };
        var rows = Stored();
        using var whole = new DictionaryTraining(Kind(name), config, rows);
        DictionaryTrainer.Run([whole], rows, cancellation: TestContext.Current.CancellationToken);
        using var first = new DictionaryTraining(Kind(name), config, rows);
        for (var i = 0; i < 17; i++)
            Step(first, rows);
        DictionaryCheckpoint.Write(path, [first], rows);
        using var second = new DictionaryTraining(Kind(name), config, rows);
        DictionaryCheckpoint.Restore(path, [second], rows);
        DictionaryTrainer.Run([second], rows, cancellation: TestContext.Current.CancellationToken);
        foreach (var ((_, a), (_, b)) in whole.Weights.Tensors.Zip(second.Weights.Tensors))
            Assert.Equal(DictionaryWeights.Values(a), DictionaryWeights.Values(b));
        Assert.Equal(whole.State.Threshold, second.State.Threshold);
    }

    [Fact]
    public void A_checkpoint_of_other_rows_or_settings_is_refused()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "state.safetensors");
        var rows = Stored();
        using var training = new DictionaryTraining(new ReluKind(), Config, rows);
        DictionaryCheckpoint.Write(path, [training], rows);
        Assert.Contains("changed", Assert.Throws<InputException>(() => DictionaryCheckpoint.Restore(path, [training], Stored(5))).Message);
        using var other = new DictionaryTraining(new ReluKind { L1 = 2 }, Config, rows);
        Assert.Contains("settings", Assert.Throws<InputException>(() => DictionaryCheckpoint.Restore(path, [other], rows)).Message);
    }

    [Fact]
    public void Dictionaries_that_share_a_pass_are_those_that_train_alone()
    {
        var rows = Stored();
        var config = Config with { Steps = 20, Batch = 32 };
        using var alone = new DictionaryTraining(new TopKKind { K = 3 }, config, rows);
        DictionaryTrainer.Run([alone], rows, cancellation: TestContext.Current.CancellationToken);
        using var one = new DictionaryTraining(new ReluKind(), config, rows);
        using var two = new DictionaryTraining(new TopKKind { K = 3 }, config, rows);
        DictionaryTrainer.Run([one, two], rows, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(alone.Result().Decoder.Data, two.Result().Decoder.Data);
    }

    [Theory]
    [InlineData("relu saelens")]
    [InlineData("gated unit")]
    [InlineData("topk saelens")]
    [InlineData("jumprelu")]
    [InlineData("prolu")]
    [InlineData("matching-pursuit")]
    public void The_trained_dictionary_reconstructs_as_the_training_did(string name)
    {
        var rows = Rows();
        using var training = new DictionaryTraining(Kind(name), Config with { Batch = 128, LearningRate = 1e-3 }, rows);
        for (var i = 0; i < 30; i++)
            Step(training, rows);
        using var scope = torch.NewDisposeScope();
        var x = Batch(rows, 64);
        var expected = DictionaryWeights.Values(training.Loss(x, x).Reconstruction);
        var found = DictionaryWeights.Values(training.Result().Reconstruct(x));
        for (var i = 0; i < found.Length; i++)
            Assert.Equal(expected[i], found[i], 1e-5f);
    }

    [Fact]
    public void A_skip_transcoder_learns_a_linear_map_that_it_need_not_encode()
    {
        var inputs = new FloatMatrix(512, 6, Normals(512 * 6, 1));
        var targets = new FloatMatrix(
            512,
            4,
            [.. Enumerable.Range(0, 512).SelectMany(i => inputs.Row(i)[..4].ToArray().Select(value => 0.5f * value))]
        );
        var rows = ShuffledRows.Of(inputs, targets, 0);
        var config = new DictionaryConfig
        {
            Latents = 8,
            Steps = 800,
            Batch = 64,
            LearningRate = 5e-3,
            Skip = true,
        };
        using var training = new DictionaryTraining(new ReluKind { L1 = 1 }, config, rows);
        DictionaryTrainer.Run([training], rows, cancellation: TestContext.Current.CancellationToken);
        var skip = training.Result().Skip!;
        for (var i = 0; i < 4; i++)
        for (var j = 0; j < 6; j++)
            Assert.Equal(i == j ? 0.5f : 0, skip[i, j], 0.05f);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(1000)]
    [InlineData(4097)]
    public void An_epoch_has_every_row_once_in_an_order_of_its_own(int count)
    {
        var first = Enumerable.Range(0, count).Select(i => new RowPermutation(count, 7, 0)[i]).ToList();
        var second = Enumerable.Range(0, count).Select(i => new RowPermutation(count, 7, 1)[i]).ToList();
        Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i), first.Order());
        Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i), second.Order());
        if (count >= 1000)
        {
            Assert.NotEqual(first, second);
            // Neighbours of the store are not neighbours of the order: |r| stays below four standard errors of independent order.
            var mean = (count - 1) / 2.0;
            var variance = first.Sum(row => (row - mean) * (row - mean));
            var together = first.Zip(first.Skip(1), (a, b) => (a - mean) * (b - mean)).Sum();
            Assert.InRange(together / variance, -4 / Math.Sqrt(count), 4 / Math.Sqrt(count));
        }
    }

    [Fact]
    public void Wrong_settings_are_refused()
    {
        Assert.Contains(
            "k is 70",
            Assert.Throws<ArgumentException>(() => new DictionaryTraining(new TopKKind { K = 70 }, Config, Rows())).Message
        );
        Assert.Throws<ArgumentException>(() => new DictionaryConfig { Latents = 0 });
        Assert.Throws<ArgumentException>(() => new DictionaryTraining(new MatryoshkaKind { K = 2, Widths = [8, 4] }, Config, Rows()));
    }

    internal static DictionaryConfig Config =>
        new()
        {
            Latents = 24,
            Steps = 100,
            Batch = 64,
            ClipNorm = 0,
            DecoderStartNorm = 0.5,
        };

    internal static DictionaryKind Kind(string name) =>
        name switch
        {
            "relu saelens" => new ReluKind { L1 = 0.1 },
            "relu unit" => new ReluKind { L1 = 0.1, Variant = PenaltyVariant.DictionaryLearning },
            "gated saelens" => new GatedKind { L1 = 0.1 },
            "gated unit" => new GatedKind { L1 = 0.1, Variant = PenaltyVariant.DictionaryLearning },
            "topk" => new TopKKind { K = 8 },
            "topk saelens" => new TopKKind
            {
                K = 8,
                Variant = AuxiliaryVariant.SaeLens,
                Auxiliary = 1,
            },
            "batchtopk" => new BatchTopKKind { K = 8, ThresholdFromStep = 3 },
            "topk falling" => new TopKKind { K = 3, KAnnealSteps = 25 },
            "batchtopk falling" => new BatchTopKKind
            {
                K = 2.5,
                KAnnealSteps = 25,
                KAnnealStart = 20,
                ThresholdFromStep = 3,
            },
            "matryoshka" => new MatryoshkaKind { K = 8, ThresholdFromStep = 3 },
            "jumprelu" => new JumpReluKind { L0 = 0.05 },
            "p-anneal" => new PAnnealKind { L1 = 0.1 },
            "prolu" => new ProLuKind { L1 = 0.1 },
            "matching-pursuit" => new MatchingPursuitKind { MaxIterations = 5 },
            _ => throw new ArgumentException(name),
        };

    internal static SparseFeatureRows Rows()
    {
        var features = new FloatMatrix(24, 12, Normals(24 * 12, 0));
        for (var i = 0; i < 24; i++)
        {
            var row = features.Row(i);
            System.Numerics.Tensors.TensorPrimitives.Divide(row, System.Numerics.Tensors.TensorPrimitives.Norm<float>(row), row);
        }
        return new SparseFeatureRows(features, 0.1, 0.2, 0);
    }

    internal static ShuffledRows Stored(ulong seed = 2) => ShuffledRows.Of(new FloatMatrix(100, 12, Normals(1200, seed)), null, 0);

    internal static float[] Normals(long count, ulong seed)
    {
        var random = new RandomStream(seed, "test");
        var values = new float[count];
        foreach (ref var value in values.AsSpan())
            value = (float)random.NextNormal();
        return values;
    }

    internal static torch.Tensor Batch(RowStream rows, int count, long step = 0)
    {
        var values = new float[count * rows.DIn];
        rows.Fill(step, values, []);
        return torch.tensor(values, [count, rows.DIn]);
    }

    internal static CurvePoint Step(DictionaryTraining training, RowStream rows)
    {
        using var scope = torch.NewDisposeScope();
        var x = Batch(rows, training.Config.Batch, training.StepsDone);
        return training.Step(x, x);
    }

    private static SparseAutoencoder Trained(DictionaryKind kind, DictionaryConfig config)
    {
        using var training = new DictionaryTraining(kind, config, Rows());
        DictionaryTrainer.Run([training], Rows());
        return training.Result();
    }

    private static void Kill(DictionaryTraining training, int latent, float bias = -100)
    {
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        training.Weights.EncoderBias[latent] = torch.tensor(bias);
        training.Weights.Encoder[latent] = torch.zeros(training.Weights.Encoder.shape[1]);
    }

    private static bool Fires(SparseAutoencoder dictionary, RowStream rows, int latent)
    {
        using var scope = torch.NewDisposeScope();
        return (dictionary.Encode(Batch(rows, 1000, -2)).select(1, latent) > 0).any().item<bool>();
    }
}
