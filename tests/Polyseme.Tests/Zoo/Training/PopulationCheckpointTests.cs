using System.Text.Json.Nodes;
using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Tests.Zoo.Training;

public sealed class PopulationCheckpointTests : IDisposable
{
    private static readonly RunManifest s_run = new()
    {
        Command = "zoo train",
        Name = "tms",
        Seed = 3,
        Threads = 2,
        Config = new JsonObject { ["steps"] = 700, ["density"] = 0.1 },
    };

    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("checkpoint.safetensors");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void However_often_it_is_stopped_training_ends_at_the_same_bits(int threads)
    {
        var jobs = Jobs();
        var expected = PopulationTrainer.Train(jobs, threads, null, TestContext.Current.CancellationToken);
        Assert.Contains(expected, model => model.DivergedAt is not null);
        foreach (var reports in new[] { 1, 2, 3, 5 })
        {
            IReadOnlyList<PopulationState> state = [];
            var stops = 0;
            ToyModel[]? models = null;
            while (models is null)
            {
                using var stop = new CancellationTokenSource();
                var checkpoint = new PopulationCheckpoint(state, () => false, _ => { });
                try
                {
                    models = PopulationTrainer.Train(jobs, threads, checkpoint, new StopAfter(reports, stop), stop.Token);
                }
                catch (OperationCanceledException)
                {
                    PopulationStateFile.Write(Path, s_run, checkpoint.State);
                    state = PopulationStateFile.Read(Path, s_run);
                    stops++;
                }
            }
            Assert.True(stops >= 2, $"stopped {stops} times");
            for (var k = 0; k < jobs.Length; k++)
                AssertSame(expected[k], models[k]);
        }
    }

    [Fact]
    public void A_state_saved_on_the_way_is_as_good_as_the_one_at_the_end()
    {
        // Steps so large that a model is handed in after each.
        var training = new ToyTraining
        {
            Shape = new ToyShape(64, 64, HiddenRelu: false, OutputRelu: true, ToyShape.Uniform(64)),
            Inputs = new ToyInputs.Fresh(0.01),
            Batch = 1 << 16,
            Steps = 4,
            LearningRate = 1e-2,
            CurvePoints = 2,
        };
        ToyJob[] jobs = [new(training, 1, 0)];
        var saved = new List<IReadOnlyList<PopulationState>>();
        var token = TestContext.Current.CancellationToken;
        var expected = PopulationTrainer.Train(jobs, 1, new PopulationCheckpoint([], () => true, saved.Add), null, token)[0];
        Assert.Equal([null, 1, 2, 3, 4], saved.Select(state => state[0].Models[0]?.Step));
        foreach (var state in saved)
            AssertSame(expected, PopulationTrainer.Train(jobs, 1, new PopulationCheckpoint(state, () => false, _ => { }), null, token)[0]);
    }

    [Fact]
    public void What_is_finished_is_not_trained_again_and_another_population_is_another()
    {
        var jobs = Jobs();
        var checkpoint = new PopulationCheckpoint([], () => false, _ => { });
        var token = TestContext.Current.CancellationToken;
        var first = PopulationTrainer.Train(jobs, 2, checkpoint, null, token);
        var again = PopulationTrainer.Train(jobs, 1, checkpoint, null, token);
        Assert.All(first.Zip(again), pair => Assert.Same(pair.First, pair.Second));
        PopulationTrainer.Train([.. jobs.Reverse()], 2, checkpoint, null, token);
        Assert.Equal(2, checkpoint.State.Count);
    }

    [Fact]
    public void Every_part_of_a_job_makes_it_another_population()
    {
        var job = Jobs()[0];
        var bent = ToyParameters.Initial(job.Training.Shape, job.Seed, job.Model);
        bent.W.Data[3] *= 1.5;
        var rows = SparseRows.FromMatrix(new RandomStream(1, "rows").NormalMatrix(5, 10));
        ToyJob[] others =
        [
            job,
            job with
            {
                Seed = 9,
            },
            job with
            {
                Model = 7,
            },
            job with
            {
                Initial = bent,
            },
            job with
            {
                Training = job.Training with { LearningRate = 1e-4 },
            },
            job with
            {
                Training = job.Training with { Inputs = new ToyInputs.Fresh(0.2) },
            },
            job with
            {
                Training = job.Training with { Inputs = new ToyInputs.DataSet(rows, true) },
            },
            job with
            {
                Training = job.Training with { Inputs = new ToyInputs.DataSet(rows, false) },
            },
            job with
            {
                Training = job.Training with { SnapshotSteps = [2] },
            },
        ];
        Assert.Equal(others.Length, others.Select(other => PopulationFingerprint.Of([other])).Distinct().Count());
        Assert.Equal(
            PopulationFingerprint.Of([job]),
            PopulationFingerprint.Of([job with { Training = job.Training with { Threads = 9 } }])
        );
    }

    [Fact]
    public void A_save_that_fails_ends_the_training_with_its_own_error()
    {
        var checkpoint = new PopulationCheckpoint([], () => true, _ => throw new IOException("no space"));
        var error = Assert.Throws<IOException>(() =>
            PopulationTrainer.Train(Jobs(), 2, checkpoint, null, TestContext.Current.CancellationToken)
        );
        Assert.Equal("no space", error.Message);
    }

