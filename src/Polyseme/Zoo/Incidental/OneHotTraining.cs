using Polyseme.Numerics;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Incidental;

/// <summary>How tied weights are trained on one-hot inputs with an L1 penalty.</summary>
/// <param name="Features">n.</param>
/// <param name="Neurons">m, a multiple of 16.</param>
/// <param name="Penalty">λ of λ‖W‖₁.</param>
/// <param name="Steps">AdamW's steps.</param>
/// <param name="LearningRate">Its learning rate, constant.</param>
/// <remarks>Lecomte et al. 2024. Decoupled weight decay is 1e-2, the default of the library that their code calls.</remarks>
public sealed record OneHotTraining(int Features, int Neurons, double Penalty = 1e-3, int Steps = 7500, double LearningRate = 1e-3)
{
    internal const float WeightDecay = 1e-2f;

    /// <summary>Registers used; the widest that the machine has unless a test compares.</summary>
    public InstructionSet Instructions { get; init; } = InstructionSets.Widest;

    /// <summary>Trains one model of the seed from W ~ N(0, 1/m).</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="model">Its number: model k starts alike whatever trains beside it.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public OneHotModel Train(ulong seed, int model, CancellationToken cancellation)
    {
        var start = new RandomStream(seed, $"incidental/init/{Features}/{Neurons}/{model}").NormalMatrix(Features, Neurons);
        using var memory = new GramMemory(Features, Neurons);
        for (var i = 0; i < start.Data.Length; i++)
            memory.Weights[i] = (float)(start.Data[i] / Math.Sqrt(Neurons));
        var curve = new List<CurvePoint>();
        double power1 = 1,
            power2 = 1;
        for (var step = 0; step < Steps; step++)
        {
            if (step % 64 == 0)
                cancellation.ThrowIfCancellationRequested();
            power1 *= 0.9;
            power2 *= 0.999;
            var numbers = new AdamWStep(
                (float)Penalty,
                1 - ((float)LearningRate * WeightDecay),
                (float)(LearningRate / (1 - power1)),
                (float)(1 / (1 - power2))
            );
            if (GramKernel.Step(memory, numbers, step % Math.Max(1, Steps / 100) == 0, Instructions) is { } loss)
                curve.Add(new CurvePoint(step, loss));
        }
        curve.Add(new CurvePoint(Steps, GramKernel.Gradient(memory, Instructions)));
        var w = new Matrix(Features, Neurons);
        for (var i = 0; i < w.Data.Length; i++)
            w.Data[i] = memory.Weights[i];
        return new OneHotModel(w, curve);
    }

    /// <summary>Trains models 0 … <paramref name="models"/>−1, a worker per core.</summary>
    public OneHotModel[] TrainMany(ulong seed, int models, CancellationToken cancellation)
    {
        var trained = new OneHotModel[models];
        Parallel.For(
            0,
            models,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
            model => trained[model] = Train(seed, model, cancellation)
        );
        return trained;
    }
}

/// <summary>Tied weights after training.</summary>
/// <param name="W">Feature directions as rows. Shape: <c>[n, m]</c>.</param>
/// <param name="Curve">Reconstruction loss, without the penalty.</param>
public sealed record OneHotModel(Matrix W, IReadOnlyList<CurvePoint> Curve)
{
    private const double Low = 0.8,
        High = 1.2;

    /// <summary>The reconstruction loss Σ_i ‖e_i − ReLU(W·Wᵀe_i)‖² at the end.</summary>
    public double Loss => Curve[^1].Loss;

    /// <summary>The features with a weight of |w| in [.8, 1.2], by neuron.</summary>
    public IReadOnlyList<int[]> FeaturesOf =>
        [
            .. Enumerable
                .Range(0, W.Columns)
                .Select(neuron => Enumerable.Range(0, W.Rows).Where(i => Math.Abs(W[i, neuron]) is >= Low and <= High).ToArray()),
        ];

    /// <summary>Neurons with two such weights or more.</summary>
    public int Polysemantic => FeaturesOf.Count(features => features.Length >= 2);

    /// <summary>Of those, the neurons with one positive and one negative weight and no third.</summary>
    public int SignedPairs =>
        FeaturesOf
            .Select((features, neuron) => (features, neuron))
            .Count(pair => pair.features is [var a, var b] && W[a, pair.neuron] * W[b, pair.neuron] < 0);
}
