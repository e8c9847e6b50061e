using Polyseme.Numerics;
using Polyseme.Numerics.Simd;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Tests.Zoo.Training;

public sealed class PopulationTrainerTests
{
    private static readonly ToyTraining Small = new()
    {
        Shape = new ToyShape(12, 3, HiddenRelu: false, OutputRelu: true, ToyShape.Uniform(12)),
        Inputs = new ToyInputs.Fresh(0.1),
        Batch = 100,
        Steps = 200,
        LearningRate = 3e-3,
    };

    [Fact]
    public void A_models_result_does_not_depend_on_its_company_or_on_the_workers()
    {
        var alone = Train(Small with { Threads = 1 }, 1)[0];
        foreach (var threads in new[] { 1, 2, 5 })
        {
            var together = Train(Small with { Threads = threads }, 7)[0];
            Assert.Equal<double>(alone.Parameters.W.Data, together.Parameters.W.Data);
            Assert.Equal<double>(alone.Parameters.B, together.Parameters.B);
            Assert.Equal<double>(alone.Curve.Select(point => point.Loss), together.Curve.Select(point => point.Loss));
        }
    }

    [Fact]
    public void Models_of_different_trainings_do_not_know_of_each_other()
    {
        // The same sizes with other importances, other sizes, other inputs, other lengths: what a worker keeps must not leak.
        ToyTraining[] trainings =
        [
            Small,
            Small with
            {
                Shape = Small.Shape with { Importance = [.. Enumerable.Range(0, 12).Select(i => MathF.Pow(0.7f, i))] },
            },
            Small with
            {
                Shape = new ToyShape(2, 1, HiddenRelu: false, OutputRelu: true, [1, 0.2f]),
                Inputs = new ToyInputs.Fresh(0.5),
            },
            Small with
            {
                Shape = Small.Shape with { HiddenPenalty = 0.1, HiddenRelu = true },
                Steps = 90,
            },
            Small with
            {
                Inputs = new ToyInputs.Fresh(0.2, 3) { Rule = GroupRule.OneAtATime, Low = -1 },
                Batch = 40,
            },
            Small with
            {
                Inputs = new ToyInputs.Fresh([.. Enumerable.Range(1, 12).Select(i => 0.5 / i)]),
                LearningRate = 1e-2,
            },
        ];
        var jobs = trainings.SelectMany((training, k) => new[] { new ToyJob(training, 4, k), new ToyJob(training, 5, k) }).ToArray();
        var alone = jobs.Select(job => TrainJobs([job], 1)[0]).ToArray();
        Assert.NotEqual<double>(alone[0].Parameters.B, alone[2].Parameters.B);
        foreach (var threads in new[] { 1, 2, 5 })
        {
            var forwards = TrainJobs(jobs, threads);
            var backwards = TrainJobs([.. jobs.Reverse()], threads);
            for (var k = 0; k < jobs.Length; k++)
            {
                AssertSame(alone[k], forwards[k]);
                AssertSame(alone[k], backwards[^(k + 1)]);
                Assert.Equal(jobs[k].Model, forwards[k].Model);
            }
        }
    }

    [Fact]
    public void A_list_of_equal_trainings_is_the_simple_form()
    {
        var simple = Train(Small, 3);
        var listed = TrainJobs([.. Enumerable.Range(0, 3).Select(model => new ToyJob(Small, 4, model))], 2);
        for (var k = 0; k < 3; k++)
            AssertSame(simple[k], listed[k]);
    }

    [Fact]
    public void A_diverging_job_stops_alone()
    {
        var bad = ToyParameters.Initial(Small.Shape, 4, 1);
        bad.B[0] = double.PositiveInfinity;
        var models = TrainJobs([new ToyJob(Small, 4, 0), new ToyJob(Small, 4, 1, bad), new ToyJob(Small, 4, 2)], 1);
        Assert.Equal([null, 0, null], models.Select(model => model.DivergedAt));
        AssertSame(Train(Small, 3)[2], models[2]);
    }

    [Fact]
    public void Snapshots_are_the_parameters_on_the_way()
    {
        var training = Small with { Steps = 120, SnapshotSteps = [0, 1, 57, 120] };
        var model = Train(training, 1)[0];
        Assert.Equal([0, 1, 57, 120], model.Snapshots.Select(snapshot => snapshot.Step));
        var start = ToyParameters.Initial(training.Shape, 4, 0);
        Assert.All(start.W.Data.Zip(model.Snapshots[0].Parameters.W.Data), pair => Assert.Equal((float)pair.First, pair.Second));
        Assert.Equal<double>(model.Parameters.W.Data, model.Snapshots[^1].Parameters.W.Data);
        // The first step of Adam is the rate itself, towards the gradient's sign.
        var (_, w, _) = ToyReference.Gradient(training.Shape, start, PopulationTrainer.BatchOf(training, 4, 0).ToMatrix(0));
        for (var i = 0; i < w.Data.Length; i++)
        {
            if (Math.Abs(w.Data[i]) > 1e-4)
                Assert.Equal(
                    -Math.Sign(w.Data[i]) * training.RateAt(0),
                    model.Snapshots[1].Parameters.W.Data[i] - start.W.Data[i],
                    1e-3 * training.RateAt(0)
                );
        }
        AssertSame(Train(training with { SnapshotSteps = [] }, 1)[0], model with { Snapshots = [] });
    }

