using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Classical;

/// <summary>Latents that are linear in the row: f = W·(x − mean), x̂ = fᵀ·D + mean. PCA and the independent components make these.</summary>
public sealed record LinearDictionary : FeatureDictionary
{
    /// <summary>A linear dictionary; the shapes are checked against each other.</summary>
    /// <param name="encoder">W, a latent a row. Shape: <c>[n_latents, d]</c>.</param>
    /// <param name="decoder">D, a latent a row. Shape: <c>[n_latents, d]</c>.</param>
    /// <param name="mean">Shape: <c>[d]</c>.</param>
    /// <exception cref="ArgumentException">Shapes disagree.</exception>
    public LinearDictionary(FloatMatrix encoder, FloatMatrix decoder, float[] mean)
    {
        if (encoder.Rows != decoder.Rows || encoder.Columns != decoder.Columns || mean.Length != encoder.Columns)
            throw new ArgumentException(
                $"encoder [{encoder.Rows}, {encoder.Columns}], decoder [{decoder.Rows}, {decoder.Columns}] and mean [{mean.Length}] do not fit",
                nameof(decoder)
            );
        (Encoder, Decoder, Mean) = (encoder, decoder, mean);
    }

    /// <summary>W. Shape: <c>[n_latents, d]</c>.</summary>
    public FloatMatrix Encoder { get; }

    /// <summary>D. Shape: <c>[n_latents, d]</c>.</summary>
    public FloatMatrix Decoder { get; }

    /// <summary>Taken from rows before and added again after. Shape: <c>[d]</c>.</summary>
    public float[] Mean { get; }

    /// <inheritdoc/>
    public override int DIn => Encoder.Columns;

    /// <inheritdoc/>
    public override int DOut => Decoder.Columns;

    /// <inheritdoc/>
    public override int NLatents => Encoder.Rows;

    /// <inheritdoc/>
    public override FloatMatrix Directions => Decoder;

    /// <inheritdoc/>
    public override torch.Tensor Encode(torch.Tensor rows)
    {
        CheckWidth(rows, DIn, nameof(rows));
        using var scope = torch.NewDisposeScope();
        return torch.mm(rows - Vector(rows.device), Weights(Encoder, rows.device).t()).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override torch.Tensor Decode(torch.Tensor latents)
    {
        CheckWidth(latents, NLatents, nameof(latents));
        using var scope = torch.NewDisposeScope();
        return (torch.mm(latents, Weights(Decoder, latents.device)) + Vector(latents.device)).MoveToOuterDisposeScope();
    }

    private torch.Tensor Vector(torch.Device device) => torch.frombuffer(Mean, torch.float32).to(device);

    private static torch.Tensor Weights(FloatMatrix weights, torch.Device device) =>
        torch.frombuffer(weights.Data, torch.float32).reshape(weights.Rows, weights.Columns).to(device);
}
