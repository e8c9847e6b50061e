using Polyseme.Numerics;
using Polyseme.Zoo.Capacities;
using Polyseme.Zoo.Codes;
using Polyseme.Zoo.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Polyseme.Tests.Zoo.Training;

public sealed class GramDescentTests
{
    public static TheoryData<string> Losses => ["capacity", "dead zone, relu", "dead zone, linear", "rays", "lines"];

    [Theory]
    [MemberData(nameof(Losses))]
    public void Gradients_are_those_of_autograd(string name)
    {
        var start = new RandomStream(7, $"gram/{name}").NormalMatrix(6, 3);
        var sphere = name is "rays" or "lines";
        var descent = new GramDescent(start, sphere);
        var (value, gradient) = descent.Gradient(LossOf(name));
        using var scope = NewDisposeScope();
        var w = LinearAlgebra.ToTensor(descent.Directions).clone().requires_grad_();
        // On the sphere the loss is that of the directions, whatever their norm: its gradient has no part along them.
        var unit = sphere ? w / w.norm(1, keepdim: true) : w;
        var expected = Plain(name, mm(unit, unit.t()));
        expected.backward();
        Assert.Equal(expected.item<double>(), value, 1e-9);
        Assert.All(w.grad!.data<double>().ToArray().Zip(gradient.Data), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
    }

    [Fact]
    public void Rows_stay_on_the_sphere_and_the_loss_falls()
    {
        var descent = new GramDescent(new RandomStream(1, "gram/sphere").NormalMatrix(8, 3), unitNorm: true);
        var loss = new RepulsionLoss(2, lines: false);
        var before = descent.Loss(loss);
        for (var step = 0; step < 100; step++)
            descent.Step(loss, 0.01);
        Assert.True(descent.Loss(loss) < before);
        var directions = descent.Directions;
        for (var i = 0; i < 8; i++)
            Assert.Equal(1, System.Numerics.Tensors.TensorPrimitives.Norm<double>(directions.Row(i)), 1e-12);
    }

    private static GramLoss LossOf(string name) =>
        name switch
        {
            "capacity" => new QuadraticLoss([1, 0.8, 0.6, 0.5, 0.4, 0.3], 7),
            "dead zone, relu" => new DeadZoneLoss(0.2, relu: true),
            "dead zone, linear" => new DeadZoneLoss(0.2, relu: false),
            "rays" => new RepulsionLoss(3, lines: false),
            "lines" => new RepulsionLoss(3, lines: true),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such loss"),
        };

    private static Tensor Plain(string name, Tensor gram)
    {
        var eye = torch.eye(6, dtype: float64);
        switch (name)
        {
            case "capacity":
                var missing = tensor(new[] { 1, 0.8, 0.6, 0.5, 0.4, 0.3 }) - gram.diagonal();
                return (6 * missing.pow(2).sum()) + (2 * (gram * (1 - eye)).pow(2).sum());
            case "dead zone, relu":
                return nn.functional.relu((eye - nn.functional.relu(gram)).abs() - 0.2).pow(2).sum();
            case "dead zone, linear":
                return nn.functional.relu((eye - gram).abs() - 0.2).pow(2).sum();
            default:
                var u = 1 - (name == "lines" ? gram.pow(2) : gram);
                // The diagonal is masked before the power: it would be infinite.
                return ((u + eye).pow(-3) * (1 - eye)).sum().log() / 3;
        }
    }
}
