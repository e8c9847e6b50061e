using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>The parameters of a toy model.</summary>
/// <param name="W">Feature directions as rows. Shape: <c>[n_features, n_hidden]</c>.</param>
/// <param name="B">Output biases. Shape: <c>[n_features]</c>.</param>
public sealed record ToyParameters(Matrix W, double[] B)
{
    /// <summary>Glorot and Bengio's normal initialisation (2010), b = 0: standard deviation √(2 / (n + m)).</summary>
    /// <param name="shape">The model.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="model">Which model of the population: model k starts alike in every population of the seed.</param>
    /// <param name="positive">Whether weights start at their absolute value, so that no ReLU starts dead.</param>
    public static ToyParameters Initial(ToyShape shape, ulong seed, int model, bool positive = false)
    {
        var w = new RandomStream(seed, $"toy/init/{model}").NormalMatrix(shape.Features, shape.Hidden);
        var deviation = Math.Sqrt(2.0 / (shape.Features + shape.Hidden));
        for (var i = 0; i < w.Data.Length; i++)
            w.Data[i] = deviation * (positive ? Math.Abs(w.Data[i]) : w.Data[i]);
        return new ToyParameters(w, new double[shape.Features]);
    }
}

/// <summary>A trained toy model.</summary>
/// <param name="Model">Its number in the population.</param>
/// <param name="Parameters">The parameters at the end, or where it diverged.</param>
/// <param name="Curve">The training loss, each point that of one batch.</param>
/// <param name="DivergedAt">The step whose gradient was not finite; <c>null</c> when training went to its end.</param>
public sealed record ToyModel(int Model, ToyParameters Parameters, IReadOnlyList<CurvePoint> Curve, int? DivergedAt)
{
    /// <summary>The parameters on the way, where they were asked for and training came so far.</summary>
    public IReadOnlyList<ToySnapshot> Snapshots { get; init; } = [];
}

/// <summary>The parameters of a toy model during its training.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Parameters">The parameters after them.</param>
public sealed record ToySnapshot(int Step, ToyParameters Parameters);

/// <summary>One model to train.</summary>
/// <param name="Training">What and how.</param>
/// <param name="Seed">The seed of its data.</param>
/// <param name="Model">Its number: its data are the stream <c>toy/data/MODEL</c> of the seed. Models of equal seed, number and inputs see equal data.</param>
/// <param name="Initial">The parameters that it starts from.</param>
public sealed record ToyJob(ToyTraining Training, ulong Seed, int Model, ToyParameters Initial)
{
    /// <summary>A model that starts as <see cref="ToyParameters.Initial"/> makes it of the same seed and number.</summary>
    public ToyJob(ToyTraining training, ulong seed, int model)
        : this(training, seed, model, ToyParameters.Initial(training.Shape, seed, model)) { }
}