    [Fact]
    public void A_torn_or_changed_file_is_refused()
    {
        var bytes = Written();
        for (var length = 0; length < bytes.Length; length += Math.Max(1, bytes.Length / 23))
        {
            File.WriteAllBytes(Path, bytes[..length]);
            Refused("checkpoint.safetensors");
        }
        foreach (var at in new[] { bytes.Length - 1, bytes.Length - 200, bytes.Length / 2 })
        {
            var changed = bytes.ToArray();
            changed[at] ^= 0x40;
            File.WriteAllBytes(Path, changed);
            Refused("checkpoint.safetensors");
        }
        SafetensorsFile.Write(Path, [SafetensorsTensor.Of("integers", [1, 2])]);
        Refused("no record of a run");
    }

    [Fact]
    public void A_checkpoint_of_another_run_is_refused_with_what_differs()
    {
        Written();
        Refused("found polyseme \"", s_run with { Polyseme = "9.9.9" }, "expected polyseme \"9.9.9\"");
        Refused("found seed 3; expected seed 4", s_run with { Seed = 4 });
        Refused("found threads 2; expected threads 1", s_run with { Threads = 1 });
        Refused(
            "found steps 700; expected steps 701",
            s_run with
            {
                Config = new JsonObject { ["steps"] = 701, ["density"] = 0.1 },
            }
        );
        Refused("found density 0.1; expected no density", s_run with { Config = new JsonObject { ["steps"] = 700 } });
    }

    private void Refused(string said, RunManifest? run = null, string? too = null)
    {
        var message = Assert.Throws<InputException>(() => PopulationStateFile.Read(Path, run ?? s_run)).Message;
        Assert.StartsWith(Path, message, StringComparison.Ordinal);
        Assert.Contains(said, message, StringComparison.Ordinal);
        Assert.Contains(too ?? said, message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", message, StringComparison.Ordinal);
    }

    private byte[] Written()
    {
        var checkpoint = new PopulationCheckpoint([], () => false, _ => { });
        PopulationTrainer.Train(Jobs(), 1, checkpoint, null, TestContext.Current.CancellationToken);
        PopulationStateFile.Write(Path, s_run, checkpoint.State);
        return File.ReadAllBytes(Path);
    }

    /// <summary>Models of different sizes, none a multiple of a register, with snapshots, a penalty, data sets, and one that diverges.</summary>
    private static ToyJob[] Jobs()
    {
        var plain = new ToyTraining
        {
            Shape = new ToyShape(10, 3, HiddenRelu: false, OutputRelu: true, ToyShape.Uniform(10)),
            Inputs = new ToyInputs.Fresh(0.1),
            Batch = 40,
            Steps = 700,
            LearningRate = 3e-3,
            WeightDecay = 0.01,
            SnapshotSteps = [0, 100, 257, 700],
        };
        var penalised = plain with
        {
            Shape = new ToyShape(7, 5, HiddenRelu: true, OutputRelu: true, [1, .9f, .8f, .7f, .6f, .5f, .4f]) { HiddenPenalty = 0.01 },
            Inputs = new ToyInputs.Fresh(1),
            Warmup = 0.1,
            SnapshotSteps = [],
        };
        var memorised = plain with
        {
            Inputs = new ToyInputs.DataSet(SparseRows.FromMatrix(new RandomStream(2, "points").NormalMatrix(30, 10)), false),
            Steps = 600,
            SnapshotSteps = [],
        };
        // Weights double with every step until they are no numbers any more.
        var diverging = plain with
        {
            WeightDecay = 30,
            LearningRate = 0.1,
            Steps = 650,
            SnapshotSteps = [20],
        };
        return [new(plain, 3, 0), new(penalised, 3, 1), new(diverging, 3, 2), new(memorised, 3, 3), new(plain, 3, 4)];
    }

    private static void AssertSame(ToyModel expected, ToyModel actual)
    {
        AssertSame(expected.Parameters, actual.Parameters);
        Assert.Equal(expected.Model, actual.Model);
        Assert.Equal(expected.Curve, actual.Curve);
        Assert.Equal(expected.DivergedAt, actual.DivergedAt);
        Assert.Equal(expected.Snapshots.Select(snapshot => snapshot.Step), actual.Snapshots.Select(snapshot => snapshot.Step));
        foreach (var (one, other) in expected.Snapshots.Zip(actual.Snapshots))
            AssertSame(one.Parameters, other.Parameters);
    }

    private static void AssertSame(ToyParameters expected, ToyParameters actual)
    {
        Assert.Equal<double>(expected.W.Data, actual.W.Data);
        Assert.Equal<double>(expected.B, actual.B);
    }

    private sealed class StopAfter(int reports, CancellationTokenSource stop) : IProgress<Step>
    {
        private int _left = reports;

        public void Report(Step value)
        {
            if (Interlocked.Decrement(ref _left) == 0)
                stop.Cancel();
        }
    }
}
