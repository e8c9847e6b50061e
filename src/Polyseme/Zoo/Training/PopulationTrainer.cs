using System.Runtime.Intrinsics;
using Polyseme.Numerics;
using Polyseme.Numerics.Simd;
using Polyseme.Runs;

namespace Polyseme.Zoo.Training;

/// <summary>Trains many toy models: a worker per core, each model from beginning to end in the cache of one of them.</summary>
/// <remarks>A model's result depends on its seed, its number and its training, not on how many others there are or how many workers.</remarks>
public static class PopulationTrainer
{
    /// <summary>Trains the models.</summary>
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
    )
    {
        Check(training);
        foreach (var parameters in initial)
            Check(training.Shape, parameters);
        var models = new ToyModel[initial.Count];
        var done = 0L;
        var total = (long)initial.Count * training.Steps;
        var options = new ParallelOptions { MaxDegreeOfParallelism = training.Threads, CancellationToken = cancellation };
        var next = -1;
        // Workers take the next model when they are free; the one block of memory that a worker has serves all its models.
        Parallel.For(
            0,
            Math.Min(training.Threads, initial.Count),
            options,
            _ =>
            {
                using var space = new ToyWorkspace(training.Shape, BatchSize(training));
                for (var model = Interlocked.Increment(ref next); model < initial.Count; model = Interlocked.Increment(ref next))
                {
                    models[model] = TrainOne(
                        training,
                        seed,
                        model,
                        initial[model],
                        space,
                        (steps, loss) =>
                            progress?.Report(
                                new Step("training", Interlocked.Add(ref done, steps), total, loss is { } value ? $"loss {value:G4}" : null)
                            ),
                        cancellation
                    );
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
        Check(training);
        using var space = new ToyWorkspace(training.Shape, BatchSize(training));
        space.Load(parameters);
        var batch = BatchOf(training, seed, model);
        batch.Make(step);
        var loss = Gradient(training, space, batch, step, withLoss: true);
        var (w, b) = space.Gradient();
        return (loss!.Value, w, b);
    }

    /// <summary>The batches that a model is trained on.</summary>
    internal static ToyBatch BatchOf(ToyTraining training, ulong seed, int model) =>
        new(training.Inputs, training.Shape.Features, BatchSize(training), seed, RandomStream.LaneOf($"toy/data/{model}"));

    private static ToyModel TrainOne(
        ToyTraining training,
        ulong seed,
        int model,
        ToyParameters initial,
        ToyWorkspace space,
        Action<int, double?> report,
        CancellationToken cancellation
    )
    {
        const int stepsPerReport = 256;
        space.Load(initial);
        var batch = BatchOf(training, seed, model);
        var curve = new List<CurvePoint>();
        var every = Math.Max(1, training.Steps / Math.Max(1, training.CurvePoints));
        double? loss = null;
        var reported = 0;
        for (var step = 0; step < training.Steps; step++)
        {
            if (step % 16 == 0)
                cancellation.ThrowIfCancellationRequested();
            batch.Make(step);
            var withLoss = (step + 1) % every == 0 || step + 1 == training.Steps;
            if (Gradient(training, space, batch, step, withLoss) is { } now)
            {
                loss = now;
                if (double.IsFinite(now))
                    curve.Add(new CurvePoint(step + 1, now));
            }
            if (!Adam(training, space, step))
            {
                report(training.Steps - reported, loss);
                return new ToyModel(model, space.Save(), curve, step);
            }
            if (step + 1 - reported == stepsPerReport || step + 1 == training.Steps)
            {
                report(step + 1 - reported, loss);
                reported = step + 1;
            }
        }
        return new ToyModel(model, space.Save(), curve, null);
    }

    private static double? Gradient(ToyTraining training, ToyWorkspace space, ToyBatch batch, int step, bool withLoss) =>
        training.Instructions switch
        {
            InstructionSet.Vector512 => ToyKernel<Simd512, Vector512<float>>.Gradient(training.Shape, space, batch, step, withLoss),
            InstructionSet.Vector256 => ToyKernel<Simd256, Vector256<float>>.Gradient(training.Shape, space, batch, step, withLoss),
            InstructionSet.Scalar => ToyKernel<SimdScalar, float>.Gradient(training.Shape, space, batch, step, withLoss),
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

    private static int BatchSize(ToyTraining training) =>
        training.Inputs is ToyInputs.DataSet { WholeSetEveryStep: true } set ? set.Rows.Count : training.Batch;

    private static void Check(ToyTraining training)
    {
        var shape = training.Shape;
        static void Require(bool holds, string message)
        {
            if (!holds)
                throw new ArgumentException(message, nameof(training));
        }
        Require(shape.Features is >= 1 and <= 100_000, $"features is {shape.Features}; it ranges from 1 to 100000");
        Require(shape.Hidden is >= 1 and <= 4096, $"hidden is {shape.Hidden}; it ranges from 1 to 4096");
        Require(
            shape.Importance.Length == shape.Features,
            $"there are {shape.Importance.Length} importances, but {shape.Features} features"
        );
        foreach (var importance in shape.Importance)
            Require(float.IsFinite(importance) && importance >= 0, $"importance is {importance}; it is finite and not negative");
        Require(training.Steps is >= 1, $"steps is {training.Steps}; it is at least 1");
        Require(training.Threads is >= 1, $"threads is {training.Threads}; it is at least 1");
        Require(BatchSize(training) is >= 1 and <= 1 << 20, $"batch is {BatchSize(training)}; it ranges from 1 to {1 << 20}");
        Require((long)BatchSize(training) * shape.Features < 1 << 30, "batch times features reaches 2^30");
        Require(training.Warmup is >= 0 and < 1, $"warmup is {training.Warmup}; it ranges from 0 to below 1");
        Require(training.LearningRate is > 0 and <= 100, $"learning rate is {training.LearningRate}; it lies above 0 and at most at 100");
        Require(training.WeightDecay is >= 0 and <= 100, $"weight decay is {training.WeightDecay}; it ranges from 0 to 100");
        switch (training.Inputs)
        {
            case ToyInputs.Fresh fresh:
                Require(fresh.Density is > 0 and <= 1, $"density is {fresh.Density}; it lies above 0 and at most at 1");
                Require(
                    fresh.GroupSize >= 1 && shape.Features % Math.Max(1, fresh.GroupSize) == 0,
                    $"{shape.Features} features do not fall into groups of {fresh.GroupSize}"
                );
                break;
            case ToyInputs.DataSet set:
                Require(set.Rows.Width == shape.Features, $"data rows are {set.Rows.Width} wide, but there are {shape.Features} features");
                Require(set.Rows.Count >= 1, "the data set has no rows");
                break;
        }
    }

    private static void Check(ToyShape shape, ToyParameters parameters)
    {
        if (parameters.W.Rows != shape.Features || parameters.W.Columns != shape.Hidden || parameters.B.Length != shape.Features)
        {
            throw new ArgumentException(
                $"parameters of {parameters.W.Rows} features, {parameters.W.Columns} hidden units and {parameters.B.Length} biases do not fit a model of {shape.Features} and {shape.Hidden}",
                nameof(parameters)
            );
        }
    }
}
