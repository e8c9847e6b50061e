using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>A two-layer network with hooks: x → (P·x) → W₁·z + b₁ → ReLU → W₂·h + b₂ → (ReLU).</summary>
/// <remarks>Hooks: <c>hook_in</c>, what W₁ reads, where there is a projection; <c>hook_pre</c> and <c>hook_post</c> around the ReLU; <c>hook_out_pre</c>, before the output's ReLU.</remarks>
public sealed class LayerNetwork : Network
{
    private readonly LayerNetShape _shape;

    /// <summary>The network of these parameters, which are not copied.</summary>
    public LayerNetwork(LayerNetShape shape, LayerNetParameters parameters)
    {
        (_shape, Parameters) = (shape, parameters);
        List<Hook> hooks = [new("hook_pre", shape.Hidden), new("hook_post", shape.Hidden), new("hook_out_pre", shape.Outputs)];
        if (shape.Projection is not null)
            hooks.Insert(0, new Hook("hook_in", shape.Width));
        Hooks = hooks;
    }

    /// <summary>Its parameters.</summary>
    public LayerNetParameters Parameters { get; }

    /// <inheritdoc/>
    public override int InputWidth => _shape.Inputs;

    /// <inheritdoc/>
    public override IReadOnlyList<Hook> Hooks { get; }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Matrix> Weights
    {
        get
        {
            var weights = new Dictionary<string, Matrix>
            {
                ["W_in"] = Parameters.W1,
                ["b_in"] = new(1, _shape.Hidden, Parameters.B1),
                ["W_out"] = Parameters.W2,
                ["b_out"] = new(1, _shape.Outputs, Parameters.B2),
            };
            if (_shape.Projection is { } projection)
                weights["P"] = projection;
            return weights;
        }
    }

    /// <inheritdoc/>
    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
    {
        var read = inputs;
        if (_shape.Projection is { } projection)
            read = at("hook_in", LinearAlgebra.MultiplyTranspose(inputs, projection));
        var before = at("hook_pre", Biased(LinearAlgebra.MultiplyTranspose(read, Parameters.W1), Parameters.B1));
        var after = at("hook_post", Rectified(before));
        var output = at("hook_out_pre", Biased(LinearAlgebra.MultiplyTranspose(after, Parameters.W2), Parameters.B2));
        return _shape.OutputRelu ? Rectified(output) : output;
    }

    private static Matrix Biased(Matrix values, double[] bias)
    {
        for (var row = 0; row < values.Rows; row++)
            System.Numerics.Tensors.TensorPrimitives.Add(values.Row(row), bias, values.Row(row));
        return values;
    }

    /// <summary>A copy, since what a hook has recorded must not change afterwards.</summary>
    private static Matrix Rectified(Matrix before)
    {
        var after = before.Copy();
        System.Numerics.Tensors.TensorPrimitives.Max(after.Data, 0.0, after.Data);
        return after;
    }
}
