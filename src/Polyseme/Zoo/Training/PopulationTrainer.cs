using System.Runtime.Intrinsics;
using Polyseme.Numerics;
using Polyseme.Numerics.Simd;
using Polyseme.Runs;

namespace Polyseme.Zoo.Training;

/// <summary>Trains many toy models: a worker per core, each model from beginning to end in the cache of one of them.</summary>
/// <remarks>A model's result depends on its seed, its number and its training, not on how many others there are or how many workers.</remarks>
public static class PopulationTrainer
{
    /// <summary>Numbers that the snapshots of all models may hold together: a gigabyte.</summary>
    private const long MostSnapshotNumbers = 1L << 27;

    /// <summary>Trains models that differ in nothing but where they start and what they draw.</summary>
    /// <param name="training">What and how.</param>
    /// <param name="seed">The seed. Model k draws its data from the stream <c>toy/data/k</c>.</param>
    /// <param name="initial">The parameters that each model starts from.</param>
    /// <param name="progress">Told the steps done over all models.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>One trained model per start, in their order.</returns>
    /// <exception cref="ArgumentException">Impossible sizes, densities or importances; says which.</exception>
    public static ToyModel[] Train(
        ToyTraining training,
        ulong seed,
        IReadOnlyList<ToyParameters> initial,
        IProgress<Step>? progress = null,
        CancellationToken cancellation = default
    ) => Train([.. initial.Select((start, model) => new ToyJob(training, seed, model, start))], training.Threads, progress, cancellation);

    /// <summary>Trains models each of which has its own training.</summary>
    /// <param name="jobs">The models, of any shapes, inputs and lengths.</param>
    /// <param name="threads">Workers; <see cref="ToyTraining.Threads"/> is not read. At least 1.</param>
    /// <param name="progress">Told the steps done over all models.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>One trained model per job, in their order.</returns>
    /// <exception cref="ArgumentException">An impossible training; says which job, which value and its range. Nothing has been trained.</exception>
    public static ToyModel[] Train(
        IReadOnlyList<ToyJob> jobs,
        int threads,
        IProgress<Step>? progress = null,
        CancellationToken cancellation = default
    )
    {
        Check(jobs);
        ToyTraining.Require(threads >= 1, $"threads is {threads}; it is at least 1");
        var models = new ToyModel[jobs.Count];
        var done = 0L;
        var total = jobs.Sum(job => (long)job.Training.Steps);
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        var next = -1;
        // Workers take the next model when they are free; the one block of memory that a worker has serves all models of a shape.
        Parallel.For(
            0,
            Math.Min(threads, jobs.Count),
            options,
            _ =>
            {
                ToyWorkspace? space = null;
                ToyTraining? made = null;
                try
                {
                    for (var at = Interlocked.Increment(ref next); at < jobs.Count; at = Interlocked.Increment(ref next))
                    {
                        var job = jobs[at];
                        if (made is null || !Fits(made, job.Training))
                        {
                            space?.Dispose();
                            space = new ToyWorkspace(job.Training.Shape, job.Training.SamplesPerStep);
                        }
                        made = job.Training;
                        models[at] = TrainOne(
                            job,
                            space!,
                            (steps, loss) =>
                                progress?.Report(
                                    new Step(
                                        "training",
                                        Interlocked.Add(ref done, steps),
                                        total,
                                        loss is { } value ? $"loss {value:G4}" : null
                                    )
                                ),
                            cancellation
                        );
                    }
                }
                finally
                {
                    space?.Dispose();
                }
            }
        );
        return models;
    }

    /// <summary>Loss and gradients of one batch, by the fast kernel; what the tests compare with the plain version and with autograd.</summary>
    internal static (double Loss, Matrix W, double[] B) Gradient(
        ToyTraining training,
        ulong seed,
        int model,
        int step,
        ToyParameters parameters
    )
    {
        training.Check();
        using var space = new ToyWorkspace(training.Shape, training.SamplesPerStep);
        space.Load(parameters);
        var batch = BatchOf(training, seed, model);
        batch.Make(step);
        var loss = Gradient(training, space, batch, withLoss: true);
        var (w, b) = space.Gradient();
        return (loss!.Value, w, b);
    }

    /// <summary>The batches that a model is trained on.</summary>
    internal static ToyBatch BatchOf(ToyTraining training, ulong seed, int model) =>
        new(training.Inputs, training.Shape.Features, training.SamplesPerStep, seed, RandomStream.LaneOf($"toy/data/{model}"));

