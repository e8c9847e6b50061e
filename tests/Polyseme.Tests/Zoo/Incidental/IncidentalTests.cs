using Polyseme.Numerics;
using Polyseme.Numerics.Simd;
using Polyseme.Zoo.Incidental;
using TorchSharp;

namespace Polyseme.Tests.Zoo.Incidental;

public sealed class IncidentalTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<int, int, InstructionSet> Shapes =>
        new MatrixTheoryData<int, int, InstructionSet>(
            [3, 8, 13],
            [16, 80, 128],
            [.. Enum.GetValues<InstructionSet>().Where(set => set <= InstructionSets.Widest)]
        );

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_kernel_gives_the_gradient_of_autograd(int n, int m, InstructionSet instructions)
    {
        var start = new RandomStream(3, $"gram/{n}/{m}").NormalMatrix(n, m);
        float[] w = [.. start.Data.Select(value => (float)(value / Math.Sqrt(m)))];
        using var memory = new GramMemory(n, m);
        w.CopyTo(memory.Weights);
        var loss = GramKernel.Gradient(memory, instructions);
        var gradient = memory.Gradients.ToArray();
        using var scope = torch.NewDisposeScope();
        var weights = torch.tensor(w).to(torch.float64).reshape(n, m).requires_grad_();
        var output = torch.nn.functional.relu(torch.mm(weights, weights.t()));
        var expected = (output - torch.eye(n, dtype: torch.float64)).pow(2).sum();
        expected.backward();
        Assert.Equal(expected.item<double>(), loss, 1e-4);
        Assert.All(weights.grad!.data<double>().ToArray().Zip(gradient), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_step_is_that_of_AdamW(int n, int m, InstructionSet instructions)
    {
        var start = new RandomStream(3, $"gram/{n}/{m}").NormalMatrix(n, m);
        using var memory = new GramMemory(n, m);
        for (var i = 0; i < n * m; i++)
            memory.Weights[i] = (float)(start.Data[i] / Math.Sqrt(m));
        double[] w = [.. memory.Weights.ToArray().Select(value => (double)value)],
            first = new double[n * m],
            second = new double[n * m];
        for (var step = 1; step <= 3; step++)
        {
            GramKernel.Gradient(memory, instructions);
            var gradient = memory.Gradients.ToArray();
            var (bias1, bias2) = (1 - Math.Pow(0.9, step), 1 - Math.Pow(0.999, step));
            var loss = GramKernel.Step(memory, new AdamWStep(0.01f, 0.999f, (float)(0.1 / bias1), (float)(1 / bias2)), false, instructions);
            Assert.Null(loss);
            for (var i = 0; i < w.Length; i++)
            {
                var g = gradient[i] + (0.01 * Math.Sign(w[i]));
                (first[i], second[i]) = ((0.9 * first[i]) + (0.1 * g), (0.999 * second[i]) + (0.001 * g * g));
                w[i] = (0.999 * w[i]) - (0.1 * first[i] / bias1 / (Math.Sqrt(second[i] / bias2) + 1e-8));
                // Single precision, three steps.
                Assert.Equal(w[i], memory.Weights[i], 1e-5);
                w[i] = memory.Weights[i];
            }
        }
    }

    [Fact]
    public void Rows_that_registers_do_not_divide_are_refused() => Assert.Throws<ArgumentException>(() => new GramMemory(2, 10));

    [Theory]
    [InlineData(NoiseShape.Bernoulli)]
    [InlineData(NoiseShape.Gaussian)]
    public void The_noisy_gradient_is_that_of_autograd(NoiseShape shape)
    {
        var stream = new RandomStream(8, $"noise/{shape}");
        double[] w = [.. stream.NormalMatrix(4, 6).Data.Select(value => value / Math.Sqrt(6))],
            xi = [.. Enumerable.Range(0, 6).Select(_ => 0.2 * stream.NextNormal())],
            gradient = new double[24];
        var loss = new HiddenNoise(4, 6, shape, 0.2).Gradient(w, xi, gradient, new double[6], new double[6]);
        using var scope = torch.NewDisposeScope();
        var weights = torch.tensor(w).reshape(4, 6).requires_grad_();
        var output = torch.nn.functional.relu(torch.mm(weights + torch.tensor(xi), weights.t()));
        var expected = (output - torch.eye(4, dtype: torch.float64)).pow(2).sum();
        expected.backward();
        Assert.Equal(expected.item<double>(), loss, 1e-12);
        Assert.All(weights.grad!.data<double>().ToArray().Zip(gradient), pair => Assert.Equal(pair.First, pair.Second, 1e-10));
    }

    [Fact]
    public void Each_polysemantic_neuron_is_a_pair_and_the_loss_is_nothing()
    {
        var models = new OneHotTraining(64, 64).TrainMany(2, 3, Cancellation);
        Assert.All(models, model => Assert.InRange(model.Loss, 0, 1e-3));
        Assert.All(models, model => Assert.Equal(model.Polysemantic, model.SignedPairs));
        // n²/(4m) is sixteen each.
        Assert.InRange(models.Average(model => model.Polysemantic), 8, 17.6);
    }

    [Fact]
    public void A_model_is_the_same_whatever_trains_beside_it()
    {
        var training = new OneHotTraining(8, 16, Steps: 200);
        Assert.Equal<double>(training.TrainMany(5, 4, Cancellation)[3].W.Data, training.Train(5, 3, Cancellation).W.Data);
    }

    [Fact]
    public void The_largest_weight_is_the_one_that_stays()
    {
        var points = SparsifyingDynamics.Integrate(2000, 1e-3, 0.9, 3000, 0.1, new RandomStream(1, "dynamics"), Cancellation);
        Assert.Equal(2000, points[0].NonZero);
        Assert.All(points.Zip(points.Skip(1)), pair => Assert.True(pair.First.NonZero >= pair.Second.NonZero));
        // At the end one weight of norm 1 − λ/2, to first order, is left.
        Assert.Equal(1, points[^1].NonZero);
        Assert.Equal(1 - (1e-3 / 2), points[^1].L1, 1e-4);
    }

    [Fact]
    public void Noise_without_kurtosis_leaves_weights_spread()
    {
        int[] at = [0, 20_000];
        var bernoulli = new HiddenNoise(8, 16, NoiseShape.Bernoulli, 0.15).FourthNorms(1, 0, at, Cancellation);
        var gaussian = new HiddenNoise(8, 16, NoiseShape.Gaussian, 0.15).FourthNorms(1, 0, at, Cancellation);
        Assert.Equal(bernoulli[0], gaussian[0]);
        // Lecomte et al. 2024: .16 at the start, about .8 with signs and still .16 with normal noise.
        Assert.True(bernoulli[1] > 0.5, $"{bernoulli[1]}");
        Assert.True(gaussian[1] < 0.3, $"{gaussian[1]}");
    }

    [Fact]
    public void Truth_says_incidental_when_there_is_a_pair()
    {
        var run = new IncidentalPolysemanticity().Run(new IncidentalConfig { Seeds = 1, Samples = 300 }, null, Cancellation);
        Assert.All(run.Acceptances, acceptance => Assert.True(acceptance.Passed, $"{acceptance.Claim}: {acceptance.Value}"));
        Assert.Equal(["incidental"], run.Truth.Flags);
        Assert.Contains("incidental", run.Truth.Reason);
    }
}
