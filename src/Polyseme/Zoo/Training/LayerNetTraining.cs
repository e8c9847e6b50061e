using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>How parameters follow the gradient.</summary>
public abstract record Optimiser
{
    private Optimiser() { }

    /// <summary>Adam with decay rates .9 and .999 and ε = 1e-8 (Kingma and Ba 2015).</summary>
    public sealed record Adam : Optimiser;

    /// <summary>Gradient descent with momentum: v ← μ·v + g, θ ← θ − lr·v.</summary>
    /// <param name="Decay">μ. In [0, 1).</param>
    public sealed record Momentum(double Decay = 0.9) : Optimiser;
}

/// <summary>How a population of two-layer networks is trained; the learning rate is lr·cos(π/2·t/T) after the warm-up.</summary>
public sealed record LayerNetTraining
{
    /// <summary>The network.</summary>
    public required LayerNetShape Shape { get; init; }

    /// <summary>Its inputs.</summary>
    public required LayerNetInputs Inputs { get; init; }

    /// <summary>What it is asked for.</summary>
    public required LayerNetTargets Targets { get; init; }

    /// <summary>Samples per step.</summary>
    public int Batch { get; init; } = 1024;

    /// <summary>Steps, T.</summary>
    public required int Steps { get; init; }

    /// <summary>Adam, or gradient descent with momentum.</summary>
    public Optimiser Optimiser { get; init; } = new Optimiser.Adam();

    /// <summary>The highest learning rate, reached after the warm-up.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Fraction of the steps in which the learning rate rises linearly.</summary>
    public double Warmup { get; init; }

    /// <summary>Decoupled weight decay per unit of the learning rate of the step, on weights and biases (Loshchilov and Hutter 2019).</summary>
    public double WeightDecay { get; init; }

    /// <summary>Decay of b₁ alone, per step and unit of the highest learning rate (Jermyn, Schiefer and Hubinger 2022).</summary>
    public double BiasDecay { get; init; }

    /// <summary>Fraction of the steps, from the first, in which b₁ decays.</summary>
    public double BiasDecayUntil { get; init; } = 0.5;

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

    /// <summary>What b₁ is multiplied by after a step.</summary>
    internal double BiasKeptAt(int step) => step < BiasDecayUntil * Steps ? 1 - (BiasDecay * LearningRate) : 1;

    /// <summary>Refuses what cannot be trained.</summary>
    /// <exception cref="ArgumentException">Impossible sizes, densities or importances; says which and the range.</exception>
    internal void Check()
    {
        static void Require(bool holds, string message)
        {
            if (!holds)
                throw new ArgumentException(message);
        }
        static void Probability(double value) => Require(value is > 0 and <= 1, $"density is {value}; it lies above 0 and at most at 1");
        Require(Shape.Inputs is >= 1 and <= 4096, $"inputs is {Shape.Inputs}; it ranges from 1 to 4096");
        Require(Shape.Hidden is >= 1 and <= 8192, $"hidden is {Shape.Hidden}; it ranges from 1 to 8192");
        Require(Shape.Outputs is >= 1 and <= 65_536, $"outputs is {Shape.Outputs}; it ranges from 1 to 65536");
        Require((long)Shape.Hidden * Math.Max(Shape.Width, Shape.Outputs) < 1 << 28, "a weight matrix reaches 2^28 entries");
        Require(
            Shape.Projection is null || Shape.Projection.Columns == Shape.Inputs,
            $"the projection reads {Shape.Projection?.Columns} features, but there are {Shape.Inputs}"
        );
        if (Shape.Importance is { } importance)
        {
            Require(importance.Length == Shape.Outputs, $"there are {importance.Length} importances, but {Shape.Outputs} outputs");
            foreach (var value in importance)
                Require(float.IsFinite(value) && value >= 0, $"importance is {value}; it is finite and not negative");
        }
        switch (Inputs)
        {
            case LayerNetInputs.Reals reals:
                Probability(reals.Density);
                break;
            case LayerNetInputs.Bits bits:
                Probability(bits.Probability);
                break;
            case LayerNetInputs.UnevenReals uneven:
                Require(
                    uneven.Densities.Length == Shape.Inputs,
                    $"there are {uneven.Densities.Length} densities, but {Shape.Inputs} features"
                );
                foreach (var density in uneven.Densities)
                    Probability(density);
                break;
            default:
                throw new ArgumentException($"no inputs are made of {Inputs}");
        }
        Require(
            Targets.Outputs(Shape.Inputs) == Shape.Outputs,
            $"there are {Targets.Outputs(Shape.Inputs)} targets, but {Shape.Outputs} outputs"
        );
        if (Targets is LayerNetTargets.Products products)
        {
            foreach (var (first, second) in products.Pairs)
                Require(
                    first >= 0 && second >= 0 && Math.Max(first, second) < Shape.Inputs,
                    $"a product is of inputs {first} and {second}; they range from 0 to {Shape.Inputs - 1}"
                );
        }
        if (Targets is LayerNetTargets.ReluPlusLinear { Mixing: { } mixing })
            Require(
                mixing.Rows == Shape.Inputs && mixing.Columns == Shape.Inputs,
                $"the mixing matrix is {mixing.Rows} × {mixing.Columns}, but there are {Shape.Inputs} features"
            );
        Require(Batch is >= 1 and <= 1 << 20, $"batch is {Batch}; it ranges from 1 to {1 << 20}");
        Require(Steps >= 1, $"steps is {Steps}; it is at least 1");
        Require(Threads >= 1, $"threads is {Threads}; it is at least 1");
        Require(LearningRate is > 0 and <= 100, $"learning rate is {LearningRate}; it lies above 0 and at most at 100");
        Require(Warmup is >= 0 and < 1, $"warmup is {Warmup}; it ranges from 0 to below 1");
        Require(WeightDecay is >= 0 and <= 100, $"weight decay is {WeightDecay}; it ranges from 0 to 100");
        Require(BiasDecay is >= 0 and <= 100, $"bias decay is {BiasDecay}; it ranges from 0 to 100");
        Require(BiasDecayUntil is >= 0 and <= 1, $"bias decay ends at {BiasDecayUntil}; it ranges from 0 to 1");
        Require(
            Optimiser is not Optimiser.Momentum { Decay: < 0 or >= 1 },
            $"momentum is {(Optimiser as Optimiser.Momentum)?.Decay}; it ranges from 0 to below 1"
        );
    }
}
