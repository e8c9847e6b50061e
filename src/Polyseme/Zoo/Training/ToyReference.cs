using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>The toy model written plainly, in double precision: what the fast kernel is held to, and what judges a trained model.</summary>
public static class ToyReference
{
    /// <summary>Loss and gradients of one batch.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="inputs">Shape: <c>[n_samples, n_features]</c>.</param>
    /// <returns>The loss with its penalty, and its derivatives by W and b; at the kink of a ReLU or an absolute value the derivative is 0.</returns>
    public static (double Loss, Matrix W, double[] B) Gradient(ToyShape shape, ToyParameters parameters, Matrix inputs)
    {
        int n = shape.Features,
            m = shape.Hidden;
        var w = parameters.W;
        var gradientW = new Matrix(n, m);
        var gradientB = new double[n];
        var loss = 0.0;
        double[] hidden = new double[m],
            hiddenGradient = new double[m];
        for (var sample = 0; sample < inputs.Rows; sample++)
        {
            var x = inputs.Row(sample);
            Encode(shape, w, x, hidden);
            Array.Clear(hiddenGradient);
            for (var i = 0; i < n; i++)
            {
                var before = parameters.B[i]; // (W h + b)_i
                for (var k = 0; k < m; k++)
                    before += w[i, k] * hidden[k];
                var error = (shape.OutputRelu ? Math.Max(before, 0) : before) - x[i];
                loss += shape.Importance[i] * error * error;
                if (shape.OutputRelu && before <= 0)
                    continue;
                var delta = 2 * shape.Importance[i] * error / inputs.Rows;
                gradientB[i] += delta;
                for (var k = 0; k < m; k++)
                {
                    gradientW[i, k] += delta * hidden[k];
                    hiddenGradient[k] += delta * w[i, k];
                }
            }
            for (var k = 0; k < m; k++)
            {
                if (shape.HiddenRelu && hidden[k] <= 0)
                    continue;
                loss += shape.HiddenPenalty * Math.Abs(hidden[k]);
                hiddenGradient[k] += shape.HiddenPenalty * Sign(hidden[k]) / inputs.Rows;
                for (var i = 0; i < n; i++)
                    gradientW[i, k] += hiddenGradient[k] * x[i];
            }
        }
        return (loss / inputs.Rows, gradientW, gradientB);
    }

    /// <summary>The mean loss over rows with its penalty, without their zeros being touched where they need not be.</summary>
    public static double Loss(ToyShape shape, ToyParameters parameters, SparseRows inputs)
    {
        int n = shape.Features,
            m = shape.Hidden;
        var directions = parameters.W.Transpose(); // [m, n], so that the inner loop runs along memory
        var total = 0.0;
        double[] hidden = new double[m],
            output = new double[n];
        for (var sample = 0; sample < inputs.Count; sample++)
        {
            Array.Clear(hidden);
            for (var entry = inputs.Start[sample]; entry < inputs.Start[sample + 1]; entry++)
            {
                for (var k = 0; k < m; k++)
                    hidden[k] += inputs.Value[entry] * parameters.W[inputs.Feature[entry], k];
            }
            parameters.B.CopyTo(output, 0);
            for (var k = 0; k < m; k++)
            {
                var h = shape.HiddenRelu ? Math.Max(hidden[k], 0) : hidden[k];
                total += shape.HiddenPenalty * Math.Abs(h);
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(directions.Row(k), h, output, output);
            }
            if (shape.OutputRelu)
                System.Numerics.Tensors.TensorPrimitives.Max(output, 0.0, output);
            for (var entry = inputs.Start[sample]; entry < inputs.Start[sample + 1]; entry++)
                output[inputs.Feature[entry]] -= inputs.Value[entry];
            for (var i = 0; i < n; i++)
                total += shape.Importance[i] * output[i] * output[i];
        }
        return total / inputs.Count;
    }

    // Math.Sign throws at NaN, which a diverged model holds.
    private static double Sign(double value) =>
        value > 0 ? 1
        : value < 0 ? -1
        : 0;

    private static void Encode(ToyShape shape, Matrix w, ReadOnlySpan<double> x, double[] hidden)
    {
        Array.Clear(hidden);
        for (var i = 0; i < x.Length; i++)
        {
            for (var k = 0; k < hidden.Length; k++)
                hidden[k] += x[i] * w[i, k];
        }
        for (var k = 0; k < hidden.Length; k++)
            hidden[k] = shape.HiddenRelu ? Math.Max(hidden[k], 0) : hidden[k];
    }
}
