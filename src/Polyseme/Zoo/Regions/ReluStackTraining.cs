using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>Trains a small fully connected ReLU network to name the class of a row: softmax cross-entropy, Adam, gradients by hand.</summary>
internal sealed class ReluStackTraining
{
    private readonly int[] _widths;
    private readonly bool _withBias;
    private readonly float[][] _weights; // [fan_in · fan_out] each
    private readonly float[][] _biases;
    private readonly float[][] _first;
    private readonly float[][] _second;

    /// <param name="widths">Input, hidden layers, classes.</param>
    /// <param name="withBias">Whether units have biases.</param>
    /// <param name="random">Draws the start: He et al. 2015 for weights; biases uniform in ±½, so that an untrained network's boundaries do not all meet at the origin.</param>
    public ReluStackTraining(int[] widths, bool withBias, RandomStream random)
    {
        (_widths, _withBias) = (widths, withBias);
        _weights = new float[widths.Length - 1][];
        _biases = new float[widths.Length - 1][];
        for (var layer = 0; layer < _weights.Length; layer++)
        {
            _weights[layer] = new float[widths[layer] * widths[layer + 1]];
            for (var i = 0; i < _weights[layer].Length; i++)
                _weights[layer][i] = (float)(random.NextNormal() * Math.Sqrt(2.0 / widths[layer]));
            _biases[layer] = new float[widths[layer + 1]];
            for (var i = 0; withBias && i < _biases[layer].Length; i++)
                _biases[layer][i] = random.NextSingle() - 0.5f;
        }
        _first = [.. _weights.Concat(_biases).Select(values => new float[values.Length])];
        _second = [.. _weights.Concat(_biases).Select(values => new float[values.Length])];
    }

    /// <summary>Trains with batches drawn from the rows; the learning rate falls along a quarter cosine.</summary>
    public void Train(Matrix rows, int[] classes, int steps, int batch, double rate, RandomStream random, CancellationToken cancellation)
    {
        for (var step = 0; step < steps; step++)
        {
            if (step % 64 == 0)
                cancellation.ThrowIfCancellationRequested();
            var drawn = new int[batch];
            for (var i = 0; i < batch; i++)
                drawn[i] = random.NextInt(rows.Rows);
            var (_, gradients) = Gradient(rows, classes, drawn);
            var scale = (float)(
                rate * Math.Cos(Math.PI / 2 * step / steps) * Math.Sqrt(1 - Math.Pow(0.999, step + 1)) / (1 - Math.Pow(0.9, step + 1))
            );
            float[][] all = [.. _weights, .. _biases];
            for (var array = 0; array < (_withBias ? all.Length : _weights.Length); array++)
            {
                var (values, gradient, first, second) = (all[array], gradients[array], _first[array], _second[array]);
                for (var i = 0; i < values.Length; i++)
                {
                    first[i] += 0.1f * (gradient[i] - first[i]);
                    second[i] += 0.001f * ((gradient[i] * gradient[i]) - second[i]);
                    values[i] -= scale * first[i] / (MathF.Sqrt(second[i]) + 1e-8f);
                }
            }
        }
    }

    /// <summary>The network as it is now.</summary>
    public ReluStack Network() =>
        new(
            [
                .. _weights.Select(
                    (values, layer) => new Matrix(_widths[layer], _widths[layer + 1], Array.ConvertAll(values, value => (double)value))
                ),
            ],
            [.. _biases.Select(values => new Matrix(1, values.Length, Array.ConvertAll(values, value => (double)value)))]
        );

    /// <summary>Mean cross-entropy in nats of the named rows, and its gradient: weights of all layers, then biases.</summary>
    internal (double Loss, float[][] Gradients) Gradient(Matrix rows, int[] classes, int[] drawn)
    {
        float[][] weightGradients = [.. _weights.Select(values => new float[values.Length])],
            biasGradients = [.. _biases.Select(values => new float[values.Length])],
            active = [.. _widths.Select(width => new float[width])],
            errors = [.. _widths.Select(width => new float[width])];
        var loss = 0.0;
        foreach (var row in drawn)
        {
            for (var j = 0; j < _widths[0]; j++)
                active[0][j] = (float)rows[row, j];
            for (var layer = 0; layer < _weights.Length; layer++)
            {
                var (input, output, width) = (active[layer], active[layer + 1], _widths[layer + 1]);
                _biases[layer].CopyTo(output, 0);
                for (var i = 0; i < input.Length; i++)
                {
                    if (input[i] != 0)
                        System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(
                            _weights[layer].AsSpan(i * width, width),
                            input[i],
                            output,
                            output
                        );
                }
                if (layer + 1 < _weights.Length)
                    System.Numerics.Tensors.TensorPrimitives.Max(output, 0f, output);
            }
            var (logits, error) = (active[^1], errors[^1]);
            System.Numerics.Tensors.TensorPrimitives.SoftMax(logits, error);
            loss -= Math.Log(Math.Max(error[classes[row]], 1e-30f)) / drawn.Length;
            error[classes[row]] -= 1;
            System.Numerics.Tensors.TensorPrimitives.Divide(error, drawn.Length, error);
            for (var layer = _weights.Length - 1; layer >= 0; layer--)
            {
                var (input, width, back) = (active[layer], _widths[layer + 1], errors[layer]);
                var up = errors[layer + 1];
                System.Numerics.Tensors.TensorPrimitives.Add(biasGradients[layer], up, biasGradients[layer]);
                for (var i = 0; i < input.Length; i++)
                {
                    back[i] = 0;
                    if (input[i] == 0)
                        continue;
                    var gradient = weightGradients[layer].AsSpan(i * width, width);
                    System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(up, input[i], gradient, gradient);
                    // A unit that is off passes nothing back; inputs of the first layer need nothing.
                    if (layer > 0)
                        back[i] = System.Numerics.Tensors.TensorPrimitives.Dot(_weights[layer].AsSpan(i * width, width), up);
                }
            }
        }
        return (loss, [.. weightGradients, .. biasGradients]);
    }
}
