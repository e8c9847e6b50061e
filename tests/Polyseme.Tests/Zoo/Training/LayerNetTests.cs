using Polyseme.Numerics;
using Polyseme.Numerics.Simd;
using Polyseme.Zoo.Training;
using TorchSharp;

namespace Polyseme.Tests.Zoo.Training;

public sealed class LayerNetTests
{
    /// <summary>Gradients are sums of some hundred float products of order one, rounded at 6e-8 each; the largest gradient sets the scale.</summary>
    private const double SinglePrecision = 2e-5;

    public static TheoryData<string> Names { get; } =
        new("absolute", "ands", "projected", "one product", "mixed", "own targets", "uneven", "wide");

    public static TheoryData<string, InstructionSet> Cases { get; } = MakeCases();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fast_gradients_are_those_of_the_plain_version(string name, InstructionSet instructions)
    {
        var training = Training(name) with { Instructions = instructions };
        var parameters = Parameters(training.Shape);
        for (var step = 0; step < 3; step++)
        {
            var (inputs, targets) = LayerNetTrainer.BatchOf(training, 5, 2).ToMatrices(step);
            var (loss, gradient) = LayerNetReference.Gradient(training.Shape, parameters, inputs, targets);
            var (fastLoss, fast) = LayerNetTrainer.Gradient(training, 5, 2, step, parameters);
            Assert.Equal(loss, fastLoss, SinglePrecision * Math.Max(1, loss));
            AssertClose(gradient, fast);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Plain_gradients_are_those_of_autograd(string name)
    {
        var training = Training(name);
        var shape = training.Shape;
        var parameters = Parameters(shape);
        var (inputs, targets) = LayerNetTrainer.BatchOf(training, 5, 2).ToMatrices(0);
        using var scope = torch.NewDisposeScope();
        var x = LinearAlgebra.ToTensor(inputs);
        if (shape.Projection is { } projection)
            x = torch.mm(x, LinearAlgebra.ToTensor(projection).t());
        var w1 = LinearAlgebra.ToTensor(parameters.W1).clone().requires_grad_();
        var b1 = torch.tensor(parameters.B1).requires_grad_(shape.HiddenBias);
        var w2 = LinearAlgebra.ToTensor(parameters.W2).clone().requires_grad_();
        var b2 = torch.tensor(parameters.B2).requires_grad_(shape.OutputBias);
        var output = torch.mm(torch.nn.functional.relu(torch.mm(x, w1.t()) + b1), w2.t()) + b2;
        if (shape.OutputRelu)
            output = torch.nn.functional.relu(output);
        var importance = torch.tensor(shape.Importance ?? [.. Enumerable.Repeat(1f, shape.Outputs)], dtype: torch.float64);
        var loss = (importance * (output - LinearAlgebra.ToTensor(targets)).pow(2)).sum(1).mean();
        loss.backward();
        var (plainLoss, plain) = LayerNetReference.Gradient(shape, parameters, inputs, targets);
        Assert.Equal(loss.item<double>(), plainLoss, 1e-10);
        double[] Values(torch.Tensor tensor, int count) => tensor.grad is { } grad ? grad.data<double>().ToArray() : new double[count];
        AssertClose(
            new LayerNetParameters(
                new Matrix(shape.Hidden, shape.Width, Values(w1, 0)),
                Values(b1, shape.Hidden),
                new Matrix(shape.Outputs, shape.Hidden, Values(w2, 0)),
                Values(b2, shape.Outputs)
            ),
            plain,
            1e-12
        );
    }

    public static TheoryData<string> Optimisers { get; } = new("adam", "momentum");

    [Theory]
    [MemberData(nameof(Optimisers))]
    public void A_short_training_follows_the_plain_one(string name)
    {
        var training = Training("projected") with
        {
            Steps = 20,
            WeightDecay = 0.1,
            Warmup = 0.2,
            BiasDecay = 0.5,
            LearningRate = 3e-3,
            Optimiser = name == "adam" ? new Optimiser.Adam() : new Optimiser.Momentum(0.8),
        };
        var start = Parameters(training.Shape);
        var fast = LayerNetTrainer.Train(training, 5, [start], null, TestContext.Current.CancellationToken)[0].Parameters;
        // Twenty steps of at most .003: single precision and the sign of tiny gradients, which Adam normalises, leave less than a tenth of one.
        AssertClose(TrainPlainly(training, start), fast, 3e-4);
    }

    [Fact]
    public void A_models_result_does_not_depend_on_its_company_or_on_the_workers()
    {
        var training = Training("absolute") with { Steps = 100 };
        LayerNetParameters[] starts = [.. Enumerable.Range(0, 5).Select(model => LayerNetParameters.Initial(training.Shape, 4, model))];
        LayerNetModel First(int threads, int models) =>
            LayerNetTrainer.Train(training with { Threads = threads }, 4, starts[..models], null, TestContext.Current.CancellationToken)[0];
        var alone = First(1, 1);
        foreach (var (threads, models) in new[] { (1, 5), (2, 5), (5, 3) })
        {
            var together = First(threads, models);
            Assert.Equal<double>(alone.Parameters.W1.Data, together.Parameters.W1.Data);
            Assert.Equal<double>(alone.Parameters.W2.Data, together.Parameters.W2.Data);
            Assert.Equal<double>(alone.Curve.Select(point => point.Loss), together.Curve.Select(point => point.Loss));
        }
    }

    [Fact]
    public void Divergence_is_reported_with_its_step_and_the_others_go_on()
    {
        var training = Training("absolute") with { Steps = 30 };
        var bad = LayerNetParameters.Initial(training.Shape, 4, 0);
        bad.W1.Data[0] = 1e30;
        var good = LayerNetParameters.Initial(training.Shape, 4, 1);
        var models = LayerNetTrainer.Train(training, 4, [bad, good], null, TestContext.Current.CancellationToken);
        Assert.Equal(0, models[0].DivergedAt);
        Assert.Null(models[1].DivergedAt);
        Assert.All(models[1].Parameters.W1.Data, value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void Cancelling_stops_it()
    {
        var training = Training("absolute");
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() =>
            LayerNetTrainer.Train(training, 0, [Parameters(training.Shape)], null, cancelled.Token)
        );
    }

    [Theory]
    [InlineData(0.02)]
    [InlineData(0.3)]
    [InlineData(1.0)]
    public void Features_are_active_as_often_as_asked_and_uniform_when_active(double density)
    {
        const int rows = 20_000;
        var (x, y) = new LayerNetBatch(new LayerNetInputs.Reals(density, -1, 1), new LayerNetTargets.Absolute(), 3, rows, 3, 8).ToMatrices(
            5
        );
        for (var i = 0; i < 3; i++)
        {
            var active = x.Column(i).Where(value => value != 0).ToArray();
            // Five standard errors of a share and of the mean and mean square of uniforms in [−1, 1].
            Assert.Equal(density, (double)active.Length / rows, (5 * Math.Sqrt(density * (1 - density) / rows)) + 1e-4);
            Assert.Equal(0, active.Average(), 5 / Math.Sqrt(3.0 * active.Length));
            Assert.Equal(1.0 / 3, active.Average(value => value * value), 5 * 0.3 / Math.Sqrt(active.Length));
            Assert.All(active, value => Assert.InRange(value, -1, 1));
            Assert.Equal<double>(x.Column(i).Select(Math.Abs), y.Column(i));
        }
    }

    [Fact]
    public void Bits_are_bits_and_batches_differ_by_step_and_stream_only()
    {
        double[] Draw(ulong lane, int step) =>
            new LayerNetBatch(new LayerNetInputs.Bits(0.2), new LayerNetTargets.Identity(), 8, 4000, 7, lane).ToMatrices(step).Inputs.Data;
        Assert.All(Draw(1, 2), value => Assert.True(value is 0 or 1));
        // Five standard errors of 32,000 bits.
        Assert.Equal(0.2, Draw(1, 2).Average(), 0.0112);
        Assert.Equal<double>(Draw(1, 2), Draw(1, 2));
        Assert.NotEqual<double>(Draw(1, 2), Draw(1, 3));
        Assert.NotEqual<double>(Draw(1, 2), Draw(2, 2));
    }

    public static TheoryData<string> Impossible { get; } =
        new(
            "inputs is 0",
            "hidden is 0",
            "targets",
            "importances",
            "density is 0",
            "projection",
            "batch is 0",
            "momentum is 1",
            "learning rate is -1",
            "a product is of inputs 1 and 7"
        );

    [Theory]
    [MemberData(nameof(Impossible))]
    public void Impossible_trainings_are_refused_with_the_value(string said)
    {
        var good = Training("absolute");
        var shape = good.Shape;
        var training = said switch
        {
            "inputs is 0" => good with { Shape = shape with { Inputs = 0 } },
            "hidden is 0" => good with { Shape = shape with { Hidden = 0 } },
            "targets" => good with { Shape = shape with { Outputs = 3, Importance = null } },
            "importances" => good with { Shape = shape with { Importance = [1] } },
            "density is 0" => good with { Inputs = new LayerNetInputs.Reals(0, 0, 1) },
            "projection" => good with { Shape = shape with { Projection = new Matrix(2, 3) } },
            "batch is 0" => good with { Batch = 0 },
            "momentum is 1" => good with { Optimiser = new Optimiser.Momentum(1) },
            "learning rate is -1" => good with { LearningRate = -1 },
            "a product is of inputs 1 and 7" => good with
            {
                Shape = shape with { Outputs = 1, Importance = null },
                Targets = new LayerNetTargets.Products([(1, 7)]),
            },
            _ => throw new ArgumentOutOfRangeException(nameof(said), said, "no such case"),
        };
        var refused = Assert.Throws<ArgumentException>(() =>
            LayerNetTrainer.Train(training, 0, [], null, TestContext.Current.CancellationToken)
        );
        Assert.Contains(said, refused.Message);
    }

    private static TheoryData<string, InstructionSet> MakeCases()
    {
        var cases = new TheoryData<string, InstructionSet>();
        foreach (var name in Names)
        foreach (var instructions in Enum.GetValues<InstructionSet>())
        {
            if (instructions <= InstructionSets.Widest)
                cases.Add(name.Data, instructions);
        }
        return cases;
    }

    /// <summary>Sizes are uneven on purpose: no multiple of a register, a block or a tile.</summary>
    private static LayerNetTraining Training(string name)
    {
        LayerNetTraining Of(int n, int k, LayerNetInputs inputs, LayerNetTargets targets, int batch, Matrix? projection = null) =>
            new()
            {
                Shape = new LayerNetShape
                {
                    Inputs = n,
                    Hidden = k,
                    Outputs = targets.Outputs(n),
                    Projection = projection,
                    OutputRelu = name is "absolute" or "wide",
                    HiddenBias = name != "absolute",
                    OutputBias = name != "projected",
                    Importance = name == "ands" ? null : [.. Enumerable.Range(0, targets.Outputs(n)).Select(i => MathF.Pow(0.9f, i))],
                },
                Inputs = inputs,
                Targets = targets,
                Batch = batch,
                Steps = 10,
                LearningRate = 1e-3,
            };
        var sparse = new LayerNetInputs.Reals(0.2f, -1, 1);
        return name switch
        {
            "absolute" => Of(5, 7, sparse, new LayerNetTargets.Absolute(), 100),
            "ands" => Of(6, 15, new LayerNetInputs.Bits(0.5), LayerNetTargets.Products.AllPairs(6), 77),
            "projected" => Of(11, 9, sparse, new LayerNetTargets.Identity(), 64, new RandomStream(2, "projection").NormalMatrix(5, 11)),
            "one product" => Of(2, 33, new LayerNetInputs.Reals(1, -1, 1), new LayerNetTargets.Products([(0, 1)]), 129),
            "mixed" => Of(4, 3, sparse, new LayerNetTargets.ReluPlusLinear(new RandomStream(2, "mix").NormalMatrix(4, 4)), 31),
            "own targets" => Of(3, 5, sparse, new LayerNetTargets.Custom(2, FirstAndSum), 50),
            "uneven" => Of(3, 5, new LayerNetInputs.UnevenReals([1, 0.5, 0.1], 0.2f, 1), new LayerNetTargets.Absolute(), 50),
            "wide" => Of(21, 131, sparse, new LayerNetTargets.ReluPlusLinear(null), 1000),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such case"),
        };
    }

    private static void FirstAndSum(ReadOnlySpan<float> x, Span<float> y, int samples)
    {
        for (var s = 0; s < samples; s++)
            (y[s], y[samples + s]) = (x[s], x[s] + x[samples + s] + x[(2 * samples) + s]);
    }

    private static LayerNetParameters Parameters(LayerNetShape shape)
    {
        var parameters = LayerNetParameters.Initial(shape, 9, 0, hiddenBias: 0.1);
        var stream = new RandomStream(9, "bias");
        for (var i = 0; i < shape.Outputs; i++)
            parameters.B2[i] = 0.1 * stream.NextNormal();
        // What the float kernel is given must be what the double version is given.
        foreach (var values in new[] { parameters.W1.Data, parameters.B1, parameters.W2.Data, parameters.B2, shape.Projection?.Data ?? [] })
        {
            for (var i = 0; i < values.Length; i++)
                values[i] = (float)values[i];
        }
        return parameters;
    }

    /// <summary>The optimisers as their papers write them, in double precision, on the plain gradients.</summary>
    private static LayerNetParameters TrainPlainly(LayerNetTraining training, LayerNetParameters start)
    {
        static double[][] Parts(LayerNetParameters parameters) => [parameters.W1.Data, parameters.B1, parameters.W2.Data, parameters.B2];
        double[][] values = [.. Parts(start).Select(part => part.ToArray())];
        double[][] first = [.. values.Select(part => new double[part.Length])];
        double[][] second = [.. values.Select(part => new double[part.Length])];
        var shape = training.Shape;
        LayerNetParameters Current() =>
            new(new Matrix(shape.Hidden, shape.Width, values[0]), values[1], new Matrix(shape.Outputs, shape.Hidden, values[2]), values[3]);
        for (var step = 0; step < training.Steps; step++)
        {
            var (inputs, targets) = LayerNetTrainer.BatchOf(training, 5, 0).ToMatrices(step);
            var gradient = Parts(LayerNetReference.Gradient(shape, Current(), inputs, targets).Gradient);
            var rate = training.RateAt(step);
            for (var part = 0; part < values.Length; part++)
            for (var i = 0; i < values[part].Length; i++)
            {
                ref var value = ref values[part][i];
                var g = gradient[part][i];
                value *= 1 - (rate * training.WeightDecay);
                if (training.Optimiser is Optimiser.Momentum momentum)
                {
                    first[part][i] = (momentum.Decay * first[part][i]) + g;
                    value -= rate * first[part][i];
                }
                else
                {
                    first[part][i] = (0.9 * first[part][i]) + (0.1 * g);
                    second[part][i] = (0.999 * second[part][i]) + (0.001 * g * g);
                    var corrected = first[part][i] / (1 - Math.Pow(0.9, step + 1));
                    value -= rate * corrected / (Math.Sqrt(second[part][i] / (1 - Math.Pow(0.999, step + 1))) + 1e-8);
                }
                if (part == 1 && step < training.Steps / 2)
                    value *= 1 - (training.BiasDecay * training.LearningRate);
            }
        }
        return Current();
    }

    private static void AssertClose(LayerNetParameters expected, LayerNetParameters actual, double tolerance = SinglePrecision)
    {
        AssertClose(expected.W1.Data, actual.W1.Data, tolerance, "W1");
        AssertClose(expected.B1, actual.B1, tolerance, "b1");
        AssertClose(expected.W2.Data, actual.W2.Data, tolerance, "W2");
        AssertClose(expected.B2, actual.B2, tolerance, "b2");
        Assert.True(expected.W1.Data.Max(Math.Abs) > 0);
        Assert.True(expected.W2.Data.Max(Math.Abs) > 0);
    }

    private static void AssertClose(double[] expected, double[] actual, double tolerance, string name)
    {
        var scale = Math.Max(1, expected.Max(Math.Abs));
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * scale, $"{name}[{i}]: {actual[i]}, expected {expected[i]}");
    }
}
