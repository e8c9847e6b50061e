using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Tests.Networks;

public sealed class TransformerTrainingTests
{
    private static readonly TransformerShape s_shape = new()
    {
        Vocabulary = 8,
        Context = 4,
        ModelWidth = 8,
        HeadWidth = 4,
        MlpWidth = 8,
    };

    [Fact]
    public void Training_learns_what_there_is_to_learn_and_gives_the_same_bytes_again()
    {
        TransformerTrained first = Train(2, 120),
            second = Train(2, 120);
        // The next token is the one before it plus one: learnable by the MLP and the direct path alone.
        Assert.True(first.Curve[0].Loss > 1.5);
        Assert.All(first.Losses, loss => Assert.True(loss < 0.2, $"{loss}"));
        foreach (var (one, other) in first.RequireAll().Zip(second.RequireAll()))
        foreach (var (name, weight) in one.Weights)
            Assert.Equal<double>(weight.Data, other.Weights[name].Data);
        Assert.NotEqual<double>(first.RequireAll()[0].Weights["embed.W_E"].Data, first.RequireAll()[1].Weights["embed.W_E"].Data);
    }

    [Fact]
    public void A_model_does_not_depend_on_those_trained_beside_it()
    {
        SmallTransformer alone = Train(1, 20).RequireAll()[0],
            beside = Train(3, 20).RequireAll()[0];
        foreach (var (name, weight) in alone.Weights)
        {
            // The order of sums may change with the number of models.
            for (var i = 0; i < weight.Data.Length; i++)
                Assert.Equal(weight.Data[i], beside.Weights[name].Data[i], 1e-3);
        }
    }

    [Fact]
    public void Fixed_weights_stay_and_the_others_move()
    {
        var training = Training(1, 5) with { Fixed = new Dictionary<string, Matrix> { ["embed.W_E"] = Matrix.Identity(8) } };
        var trained = training.Train(0, Batch, null, TestContext.Current.CancellationToken).RequireAll()[0];
        Assert.Equal<double>(Matrix.Identity(8).Data, trained.Weights["embed.W_E"].Data);
        var start = training.Start(0, 0);
        foreach (var (name, weight) in trained.Weights.Where(pair => pair.Key != "embed.W_E"))
            Assert.NotEqual<double>(start[name].Data, weight.Data);
    }

    [Fact]
    public void A_model_that_diverges_is_named_with_its_step_and_the_others_are_kept()
    {
        var training = Training(2, 10);
        var trained = training.Train(
            0,
            step =>
            {
                var batch = Batch(step);
                return batch with
                {
                    // The logarithm of a negative number for the first model, from the third step on.
                    Loss = outputs =>
                        batch.Loss(outputs) + (step < 2 ? TorchSharp.torch.zeros(2) : TorchSharp.torch.tensor([-1f, 1f]).log()),
                };
            },
            null,
            TestContext.Current.CancellationToken
        );
        Assert.Equal([(0, 2)], trained.Diverged);
        Assert.Null(trained.Networks[0]);
        Assert.NotNull(trained.Networks[1]);
        Assert.Contains("transformer 0", Assert.Throws<InvalidOperationException>(trained.RequireAll).Message, StringComparison.Ordinal);
    }

    private static TransformerTraining Training(int models, int steps) =>
        new()
        {
            Shape = s_shape,
            Steps = steps,
            Models = models,
        };

    private static TransformerTrained Train(int models, int steps) =>
        Training(models, steps).Train(0, Batch, null, TestContext.Current.CancellationToken);

    private static TransformerBatch Batch(int step)
    {
        var random = new RandomStream(1, (ulong)step);
        var tokens = Enumerable.Range(0, 16 * 4).Select(_ => (long)random.NextInt(8)).ToArray();
        return new TransformerBatch(tokens, TransformerLoss.NextToken([.. tokens.Select(token => (token + 1) % 8)]));
    }
}
