using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>How far a layer is from composing features by addition: inputs are set, not sampled.</summary>
/// <remarks>
/// A_ij = ‖h(i,j) − h(i) − h(j) + h(0)‖² / (½‖h(i) − h(0)‖² + ½‖h(j) − h(0)‖²), derived from the definition of a linear representation in
/// Olah 2024, "What is a linear representation?" (Circuits Updates, July 2024). 0 = additive, in superposition too.
/// </remarks>
public static class AdditivityDefect
{
    /// <summary>The mean of A_ij over all pairs of inputs whose features move the layer at all.</summary>
    /// <param name="network">The network.</param>
    /// <param name="hook">The layer.</param>
    /// <param name="amplitude">The value that features are set to.</param>
    /// <returns><c>null</c> when no feature moves the layer.</returns>
    public static double? Mean(Network network, string hook, double amplitude = 1)
    {
        var n = network.InputWidth;
        var inputs = new Matrix(1 + n + (n * (n - 1) / 2), n);
        var row = 1 + n;
        for (var i = 0; i < n; i++)
        {
            inputs[1 + i, i] = amplitude;
            for (var j = 0; j < i; j++)
                (inputs[row, i], inputs[row++, j]) = (amplitude, amplitude);
        }
        var hidden = network.Run(inputs, [hook]).Recorded[hook];
        var rest = hidden.Row(0).ToArray();
        for (var r = 0; r < hidden.Rows; r++)
            System.Numerics.Tensors.TensorPrimitives.Subtract(hidden.Row(r), rest, hidden.Row(r));
        var defects = new List<double>();
        row = 1 + n;
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < i; j++)
            {
                double missing = 0,
                    size = 0;
                for (var k = 0; k < hidden.Columns; k++)
                {
                    missing += Math.Pow(hidden[row, k] - hidden[1 + i, k] - hidden[1 + j, k], 2);
                    size += (Math.Pow(hidden[1 + i, k], 2) + Math.Pow(hidden[1 + j, k], 2)) / 2;
                }
                row++;
                if (size > 1e-12)
                    defects.Add(missing / size);
            }
        }
        return defects.Count == 0 ? null : defects.Average();
    }

    /// <summary>The same of two factors with several values each, neither of which can be absent: tokens, for instance.</summary>
    /// <param name="means">Mean activations for value i of one factor and j of the other, row i·<paramref name="second"/> + j. Shape: <c>[first · second, width]</c>.</param>
    /// <param name="second">Values of the second factor.</param>
    /// <returns>
    /// Mean over i, j of ‖h(i,j) − h(i,·) − h(·,j) + h(·,·)‖², over the mean of ½‖h(i,·) − h(·,·)‖² + ½‖h(·,j) − h(·,·)‖², a dot for an average over values;
    /// <c>null</c> when neither factor moves the layer.
    /// </returns>
    public static double? OfFactors(Matrix means, int second)
    {
        if (second < 1 || means.Rows % second != 0)
            throw new ArgumentException($"second is {second}; it divides the {means.Rows} rows", nameof(second));
        var first = means.Rows / second;
        double missing = 0,
            size = 0;
        for (var k = 0; k < means.Columns; k++)
        {
            double[] ofFirst = new double[first],
                ofSecond = new double[second];
            var all = 0.0;
            for (var i = 0; i < first; i++)
            {
                for (var j = 0; j < second; j++)
                {
                    var value = means[(i * second) + j, k];
                    ofFirst[i] += value / second;
                    ofSecond[j] += value / first;
                    all += value / means.Rows;
                }
            }
            for (var i = 0; i < first; i++)
            {
                for (var j = 0; j < second; j++)
                {
                    missing += Math.Pow(means[(i * second) + j, k] - ofFirst[i] - ofSecond[j] + all, 2);
                    size += (Math.Pow(ofFirst[i] - all, 2) + Math.Pow(ofSecond[j] - all, 2)) / 2;
                }
            }
        }
        return size > 1e-12 ? missing / size : null;
    }
}
