using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Tests.Networks;

/// <summary>The transformer again, plainly: one context at a time, loops over doubles, from the published equations.</summary>
internal static class TransformerReference
{
    /// <summary>Outputs. Shape: <c>[n_ctx, outputs]</c>.</summary>
    public static double[][] Outputs(TransformerShape shape, IReadOnlyDictionary<string, Matrix> weights, int[] tokens)
    {
        var length = tokens.Length;
        var residual = tokens.Select(token => weights["embed.W_E"].Row(token).ToArray()).ToArray();
        if (shape.Positions)
        {
            for (var t = 0; t < length; t++)
                Add(residual[t], weights["pos_embed.W_pos"].Row(t).ToArray());
        }
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var block = $"blocks.{layer}";
            var input = residual.Select(row => Norm(shape, weights, $"{block}.ln1", row)).ToArray();
            for (var head = 0; head < shape.Heads; head++)
            {
                double[][] q = Project("Q"),
                    k = Project("K"),
                    v = Project("V");
                double[][] Project(string letter)
                {
                    var rows = input.Select(row => Times(row, Slice(weights[$"{block}.attn.W_{letter}"], head, shape.Heads))).ToArray();
                    if (shape.AttentionBias)
                    {
                        foreach (var row in rows)
                            Add(row, weights[$"{block}.attn.b_{letter}"].Row(head).ToArray());
                    }
                    return rows;
                }
                for (var query = 0; query < length; query++)
                {
                    var seen = shape.Causal ? query + 1 : length;
                    var pattern = Enumerable
                        .Range(0, seen)
                        .Select(key => q[query].Zip(k[key], (a, b) => a * b).Sum() / Math.Sqrt(shape.HeadWidth))
                        .ToArray();
                    if (shape.Attention == AttentionWeights.Softmax)
                    {
                        var total = pattern.Sum(Math.Exp);
                        pattern = [.. pattern.Select(score => Math.Exp(score) / total)];
                    }
                    var z = new double[shape.HeadWidth];
                    for (var key = 0; key < seen; key++)
                        Add(z, [.. v[key].Select(value => pattern[key] * value)]);
                    Add(residual[query], Times(z, Slice(weights[$"{block}.attn.W_O"], head, shape.Heads)));
                }
            }
            foreach (var row in residual)
            {
                if (shape.AttentionBias)
                    Add(row, weights[$"{block}.attn.b_O"].Data);
                if (shape.MlpWidth == 0)
                    continue;
                var hidden = Times(Norm(shape, weights, $"{block}.ln2", row), weights[$"{block}.mlp.W_in"]);
                if (shape.MlpBias)
                    Add(hidden, weights[$"{block}.mlp.b_in"].Data);
                Add(row, Times([.. hidden.Select(value => Activate(shape.Activation, value))], weights[$"{block}.mlp.W_out"]));
                if (shape.MlpBias)
                    Add(row, weights[$"{block}.mlp.b_out"].Data);
            }
        }
        var unembedding = shape.TiedUnembedding ? weights["embed.W_E"].Transpose() : weights["unembed.W_U"];
        var outputs = residual.Select(row => Times(Norm(shape, weights, "ln_final", row), unembedding)).ToArray();
        foreach (var row in outputs)
        {
            if (shape.UnembedBias)
                Add(row, weights["unembed.b_U"].Data);
        }
        return outputs;
    }

    private static double Activate(TransformerActivation activation, double x) =>
        activation switch
        {
            TransformerActivation.Relu => Math.Max(x, 0),
            TransformerActivation.Gelu => x * NormalBelow(x),
            TransformerActivation.GeluTanh => x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
            _ => throw new ArgumentOutOfRangeException(nameof(activation)),
        };

    /// <summary>Φ(x) by its series x·φ(x)·(1 + x²/3 + x⁴/15 + …) + ½.</summary>
    private static double NormalBelow(double x)
    {
        double term = x,
            sum = x;
        for (var n = 1; n < 200; n++)
            sum += term *= x * x / ((2 * n) + 1);
        return 0.5 + (sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI));
    }

    private static double[] Norm(TransformerShape shape, IReadOnlyDictionary<string, Matrix> weights, string name, double[] row)
    {
        if (!shape.LayerNorm)
            return [.. row];
        var mean = row.Average();
        var deviation = Math.Sqrt(row.Average(value => (value - mean) * (value - mean)) + 1e-5);
        return [.. row.Select((value, i) => ((value - mean) / deviation * weights[$"{name}.w"][0, i]) + weights[$"{name}.b"][0, i])];
    }

    private static Matrix Slice(Matrix stacked, int head, int heads) =>
        stacked.SelectRows([.. Enumerable.Range(head * (stacked.Rows / heads), stacked.Rows / heads)]);

    private static double[] Times(double[] row, Matrix matrix)
    {
        var product = new double[matrix.Columns];
        for (var i = 0; i < row.Length; i++)
        for (var j = 0; j < product.Length; j++)
            product[j] += row[i] * matrix[i, j];
        return product;
    }

    private static void Add(double[] row, double[] other)
    {
        for (var i = 0; i < row.Length; i++)
            row[i] += other[i];
    }
}
