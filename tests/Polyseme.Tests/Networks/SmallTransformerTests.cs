using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Tests.Networks;

public sealed class SmallTransformerTests
{
    private static readonly TransformerShape s_plain = new()
    {
        Vocabulary = 11,
        Context = 6,
        ModelWidth = 10,
        HeadWidth = 4,
        Heads = 3,
    };

    private static readonly Dictionary<string, TransformerShape> s_shapes = new()
    {
        ["attention only"] = s_plain with { Positions = false },
        ["relu"] = s_plain with { MlpWidth = 13, Outputs = 5 },
        ["two layers, everything"] = s_plain with
        {
            Layers = 2,
            MlpWidth = 13,
            Activation = TransformerActivation.Gelu,
            LayerNorm = true,
            AttentionBias = true,
            UnembedBias = true,
        },
        ["GPT-2's activation, tied, no biases"] = s_plain with
        {
            MlpWidth = 13,
            Activation = TransformerActivation.GeluTanh,
            TiedUnembedding = true,
            MlpBias = false,
        },
        ["both directions"] = s_plain with { Causal = false, MlpWidth = 7 },
        ["linear attention"] = s_plain with { Attention = AttentionWeights.Linear },
    };

    public static TheoryData<string> Shapes { get; } = new(s_shapes.Keys);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Outputs_are_those_of_the_plain_double_precision_computation(string name)
    {
        foreach (var precise in new[] { false, true })
        {
            var network = Random(s_shapes[name] with { DoublePrecision = precise });
            var contexts = Contexts(network.Shape, 5);
            var outputs = network.Run(contexts).Output;
            Assert.Equal((30, network.Shape.OutputWidth), (outputs.Rows, outputs.Columns));
            // Single precision carries 24 bits; outputs are of order one.
            var tolerance = precise ? 1e-12 : 1e-5;
            for (var context = 0; context < contexts.Rows; context++)
            {
                var plain = TransformerReference.Outputs(
                    network.Shape,
                    network.Weights,
                    Array.ConvertAll(contexts.Row(context).ToArray(), token => (int)token)
                );
                for (var t = 0; t < plain.Length; t++)
                for (var output = 0; output < plain[t].Length; output++)
                    Assert.Equal(plain[t][output], outputs[(context * network.Shape.Context) + t, output], tolerance);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_hook_can_be_read_and_what_is_put_there_flows_on(string name)
    {
        var network = Random(s_shapes[name]);
        var contexts = Contexts(network.Shape, 3);
        var rows = 3 * network.RowsPerInput;
        var plain = network.Run(contexts, [.. network.Hooks.Select(hook => hook.Name)]);
        foreach (var hook in network.Hooks)
        {
            var held = plain.Recorded[hook.Name];
            Assert.Equal((rows, hook.Width), (held.Rows, held.Columns));
            Assert.All(held.Data, value => Assert.True(double.IsFinite(value)));
            Matrix Replaced(Matrix by) => network.Run(contexts, null, Put(hook.Name, _ => by)).Output;
            Assert.Equal<double>(plain.Output.Data, Replaced(held.Copy()).Data);
            var moved = held.Copy();
            for (var i = 0; i < moved.Data.Length; i++)
                moved.Data[i] += 1 + (i % 7);
            Assert.NotEqual<double>(plain.Output.Data, Replaced(moved).Data);
        }
    }

    [Fact]
    public void Hooks_fit_together_as_the_equations_say()
    {
        var network = Random(s_shapes["relu"] with { DoublePrecision = true });
        var (contexts, shape) = (Contexts(network.Shape, 2), network.Shape);
        var at = network.Run(contexts, [.. network.Hooks.Select(hook => hook.Name)]).Recorded;
        Matrix Attention(string name) => at[$"blocks.0.attn.hook_{name}"];
        for (var row = 0; row < contexts.Rows * shape.Context; row++)
        for (var head = 0; head < shape.Heads; head++)
        {
            var (first, query) = (row / shape.Context * shape.Context, row % shape.Context);
            var z = new double[shape.HeadWidth];
            var total = 0.0;
            for (var key = 0; key < shape.Context; key++)
            {
                var weight = Attention("pattern")[row, (head * shape.Context) + key];
                var score = 0.0;
                for (var i = 0; i < shape.HeadWidth; i++)
                {
                    var unit = (head * shape.HeadWidth) + i;
                    score += Attention("q")[row, unit] * Attention("k")[first + key, unit] / Math.Sqrt(shape.HeadWidth);
                    z[i] += weight * Attention("v")[first + key, unit];
                }
                Assert.Equal(key <= query ? score : 0, Attention("attn_scores")[row, (head * shape.Context) + key], 1e-12);
                Assert.True(key <= query || weight == 0);
                total += weight;
            }
            Assert.Equal(1, total, 1e-12);
            for (var i = 0; i < z.Length; i++)
                Assert.Equal(z[i], Attention("z")[row, (head * shape.HeadWidth) + i], 1e-12);
        }
        void Sum(string of, params string[] parts)
        {
            for (var i = 0; i < at[of].Data.Length; i++)
                Assert.Equal(parts.Sum(part => at[part].Data[i]), at[of].Data[i], 1e-12);
        }
        Sum("blocks.0.hook_resid_pre", "hook_embed", "hook_pos_embed");
        Sum("blocks.0.hook_resid_mid", "blocks.0.hook_resid_pre", "blocks.0.hook_attn_out");
        Sum("blocks.0.hook_resid_post", "blocks.0.hook_resid_mid", "blocks.0.hook_mlp_out");
        Assert.Equal<double>(at["blocks.0.mlp.hook_pre"].Data.Select(value => Math.Max(value, 0)), at["blocks.0.mlp.hook_post"].Data);
    }

    [Fact]
    public void Silencing_a_head_is_the_same_as_taking_its_weights_away()
    {
        var network = Random(s_plain with { Layers = 2, DoublePrecision = true });
        var contexts = Contexts(network.Shape, 4);
        var silenced = network.Run(
            contexts,
            null,
            Put(
                "blocks.0.attn.hook_z",
                z =>
                {
                    for (var row = 0; row < z.Rows; row++)
                        z.Row(row)[4..8].Clear();
                    return z;
                }
            )
        );
        var weights = network.Weights.ToDictionary(pair => pair.Key, pair => pair.Value.Copy());
        for (var row = 4; row < 8; row++)
            weights["blocks.0.attn.W_O"].Row(row).Clear();
        var without = new SmallTransformer(network.Shape, weights).Run(contexts);
        Assert.NotEqual<double>(network.Run(contexts).Output.Data, without.Output.Data);
        for (var i = 0; i < without.Output.Data.Length; i++)
            Assert.Equal(without.Output.Data[i], silenced.Output.Data[i], 1e-12);
    }

    [Fact]
    public void A_causal_model_does_not_see_what_comes_later()
    {
        var network = Random(s_shapes["two layers, everything"]);
        var contexts = Contexts(network.Shape, 1);
        var padded = contexts.Copy();
        for (var t = 4; t < 6; t++)
            padded[0, t] = 0;
        Assert.NotEqual<double>(contexts.Data, padded.Data);
        Matrix full = network.Run(contexts).Output,
            cut = network.Run(padded).Output;
        for (var t = 0; t < 4; t++)
        for (var output = 0; output < full.Columns; output++)
            Assert.Equal(full[t, output], cut[t, output], 1e-6);
    }

    [Fact]
    public void Names_and_sizes_are_those_of_TransformerLens()
    {
        var network = Random(s_shapes["two layers, everything"]);
        Assert.Equal((30, 4), Size("blocks.1.attn.W_Q"));
        Assert.Equal((12, 10), Size("blocks.1.attn.W_O"));
        Assert.Equal((3, 4), Size("blocks.0.attn.b_V"));
        Assert.Equal((1, 13), Size("blocks.0.mlp.b_in"));
        Assert.Equal((10, 11), Size("unembed.W_U"));
        Assert.Equal((6, 10), Size("pos_embed.W_pos"));
        Assert.Equal(
            [
                "blocks.1.hook_resid_pre",
                "blocks.1.ln1.hook_scale",
                "blocks.1.ln1.hook_normalized",
                "blocks.1.attn.hook_q",
                "blocks.1.attn.hook_k",
                "blocks.1.attn.hook_v",
                "blocks.1.attn.hook_attn_scores",
                "blocks.1.attn.hook_pattern",
                "blocks.1.attn.hook_z",
                "blocks.1.hook_attn_out",
                "blocks.1.hook_resid_mid",
                "blocks.1.ln2.hook_scale",
                "blocks.1.ln2.hook_normalized",
                "blocks.1.mlp.hook_pre",
                "blocks.1.mlp.hook_post",
                "blocks.1.hook_mlp_out",
                "blocks.1.hook_resid_post",
            ],
            network.Hooks.Select(hook => hook.Name).Where(name => name.StartsWith("blocks.1.", StringComparison.Ordinal))
        );
        Assert.Equal(network.Weights["blocks.1.attn.W_K"].Row(25).ToArray(), network.HeadWeight("W_K", layer: 1, head: 2).Row(5).ToArray());
        (int, int) Size(string name) => (network.Weights[name].Rows, network.Weights[name].Columns);
    }

    [Fact]
    public void Wrong_inputs_weights_and_shapes_are_refused_with_what_is_wrong()
    {
        var network = Random(s_plain);
        Refused(() => network.Run(Matrix.FromRows([0, 1, 2, 11, 4, 5])), "11", "position 3", "10");
        Refused(() => network.Run(Matrix.FromRows([0, 1, 2, .5, 4, 5])), "0.5");
        Refused(() => network.Run(new Matrix(1, 5)), "5 wide", "6");
        Refused(() => network.Run(new Matrix(1, 6), ["blocks.1.hook_resid_pre"]), "no hook 'blocks.1.hook_resid_pre'");
        Refused(() => network.Run(new Matrix(1, 6), null, Put("blocks.0.attn.hook_z", _ => new Matrix(6, 4))), "hook_z", "6 × 4", "6 × 12");
        Refused(() => network.HeadWeight("W_Q", 0, 3), "head 3");
        Refused(() => network.HeadWeight("W_E", 0, 0), "W_E");
        Dictionary<string, Matrix> Changed(string name, Matrix? weight)
        {
            var weights = network.Weights.ToDictionary(pair => pair.Key, pair => pair.Value);
            weights.Remove(name);
            if (weight is not null)
                weights[name] = weight;
            return weights;
        }
        Refused(() => _ = new SmallTransformer(s_plain, Changed("embed.W_E", null)), "embed.W_E");
        Refused(() => _ = new SmallTransformer(s_plain, Changed("unembed.W_U", new Matrix(10, 10))), "unembed.W_U", "10 × 11");
        Refused(() => _ = new SmallTransformer(s_plain, Changed("unembed.b_U", new Matrix(1, 11))), "unembed.b_U");
        Refused(() => _ = s_plain with { Heads = 0 }, "Heads is 0", "1024");
        Refused(() => Random(s_plain with { TiedUnembedding = true, Outputs = 3 }), "tied");

        static void Refused(Action action, params string[] parts)
        {
            var message = Assert.ThrowsAny<ArgumentException>(action).Message;
            Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
        }
    }

    /// <summary>A transformer whose every weight is random, biases and normalisation too.</summary>
    internal static SmallTransformer Random(TransformerShape shape)
    {
        var weights = TransformerWeights.Start(shape, 3, "test").ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var (name, weight) in weights.Where(pair => !pair.Key.Contains(".W_", StringComparison.Ordinal)))
        {
            var noise = new RandomStream(4, name);
            for (var i = 0; i < weight.Data.Length; i++)
                weight.Data[i] += 0.3 * noise.NextNormal();
        }
        return new SmallTransformer(shape, weights);
    }

    /// <summary>Random contexts. Shape: <c>[count, n_ctx]</c>.</summary>
    internal static Matrix Contexts(TransformerShape shape, int count)
    {
        var random = new RandomStream(5, "contexts");
        var contexts = new Matrix(count, shape.Context);
        for (var i = 0; i < contexts.Data.Length; i++)
            contexts.Data[i] = random.NextInt(shape.Vocabulary);
        return contexts;
    }

    private static Dictionary<string, Func<Matrix, Matrix>> Put(string hook, Func<Matrix, Matrix> what) => new() { [hook] = what };
}
