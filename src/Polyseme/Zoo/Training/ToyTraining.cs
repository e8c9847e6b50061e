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
    /// <summary>All features equally important.</summary>
    public static float[] Uniform(int features) => [.. Enumerable.Repeat(1f, features)];
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

    /// <summary>Points of the training curve, spread evenly, the last step included.</summary>
    public int CurvePoints { get; init; } = 100;

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
}
