using Polyseme.Numerics;

namespace Polyseme.Activations;

/// <summary>Activations held in memory: a whole small layer, or the stated sample of a large one. All values are finite.</summary>
public sealed record ActivationSet
{
    /// <summary>Rows.</summary>
    public required int NSamples { get; init; }

    /// <summary>Columns: d.</summary>
    public required int NNeurons { get; init; }

    /// <summary>The activations, row-major. Shape: <c>[n_samples, n_neurons]</c>.</summary>
    public required float[] Values { get; init; }

    /// <summary>What each row is a row of.</summary>
    public RowIdentities Rows { get; init; } = RowIdentities.None;

    /// <summary>One row, not copied. Shape: <c>[n_neurons]</c>.</summary>
    public ReadOnlySpan<float> Row(int row) => Values.AsSpan(checked(row * NNeurons), NNeurons);

    /// <summary>All rows in double precision. Shape: <c>[n_samples, n_neurons]</c>.</summary>
    public Matrix ToMatrix()
    {
        var matrix = new Matrix(NSamples, NNeurons);
        for (var i = 0; i < Values.Length; i++)
            matrix.Data[i] = Values[i];
        return matrix;
    }

    /// <summary>A set from a matrix, rounded to single precision.</summary>
    public static ActivationSet FromMatrix(Matrix matrix, RowIdentities? rows = null)
    {
        var values = new float[matrix.Data.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)matrix.Data[i];
        return new ActivationSet
        {
            NSamples = matrix.Rows,
            NNeurons = matrix.Columns,
            Values = values,
            Rows = rows ?? RowIdentities.None,
        };
    }
}
