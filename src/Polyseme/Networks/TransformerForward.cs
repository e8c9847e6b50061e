using static TorchSharp.torch;

namespace Polyseme.Networks;

/// <summary>The transformer's computation on tensors: the one that is trained, and the one that is read and intervened in.</summary>
/// <remarks>
/// Every weight has a leading dimension of models, which share their inputs: small models cost libtorch as much in calls as in arithmetic, so
/// several seeds are trained for the price of one. Rows are contexts × positions. Names: m models, c contexts, t positions, r = c·t rows, h heads.
/// </remarks>
internal static class TransformerForward
{
    private const double Epsilon = 1e-5;

    /// <summary>Outputs. Shape: <c>[m, r, outputs]</c>.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="weights">By name. Shape each: <c>[m, …]</c>.</param>
    /// <param name="tokens">Token ids. Shape: <c>[r]</c>, int64.</param>
    /// <param name="at">
    /// Gets every hook's activations and gives back what flows on. Shapes: <c>[m, r, width]</c>; queries, keys, values and z
    /// <c>[m, h, c, t, d_head]</c>; scores and pattern <c>[m, h, c, t, t]</c>, query by key.
    /// </param>
    public static Tensor Run(
        TransformerShape shape,
        IReadOnlyDictionary<string, Tensor> weights,
        Tensor tokens,
        Func<string, Tensor, Tensor> at
    )
    {
        var contexts = tokens.shape[0] / shape.Context;
        var residual = at("hook_embed", weights["embed.W_E"].index_select(1, tokens));
        if (shape.Positions)
            residual = residual + at("hook_pos_embed", weights["pos_embed.W_pos"].repeat(1, contexts, 1));
        // [t, t], true where a query sees a key.
        var seen = ones(shape.Context, shape.Context, dtype: residual.dtype);
        if (shape.Causal)
            seen = seen.tril();
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var block = $"blocks.{layer}";
            residual = at($"{block}.hook_resid_pre", residual);
            var attention = Attention(shape, weights, $"{block}.attn", Normalised(shape, weights, $"{block}.ln1", residual, at), seen, at);
            residual = residual + at($"{block}.hook_attn_out", attention);
            if (shape.MlpWidth > 0)
            {
                residual = at($"{block}.hook_resid_mid", residual);
                var mlp = Mlp(shape, weights, $"{block}.mlp", Normalised(shape, weights, $"{block}.ln2", residual, at), at);
                residual = residual + at($"{block}.hook_mlp_out", mlp);
            }
            residual = at($"{block}.hook_resid_post", residual);
        }
        residual = Normalised(shape, weights, "ln_final", residual, at);
        var unembedding = shape.TiedUnembedding ? weights["embed.W_E"].transpose(1, 2) : weights["unembed.W_U"];
        return Biased(residual.matmul(unembedding), weights, "unembed.b_U");
    }

    private static Tensor Attention(
        TransformerShape shape,
        IReadOnlyDictionary<string, Tensor> weights,
        string name,
        Tensor input,
        Tensor seen,
        Func<string, Tensor, Tensor> at
    )
    {
        var (models, rows) = (input.shape[0], input.shape[1]);
        var contexts = rows / shape.Context;
        var spread = input.unsqueeze(1); // [m, 1, r, d_model]
        Tensor Project(string letter)
        {
            var projected = spread.matmul(weights[$"{name}.W_{letter}"]); // [m, h, r, d_head]
            if (weights.TryGetValue($"{name}.b_{letter}", out var bias))
                projected = projected + bias.unsqueeze(2);
            return projected.view(models, shape.Heads, contexts, shape.Context, shape.HeadWidth);
        }
        var q = at($"{name}.hook_q", Project("Q"));
        var k = at($"{name}.hook_k", Project("K"));
        var v = at($"{name}.hook_v", Project("V"));
        var scores = q.matmul(k.transpose(-2, -1)) / Math.Sqrt(shape.HeadWidth); // [m, h, c, t, t]
        // Zero where nothing is seen, so that what a hook gives away is finite.
        scores = at($"{name}.hook_attn_scores", scores * seen);
        var pattern = shape.Attention switch
        {
            AttentionWeights.Softmax => scores.masked_fill(seen.eq(0), double.NegativeInfinity).softmax(-1),
            AttentionWeights.Linear => scores * seen,
            _ => throw new InvalidOperationException($"no such attention: {shape.Attention}"),
        };
        var z = at($"{name}.hook_z", at($"{name}.hook_pattern", pattern).matmul(v)); // [m, h, c, t, d_head]
        var written = z.reshape(models, shape.Heads, rows, shape.HeadWidth).matmul(weights[$"{name}.W_O"]).sum(dim: 1);
        return Biased(written, weights, $"{name}.b_O");
    }

    private static Tensor Mlp(
        TransformerShape shape,
        IReadOnlyDictionary<string, Tensor> weights,
        string name,
        Tensor input,
        Func<string, Tensor, Tensor> at
    )
    {
        var pre = at($"{name}.hook_pre", Biased(input.matmul(weights[$"{name}.W_in"]), weights, $"{name}.b_in"));
        var post = shape.Activation switch
        {
            TransformerActivation.Relu => pre.relu(),
            TransformerActivation.Gelu => pre * 0.5 * (1 + special.erf(pre / Math.Sqrt(2))),
            TransformerActivation.GeluTanh => pre * 0.5 * (1 + (Math.Sqrt(2 / Math.PI) * (pre + (0.044715 * pre * pre * pre))).tanh()),
            _ => throw new InvalidOperationException($"no such activation: {shape.Activation}"),
        };
        return Biased(at($"{name}.hook_post", post).matmul(weights[$"{name}.W_out"]), weights, $"{name}.b_out");
    }

    private static Tensor Normalised(
        TransformerShape shape,
        IReadOnlyDictionary<string, Tensor> weights,
        string name,
        Tensor input,
        Func<string, Tensor, Tensor> at
    )
    {
        if (!shape.LayerNorm)
            return input;
        var centred = input - input.mean([-1], keepdim: true);
        var scale = at($"{name}.hook_scale", ((centred * centred).mean([-1], keepdim: true) + Epsilon).sqrt());
        return at($"{name}.hook_normalized", (centred / scale * weights[$"{name}.w"].unsqueeze(1)) + weights[$"{name}.b"].unsqueeze(1));
    }

    private static Tensor Biased(Tensor rows, IReadOnlyDictionary<string, Tensor> weights, string name) =>
        weights.TryGetValue(name, out var bias) ? rows + bias.unsqueeze(1) : rows;
}
