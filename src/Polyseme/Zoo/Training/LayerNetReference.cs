using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>The two-layer network written plainly, in double precision: what the fast kernel is held to, and what judges a trained model.</summary>
public static class LayerNetReference
{
    private const int RowsAtATime = 4096;

    /// <summary>Neurons and outputs.</summary>
    /// <param name="shape">The network.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="inputs">x. Shape: <c>[n_samples, n_features]</c>.</param>
    /// <returns>h and ŷ. Shapes: <c>[n_samples, n_neurons]</c>, <c>[n_samples, n_outputs]</c>.</returns>
    public static (Matrix Hidden, Matrix Output) Run(LayerNetShape shape, LayerNetParameters parameters, Matrix inputs)
    {
        var read = shape.Projection is { } projection ? LinearAlgebra.MultiplyTranspose(inputs, projection) : inputs;
        var hidden = LinearAlgebra.MultiplyTranspose(read, parameters.W1);
        Add(hidden, parameters.B1, rectify: true);
        var output = LinearAlgebra.MultiplyTranspose(hidden, parameters.W2);
        Add(output, parameters.B2, shape.OutputRelu);
        return (hidden, output);
    }

    /// <summary>The loss over rows: Σ_i I_i (y_i − ŷ_i)², averaged over them.</summary>
    public static double Loss(LayerNetShape shape, LayerNetParameters parameters, Matrix inputs, Matrix targets) =>
        SquaredErrors(shape, parameters, inputs, targets).Select((error, i) => (shape.Importance?[i] ?? 1) * error).Sum();

    /// <summary>Each output's squared error, averaged over rows. Shape: <c>[n_outputs]</c>.</summary>
    public static double[] SquaredErrors(LayerNetShape shape, LayerNetParameters parameters, Matrix inputs, Matrix targets)
    {
        var errors = new double[shape.Outputs];
        for (var first = 0; first < inputs.Rows; first += RowsAtATime)
        {
            var count = Math.Min(RowsAtATime, inputs.Rows - first);
            var block = new Matrix(count, inputs.Columns, inputs.Data[(first * inputs.Columns)..((first + count) * inputs.Columns)]);
            var output = Run(shape, parameters, block).Output;
            for (var row = 0; row < count; row++)
            {
                for (var i = 0; i < errors.Length; i++)
                {
                    var error = output[row, i] - targets[first + row, i];
                    errors[i] += error * error;
                }
            }
        }
        return [.. errors.Select(error => error / inputs.Rows)];
    }

    /// <summary>Loss and gradients of one batch; at a ReLU's kink the derivative is 0. Biases that are not trained have the gradient 0.</summary>
    public static (double Loss, LayerNetParameters Gradient) Gradient(
        LayerNetShape shape,
        LayerNetParameters parameters,
        Matrix inputs,
        Matrix targets
    )
    {
        var (hidden, output) = Run(shape, parameters, inputs);
        var read = shape.Projection is { } projection ? LinearAlgebra.MultiplyTranspose(inputs, projection) : inputs;
        var loss = 0.0;
        var errors = new Matrix(output.Rows, output.Columns);
        for (var row = 0; row < output.Rows; row++)
        {
            for (var i = 0; i < output.Columns; i++)
            {
                var importance = shape.Importance?[i] ?? 1;
                var error = output[row, i] - targets[row, i];
                loss += importance * error * error;
                if (!shape.OutputRelu || output[row, i] > 0)
                    errors[row, i] = 2 * importance * error / inputs.Rows;
            }
        }
        var hiddenGradient = LinearAlgebra.Multiply(errors, parameters.W2);
        for (var i = 0; i < hidden.Data.Length; i++)
            hiddenGradient.Data[i] = hidden.Data[i] > 0 ? hiddenGradient.Data[i] : 0;
        return (
            loss / inputs.Rows,
            new LayerNetParameters(
                LinearAlgebra.TransposeMultiply(hiddenGradient, read),
                shape.HiddenBias ? Sums(hiddenGradient) : new double[shape.Hidden],
                LinearAlgebra.TransposeMultiply(errors, hidden),
                shape.OutputBias ? Sums(errors) : new double[shape.Outputs]
            )
        );
    }

    private static void Add(Matrix values, double[] bias, bool rectify)
    {
        for (var row = 0; row < values.Rows; row++)
        {
            var at = values.Row(row);
            for (var i = 0; i < at.Length; i++)
                at[i] = rectify ? Math.Max(at[i] + bias[i], 0) : at[i] + bias[i];
        }
    }

    private static double[] Sums(Matrix values)
    {
        var sums = new double[values.Columns];
        for (var row = 0; row < values.Rows; row++)
        {
            for (var i = 0; i < sums.Length; i++)
                sums[i] += values[row, i];
        }
        return sums;
    }
}
