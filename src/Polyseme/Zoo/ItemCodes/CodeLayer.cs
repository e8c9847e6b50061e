using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>A layer built by hand: a function writes a code for each input, and directions carry the code into the neurons.</summary>
/// <param name="inputWidth">Width of an input.</param>
/// <param name="encode">Writes the code of one input.</param>
/// <param name="directions">The direction of each entry of the code. Shape: <c>[code_width, n_neurons]</c>.</param>
/// <remarks>Hooks: <c>hook_code</c> and <c>hook_hidden</c>, the neurons, which are the output too.</remarks>
internal sealed class CodeLayer(int inputWidth, CodeLayer.Encoder encode, Matrix directions) : Network
{
    /// <summary>Writes the code of an input.</summary>
    public delegate void Encoder(ReadOnlySpan<double> input, Span<double> code);

    public override int InputWidth => inputWidth;

    public override IReadOnlyList<Hook> Hooks { get; } =
    [new Hook("hook_code", directions.Rows), new Hook("hook_hidden", directions.Columns)];

    public override IReadOnlyDictionary<string, Matrix> Weights => new Dictionary<string, Matrix> { ["directions"] = directions };

    /// <summary>The activations of the neurons.</summary>
    public Matrix Hidden(Matrix inputs) => Run(inputs, ["hook_hidden"]).Recorded["hook_hidden"];

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var code = new Matrix(inputs.Rows, directions.Rows);
        for (var row = 0; row < inputs.Rows; row++)
            encode(inputs.Row(row), code.Row(row));
        return at("hook_hidden", LinearAlgebra.Multiply(at("hook_code", code), directions));
    }
}