    private static ToyModel TrainOne(ToyJob job, ToyWorkspace space, Action<int, double?> report, CancellationToken cancellation)
    {
        const int stepsPerReport = 256;
        var training = job.Training;
        space.Load(job.Initial);
        var batch = BatchOf(training, job.Seed, job.Model);
        var curve = new List<CurvePoint>();
        var snapshots = new List<ToySnapshot>();
        var every = Math.Max(1, training.Steps / Math.Max(1, training.CurvePoints));
        double? loss = null;
        var reported = 0;
        for (var step = 0; step < training.Steps; step++)
        {
            if (step % 16 == 0)
                cancellation.ThrowIfCancellationRequested();
            KeepSnapshot(training, space, step, snapshots);
            batch.Make(step);
            var withLoss = (step + 1) % every == 0 || step + 1 == training.Steps;
            if (Gradient(training, space, batch, withLoss) is { } now)
            {
                loss = now;
                if (double.IsFinite(now))
                    curve.Add(new CurvePoint(step + 1, now));
            }
            if (!Adam(training, space, step))
            {
                report(training.Steps - reported, loss);
                return new ToyModel(job.Model, space.Save(), curve, step) { Snapshots = snapshots };
            }
            if (step + 1 - reported == stepsPerReport || step + 1 == training.Steps)
            {
                report(step + 1 - reported, loss);
                reported = step + 1;
            }
        }
        KeepSnapshot(training, space, training.Steps, snapshots);
        return new ToyModel(job.Model, space.Save(), curve, null) { Snapshots = snapshots };
    }

    private static void KeepSnapshot(ToyTraining training, ToyWorkspace space, int step, List<ToySnapshot> snapshots)
    {
        if (snapshots.Count < training.SnapshotSteps.Count && training.SnapshotSteps[snapshots.Count] == step)
            snapshots.Add(new ToySnapshot(step, space.Save()));
    }

    private static double? Gradient(ToyTraining training, ToyWorkspace space, ToyBatch batch, bool withLoss) =>
        training.Instructions switch
        {
            InstructionSet.Vector512 => ToyKernel<Simd512, Vector512<float>>.Gradient(training.Shape, space, batch, withLoss),
            InstructionSet.Vector256 => ToyKernel<Simd256, Vector256<float>>.Gradient(training.Shape, space, batch, withLoss),
            InstructionSet.Scalar => ToyKernel<SimdScalar, float>.Gradient(training.Shape, space, batch, withLoss),
            _ => throw new ArgumentOutOfRangeException(nameof(training), training.Instructions, "no such instruction set"),
        };

    private static bool Adam(ToyTraining training, ToyWorkspace space, int step) =>
        training.Instructions switch
        {
            InstructionSet.Vector512 => ToyKernel<Simd512, Vector512<float>>.Adam(space, step, training.RateAt(step), training.WeightDecay),
            InstructionSet.Vector256 => ToyKernel<Simd256, Vector256<float>>.Adam(space, step, training.RateAt(step), training.WeightDecay),
            InstructionSet.Scalar => ToyKernel<SimdScalar, float>.Adam(space, step, training.RateAt(step), training.WeightDecay),
            _ => throw new ArgumentOutOfRangeException(nameof(training), training.Instructions, "no such instruction set"),
        };

    /// <summary>Whether memory made for one training serves another: it holds the importances.</summary>
    private static bool Fits(ToyTraining made, ToyTraining training) =>
        made.Shape.Features == training.Shape.Features
        && made.Shape.Hidden == training.Shape.Hidden
        && made.SamplesPerStep == training.SamplesPerStep
        && made.Shape.Importance.AsSpan().SequenceEqual(training.Shape.Importance);

    private static void Check(IReadOnlyList<ToyJob> jobs)
    {
        var snapshots = 0L;
        for (var at = 0; at < jobs.Count; at++)
        {
            try
            {
                // Jobs that follow each other often share their training.
                if (at == 0 || !ReferenceEquals(jobs[at].Training, jobs[at - 1].Training))
                    jobs[at].Training.Check();
                jobs[at].Training.Shape.Check(jobs[at].Initial);
            }
            catch (ArgumentException e) when (jobs.Count > 1)
            {
                throw new ArgumentException($"job {at}: {e.Message}", nameof(jobs), e);
            }
            snapshots += jobs[at].Training.SnapshotNumbers;
        }
        ToyTraining.Require(
            snapshots <= MostSnapshotNumbers,
            $"the snapshots of all models hold {snapshots} numbers; they hold at most {MostSnapshotNumbers}"
        );
    }
}
