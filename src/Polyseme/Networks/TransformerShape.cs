namespace Polyseme.Networks;

/// <summary>The non-linearity of an MLP.</summary>
public enum TransformerActivation
{
    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>x·Φ(x), Φ the normal distribution function.</summary>
    Gelu,

    /// <summary>Its approximation by tanh, as GPT-2 computes it.</summary>
    GeluTanh,
}

/// <summary>What becomes of attention scores.</summary>
public enum AttentionWeights
{
    /// <summary>Softmax over the sources.</summary>
    Softmax,

    /// <summary>The scores themselves: a sum over sources in which no source changes another's weight.</summary>
    Linear,
}

/// <summary>The shape of a transformer: everything but its weights.</summary>
public sealed record TransformerShape
{
    /// <summary>d_vocab. In 1 … 1,000,000.</summary>
    public required int Vocabulary
    {
        get;
        init => field = Allowed.Between(value, 1, 1_000_000);
    }

    /// <summary>n_ctx, tokens in a context. In 1 … 65,536.</summary>
    public required int Context
    {
        get;
        init => field = Allowed.Between(value, 1, 65_536);
    }

    /// <summary>d_model. In 1 … 65,536.</summary>
    public required int ModelWidth
    {
        get;
        init => field = Allowed.Between(value, 1, 65_536);
    }

    /// <summary>d_head. In 1 … 65,536.</summary>
    public required int HeadWidth
    {
        get;
        init => field = Allowed.Between(value, 1, 65_536);
    }

    /// <summary>Heads in a layer. In 1 … 1,024.</summary>
    public int Heads
    {
        get;
        init => field = Allowed.Between(value, 1, 1024);
    } = 1;

    /// <summary>Layers. In 1 … 1,024.</summary>
    public int Layers
    {
        get;
        init => field = Allowed.Between(value, 1, 1024);
    } = 1;

    /// <summary>d_mlp; 0 for attention only. In 0 … 1,000,000.</summary>
    public int MlpWidth
    {
        get;
        init => field = Allowed.Between(value, 0, 1_000_000);
    }

    /// <summary>d_vocab_out, the width of the output; <c>null</c> for the vocabulary. In 1 … 1,000,000.</summary>
    public int? Outputs
    {
        get;
        init => field = value is { } outputs ? Allowed.Between(outputs, 1, 1_000_000) : null;
    }

    /// <summary>The MLP's non-linearity.</summary>
    public TransformerActivation Activation { get; init; }

    /// <summary>What becomes of attention scores.</summary>
    public AttentionWeights Attention { get; init; }

    /// <summary>Whether every layer's inputs and the unembedding's are normalised.</summary>
    public bool LayerNorm { get; init; }

    /// <summary>Whether a learned vector is added for each position.</summary>
    public bool Positions { get; init; } = true;

    /// <summary>Whether a position sees only itself and those before it.</summary>
    public bool Causal { get; init; } = true;

    /// <summary>Whether the unembedding is the embedding transposed.</summary>
    public bool TiedUnembedding { get; init; }

    /// <summary>Whether queries, keys, values and the attention's output have biases.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Whether the MLP's two layers have biases.</summary>
    public bool MlpBias { get; init; } = true;

    /// <summary>Whether the unembedding has one.</summary>
    public bool UnembedBias { get; init; }

    /// <summary>Whether it computes in double precision; else in single.</summary>
    public bool DoublePrecision { get; init; }

    /// <summary>Width of the output.</summary>
    public int OutputWidth => Outputs ?? Vocabulary;

