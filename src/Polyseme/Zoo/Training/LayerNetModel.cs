using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>The parameters of a two-layer network.</summary>
/// <param name="W1">Shape: <c>[n_neurons, d]</c>.</param>
/// <param name="B1">Shape: <c>[n_neurons]</c>.</param>
/// <param name="W2">Shape: <c>[n_outputs, n_neurons]</c>.</param>
/// <param name="B2">Shape: <c>[n_outputs]</c>.</param>
public sealed record LayerNetParameters(Matrix W1, double[] B1, Matrix W2, double[] B2)
{
    /// <summary>Normal weights of standard deviation gain/√(inputs of the layer), b₁ constant, b₂ zero.</summary>
    /// <param name="shape">The network.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="model">Which model of the population: model k starts alike in every population of the seed.</param>
    /// <param name="gain">Factor of W₁; 1 keeps the variance of a dense input, √2 that behind the ReLU (He et al. 2015).</param>
    /// <param name="hiddenBias">b₁.</param>
    public static LayerNetParameters Initial(LayerNetShape shape, ulong seed, int model, double gain = 1, double hiddenBias = 0)
    {
        var stream = new RandomStream(seed, $"layer-net/init/{model}");
        Matrix Weights(int rows, int columns, double deviation)
        {
            var weights = stream.NormalMatrix(rows, columns);
            for (var i = 0; i < weights.Data.Length; i++)
                weights.Data[i] *= deviation;
            return weights;
        }
        return new LayerNetParameters(
            Weights(shape.Hidden, shape.Width, gain / Math.Sqrt(shape.Width)),
            [.. Enumerable.Repeat(hiddenBias, shape.Hidden)],
            Weights(shape.Outputs, shape.Hidden, 1 / Math.Sqrt(shape.Hidden)),
            new double[shape.Outputs]
        );
    }
}

/// <summary>A trained two-layer network.</summary>
/// <param name="Model">Its number in the population.</param>
/// <param name="Parameters">The parameters at the end, or where it diverged.</param>
/// <param name="Curve">The training loss, each point that of one batch.</param>
/// <param name="DivergedAt">The step whose gradient was not finite; <c>null</c> when training went to its end.</param>
public sealed record LayerNetModel(int Model, LayerNetParameters Parameters, IReadOnlyList<CurvePoint> Curve, int? DivergedAt);
