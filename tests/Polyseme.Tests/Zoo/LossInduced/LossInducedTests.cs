using CsCheck;
using Polyseme.Numerics;
using Polyseme.Zoo.LossInduced;
using TorchSharp;

namespace Polyseme.Tests.Zoo.LossInduced;

public sealed class LossInducedTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(10)]
    public void Cross_entropy_is_least_for_half_of_the_classes_and_squared_error_ties(int classes)
    {
        var (loss, firing, _) = BinaryCodes.Search(classes, BinaryCodes.CrossEntropy);
        Assert.Equal(Math.Log(classes / 2.0), loss, 1e-9);
        Assert.Equal([classes / 2], firing);
        var squared = BinaryCodes.Search(classes, BinaryCodes.SquaredError);
        Assert.Equal((classes - 2.0) / classes, squared.Loss, 1e-12);
        // All but firing for none and for all.
        Assert.Equal((1 << classes) - 2, squared.Count);
    }

    [Fact]
    public void The_closed_form_is_the_loss_of_every_assignment() =>
        Gen.Select(Gen.Int[2, 12], Gen.UInt)
            .Sample(
                (classes, bits) =>
                {
                    var firing = bits & ((1u << classes) - 1);
                    Assert.Equal(
                        BinaryCodes.ClosedForm(classes, System.Numerics.BitOperations.PopCount(firing)),
                        BinaryCodes.CrossEntropy(firing, classes),
                        1e-12
                    );
                },
                iter: 200
            );

    [Fact]
    public void The_gradient_is_that_of_autograd()
    {
        var stream = new RandomStream(2, "neuron");
        double[] parameters = [.. Enumerable.Range(0, 15).Select(_ => stream.NextNormal())],
            gradient = new double[15];
        var loss = StochasticNeuron.Gradient(parameters, gradient, 5);
        using var scope = torch.NewDisposeScope();
        var all = torch.tensor(parameters).requires_grad_();
        var fires = torch.sigmoid(all[..5]);
        var expected = -(
            (fires * torch.nn.functional.log_softmax(all[10..], 0)) + ((1 - fires) * torch.nn.functional.log_softmax(all[5..10], 0))
        ).mean();
        expected.backward();
        Assert.Equal(expected.item<double>(), loss, 1e-12);
        Assert.All(all.grad!.data<double>().ToArray().Zip(gradient), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
    }

    [Fact]
    public void The_trained_network_reports_half_of_the_classes()
    {
        var run = new LossInducedPolysemanticity().Run(
            new LossInducedConfig { Samples = 400, Seeds = 12 },
            null,
            TestContext.Current.CancellationToken
        );
        Assert.All(run.Acceptances, acceptance => Assert.True(acceptance.Passed, $"{acceptance.Claim}: {acceptance.Value}"));
        Assert.Equal(["loss_induced"], run.Truth.Flags);
        Assert.InRange(run.Activations.Values.Average(), 0.4, 0.6);
        // The best guess of the network is a class for which the neuron does what it does.
        var output = run.Network.Run(Matrix.Identity(4), ["hook_neuron"]);
        for (var i = 0; i < 4; i++)
        {
            var guess = output.Output.Row(i).IndexOf(System.Numerics.Tensors.TensorPrimitives.Max<double>(output.Output.Row(i)));
            Assert.Equal(output.Recorded["hook_neuron"][i, 0], output.Recorded["hook_neuron"][guess, 0]);
        }
    }
}
