using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Networks;

/// <summary>
/// A one-layer attention-only transformer written out over tokens: logits are a direct path W_E·W_U plus, for each head, attention times the OV
/// circuit W_E·W_V·W_O·W_U; attention is the softmax of the QK circuit W_E·W_Q·W_Kᵀ·W_Eᵀ/√d_head.
/// </summary>
/// <remarks>
/// Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", on one-layer attention-only transformers; transposed, since weights
/// multiply from the right here. Exact without positions, biases and normalisation. All in double precision.
/// </remarks>
public sealed class HeadCircuits
{
    private readonly SmallTransformer _network;
    private readonly Matrix _embedding;
    private readonly Matrix _unembedding;

    /// <summary>The circuits of <paramref name="network"/>.</summary>
    /// <exception cref="ArgumentException">It is not one layer of attention without positions, biases and normalisation.</exception>
    public HeadCircuits(SmallTransformer network)
    {
        if (network.Shape is not { Layers: 1, MlpWidth: 0, LayerNorm: false, Positions: false, AttentionBias: false, UnembedBias: false })
            throw new ArgumentException(
                "circuits over tokens need one layer of attention without MLP, positions, biases and normalisation",
                nameof(network)
            );
        _network = network;
        _embedding = network.Weights["embed.W_E"];
        _unembedding = network.Shape.TiedUnembedding ? _embedding.Transpose() : network.Weights["unembed.W_U"];
        Direct = LinearAlgebra.Multiply(_embedding, _unembedding);
        Qk = [.. Enumerable.Range(0, network.Shape.Heads).Select(QkOf)];
        Ov = [.. Enumerable.Range(0, network.Shape.Heads).Select(head => LinearAlgebra.Multiply(Values(head), Reads(head)))];
    }

    /// <summary>The direct path: what a token says of the next one. Shape: <c>[token, output]</c>.</summary>
    public Matrix Direct { get; }

    /// <summary>Per head, attention scores before the softmax. Shape each: <c>[destination token, source token]</c>.</summary>
    public IReadOnlyList<Matrix> Qk { get; }

    /// <summary>Per head, what attending fully to a token adds to the outputs. Shape each: <c>[source token, output]</c>.</summary>
    public IReadOnlyList<Matrix> Ov { get; }

    /// <summary>Copying score Σ Re λ / Σ |λ| over the eigenvalues of a head's OV circuit: 1 where every token raises itself, −1 where it lowers itself.</summary>
    /// <returns>In [−1, 1]; <c>null</c> where the circuit is zero.</returns>
    /// <exception cref="ArgumentException">Outputs are not tokens.</exception>
    /// <remarks>The eigenvalues of (W_E·W_V)(W_O·W_U) that are not zero are those of the small product (W_O·W_U)(W_E·W_V).</remarks>
    public double? CopyingScore(int head)
    {
        if (_network.Shape.OutputWidth != _network.Shape.Vocabulary)
            throw new ArgumentException($"{_network.Shape.OutputWidth} outputs are not the {_network.Shape.Vocabulary} tokens");
        var (real, imaginary) = Eigenvalues(head);
        var sizes = real.Zip(imaginary, (re, im) => Math.Sqrt((re * re) + (im * im))).Sum();
        return sizes > 0 ? real.Sum() / sizes : null;
    }

    /// <summary>The d_head eigenvalues of a head's OV circuit that need not be zero.</summary>
    public (double[] Real, double[] Imaginary) Eigenvalues(int head)
    {
        using var scope = torch.NewDisposeScope();
        var values = torch.linalg.eigvals(LinearAlgebra.ToTensor(LinearAlgebra.Multiply(Reads(head), Values(head))));
        return (values.real.clone().data<double>().ToArray(), values.imag.clone().data<double>().ToArray());
    }

    /// <summary>Outputs from the circuits and measured attention: direct path plus, for each head, attention times OV.</summary>
    /// <param name="contexts">Token ids. Shape: <c>[n_samples, n_ctx]</c>.</param>
    /// <param name="pattern"><c>blocks.0.attn.hook_pattern</c> on them. Shape: <c>[n_samples · n_ctx, heads · n_ctx]</c>.</param>
    /// <returns>Shape: <c>[n_samples · n_ctx, outputs]</c>.</returns>
    public Matrix Outputs(Matrix contexts, Matrix pattern)
    {
        var (length, width) = (_network.Shape.Context, _network.Shape.OutputWidth);
        var outputs = new Matrix(contexts.Rows * length, width);
        for (var row = 0; row < outputs.Rows; row++)
        {
            var tokens = contexts.Row(row / length);
            var sums = outputs.Row(row);
            Direct.Row((int)tokens[row % length]).CopyTo(sums);
            for (var head = 0; head < Ov.Count; head++)
            for (var key = 0; key < length; key++)
            {
                var weight = pattern[row, (head * length) + key];
                var circuit = Ov[head].Row((int)tokens[key]);
                for (var output = 0; output < width; output++)
                    sums[output] += weight * circuit[output];
            }
        }
        return outputs;
    }

    /// <summary>Attention from the QK circuits alone: the softmax over what each position sees.</summary>
    /// <param name="contexts">Token ids. Shape: <c>[n_samples, n_ctx]</c>.</param>
    /// <returns>Laid out as <c>blocks.0.attn.hook_pattern</c>. Shape: <c>[n_samples · n_ctx, heads · n_ctx]</c>.</returns>
    /// <exception cref="ArgumentException">The network's attention is not a softmax.</exception>
    public Matrix Patterns(Matrix contexts)
    {
        if (_network.Shape.Attention != AttentionWeights.Softmax)
            throw new ArgumentException("attention is not a softmax of its scores", nameof(contexts));
        var length = _network.Shape.Context;
        var patterns = new Matrix(contexts.Rows * length, Qk.Count * length);
        for (var row = 0; row < patterns.Rows; row++)
        {
            var tokens = contexts.Row(row / length);
            var query = row % length;
            var seen = _network.Shape.Causal ? query + 1 : length;
            for (var head = 0; head < Qk.Count; head++)
            {
                var weights = patterns.Row(row).Slice(head * length, seen);
                var largest = double.NegativeInfinity;
                for (var key = 0; key < seen; key++)
                    largest = Math.Max(largest, weights[key] = Qk[head][(int)tokens[query], (int)tokens[key]]);
                var total = 0.0;
                for (var key = 0; key < seen; key++)
                    total += weights[key] = Math.Exp(weights[key] - largest);
                for (var key = 0; key < seen; key++)
                    weights[key] /= total;
            }
        }
        return patterns;
    }

    private Matrix QkOf(int head)
    {
        var scores = LinearAlgebra.MultiplyTranspose(
            LinearAlgebra.Multiply(_embedding, _network.HeadWeight("W_Q", 0, head)),
            LinearAlgebra.Multiply(_embedding, _network.HeadWeight("W_K", 0, head))
        );
        for (var i = 0; i < scores.Data.Length; i++)
            scores.Data[i] /= Math.Sqrt(_network.Shape.HeadWidth);
        return scores;
    }

    // [token, d_head]
    private Matrix Values(int head) => LinearAlgebra.Multiply(_embedding, _network.HeadWeight("W_V", 0, head));

    // [d_head, output]
    private Matrix Reads(int head) => LinearAlgebra.Multiply(_network.HeadWeight("W_O", 0, head), _unembedding);
}
