using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Training;
using Polyseme.Numerics;
using TorchSharp;
using static Polyseme.Tests.Dictionaries.Training.DictionaryTrainingTests;

namespace Polyseme.Tests.Dictionaries.Training;

public sealed class KAnnealingTests
{
    [Theory]
    [InlineData(0, 12)] // d_in
    [InlineData(24, 24)]
    public void K_falls_linearly_from_its_start_to_its_end_and_stays(int start, int first)
    {
        var rows = Stored();
        var kind = new TopKKind
        {
            K = 4,
            KAnnealSteps = 8,
            KAnnealStart = start,
        };
        using var training = new DictionaryTraining(kind, Config with { LearningRate = 0 }, rows);
        for (var step = 0; step < 12; step++)
        {
            using var scope = torch.NewDisposeScope();
            var x = Batch(rows, 64, step);
            var most = (training.Loss(x, x).Latents > 0).sum(1).max().item<long>();
            var k = step >= 8 ? 4 : (int)(first + ((4 - first) * step / 8.0));
            // Of 24 random directions, some row of 64 has 12 on its side; none need have 24.
            if (k <= 12)
                Assert.Equal(k, most);
            else
                Assert.InRange(most, 12, k);
            training.Step(x, x);
        }
        Assert.Equal(new LatentActivation.TopK(4), training.Result().Activation);
    }

    [Fact]
    public void BatchTopK_falls_by_fractions_of_a_latent_and_follows_its_threshold_from_the_end_of_the_fall()
    {
        var rows = Rows();
        var kind = new BatchTopKKind
        {
            K = 2.5,
            KAnnealSteps = 10,
            KAnnealStart = 5,
            ThresholdFromStep = 0,
        };
        using var training = new DictionaryTraining(kind, Config with { LearningRate = 0 }, rows);
        for (var step = 0; step < 14; step++)
        {
            Assert.Equal((int)(64 * Math.Max(2.5, 5 - (0.25 * step))) / 64.0, Step(training, rows).L0);
            Assert.Equal(step >= 10, training.State.Threshold is not null);
        }
    }

    [Theory]
    [InlineData(AuxiliaryVariant.DictionaryLearning)]
    [InlineData(AuxiliaryVariant.SaeLens)]
    public void The_gradient_by_hand_is_that_of_automatic_differentiation_at_every_k(AuxiliaryVariant variant)
    {
        var rows = ShuffledRows.Of(new FloatMatrix(300, 37, Normals(300 * 37, 4)), null, 0);
        var kind = new TopKKind
        {
            K = 3,
            KAnnealSteps = 6,
            KAnnealStart = 90,
            Variant = variant,
        };
        using var training = new DictionaryTraining(kind, Config with { Latents = 130, Batch = 300 }, rows);
        var seen = new List<double>();
        for (var step = 0; step < 8; step++)
        {
            using var scope = torch.NewDisposeScope();
            var x = Batch(rows, 300, step);
            List<float[]> Gradients() => [.. training.Weights.All.Select(weight => DictionaryWeights.Values(weight.Value.grad!))];
            var automatic = training.Gradient(x, x, automatic: true);
            var expected = Gradients();
            var found = training.Gradient(x, x);
            Assert.Equal(automatic.Loss, found.Loss, 1e-5 * automatic.Loss);
            Assert.Equal(automatic.L0, found.L0);
            foreach (var (first, second) in expected.Zip(Gradients()))
            {
                var scale = first.Max(Math.Abs);
                Assert.All(first.Zip(second), pair => Assert.Equal(pair.First, pair.Second, 2e-5 * scale));
            }
            seen.Add(training.Step(x, x).L0);
        }
        Assert.True(seen[0] > 40 && seen[^1] <= 3, string.Join(", ", seen));
    }

    [Fact]
    public void A_fall_that_does_not_fit_is_refused()
    {
        void Refused(DictionaryKind kind, string mention) =>
            Assert.Contains(
                mention,
                Assert.Throws<ArgumentException>(() => new DictionaryTraining(kind, Config, Rows())).Message,
                StringComparison.Ordinal
            );
        Refused(new TopKKind { K = 4, KAnnealSteps = 101 }, "there are 100");
        Refused(
            new TopKKind
            {
                K = 4,
                KAnnealSteps = 10,
                KAnnealStart = 25,
            },
            "24 latents"
        );
        Refused(
            new BatchTopKKind
            {
                K = 4.5,
                KAnnealSteps = 10,
                KAnnealStart = 4,
            },
            "from 4 to 4.5"
        );
        Refused(new TopKKind { K = 4, KAnnealStart = 8 }, "k_anneal_steps");
    }

    [Fact]
    public void Its_settings_are_read_from_text()
    {
        var (kind, _) = DictionaryKinds.With(
            "batchtopk",
            [
                KeyValuePair.Create("latents", "64"),
                KeyValuePair.Create("k-anneal-steps", "300"),
                KeyValuePair.Create("k_anneal_start", "40"),
            ]
        );
        Assert.Equal(new BatchTopKKind { KAnnealSteps = 300, KAnnealStart = 40 }, kind);
    }
}