    public static TheoryData<InstructionSet> Instructions { get; } =
        new(Enum.GetValues<InstructionSet>().Where(instructions => instructions <= InstructionSets.Widest));

    [Theory]
    [MemberData(nameof(Instructions))]
    public void A_short_training_follows_the_plain_one(InstructionSet instructions)
    {
        var training = Small with { Steps = 20, Instructions = instructions, WeightDecay = 0.1, Warmup = 0.2 };
        var fast = Train(training, 1)[0].Parameters;
        var plain = TrainPlainly(training, ToyParameters.Initial(training.Shape, 4, 0));
        // Twenty steps of at most .003: single precision and the sign of tiny gradients, which Adam normalises, leave less than a tenth of one.
        for (var i = 0; i < plain.W.Data.Length; i++)
            Assert.Equal(plain.W.Data[i], fast.W.Data[i], 3e-4);
        for (var i = 0; i < plain.B.Length; i++)
            Assert.Equal(plain.B[i], fast.B[i], 3e-4);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(-20)]
    [InlineData(0.5)]
    public void Rows_decay_as_those_of_the_plain_training(double decay)
    {
        var training = Small with { Steps = 20, RowDecay = decay };
        var start = ToyParameters.Initial(training.Shape, 4, 0);
        var fast = PopulationTrainer.Train(training, 4, [start], null, TestContext.Current.CancellationToken)[0].Parameters;
        var plain = TrainPlainly(training, start);
        for (var i = 0; i < plain.W.Data.Length; i++)
            Assert.Equal(plain.W.Data[i], fast.W.Data[i], 3e-4);
        for (var i = 0; i < plain.B.Length; i++)
            Assert.Equal(plain.B[i], fast.B[i], 3e-4);
    }

    [Fact]
    public void The_learning_rate_rises_to_its_peak_and_falls_to_zero_as_a_quarter_cosine()
    {
        var training = Small with { Steps = 1000, LearningRate = 2, Warmup = 0.05 };
        Assert.True(training.RateAt(0) < 0.05);
        Assert.Equal(2, training.RateAt(50), 1e-12);
        Assert.Equal(2 * Math.Cos(Math.PI / 4), training.RateAt(525), 1e-12);
        Assert.InRange(training.RateAt(999), 0, 0.01);
        Assert.Equal(2, (training with { Warmup = 0 }).RateAt(0), 1e-12);
    }

    [Fact]
    public void Training_lowers_the_loss_and_records_it()
    {
        var model = Train(Small with { Steps = 1000 }, 1)[0];
        Assert.Null(model.DivergedAt);
        Assert.Equal(1000, model.Curve[^1].Step);
        Assert.True(model.Curve[^1].Loss < 0.7 * model.Curve[0].Loss);
    }

    [Fact]
    public void Divergence_is_reported_with_its_step_and_the_others_go_on()
    {
        var bad = ToyParameters.Initial(Small.Shape, 4, 0);
        bad.W.Data[0] = 1e30;
        var good = ToyParameters.Initial(Small.Shape, 4, 1);
        var models = PopulationTrainer.Train(Small, 4, [bad, good], null, TestContext.Current.CancellationToken);
        Assert.Equal(0, models[0].DivergedAt);
        Assert.Null(models[1].DivergedAt);
        Assert.All(models[1].Parameters.W.Data, value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void Cancelling_stops_it()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => PopulationTrainer.Train(Small, 0, Initial(Small.Shape, 2), null, cancelled.Token));
    }

    [Fact]
    public void Progress_ends_at_the_total()
    {
        var steps = new List<Step>();
        PopulationTrainer.Train(
            Small with
            {
                Threads = 1,
            },
            0,
            Initial(Small.Shape, 3),
            new Recorder(steps),
            TestContext.Current.CancellationToken
        );
        Assert.Equal(600, steps[^1].Done);
        Assert.All(steps, step => Assert.Equal(600, step.Total));
    }

    public static TheoryData<string> Impossible { get; } =
        new(
            "features",
            "importances",
            "importance is",
            "density",
            "groups of",
            "steps",
            "learning rate",
            "warmup",
            "batch",
            "rows are",
            "hidden penalty",
            "snapshot 1",
            "snapshots of all"
        );

