using Polyseme.Numerics;
using Polyseme.Zoo;
using Polyseme.Zoo.NonlinearEncoders;
using Polyseme.Zoo.Training;
using TorchSharp;

namespace Polyseme.Tests.Zoo.NonlinearEncoders;

public sealed class NonlinearEncoderTests
{
    [Fact]
    public void The_gradient_is_that_of_autograd_and_the_network_is_what_was_trained()
    {
        var training = new EncoderTraining(5, 2, 6, 0.3) { Batch = 50 };
        var stream = new RandomStream(6, "encoder");
        var rows = new Matrix(50, 5);
        for (var i = 0; i < rows.Data.Length; i++)
            rows.Data[i] = stream.NextDouble() < 0.3 ? stream.NextSingle() : 0;
        float[] parameters = [.. Enumerable.Range(0, training.ParameterCount).Select(_ => (float)(0.5 * stream.NextNormal()))],
            gradient = new float[parameters.Length];
        var loss = training.Gradient(parameters, SparseRows.FromMatrix(rows), gradient, new EncoderTraining.Workspace(training));

        using var scope = torch.NewDisposeScope();
        var all = torch.tensor(parameters).to(torch.float64).requires_grad_();
        // A, a, C, c, W, b one after the other.
        int[] ends = [0, 30, 36, 48, 50, 60, 65];
        torch.Tensor Part(int k, params long[] shape) => all[ends[k]..ends[k + 1]].reshape(shape);
        var x = LinearAlgebra.ToTensor(rows);
        var units = torch.nn.functional.relu(torch.mm(x, Part(0, 6, 5).t()) + Part(1, 6));
        var hidden = torch.mm(units, Part(2, 2, 6).t()) + Part(3, 2);
        var output = torch.nn.functional.relu(torch.mm(hidden, Part(4, 5, 2).t()) + Part(5, 5));
        var expected = (output - x).pow(2).sum() / 50;
        expected.backward();
        // Sums of some hundred float products of order one.
        Assert.Equal(expected.item<double>(), loss, 1e-5);
        Assert.All(all.grad!.data<double>().ToArray().Zip(gradient), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        var network = new EncodedToy(new EncoderTraining.Layers(training).Read(parameters));
        Assert.All(network.Run(rows).Output.Data.Zip(output.data<double>().ToArray()), pair => Assert.Equal(pair.Second, pair.First, 1e-9));
    }

    [Fact]
    public void Additivity_is_exact_in_a_linear_layer_and_broken_by_a_ReLU()
    {
        var w = Matrix.FromRows([1, 0], [-0.5, 1], [-0.5, -1]);
        ToyNetwork Network(bool relu) =>
            new(new ToyShape(3, 2, relu, OutputRelu: true, ToyShape.Uniform(3)), new ToyParameters(w, new double[3]));
        Assert.Equal(0, AdditivityDefect.Mean(Network(relu: false), "hook_hidden")!.Value, 1e-20);
        Assert.True(AdditivityDefect.Mean(Network(relu: true), "hook_hidden") > 0.1);
    }

    [Fact]
    public void More_room_for_the_encoder_lowers_the_loss_and_breaks_addition()
    {
        var run = new NonlinearEncoder().Run(
            new NonlinearEncoderConfig
            {
                Seeds = 2,
                Steps = 3000,
                Samples = 300,
            },
            null,
            TestContext.Current.CancellationToken
        );
        Assert.Equal(Cause.Nonlinear, run.Truth.Cause);
        Assert.True(AdditivityDefect.Mean(run.Network, "hook_hidden") > 0.05);
        Assert.Equal(2, run.SeedLosses.Count);
    }
}
