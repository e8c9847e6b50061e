using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Zoo.MagnitudeCodes;

/// <summary>Classes through neurons of which exactly one is let through: encoder with a hidden layer, the largest neuron, decoder with two.</summary>
/// <remarks>
/// Hooks: <c>hook_pre</c>, the neurons' inputs; <c>hook_neurons</c>, the neurons: softplus of the largest input, 0 elsewhere. Softplus keeps the one that is
/// let through above zero, so that exactly one is not zero. Outputs are logits.
/// </remarks>
/// <param name="weights">Matrices and biases in turn, from the inputs to the logits: 2 layers of the encoder, 3 of the decoder.</param>
internal sealed class TopOneNetwork(IReadOnlyList<Matrix> weights) : Network
{
    public const int EncoderLayers = 2,
        Layers = 5;

    public override int InputWidth => weights[0].Rows;

    public override IReadOnlyList<Hook> Hooks { get; } =
    [new Hook("hook_pre", weights[(2 * EncoderLayers) - 2].Columns), new Hook("hook_neurons", weights[(2 * EncoderLayers) - 2].Columns)];

    public override IReadOnlyDictionary<string, Matrix> Weights { get; } =
        Enumerable
            .Range(0, Layers)
            .SelectMany(layer => new[] { ($"W_{layer}", weights[2 * layer]), ($"b_{layer}", weights[(2 * layer) + 1]) })
            .ToDictionary(pair => pair.Item1, pair => pair.Item2);

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var pre = at("hook_pre", Through(inputs, 0, EncoderLayers));
        var neurons = new Matrix(pre.Rows, pre.Columns);
        for (var row = 0; row < pre.Rows; row++)
        {
            var inputsOf = pre.Row(row);
            var largest = 0;
            for (var neuron = 1; neuron < inputsOf.Length; neuron++)
                largest = inputsOf[neuron] > inputsOf[largest] ? neuron : largest;
            neurons[row, largest] = Softplus(inputsOf[largest]);
        }
        return Through(at("hook_neurons", neurons), EncoderLayers, Layers);
    }

    private static double Softplus(double value) => Math.Max(value, 0) + Math.Log(1 + Math.Exp(-Math.Abs(value)));

    private Matrix Through(Matrix rows, int first, int end)
    {
        for (var layer = first; layer < end; layer++)
        {
            rows = LinearAlgebra.Multiply(rows, weights[2 * layer]);
            var bias = weights[(2 * layer) + 1];
            for (var row = 0; row < rows.Rows; row++)
            for (var column = 0; column < rows.Columns; column++)
            {
                var value = rows[row, column] + bias[0, column];
                rows[row, column] = layer < end - 1 ? Math.Max(0, value) : value;
            }
        }
        return rows;
    }
}
