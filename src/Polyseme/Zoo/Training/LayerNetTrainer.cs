using System.Runtime.Intrinsics;
using Polyseme.Numerics;
using Polyseme.Numerics.Simd;
using Polyseme.Runs;

namespace Polyseme.Zoo.Training;

/// <summary>Trains many two-layer networks: a worker per core, each model from beginning to end by one of them.</summary>
/// <remarks>A model's result depends on its seed, its number and its training, not on how many others there are or how many workers.</remarks>
public static class LayerNetTrainer
{
    /// <summary>Trains the models.</summary>
    /// <param name="training">What and how.</param>
    /// <param name="seed">The seed. Model k draws its data from the stream <c>layer-net/data/k</c>.</param>
    /// <param name="initial">The parameters that each model starts from.</param>
    /// <param name="progress">Told the steps done over all models.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>One trained model per start, in their order.</returns>
    /// <exception cref="ArgumentException">Impossible sizes, densities or importances, or parameters of another shape; says which.</exception>
    public static LayerNetModel[] Train(
        LayerNetTraining training,
        ulong seed,
        IReadOnlyList<LayerNetParameters> initial,
        IProgress<Step>? progress = null,
        CancellationToken cancellation = default
    )
    {
        training.Check();
        foreach (var parameters in initial)
            Check(training.Shape, parameters);
        var models = new LayerNetModel[initial.Count];
        var done = 0L;
        var total = (long)initial.Count * training.Steps;
        var next = -1;
        Parallel.For(
            0,
            Math.Min(training.Threads, initial.Count),
            new ParallelOptions { MaxDegreeOfParallelism = training.Threads, CancellationToken = cancellation },
            _ =>
            {
                using var space = new LayerNetWorkspace(training.Shape, training.Batch);
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
    internal static (double Loss, LayerNetParameters Gradient) Gradient(
        LayerNetTraining training,
        ulong seed,
        int model,
        int step,
        LayerNetParameters parameters
    )
    {
        training.Check();
        using var space = new LayerNetWorkspace(training.Shape, training.Batch);
        space.Load(parameters);
        var loss = Gradient(training, space, BatchOf(training, seed, model), step, withLoss: true);
        return (loss!.Value, space.SaveGradient());
    }

    /// <summary>The batches that a model is trained on.</summary>
    internal static LayerNetBatch BatchOf(LayerNetTraining training, ulong seed, int model) =>
        new(training.Inputs, training.Targets, training.Shape.Inputs, training.Batch, seed, RandomStream.LaneOf($"layer-net/data/{model}"));

    private static LayerNetModel TrainOne(
        LayerNetTraining training,
        ulong seed,
        int model,
        LayerNetParameters initial,
        LayerNetWorkspace space,
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
            var withLoss = (step + 1) % every == 0 || step + 1 == training.Steps;
            if (Gradient(training, space, batch, step, withLoss) is { } now)
            {
                loss = now;
                if (double.IsFinite(now))
                    curve.Add(new CurvePoint(step + 1, now));
            }
            if (!Apply(training, space, step))
            {
                report(training.Steps - reported, loss);
                return new LayerNetModel(model, space.Save(), curve, step);
            }
            if (step + 1 - reported == stepsPerReport || step + 1 == training.Steps)
            {
                report(step + 1 - reported, loss);
                reported = step + 1;
            }
        }
        return new LayerNetModel(model, space.Save(), curve, null);
    }

    private static double? Gradient(LayerNetTraining training, LayerNetWorkspace space, LayerNetBatch batch, int step, bool withLoss) =>
        training.Instructions switch
        {
            InstructionSet.Vector512 => LayerNetKernel<Simd512, Vector512<float>>.Gradient(training.Shape, space, batch, step, withLoss),
            InstructionSet.Vector256 => LayerNetKernel<Simd256, Vector256<float>>.Gradient(training.Shape, space, batch, step, withLoss),
            InstructionSet.Scalar => LayerNetKernel<SimdScalar, float>.Gradient(training.Shape, space, batch, step, withLoss),
            _ => throw new ArgumentOutOfRangeException(nameof(training), training.Instructions, "no such instruction set"),
        };

    private static bool Apply(LayerNetTraining training, LayerNetWorkspace space, int step) =>
        training.Instructions switch
        {
            InstructionSet.Vector512 => LayerNetKernel<Simd512, Vector512<float>>.Step(training, space, step),
            InstructionSet.Vector256 => LayerNetKernel<Simd256, Vector256<float>>.Step(training, space, step),
            InstructionSet.Scalar => LayerNetKernel<SimdScalar, float>.Step(training, space, step),
            _ => throw new ArgumentOutOfRangeException(nameof(training), training.Instructions, "no such instruction set"),
        };

    private static void Check(LayerNetShape shape, LayerNetParameters parameters)
    {
        if (
            (parameters.W1.Rows, parameters.W1.Columns, parameters.B1.Length) != (shape.Hidden, shape.Width, shape.Hidden)
            || (parameters.W2.Rows, parameters.W2.Columns, parameters.B2.Length) != (shape.Outputs, shape.Hidden, shape.Outputs)
        )
        {
            throw new ArgumentException(
                $"parameters of {parameters.W1.Columns} inputs, {parameters.W1.Rows} neurons and {parameters.W2.Rows} outputs do not fit a network of {shape.Width}, {shape.Hidden} and {shape.Outputs}",
                nameof(parameters)
            );
        }
    }
}
