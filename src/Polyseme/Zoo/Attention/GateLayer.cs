using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Attention;

/// <summary>What gates read, as one layer of neurons: payloads x_j and gates B_j along orthonormal directions, and y_j read out by a head that was trained.</summary>
/// <remarks>Inputs: x_0, B_0, x_1, B_1, …. Hooks: <c>hook_hidden</c>, the neurons.</remarks>
internal sealed class GateLayer(GateCircuit circuit, Matrix directions) : Network
{
    public override int InputWidth => directions.Rows;

    public override IReadOnlyList<Hook> Hooks { get; } = [new Hook("hook_hidden", directions.Columns)];

    public override IReadOnlyDictionary<string, Matrix> Weights { get; } =
        new Dictionary<string, Matrix> { ["directions"] = directions, ["circuit"] = circuit.ToMatrix() };

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var hidden = at("hook_hidden", LinearAlgebra.Multiply(inputs, directions));
        var sources = LinearAlgebra.MultiplyTranspose(hidden, directions);
        var outputs = new Matrix(inputs.Rows, directions.Rows / 2);
        for (var row = 0; row < outputs.Rows; row++)
        {
            for (var gate = 0; gate < outputs.Columns; gate++)
                outputs[row, gate] = circuit.Output(sources[row, 2 * gate], sources[row, (2 * gate) + 1]);
        }
        return outputs;
    }
}
