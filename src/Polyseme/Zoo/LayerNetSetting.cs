using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>A population of two-layer networks: what is trained, from how many starts, and the fresh rows that judge them.</summary>
internal sealed record LayerNetSetting
{
    /// <summary>What and how.</summary>
    public required LayerNetTraining Training { get; init; }

    /// <summary>Models.</summary>
    public required int Seeds { get; init; }

    /// <summary>Fresh rows that judge every model, the same for all.</summary>
    public int Judged { get; init; } = 20_000;

    /// <summary>Factor of the first weights of W₁.</summary>
    public double Gain { get; init; } = 1;

    /// <summary>The first value of b₁.</summary>
    public double HiddenBias { get; init; }

    /// <summary>Trains the population and judges every model.</summary>
    /// <exception cref="DivergenceException">Every model diverged; says at which step each did.</exception>
    public LayerNetPopulation Train(ulong seed, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var shape = Training.Shape;
        var initial = Enumerable
            .Range(0, Seeds)
            .Select(model => LayerNetParameters.Initial(shape, seed, model, Gain, HiddenBias))
            .ToArray();
        var models = LayerNetTrainer.Train(Training, seed, initial, progress, cancellation);
        var sound = models.Where(model => model.DivergedAt is null).ToArray();
        var diverged = models
            .Where(model => model.DivergedAt is not null)
            .Select(model => new Divergence(model.Model, model.DivergedAt!.Value))
            .ToArray();
        if (sound.Length == 0)
        {
            throw new DivergenceException($"all {Seeds} models diverged: {string.Join(", ", diverged.Select(model => model.ToString()))}");
        }
        var (inputs, targets) = Fresh(Judged, seed, "layer-net/judge");
        var losses = sound.Select(model => LayerNetReference.Loss(shape, model.Parameters, inputs, targets)).ToArray();
        return new LayerNetPopulation(shape, sound, losses, Variance(targets), diverged);
    }

    /// <summary>Rows from a stream of their own: no training step has seen them.</summary>
    public (Matrix Inputs, Matrix Targets) Fresh(int rows, ulong seed, string stream) =>
        new LayerNetBatch(Training.Inputs, Training.Targets, Training.Shape.Inputs, rows, seed, RandomStream.LaneOf(stream)).ToMatrices(0);

    /// <summary>The loss of the best constant: Σ_i I_i var(y_i). What a loss is divided by to be an nLoss.</summary>
    private double Variance(Matrix targets)
    {
        var total = 0.0;
        for (var i = 0; i < targets.Columns; i++)
        {
            double sum = 0,
                squares = 0;
            for (var row = 0; row < targets.Rows; row++)
                (sum, squares) = (sum + targets[row, i], squares + (targets[row, i] * targets[row, i]));
            var mean = sum / targets.Rows;
            total += (Training.Shape.Importance?[i] ?? 1) * ((squares / targets.Rows) - (mean * mean));
        }
        return total;
    }
}

/// <summary>Trained two-layer networks that did not diverge, each judged on the same fresh rows.</summary>
/// <param name="Shape">What they are.</param>
/// <param name="Models">The models.</param>
/// <param name="Losses">Their losses. Shape: <c>[Models.Count]</c>.</param>
/// <param name="Variance">The loss of the best constant on these rows.</param>
/// <param name="Diverged">The models that diverged, with the step whose gradient was not finite.</param>
internal sealed record LayerNetPopulation(
    LayerNetShape Shape,
    IReadOnlyList<LayerNetModel> Models,
    IReadOnlyList<double> Losses,
    double Variance,
    IReadOnlyList<Divergence> Diverged
)
{
    /// <summary>The number of the model with the lowest loss: chosen by it, never by its looks.</summary>
    public int BestIndex => Enumerable.Range(0, Losses.Count).MinBy(model => Losses[model]);

    /// <summary>The model with the lowest loss.</summary>
    public LayerNetModel Best => Models[BestIndex];

    /// <summary>Its loss.</summary>
    public double Loss => Losses[BestIndex];

    /// <summary>Losses over the variance of the targets.</summary>
    public IReadOnlyList<double> NormalisedLosses => [.. Losses.Select(loss => loss / Variance)];
}
