using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>A toy model to be trained from several seeds, the best of which is kept: what the experiments vary.</summary>
internal sealed record ToySetting
{
    /// <summary>The model.</summary>
    public required ToyShape Shape { get; init; }

    /// <summary>Its inputs.</summary>
    public required ToyInputs Inputs { get; init; }

    /// <summary>Training steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Models trained.</summary>
    public required int Seeds { get; init; }

    /// <summary>Samples per step.</summary>
    public int Batch { get; init; } = 1024;

    /// <summary>Adam's highest learning rate.</summary>
    public double LearningRate { get; init; } = 3e-3;

    /// <summary>Whether weights start at their absolute value.</summary>
    public bool Positive { get; init; }

    /// <summary>Fresh rows that choose among the seeds.</summary>
    public int JudgedRows { get; init; } = 100_000;

    /// <summary>Features of equal importance, ReLU output.</summary>
    public static ToyShape Uniform(int features, int hidden) =>
        new(features, hidden, HiddenRelu: false, OutputRelu: true, ToyShape.Uniform(features));

    /// <summary>Importances I_i = base^i.</summary>
    public static float[] Decaying(int features, double fraction) =>
        [.. Enumerable.Range(0, features).Select(i => (float)Math.Pow(fraction, i))];

    /// <summary>Trains the seeds and keeps the best on fresh rows.</summary>
    public BestOfSeeds Train(ulong seed, IProgress<Step>? progress, CancellationToken cancellation, PopulationCheckpoint? checkpoint = null)
    {
        var training = new ToyTraining
        {
            Shape = Shape,
            Inputs = Inputs,
            Batch = Batch,
            Steps = Steps,
            LearningRate = LearningRate,
        };
        var judged = ZooSample.Inputs(Inputs, Shape.Features, JudgedRows, seed, "toy/judge");
        return BestOfSeeds.Train(training, seed, Seeds, Positive, judged, progress, cancellation, checkpoint);
    }
}