    [Theory]
    [MemberData(nameof(Impossible))]
    public void Impossible_trainings_are_refused_with_the_value(string said)
    {
        var shape = Small.Shape;
        var training = said switch
        {
            "features" => Small with { Shape = shape with { Features = 0 } },
            "importances" => Small with { Shape = shape with { Importance = [1] } },
            "importance is" => Small with { Shape = shape with { Importance = [.. Enumerable.Repeat(-1f, 12)] } },
            "density" => Small with { Inputs = new ToyInputs.Fresh(1.5) },
            "groups of" => Small with { Inputs = new ToyInputs.Fresh(0.5, 5) },
            "steps" => Small with { Steps = 0 },
            "learning rate" => Small with { LearningRate = 0 },
            "warmup" => Small with { Warmup = 1 },
            "batch" => Small with { Batch = 0 },
            "rows are" => Small with { Inputs = new ToyInputs.DataSet(SparseRows.FromMatrix(new Matrix(3, 4)), true) },
            "hidden penalty" => Small with { Shape = shape with { HiddenPenalty = -1 } },
            "snapshot 1" => Small with { SnapshotSteps = [3, 3] },
            "snapshots of all" => Small with { Steps = 10_000_000, SnapshotSteps = [.. Enumerable.Range(0, 4_000_000)] },
            _ => throw new ArgumentOutOfRangeException(nameof(said), said, "no such case"),
        };
        Assert.Contains(
            said,
            Assert
                .Throws<ArgumentException>(() =>
                    PopulationTrainer.Train(training, 0, Initial(Small.Shape, 1), null, TestContext.Current.CancellationToken)
                )
                .Message
        );
    }

    [Fact]
    public void An_impossible_job_is_named()
    {
        var wrong = new ToyJob(Small with { Inputs = new ToyInputs.Fresh(2) }, 0, 0);
        Assert.StartsWith(
            "job 1: density is 2",
            Assert.Throws<ArgumentException>(() => TrainJobs([new ToyJob(Small, 0, 0), wrong], 1)).Message,
            StringComparison.Ordinal
        );
    }

    private static ToyModel[] TrainJobs(IReadOnlyList<ToyJob> jobs, int threads) =>
        PopulationTrainer.Train(jobs, threads, null, TestContext.Current.CancellationToken);

    private static void AssertSame(ToyModel expected, ToyModel actual)
    {
        Assert.Equal<double>(expected.Parameters.W.Data, actual.Parameters.W.Data);
        Assert.Equal<double>(expected.Parameters.B, actual.Parameters.B);
        Assert.Equal(expected.Curve, actual.Curve);
        Assert.Equal(expected.DivergedAt, actual.DivergedAt);
        Assert.Equal(expected.Snapshots.Count, actual.Snapshots.Count);
    }

    private static ToyModel[] Train(ToyTraining training, int models) =>
        PopulationTrainer.Train(training, 4, Initial(training.Shape, models), null, TestContext.Current.CancellationToken);

    private static ToyParameters[] Initial(ToyShape shape, int models) =>
        [.. Enumerable.Range(0, models).Select(model => ToyParameters.Initial(shape, 4, model))];

    /// <summary>Adam as its paper writes it, in double precision, on the plain gradients.</summary>
    private static ToyParameters TrainPlainly(ToyTraining training, ToyParameters start)
    {
        double[] values = [.. start.W.Data, .. start.B];
        double[] first = new double[values.Length],
            second = new double[values.Length];
        ToyParameters Current() =>
            new(new Matrix(start.W.Rows, start.W.Columns, values[..start.W.Data.Length]), values[start.W.Data.Length..]);
        for (var step = 0; step < training.Steps; step++)
        {
            var (_, w, b) = ToyReference.Gradient(training.Shape, Current(), PopulationTrainer.BatchOf(training, 4, 0).ToMatrix(step));
            double[] gradient = [.. w.Data, .. b];
            var rate = training.RateAt(step);
            for (var i = 0; i < start.W.Rows; i++)
            {
                var row = values.AsSpan(i * start.W.Columns, start.W.Columns);
                var norm = Math.Sqrt(row.ToArray().Sum(value => value * value));
                var pull =
                    training.RowDecay > 0 ? 1
                    : norm > 0 ? 1 - (1 / norm)
                    : 0;
                foreach (ref var value in row)
                    value += (training.RowDecay > 0 ? -1 : 1) * rate * training.RowDecay * pull * value;
            }
            for (var i = 0; i < values.Length; i++)
            {
                first[i] = (0.9 * first[i]) + (0.1 * gradient[i]);
                second[i] = (0.999 * second[i]) + (0.001 * gradient[i] * gradient[i]);
                var corrected = first[i] / (1 - Math.Pow(0.9, step + 1));
                var scale = Math.Sqrt(second[i] / (1 - Math.Pow(0.999, step + 1))) + 1e-8;
                values[i] = (values[i] * (1 - (rate * training.WeightDecay))) - (rate * corrected / scale);
            }
        }
        return Current();
    }

    private sealed class Recorder(List<Step> steps) : IProgress<Step>
    {
        public void Report(Step value) => steps.Add(value);
    }
}
