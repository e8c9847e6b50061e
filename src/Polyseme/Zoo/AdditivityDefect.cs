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
}
