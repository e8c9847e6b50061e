using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>A toy model as a network: x → Wᵀx → (ReLU) → W·h + b → (ReLU).</summary>
/// <remarks>
/// Hooks: <c>hook_pre</c>, before the hidden ReLU, where there is one; <c>hook_hidden</c>, what the decoder reads; <c>hook_out_pre</c>,
/// before the output's ReLU.
/// </remarks>
public sealed class ToyNetwork(ToyShape shape, ToyParameters parameters) : Network
{
    private readonly Matrix _bias = new(1, shape.Features, parameters.B);

    /// <summary>Its shape.</summary>
    public ToyShape Shape => shape;

    /// <summary>Its parameters.</summary>
    public ToyParameters Parameters => parameters;

    /// <inheritdoc/>
    public override int InputWidth => shape.Features;

    /// <inheritdoc/>
    public override IReadOnlyList<Hook> Hooks { get; } =
        shape.HiddenRelu
            ? [new Hook("hook_pre", shape.Hidden), new Hook("hook_hidden", shape.Hidden), new Hook("hook_out_pre", shape.Features)]
            : [new Hook("hook_hidden", shape.Hidden), new Hook("hook_out_pre", shape.Features)];

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Matrix> Weights => new Dictionary<string, Matrix> { ["W"] = parameters.W, ["b"] = _bias };

    /// <inheritdoc/>
    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var hidden = LinearAlgebra.Multiply(inputs, parameters.W);
        if (shape.HiddenRelu)
            hidden = Rectified(at("hook_pre", hidden));
        hidden = at("hook_hidden", hidden);
        var output = LinearAlgebra.MultiplyTranspose(hidden, parameters.W);
        for (var row = 0; row < output.Rows; row++)
        {
            var values = output.Row(row);
            for (var i = 0; i < values.Length; i++)
                values[i] += parameters.B[i];
        }
        output = at("hook_out_pre", output);
        return shape.OutputRelu ? Rectified(output) : output;
    }

    /// <summary>A copy, since what a hook has recorded must not change afterwards.</summary>
    private static Matrix Rectified(Matrix before)
    {
        var after = before.Copy();
        for (var i = 0; i < after.Data.Length; i++)
            after.Data[i] = Math.Max(after.Data[i], 0);
        return after;
    }
}
