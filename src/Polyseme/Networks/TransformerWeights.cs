using Polyseme.Numerics;
using static TorchSharp.torch;

namespace Polyseme.Networks;

/// <summary>A transformer's weights as matrices, by TransformerLens' names: what its run folder holds.</summary>
/// <remarks>
/// A vector is one row. The matrices of a layer's heads lie below one another: <c>W_Q</c> is <c>[heads · d_model, d_head]</c>, <c>W_O</c>
/// <c>[heads · d_head, d_model]</c>; in memory that is the array that TransformerLens has.
/// </remarks>
public static class TransformerWeights
{
    /// <summary>Weights to start training from: normal with deviation .8/√d_model, biases 0, normalisation 1, as TransformerLens starts its own.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="seed">The one seed.</param>
    /// <param name="stream">Names the streams: each weight has one of its own.</param>
    public static IReadOnlyDictionary<string, Matrix> Start(TransformerShape shape, ulong seed, string stream)
    {
        var deviation = 0.8 / Math.Sqrt(shape.ModelWidth);
        var weights = new Dictionary<string, Matrix>(StringComparer.Ordinal);
        foreach (var (name, size) in shape.Parameters())
        {
            var (rows, columns) = Flat(size);
            var last = name[(name.LastIndexOf('.') + 1)..];
            var weight = last.StartsWith('W')
                ? new RandomStream(seed, $"{stream}/{name}").NormalMatrix(rows, columns)
                : new Matrix(rows, columns);
            for (var i = 0; i < weight.Data.Length; i++)
                weight.Data[i] = last == "w" ? 1 : weight.Data[i] * deviation;
            weights[name] = Rounded(shape, weight);
        }
        return weights;
    }

    /// <summary>These weights if they are those of <paramref name="shape"/>, in its precision.</summary>
    /// <exception cref="ArgumentException">One is missing, of another size, or not a weight of this shape; says which.</exception>
    internal static Dictionary<string, Matrix> Checked(TransformerShape shape, IReadOnlyDictionary<string, Matrix> weights)
    {
        var known = new Dictionary<string, Matrix>(StringComparer.Ordinal);
        foreach (var (name, size) in shape.Parameters())
        {
            var (rows, columns) = Flat(size);
            if (!weights.TryGetValue(name, out var weight))
                throw new ArgumentException($"there is no weight '{name}'", nameof(weights));
            if ((weight.Rows, weight.Columns) != (rows, columns))
                throw new ArgumentException(
                    $"weight '{name}' is {weight.Rows} × {weight.Columns}; this shape has {rows} × {columns}",
                    nameof(weights)
                );
            known[name] = Rounded(shape, weight);
        }
        if (weights.Keys.FirstOrDefault(name => !known.ContainsKey(name)) is { } unknown)
            throw new ArgumentException($"this shape has no weight '{unknown}'", nameof(weights));
        return known;
    }

    /// <summary>Rows and columns of a weight of this size.</summary>
    internal static (int Rows, int Columns) Flat(long[] size) =>
        size switch
        {
            [var length] => (1, (int)length),
            [var rows, var columns] => ((int)rows, (int)columns),
            [var heads, var rows, var columns] => ((int)(heads * rows), (int)columns),
            _ => throw new ArgumentException($"no weight has {size.Length} dimensions", nameof(size)),
        };

    /// <summary>Weights of several models as tensors in the shape's precision. Shape each: <c>[models, …]</c>.</summary>
    internal static Dictionary<string, Tensor> ToTensors(
        TransformerShape shape,
        IReadOnlyList<IReadOnlyDictionary<string, Matrix>> models
    ) =>
        shape
            .Parameters()
            .ToDictionary(
                parameter => parameter.Name,
                parameter =>
                    stack([.. models.Select(weights => LinearAlgebra.ToTensor(weights[parameter.Name]))])
                        .to(shape.DoublePrecision ? float64 : float32)
                        .reshape([models.Count, .. parameter.Size]),
                StringComparer.Ordinal
            );

    /// <summary>The weights of model <paramref name="model"/>, copied.</summary>
    internal static Dictionary<string, Matrix> ToMatrices(TransformerShape shape, IReadOnlyDictionary<string, Tensor> weights, int model) =>
        shape
            .Parameters()
            .ToDictionary(
                parameter => parameter.Name,
                parameter =>
                {
                    var (rows, columns) = Flat(parameter.Size);
                    return LinearAlgebra.ToMatrix(weights[parameter.Name].detach().select(0, model).to(float64).reshape(rows, columns));
                },
                StringComparer.Ordinal
            );

    private static Matrix Rounded(TransformerShape shape, Matrix weight)
    {
        var rounded = weight.Copy();
        if (shape.DoublePrecision)
            return rounded;
        for (var i = 0; i < rounded.Data.Length; i++)
            rounded.Data[i] = (float)rounded.Data[i];
        return rounded;
    }
}
