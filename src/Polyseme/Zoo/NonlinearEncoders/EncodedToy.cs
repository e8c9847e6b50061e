using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Zoo.NonlinearEncoders;

/// <summary>x → ReLU(A·x + a) → C·u + c → ReLU(W·h + b).</summary>
/// <remarks>Hooks: <c>hook_encoder</c>, the encoder's units behind their ReLU; <c>hook_hidden</c>, what the decoder reads; <c>hook_out_pre</c>.</remarks>
internal sealed class EncodedToy(EncoderParameters parameters) : Network
{
    public override int InputWidth => parameters.A.Columns;

    public override IReadOnlyList<Hook> Hooks { get; } =
    [new Hook("hook_encoder", parameters.A.Rows), new Hook("hook_hidden", parameters.C.Rows), new Hook("hook_out_pre", parameters.W.Rows)];

    public override IReadOnlyDictionary<string, Matrix> Weights =>
        new Dictionary<string, Matrix>
        {
            ["A"] = parameters.A,
            ["a"] = new(1, parameters.ABias.Length, parameters.ABias),
            ["C"] = parameters.C,
            ["c"] = new(1, parameters.CBias.Length, parameters.CBias),
            ["W"] = parameters.W,
            ["b"] = new(1, parameters.B.Length, parameters.B),
        };

    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var units = at("hook_encoder", Rectified(Affine(inputs, parameters.A, parameters.ABias)));
        var hidden = at("hook_hidden", Affine(units, parameters.C, parameters.CBias));
        return Rectified(at("hook_out_pre", Affine(hidden, parameters.W, parameters.B)));
    }

    private static Matrix Affine(Matrix x, Matrix w, double[] b)
    {
        var y = LinearAlgebra.MultiplyTranspose(x, w);
        for (var row = 0; row < y.Rows; row++)
            System.Numerics.Tensors.TensorPrimitives.Add(y.Row(row), b, y.Row(row));
        return y;
    }

    private static Matrix Rectified(Matrix before)
    {
        var after = before.Copy();
        System.Numerics.Tensors.TensorPrimitives.Max(after.Data, 0.0, after.Data);
        return after;
    }
}
