using Polyseme.Numerics;
using Polyseme.Zoo;

namespace Polyseme.Tests.Zoo.Regions;

public sealed class ReluStackTests
{
    private static ReluStack Random(ulong seed) =>
        new ReluStackTraining([2, 6, 5, 2], withBias: true, new RandomStream(seed, "start")).Network();

    [Fact]
    public void Crossings_of_one_layer_are_the_zeros_of_its_units()
    {
        // Units x − ¼, x − ½ and y: the last does not change along y = 1.
        var network = new ReluStack(
            [Matrix.FromRows([1, 1, 0], [0, 0, 1]), Matrix.FromRows([1, 0], [0, 1], [0, 0])],
            [Matrix.FromRows([-0.25, -0.5, 0]), Matrix.FromRows([0, 0])]
        );
        var crossings = network.Crossings([0, 1], [1, 1]);
        Assert.Equal(2, crossings.Length);
        Assert.Equal(0.25, crossings[0], 1e-12);
        Assert.Equal(0.5, crossings[1], 1e-12);
    }

    [Fact]
    public void Codes_change_at_the_crossings_and_nowhere_else()
    {
        for (var seed = 0UL; seed < 20; seed++)
        {
            var network = Random(seed);
            var ends = new RandomStream(seed, "ends").NormalMatrix(2, 2);
            var cuts = network.Crossings(ends.Row(0), ends.Row(1));
            const int steps = 4001;
            var along = new Matrix(steps, 2);
            for (var i = 0; i < steps; i++)
            for (var j = 0; j < 2; j++)
                along[i, j] = ends[0, j] + ((i + 0.5) / steps * (ends[1, j] - ends[0, j]));
            var codes = network.Codes(along);
            for (var i = 0; i + 1 < steps; i++)
            {
                double from = (i + 0.5) / steps,
                    to = (i + 1.5) / steps;
                var changed = codes[i].Zip(codes[i + 1], (a, b) => a != b).Count(differs => differs);
                Assert.Equal(cuts.Count(cut => cut > from && cut <= to), changed);
            }
        }
    }

    [Fact]
    public void The_gradient_is_that_of_the_loss()
    {
        var training = new ReluStackTraining([2, 6, 5, 3], withBias: true, new RandomStream(7, "start"));
        var rows = new RandomStream(8, "rows").NormalMatrix(40, 2);
        var classes = Enumerable.Range(0, 40).Select(row => row % 3).ToArray();
        int[] all = [.. Enumerable.Range(0, 40)];
        var (loss, gradients) = training.Gradient(rows, classes, all);
        using var scope = TorchSharp.torch.NewDisposeScope();
        var network = training.Network();
        var names = new[] { "W_0", "W_1", "W_2", "b_0", "b_1", "b_2" };
        var parameters = names.Select(name => LinearAlgebra.ToTensor(network.Weights[name]).clone().requires_grad_(true)).ToArray();
        var values = LinearAlgebra.ToTensor(rows);
        for (var layer = 0; layer < 3; layer++)
        {
            values = values.matmul(parameters[layer]).add(parameters[layer + 3]);
            if (layer < 2)
                values = values.relu();
        }
        var expected = TorchSharp.torch.nn.functional.cross_entropy(
            values,
            TorchSharp.torch.tensor(classes.Select(c => (long)c).ToArray())
        );
        expected.backward();
        Assert.Equal(expected.item<double>(), loss, 1e-5);
        for (var array = 0; array < gradients.Length; array++)
        {
            var reference = LinearAlgebra.ToMatrix(parameters[array].grad!.reshape(1, -1)).Data;
            for (var i = 0; i < reference.Length; i++)
                Assert.Equal(reference[i], gradients[array][i], 1e-5);
        }
    }

    [Fact]
    public void Without_biases_scaling_the_input_scales_the_output()
    {
        var network = new ReluStackTraining([2, 6, 5, 2], withBias: false, new RandomStream(9, "start")).Network();
        var rows = new RandomStream(10, "rows").NormalMatrix(20, 2);
        var tripled = new Matrix(20, 2, [.. rows.Data.Select(value => 3 * value)]);
        foreach (var (one, three) in network.Run(rows).Output.Data.Zip(network.Run(tripled).Output.Data))
            Assert.Equal(3 * one, three, 1e-9);
    }
}
