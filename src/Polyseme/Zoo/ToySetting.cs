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
    public BestOfSeeds Train(ulong seed, IProgress<Step>? progress, CancellationToken cancellation) =>
        TrainAll([this], seed, progress, cancellation)[0];

    /// <summary>Trains the seeds of several settings as one population, so that no worker waits at the end of a setting, and keeps the best of each.</summary>
    /// <param name="settings">What to train. Model k of each starts, and draws its data, from the streams of number k.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="progress">Told the steps over all models.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>The best of each setting, in their order: the same as that setting gives alone.</returns>
    /// <exception cref="DivergenceException">Every model of a setting diverged.</exception>
    public static BestOfSeeds[] TrainAll(
        IReadOnlyList<ToySetting> settings,
        ulong seed,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var jobs = settings.SelectMany(setting => setting.Jobs(seed)).ToArray();
        var models = PopulationTrainer.Train(jobs, Environment.ProcessorCount, progress, cancellation);
        var best = new BestOfSeeds[settings.Count];
        var first = 0;
        for (var k = 0; k < settings.Count; k++)
        {
            var setting = settings[k];
            var judged = ZooSample.Inputs(setting.Inputs, setting.Shape.Features, setting.JudgedRows, seed, "toy/judge");
            best[k] = BestOfSeeds.Choose(
                models[first..(first + setting.Seeds)],
                setting.Shape,
                judged,
                Environment.ProcessorCount,
                cancellation
            );
            first += setting.Seeds;
        }
        return best;
    }

    private IEnumerable<ToyJob> Jobs(ulong seed)
    {
        var training = new ToyTraining
        {
            Shape = Shape,
            Inputs = Inputs,
            Batch = Batch,
            Steps = Steps,
            LearningRate = LearningRate,
        };
        for (var model = 0; model < Seeds; model++)
            yield return new ToyJob(training, seed, model, ToyParameters.Initial(Shape, seed, model, Positive));
    }
}
