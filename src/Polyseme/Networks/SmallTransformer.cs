using Polyseme.Numerics;
using static TorchSharp.torch;

namespace Polyseme.Networks;

/// <summary>A transformer: embedding, layers of attention and MLPs around a residual stream, unembedding.</summary>
/// <remarks>
/// <para>
/// It is a <see cref="Network"/> like the others, so that it can be read, intervened in, saved and diagnosed like them. A row of inputs is one
/// context, of token ids as numbers; a row of activations or outputs is one position of one context, since that is what neurons, concepts and
/// dictionaries are about: contexts × positions, a context's positions together (<see cref="Network.RowsPerInput"/>). At hooks inside attention the
/// heads lie side by side in a row: <c>hook_z</c> is heads · d_head wide, <c>hook_pattern</c> heads · n_ctx, a query's weights on the keys.
/// </para>
/// <para>
/// Hooks and weights have the names that TransformerLens writes; as there, weights multiply from the right. Scores that no query sees are
/// handed out as 0, where TransformerLens has −∞, and are masked afterwards. A context shorter than n_ctx is padded at its end with any token,
/// which a causal model does not see.
/// </para>
/// </remarks>
public sealed class SmallTransformer : Network
{
    private readonly Dictionary<string, Matrix> _weights;
    private readonly Dictionary<string, Tensor> _tensors; // [1, …]

    /// <summary>A transformer with these weights, rounded to its precision.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="weights">By name, as <see cref="TransformerWeights"/> lays them out.</param>
    /// <exception cref="ArgumentException">The weights are not those of such a shape; says which and how.</exception>
    public SmallTransformer(TransformerShape shape, IReadOnlyDictionary<string, Matrix> weights)
    {
        Shape = shape;
        Hooks = [.. shape.Hooks()];
        _weights = TransformerWeights.Checked(shape, weights);
        using var scope = NewDisposeScope();
        _tensors = TransformerWeights.ToTensors(shape, [_weights]);
        foreach (var tensor in _tensors.Values)
            tensor.DetachFromDisposeScope();
    }

    /// <summary>Its shape.</summary>
    public TransformerShape Shape { get; }

    /// <inheritdoc/>
    public override int InputWidth => Shape.Context;

    /// <inheritdoc/>
    public override int RowsPerInput => Shape.Context;

    /// <inheritdoc/>
    public override IReadOnlyList<Hook> Hooks { get; }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Matrix> Weights => _weights;

    /// <summary>A head's matrix. Shape: <c>[d_model, d_head]</c>; of W_O <c>[d_head, d_model]</c>.</summary>
    /// <param name="name"><c>W_Q</c>, <c>W_K</c>, <c>W_V</c> or <c>W_O</c>.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="head">The head.</param>
    /// <exception cref="ArgumentException">There is no such matrix.</exception>
    public Matrix HeadWeight(string name, int layer, int head)
    {
        if (name is not ("W_Q" or "W_K" or "W_V" or "W_O"))
            throw new ArgumentException($"heads have W_Q, W_K, W_V and W_O, not '{name}'", nameof(name));
        if (layer < 0 || layer >= Shape.Layers || head < 0 || head >= Shape.Heads)
            throw new ArgumentException(
                $"there is no head {head} in layer {layer}: {Shape.Layers} layers of {Shape.Heads} heads",
                nameof(head)
            );
        var stacked = _weights[$"blocks.{layer}.attn.{name}"];
        var rows = stacked.Rows / Shape.Heads;
        return stacked.SelectRows([.. Enumerable.Range(head * rows, rows)]);
    }

    /// <inheritdoc/>
    protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at) =>
        Forward(inputs, [.. Hooks.Select(hook => hook.Name)], at);

    /// <inheritdoc/>
    protected override Matrix Forward(Matrix inputs, IReadOnlyCollection<string> touched, Func<string, Matrix, Matrix> at)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var output = TransformerForward.Run(
            Shape,
            _tensors,
            tensor(TokenIds(inputs)),
            (name, held) => touched.Contains(name) ? FromRows(at(name, ToRows(held)), name, held) : held
        );
        return ToRows(output);
    }

    private long[] TokenIds(Matrix inputs)
    {
        var ids = new long[inputs.Data.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            var value = inputs.Data[i];
            if (value != Math.Floor(value) || value < 0 || value >= Shape.Vocabulary)
                throw new ArgumentException(
                    $"context {i / Shape.Context} has {value} at position {i % Shape.Context}; tokens are whole numbers from 0 to {Shape.Vocabulary - 1}",
                    nameof(inputs)
                );
            ids[i] = (long)value;
        }
        return ids;
    }

    /// <summary>Rows of positions from what the computation holds: <c>[1, r, width]</c>, or <c>[1, h, c, t, width]</c> with heads to be laid side by side.</summary>
    private static Matrix ToRows(Tensor held)
    {
        var rows =
            held.dim() == 3
                ? held.squeeze(0)
                : held.squeeze(0).permute(1, 2, 0, 3).reshape(held.shape[2] * held.shape[3], held.shape[1] * held.shape[4]);
        return LinearAlgebra.ToMatrix(rows.to(float64));
    }

    private static Tensor FromRows(Matrix rows, string name, Tensor like)
    {
        var (count, width) =
            like.dim() == 3 ? (like.shape[1], like.shape[2]) : (like.shape[2] * like.shape[3], like.shape[1] * like.shape[4]);
        if ((rows.Rows, rows.Columns) != (count, width))
            throw new ArgumentException(
                $"an intervention at {name} gave {rows.Rows} × {rows.Columns}; it holds {count} × {width}",
                nameof(rows)
            );
        var values = LinearAlgebra.ToTensor(rows).to(like.dtype, copy: true);
        return like.dim() == 3
            ? values.unsqueeze(0)
            : values.reshape(like.shape[2], like.shape[3], like.shape[1], like.shape[4]).permute(2, 0, 1, 3).unsqueeze(0);
    }
}