    /// <summary>The weights with their sizes, in the order of the computation. Attention weights have one matrix per head.</summary>
    internal IEnumerable<(string Name, long[] Size)> Parameters()
    {
        if (TiedUnembedding && OutputWidth != Vocabulary)
            throw new ArgumentException($"the unembedding is tied to {Vocabulary} tokens, but there are {OutputWidth} outputs");
        yield return ("embed.W_E", [Vocabulary, ModelWidth]);
        if (Positions)
            yield return ("pos_embed.W_pos", [Context, ModelWidth]);
        for (var layer = 0; layer < Layers; layer++)
        {
            var block = $"blocks.{layer}";
            foreach (var norm in Norm($"{block}.ln1"))
                yield return norm;
            foreach (var name in (string[])["Q", "K", "V"])
            {
                yield return ($"{block}.attn.W_{name}", [Heads, ModelWidth, HeadWidth]);
                if (AttentionBias)
                    yield return ($"{block}.attn.b_{name}", [Heads, HeadWidth]);
            }
            yield return ($"{block}.attn.W_O", [Heads, HeadWidth, ModelWidth]);
            if (AttentionBias)
                yield return ($"{block}.attn.b_O", [ModelWidth]);
            if (MlpWidth == 0)
                continue;
            foreach (var norm in Norm($"{block}.ln2"))
                yield return norm;
            yield return ($"{block}.mlp.W_in", [ModelWidth, MlpWidth]);
            if (MlpBias)
                yield return ($"{block}.mlp.b_in", [MlpWidth]);
            yield return ($"{block}.mlp.W_out", [MlpWidth, ModelWidth]);
            if (MlpBias)
                yield return ($"{block}.mlp.b_out", [ModelWidth]);
        }
        foreach (var norm in Norm("ln_final"))
            yield return norm;
        if (!TiedUnembedding)
            yield return ("unembed.W_U", [ModelWidth, OutputWidth]);
        if (UnembedBias)
            yield return ("unembed.b_U", [OutputWidth]);
    }

    /// <summary>The hooks with their widths, in the order of the computation. What heads hold lies side by side.</summary>
    internal IEnumerable<Hook> Hooks()
    {
        yield return new Hook("hook_embed", ModelWidth);
        if (Positions)
            yield return new Hook("hook_pos_embed", ModelWidth);
        for (var layer = 0; layer < Layers; layer++)
        {
            var block = $"blocks.{layer}";
            yield return new Hook($"{block}.hook_resid_pre", ModelWidth);
            if (LayerNorm)
            {
                yield return new Hook($"{block}.ln1.hook_scale", 1);
                yield return new Hook($"{block}.ln1.hook_normalized", ModelWidth);
            }
            foreach (var name in (string[])["q", "k", "v"])
                yield return new Hook($"{block}.attn.hook_{name}", Heads * HeadWidth);
            yield return new Hook($"{block}.attn.hook_attn_scores", Heads * Context);
            yield return new Hook($"{block}.attn.hook_pattern", Heads * Context);
            yield return new Hook($"{block}.attn.hook_z", Heads * HeadWidth);
            yield return new Hook($"{block}.hook_attn_out", ModelWidth);
            if (MlpWidth > 0)
            {
                yield return new Hook($"{block}.hook_resid_mid", ModelWidth);
                if (LayerNorm)
                {
                    yield return new Hook($"{block}.ln2.hook_scale", 1);
                    yield return new Hook($"{block}.ln2.hook_normalized", ModelWidth);
                }
                yield return new Hook($"{block}.mlp.hook_pre", MlpWidth);
                yield return new Hook($"{block}.mlp.hook_post", MlpWidth);
                yield return new Hook($"{block}.hook_mlp_out", ModelWidth);
            }
            yield return new Hook($"{block}.hook_resid_post", ModelWidth);
        }
        if (LayerNorm)
        {
            yield return new Hook("ln_final.hook_scale", 1);
            yield return new Hook("ln_final.hook_normalized", ModelWidth);
        }
    }

    private IEnumerable<(string Name, long[] Size)> Norm(string name)
    {
        if (!LayerNorm)
            yield break;
        yield return ($"{name}.w", [ModelWidth]);
        yield return ($"{name}.b", [ModelWidth]);
    }
}
