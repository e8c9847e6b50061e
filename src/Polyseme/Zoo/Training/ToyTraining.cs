using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>The shape of a toy model: h = Wᵀx (or its ReLU), x' = W·h + b (or its ReLU), loss Σ_i I_i (x_i − x'_i)² averaged over the batch.</summary>
/// <param name="Features">n.</param>
/// <param name="Hidden">m.</param>
/// <param name="HiddenRelu">Whether the hidden layer ends in a ReLU (a privileged basis).</param>
/// <param name="OutputRelu">Whether the output ends in a ReLU.</param>
/// <param name="Importance">I_i. Shape: <c>[n_features]</c>.</param>
/// <remarks>Elhage et al. 2022, "Toy Models of Superposition". The loss is summed over features, as in the paper; its published code averages.</remarks>
public sealed record ToyShape(int Features, int Hidden, bool HiddenRelu, bool OutputRelu, float[] Importance)
{
    /// <summary>λ: the loss gains λ·‖h‖₁ of the hidden layer that the decoder reads, averaged over the batch. Not negative; 0 = no penalty.</summary>
    public double HiddenPenalty { get; init; }

    /// <summary>All features equally important.</summary>
    public static float[] Uniform(int features) => [.. Enumerable.Repeat(1f, features)];

    /// <summary>Refuses what no model can be.</summary>
    /// <exception cref="ArgumentException">Says which value, and its range.</exception>
    internal void Check()
    {
        ToyTraining.Require(Features is >= 1 and <= 100_000, $"features is {Features}; it ranges from 1 to 100000");
        ToyTraining.Require(Hidden is >= 1 and <= 4096, $"hidden is {Hidden}; it ranges from 1 to 4096");
        ToyTraining.Require(Importance.Length == Features, $"there are {Importance.Length} importances, but {Features} features");
        foreach (var importance in Importance)
        {
            if (!(float.IsFinite(importance) && importance >= 0))
                ToyTraining.Require(false, $"importance is {importance}; it is finite and not negative");
        }
        ToyTraining.Require(HiddenPenalty is >= 0 and <= 1e6, $"hidden penalty is {HiddenPenalty}; it ranges from 0 to 1000000");
    }

    /// <summary>Refuses parameters of another shape.</summary>
    /// <exception cref="ArgumentException">Says which sizes do not fit.</exception>
    internal void Check(ToyParameters parameters) =>
        ToyTraining.Require(
            parameters.W.Rows == Features && parameters.W.Columns == Hidden && parameters.B.Length == Features,
            $"parameters of {parameters.W.Rows} features, {parameters.W.Columns} hidden units and {parameters.B.Length} biases do not fit a model of {Features} and {Hidden}"
        );
}

/// <summary>How a population of toy models is trained: Adam with decoupled weight decay, learning rate lr·cos(π/2·t/T) after the warm-up.</summary>
public sealed record ToyTraining
{
    /// <summary>The model.</summary>
    public required ToyShape Shape { get; init; }

    /// <summary>Its inputs.</summary>
    public required ToyInputs Inputs { get; init; }

    /// <summary>Samples per step. Ignored where each step sees a whole data set.</summary>
    public int Batch { get; init; } = 1024;

    /// <summary>Steps, T.</summary>
    public required int Steps { get; init; }

    /// <summary>The highest learning rate, reached after the warm-up.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Fraction of the steps in which the learning rate rises linearly.</summary>
    public double Warmup { get; init; }

    /// <summary>Decoupled weight decay per unit of learning rate, on weights and biases.</summary>
    public double WeightDecay { get; init; }

    /// <summary>
    /// γ, decay of the weights alone and by rows, per unit of learning rate: a positive one shrinks each feature's row, W_i ← (1 − lr·γ)·W_i; a negative one
    /// ("logistic") pulls its norm towards 1, W_i ← W_i + lr·γ·W_i·(1 − 1/‖W_i‖), so that every feature is represented. Liu, Liu and Gore 2025.
    /// </summary>
    public double RowDecay { get; init; }

    /// <summary>Points of the training curve, spread evenly, the last step included.</summary>
    public int CurvePoints { get; init; } = 100;

    /// <summary>
    /// Steps after which the parameters are kept, ascending, in 0 … T: 0 is the start. Empty = none. The snapshots of all models that are
    /// trained together hold at most 2^27 numbers.
    /// </summary>
    public IReadOnlyList<int> SnapshotSteps { get; init; } = [];

    /// <summary>Workers; one model is trained by one of them, and its result does not depend on how many there are.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Registers used; the widest that the machine has unless a test compares.</summary>
    public InstructionSet Instructions { get; init; } = InstructionSets.Widest;

    /// <summary>The learning rate of a step, 0 … T−1.</summary>
    internal double RateAt(int step)
    {
        var warmup = Warmup * Steps;
        return step < warmup
            ? LearningRate * (step + 1) / (warmup + 1)
            : LearningRate * Math.Cos(Math.PI / 2 * (step - warmup) / (Steps - warmup));
    }

    /// <summary>Samples that a step sees.</summary>
    internal int SamplesPerStep => Inputs is ToyInputs.DataSet { WholeSetEveryStep: true } set ? set.Rows.Count : Batch;

    /// <summary>Numbers that the snapshots of one model hold.</summary>
    internal long SnapshotNumbers => (long)SnapshotSteps.Count * Shape.Features * (Shape.Hidden + 1);

    /// <summary>Refuses an impossible training.</summary>
    /// <exception cref="ArgumentException">Says which value, and its range.</exception>
    internal void Check()
    {
        Shape.Check();
        Require(Steps is >= 1, $"steps is {Steps}; it is at least 1");
        Require(Threads is >= 1, $"threads is {Threads}; it is at least 1");
        Require(SamplesPerStep is >= 1 and <= 1 << 20, $"batch is {SamplesPerStep}; it ranges from 1 to {1 << 20}");
        Require(
            (long)SamplesPerStep * Shape.Features < 1 << 30,
            $"batch times features is {(long)SamplesPerStep * Shape.Features}; it stays below 2^30"
        );
        Require(Warmup is >= 0 and < 1, $"warmup is {Warmup}; it ranges from 0 to below 1");
        Require(LearningRate is > 0 and <= 100, $"learning rate is {LearningRate}; it lies above 0 and at most at 100");
        Require(WeightDecay is >= 0 and <= 100, $"weight decay is {WeightDecay}; it ranges from 0 to 100");
        Require(RowDecay is >= -100 and <= 100, $"row decay is {RowDecay}; it ranges from -100 to 100");
        for (var i = 0; i < SnapshotSteps.Count; i++)
        {
            if (SnapshotSteps[i] < (i == 0 ? 0 : SnapshotSteps[i - 1] + 1) || SnapshotSteps[i] > Steps)
                Require(false, $"snapshot {i} is at step {SnapshotSteps[i]}; they ascend and range from 0 to {Steps}");
        }
        Inputs.Check(Shape.Features);
    }

    internal static void Require(bool holds, string message)
    {
        if (!holds)
            throw new ArgumentException(message);
    }
}
