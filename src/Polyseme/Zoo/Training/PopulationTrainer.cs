using System.Runtime.ExceptionServices;
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

    /// <summary>Multiply-adds between two moments at which a model is handed to the checkpoint: a fraction of a second.</summary>
    private const long WorkPerHandIn = 1L << 28;

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
    ) => Train(training, seed, initial, null, progress, cancellation);

    /// <summary>As without a checkpoint, for a training that can be stopped and continued to the same bytes.</summary>
    /// <param name="training">What and how.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="initial">The parameters that each model starts from.</param>
    /// <param name="checkpoint">What was trained before, and is kept from now on; <c>null</c> = everything is trained, nothing is kept.</param>
    /// <param name="progress">Told the steps done over all models.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>One trained model per start, in their order.</returns>
    /// <exception cref="ArgumentException">Impossible sizes, densities or importances; says which.</exception>
    public static ToyModel[] Train(
        ToyTraining training,
        ulong seed,
        IReadOnlyList<ToyParameters> initial,
        PopulationCheckpoint? checkpoint,
        IProgress<Step>? progress,
        CancellationToken cancellation
    ) =>
        Train(
            [.. initial.Select((start, model) => new ToyJob(training, seed, model, start))],
            training.Threads,
            checkpoint,
            progress,
            cancellation
        );

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
    ) => Train(jobs, threads, null, progress, cancellation);

    /// <summary>As without a checkpoint, for a training that can be stopped and continued to the same bytes.</summary>
    /// <param name="jobs">The models.</param>
    /// <param name="threads">Workers. At least 1.</param>
    /// <param name="checkpoint">What was trained before, and is kept from now on; <c>null</c> = everything is trained, nothing is kept.</param>
    /// <param name="progress">Told the steps done over all models.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>One trained model per job, in their order.</returns>
    /// <exception cref="ArgumentException">An impossible training; says which job, which value and its range. Nothing has been trained.</exception>
    public static ToyModel[] Train(
        IReadOnlyList<ToyJob> jobs,
        int threads,
        PopulationCheckpoint? checkpoint,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        Check(jobs);
        ToyTraining.Require(threads >= 1, $"threads is {threads}; it is at least 1");
        var kept = checkpoint?.Begin(jobs);
        var models = new ToyModel[jobs.Count];
        var done = 0L;
        var total = jobs.Sum(job => (long)job.Training.Steps);
        // Stopped too when a worker fails, so that the others do not first train to the end.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var next = -1;

        void TrainOrTake(ToyJob job, int at, ToyWorkspace space)
        {
            var before = kept?[at];
            if (before is not null)
                Interlocked.Add(ref done, before.Moments is null ? job.Training.Steps : before.Step);
            models[at] = before is { Moments: null }
                ? before.Model
                : TrainOne(
                    job,
                    space,
                    before,
                    kept is null ? null : now => kept[at] = now,
                    checkpoint is null ? null : checkpoint.Offer,
                    (steps, loss) =>
                        progress?.Report(
                            new Step("training", Interlocked.Add(ref done, steps), total, loss is { } value ? $"loss {value:G4}" : null)
                        ),
                    stop.Token
                );
            if (kept is null || before is { Moments: null })
                return;
            kept[at] = new ToyProgress(models[at].DivergedAt ?? job.Training.Steps, models[at], null);
            checkpoint!.Offer();
        }

        // Workers take the next model when they are free; the one block of memory that a worker has serves all models of a shape.
        void Work()
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
                    TrainOrTake(job, at, space!);
                }
            }
            catch
            {
                stop.Cancel();
                throw;
            }
            finally
            {
                space?.Dispose();
            }
        }

        try
        {
            Parallel.For(0, Math.Min(threads, jobs.Count), new ParallelOptions { MaxDegreeOfParallelism = threads }, _ => Work());
        }
        catch (AggregateException e)
        {
            cancellation.ThrowIfCancellationRequested();
            // What stopped the workers, not what they say about having been stopped.
            ExceptionDispatchInfo.Throw(
                e.InnerExceptions.FirstOrDefault(inner => inner is not OperationCanceledException) ?? e.InnerExceptions[0]
            );
        }
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

    private static ToyModel TrainOne(
        ToyJob job,
        ToyWorkspace space,
        ToyProgress? before,
        Action<ToyProgress>? handIn,
        Action? offer,
        Action<int, double?> report,
        CancellationToken cancellation
    )
    {
        const int stepsPerReport = 256;
        var training = job.Training;
        if (before?.Moments is { } moments)
            space.Load(before.Model.Parameters, moments);
        else
            space.Load(job.Initial);
        var batch = BatchOf(training, job.Seed, job.Model);
        var curve = before?.Model.Curve.ToList() ?? [];
        var snapshots = before?.Model.Snapshots.ToList() ?? [];
        var every = Math.Max(1, training.Steps / Math.Max(1, training.CurvePoints));
        var stepsPerHandIn = Math.Max(1, WorkPerHandIn / ((long)training.SamplesPerStep * training.Shape.Features * training.Shape.Hidden));
        var loss = curve.Count > 0 ? curve[^1].Loss : (double?)null;
        var begun = before?.Step ?? 0;
        var reported = begun;
        ToyModel Model(int? divergedAt) => new(job.Model, space.Save(), [.. curve], divergedAt) { Snapshots = [.. snapshots] };
        for (var step = begun; step < training.Steps; step++)
        {
            var stopped = cancellation.IsCancellationRequested;
            if (handIn is not null && (stopped || (step > begun && step % stepsPerHandIn == 0)))
                handIn(new ToyProgress(step, Model(null), space.SaveMoments()));
            if (stopped)
                cancellation.ThrowIfCancellationRequested();
            if (step % stepsPerHandIn == 0)
                offer?.Invoke();
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
                return Model(step);
            }
            if (step + 1 - reported == stepsPerReport || step + 1 == training.Steps)
            {
                report(step + 1 - reported, loss);
                reported = step + 1;
            }
        }
        KeepSnapshot(training, space, training.Steps, snapshots);
        return Model(null);
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
            InstructionSet.Vector512 => ToyKernel<Simd512, Vector512<float>>.Adam(space, step, training),
            InstructionSet.Vector256 => ToyKernel<Simd256, Vector256<float>>.Adam(space, step, training),
            InstructionSet.Scalar => ToyKernel<SimdScalar, float>.Adam(space, step, training),
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
