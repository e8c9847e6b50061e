using Polyseme.Numerics;
using Polyseme.Numerics.Simd;
using Polyseme.Zoo.Training;
using TorchSharp;

namespace Polyseme.Tests.Zoo.Training;

public sealed class ToyKernelTests
{
    /// <summary>Gradients are sums of some hundred float products of order one, rounded at 6e-8 each; the largest gradient sets the scale.</summary>
    private const double SinglePrecision = 2e-5;

    public static TheoryData<string, InstructionSet> Cases => MakeCases();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fast_gradients_are_those_of_the_plain_version(string name, InstructionSet instructions)
    {
        var training = Training(name) with { Instructions = instructions };
        var parameters = Parameters(training.Shape);
        for (var step = 0; step < 3; step++)
        {
            var inputs = PopulationTrainer.BatchOf(training, 5, 2).ToMatrix(step);
            var (loss, w, b) = ToyReference.Gradient(training.Shape, parameters, inputs);
            var (fastLoss, fastW, fastB) = PopulationTrainer.Gradient(training, 5, 2, step, parameters);
            Assert.Equal(loss, fastLoss, SinglePrecision * Math.Max(1, loss));
            AssertClose(w.Data, fastW.Data);
            AssertClose(b, fastB);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Analytic_gradients_are_those_of_autograd(string name)
    {
        var training = Training(name);
        var shape = training.Shape;
        var parameters = Parameters(shape);
        var inputs = PopulationTrainer.BatchOf(training, 5, 2).ToMatrix(0);
        using var scope = torch.NewDisposeScope();
        var x = LinearAlgebra.ToTensor(inputs);
        var w = LinearAlgebra.ToTensor(parameters.W).clone().requires_grad_();
        var b = torch.tensor(parameters.B).requires_grad_();
        var hidden = torch.mm(x, w);
        if (shape.HiddenRelu)
            hidden = torch.nn.functional.relu(hidden);
        var output = torch.mm(hidden, w.t()) + b;
        if (shape.OutputRelu)
            output = torch.nn.functional.relu(output);
        var importance = torch.tensor(shape.Importance, dtype: torch.float64);
        var loss = (importance * (output - x).pow(2)).sum(dim: 1).mean() + (shape.HiddenPenalty * hidden.abs().sum(dim: 1).mean());
        loss.backward();
        var (fastLoss, fastW, fastB) = PopulationTrainer.Gradient(training, 5, 2, 0, parameters);
        Assert.Equal(loss.item<double>(), fastLoss, SinglePrecision * Math.Max(1, fastLoss));
        AssertClose(w.grad!.data<double>().ToArray(), fastW.Data);
        AssertClose(b.grad!.data<double>().ToArray(), fastB);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_loss_of_rows_is_that_of_the_plain_gradient(string name)
    {
        var training = Training(name);
        var parameters = Parameters(training.Shape);
        var inputs = PopulationTrainer.BatchOf(training, 5, 2).ToMatrix(0);
        var (expected, _, _) = ToyReference.Gradient(training.Shape, parameters, inputs);
        Assert.Equal(expected, ToyReference.Loss(training.Shape, parameters, SparseRows.FromMatrix(inputs)), 1e-9 * Math.Max(1, expected));
    }

    public static TheoryData<string> Names { get; } =
        new(
            "dense relu",
            "sparse relu",
            "sparse pairs",
            "half pairs",
            "hidden relu",
            "linear",
            "dense linear",
            "data set",
            "batches of a data set",
            "wide",
            "very wide",
            "many features, one unit",
            "many features, two units",
            "many signed features, three units, linear",
            "many features, four units on a data set",
            "two features",
            "three thin features",
            "two rare features",
            "signed",
            "dense signed",
            "full signed",
            "unequal densities",
            "dense unequal densities",
            "anticorrelated",
            "penalty",
            "penalty behind a relu",
            "dense penalty",
            "penalty on a data set"
        );

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
    private static ToyTraining Training(string name)
    {
        ToyTraining Of(int n, int m, ToyInputs inputs, int batch, bool hiddenRelu = false, bool outputRelu = true, double penalty = 0) =>
            new()
            {
                Shape = new ToyShape(n, m, hiddenRelu, outputRelu, [.. Enumerable.Range(0, n).Select(i => MathF.Pow(0.9f, i))])
                {
                    HiddenPenalty = penalty,
                },
                Inputs = inputs,
                Batch = batch,
                Steps = 10,
                LearningRate = 1e-3,
            };
        return name switch
        {
            "dense relu" => Of(21, 5, new ToyInputs.Fresh(1), 100),
            "sparse relu" => Of(37, 7, new ToyInputs.Fresh(0.05), 131),
            "sparse pairs" => Of(6, 2, new ToyInputs.Fresh(0.05, 2), 64),
            "half pairs" => Of(6, 2, new ToyInputs.Fresh(0.5, 2), 70),
            "hidden relu" => Of(10, 5, new ToyInputs.Fresh(1), 256, hiddenRelu: true),
            "linear" => Of(12, 3, new ToyInputs.Fresh(0.2), 77, outputRelu: false),
            "dense linear" => Of(12, 11, new ToyInputs.Fresh(0.7), 77, outputRelu: false),
            "data set" => Of(50, 2, new ToyInputs.DataSet(Points(50, 9), WholeSetEveryStep: true), 1),
            "batches of a data set" => Of(50, 2, new ToyInputs.DataSet(Points(50, 40), WholeSetEveryStep: false), 33),
            "wide" => Of(201, 20, new ToyInputs.Fresh(0.05), 1024),
            "very wide" => Of(300, 40, new ToyInputs.Fresh(0.02), 2048),
            "many features, one unit" => Of(260, 1, new ToyInputs.Fresh(0.05), 64),
            "many features, two units" => Of(301, 2, new ToyInputs.Fresh(0.03), 131),
            "many signed features, three units, linear" => Of(257, 3, new ToyInputs.Fresh(0.1) { Low = -1 }, 33, outputRelu: false),
            "many features, four units on a data set" => Of(300, 4, new ToyInputs.DataSet(Points(300, 9), WholeSetEveryStep: true), 1),
            "two features" => Of(2, 1, new ToyInputs.Fresh(1), 1000),
            "three thin features" => Of(3, 2, new ToyInputs.Fresh(0.2) { Low = -1 }, 100, outputRelu: false),
            "two rare features" => Of(2, 1, new ToyInputs.Fresh(0.02), 1024),
            "signed" => Of(37, 7, new ToyInputs.Fresh(0.05) { Low = -1 }, 131),
            "dense signed" => Of(13, 5, new ToyInputs.Fresh(0.6) { Low = -1, High = 2 }, 131),
            "full signed" => Of(13, 5, new ToyInputs.Fresh(1) { Low = -1 }, 131),
            "unequal densities" => Of(
                37,
                7,
                new ToyInputs.Fresh([.. Enumerable.Range(1, 37).Select(i => Math.Pow(i, -1.2))]) { High = 2 },
                131
            ),
            "dense unequal densities" => Of(6, 2, new ToyInputs.Fresh([0.9, 0.3, 0.6], 2), 70),
            "anticorrelated" => Of(12, 5, new ToyInputs.Fresh(0.4, 3) { Rule = GroupRule.OneAtATime }, 131),
            "penalty" => Of(37, 7, new ToyInputs.Fresh(0.05), 131, penalty: 0.3),
            "penalty behind a relu" => Of(13, 5, new ToyInputs.Fresh(0.2) { Low = -1 }, 131, hiddenRelu: true, penalty: 0.3),
            "dense penalty" => Of(13, 5, new ToyInputs.Fresh(1), 131, outputRelu: false, penalty: 0.3),
            "penalty on a data set" => Of(50, 2, new ToyInputs.DataSet(Points(50, 9), WholeSetEveryStep: true), 1, penalty: 0.3),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such case"),
        };
    }

    private static ToyParameters Parameters(ToyShape shape)
    {
        var parameters = ToyParameters.Initial(shape, 9, 0);
        var stream = new RandomStream(9, "bias");
        for (var i = 0; i < shape.Features; i++)
            parameters.B[i] = 0.1 * stream.NextNormal();
        // What the float kernel is given must be what the double version is given.
        for (var i = 0; i < parameters.W.Data.Length; i++)
            parameters.W.Data[i] = (float)parameters.W.Data[i];
        for (var i = 0; i < parameters.B.Length; i++)
            parameters.B[i] = (float)parameters.B[i];
        return parameters;
    }

    private static SparseRows Points(int width, int count)
    {
        var points = new RandomStream(4, "points").NormalMatrix(count, width);
        for (var i = 0; i < points.Data.Length; i++)
            points.Data[i] = points.Data[i] > 1.2 ? points.Data[i] : 0;
        return SparseRows.FromMatrix(points);
    }

    private static void AssertClose(double[] expected, double[] actual)
    {
        var scale = expected.Max(Math.Abs);
        Assert.True(scale > 0);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= SinglePrecision * Math.Max(1, scale),
                $"entry {i}: {actual[i]}, expected {expected[i]}"
            );
    }
}
