using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Capacities;

/// <summary>x → Wᵀx → squares → their sum + c.</summary>
/// <param name="w">Feature directions as rows. Shape: <c>[n_features, n_neurons]</c>.</param>
/// <param name="constant">c.</param>
/// <remarks>Hooks: <c>hook_pre</c>, what the neurons read; <c>hook_squares</c>, what they give.</remarks>
internal sealed class QuadraticNeurons(Matrix w, double constant) : Network
{
    private readonly Matrix _constant = new(1, 1, [constant]);

    public override int InputWidth => w.Rows;

    public override IReadOnlyList<Hook> Hooks { get; } = [new Hook("hook_pre", w.Columns), new Hook("hook_squares", w.Columns)];

    public override IReadOnlyDictionary<string, Matrix> Weights => new Dictionary<string, Matrix> { ["W"] = w, ["c"] = _constant };

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var before = at("hook_pre", LinearAlgebra.Multiply(inputs, w));
        var squares = new Matrix(before.Rows, before.Columns, [.. before.Data.Select(value => value * value)]);
        squares = at("hook_squares", squares);
        var output = new Matrix(inputs.Rows, 1);
        for (var row = 0; row < inputs.Rows; row++)
            output[row, 0] = _constant[0, 0] + System.Numerics.Tensors.TensorPrimitives.Sum<double>(squares.Row(row));
        return output;
    }
}
