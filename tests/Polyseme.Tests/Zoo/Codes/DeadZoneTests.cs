using Polyseme.Numerics;
using Polyseme.Zoo.Codes;
using Polyseme.Zoo.Training;
using TorchSharp;

namespace Polyseme.Tests.Zoo.Codes;

public sealed class DeadZoneTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(3, 12, true)]
    [InlineData(2, 5, true)]
    [InlineData(3, 6, false)]
    public void Features_fit_from_the_threshold_on_and_not_below(int hidden, int features, bool relu)
    {
        var threshold = DeadZoneThreshold.All.Single(known => (known.Relu, known.Hidden, known.Features) == (relu, hidden, features));
        double Loss(double tolerance) => DeadZoneTraining.Train(features, hidden, tolerance, relu, 12, 3000, 0.02, 1, Cancellation).Loss;
        Assert.InRange(Loss(threshold.Tolerance + DeadZoneThreshold.Above), 0, DeadZoneTraining.Zero);
        Assert.True(Loss(threshold.Tolerance - DeadZoneThreshold.Below) > 5e-4);
    }

    [Fact]
    public void Twice_as_many_features_as_dimensions_fit_exactly_and_no_more()
    {
        Assert.InRange(DeadZoneTraining.Train(6, 3, 0, relu: true, 12, 3000, 0.02, 1, Cancellation).Loss, 0, DeadZoneTraining.Zero);
        Assert.InRange(DeadZoneTraining.Train(7, 3, 0, relu: true, 12, 3000, 0.02, 1, Cancellation).Loss, 0.7, 1);
    }

    [Fact]
    public void The_network_says_what_it_holds()
    {
        var run = new DeadZone().Run(new DeadZoneConfig { Samples = 200 }, null, Cancellation);
        Assert.NotEmpty(run.Acceptances);
        Assert.All(run.Acceptances, acceptance => Assert.True(acceptance.Passed, $"{acceptance.Claim}: {acceptance.Value}"));
        // The icosahedron: twelve points on six lines.
        Assert.Equal((6, 12), (run.Truth.NLine, run.Truth.NRay));
        Assert.Equal(["superposition"], run.Truth.AcceptedAt(AccessLevel.A));
        var four = new DeadZone().Run(
            new DeadZoneConfig
            {
                Features = 4,
                Hidden = 2,
                Tolerance = 0.004,
                Samples = 200,
            },
            null,
            Cancellation
        );
        Assert.Equal((2, 4), (four.Truth.NLine, four.Truth.NRay));
        Assert.Contains("rotated", four.Truth.AcceptedAt(AccessLevel.C));
    }

    public static TheoryData<RoundedOutput, RoundedError> Rounded =>
        new MatrixTheoryData<RoundedOutput, RoundedError>(Enum.GetValues<RoundedOutput>(), Enum.GetValues<RoundedError>());

    [Theory]
    [MemberData(nameof(Rounded))]
    public void Gradients_of_rounded_toy_models_are_those_of_autograd(RoundedOutput output, RoundedError error)
    {
        const double tau = 0.1;
        var toy = new RoundedToy(7, 3, 0.3, output, error, tau);
        var stream = new RandomStream(4, $"rounded/{output}/{error}");
        var rows = new Matrix(40, 7);
        for (var i = 0; i < rows.Data.Length; i++)
            rows.Data[i] = stream.NextDouble() < 0.3 ? stream.NextSingle() : 0;
        float[] parameters = [.. Enumerable.Range(0, 28).Select(_ => (float)(0.5 * stream.NextNormal()))],
            gradient = new float[28];
        var loss = toy.Gradient(parameters, SparseRows.FromMatrix(rows), gradient, new RoundedToy.Workspace(toy, 40));

        using var scope = torch.NewDisposeScope();
        var all = torch.tensor(parameters).to(torch.float64).requires_grad_();
        var (w, b) = (all[..21].reshape(7, 3), all[21..]);
        var x = LinearAlgebra.ToTensor(rows);
        var z = torch.mm(torch.mm(x, w), w.t()) + b;
        var y = output switch
        {
            RoundedOutput.Linear => z,
            RoundedOutput.Relu => torch.nn.functional.relu(z),
            RoundedOutput.LeakyRelu => torch.where(z > 0, z, z / 3),
            _ => z * (z > tau).to(torch.float64),
        };
        var e = (y - x).abs();
        var cost = error switch
        {
            RoundedError.Squared => e.pow(2),
            RoundedError.DeadZone => torch.nn.functional.relu(e - tau).pow(2),
            _ => torch.where(e <= tau, e.pow(2), (2 * tau * e) - (tau * tau)),
        };
        var expected = cost.sum() / 40;
        expected.backward();
        // Sums of some hundred float products of order one.
        Assert.Equal(expected.item<double>(), loss, 1e-5);
        Assert.All(all.grad!.data<double>().ToArray().Zip(gradient), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }
}
