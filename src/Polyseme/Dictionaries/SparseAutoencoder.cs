using System.Text.Json.Nodes;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries;

/// <summary>What is done to a row before encoding and undone after decoding.</summary>
public enum RowNormalisation
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Each row: (x − mean) / (sd + 1e-5), sd with n − 1 in its denominator; undone with the row's own mean and sd. OpenAI's TopK models.</summary>
    LayerNorm,

    /// <summary>Each row: x·√d / ‖x‖; undone with the row's own norm. A row of zeros stays one. Older SAELens models.</summary>
    ConstantNorm,
}

/// <summary>A trained sparse autoencoder or transcoder: weights and what they mean. Immutable; training makes new ones.</summary>
/// <remarks>z = W_enc·(x − b) + b_enc; f = activation(z); x̂ = fᵀ·W_dec + b_dec + W_skip·x. b is b_dec where <see cref="SubtractDecoderBias"/> holds, else 0.</remarks>
public sealed record SparseAutoencoder : FeatureDictionary
{
    private const float LayerNormEpsilon = 1e-5f;

    /// <summary>A sparse autoencoder; the shapes are checked against each other.</summary>
    /// <exception cref="ArgumentException">Shapes disagree, or a number of the activation is out of range.</exception>
    public SparseAutoencoder(
        LatentActivation activation,
        FloatMatrix encoder,
        float[] encoderBias,
        FloatMatrix decoder,
        float[] decoderBias,
        FloatMatrix? skip = null
    )
    {
        (Activation, Encoder, EncoderBias, Decoder, DecoderBias, Skip) = (activation, encoder, encoderBias, decoder, decoderBias, skip);
        var n = encoder.Rows;
        Expect("W_dec", decoder.Rows, n, "latents");
        Expect("b_enc", encoderBias.Length, n, "latents");
        Expect("b_dec", decoderBias.Length, decoder.Columns, "columns of W_dec");
        if (skip is not null)
        {
            Expect("rows of W_skip", skip.Rows, decoder.Columns, "columns of W_dec");
            Expect("columns of W_skip", skip.Columns, encoder.Columns, "columns of W_enc");
        }
        switch (activation)
        {
            case LatentActivation.Relu or LatentActivation.ProLu:
                break;
            case LatentActivation.TopK { K: var k } when k >= 1 && k <= n:
                break;
            case LatentActivation.BatchTopK { K: var k } when k > 0 && k <= n:
                break;
            case LatentActivation.GroupMax { K: var k } when k >= 1 && k <= n && n % k == 0:
                break;
            case LatentActivation.JumpRelu { Threshold: var threshold }:
                Expect("threshold", threshold.Length, n, "latents");
                break;
            case LatentActivation.Gated gated:
                Expect("b_mag", gated.MagnitudeBias.Length, n, "latents");
                Expect("r_mag", gated.LogScale.Length, n, "latents");
                break;
            case LatentActivation.MatchingPursuit { ResidualThreshold: >= 0 and < double.PositiveInfinity, MaxIterations: null or >= 1 }:
                if (skip is not null || !encoder.Data.AsSpan().SequenceEqual(decoder.Data) || encoderBias.AsSpan().ContainsAnyExcept(0))
                    throw new ArgumentException(
                        "matching pursuit reads with the directions it writes with: W_enc is W_dec, b_enc is 0, and there is no W_skip"
                    );
                break;
            default:
                throw new ArgumentException($"{activation} does not fit {n} latents", nameof(activation));
        }
        SubtractDecoderBias = encoder.Columns == decoder.Columns && skip is null;
    }

    /// <summary>One that finds its latents by matching pursuit.</summary>
    /// <param name="activation">When a row is done.</param>
    /// <param name="decoder">The directions. Shape: <c>[n_latents, d_in]</c>.</param>
    /// <param name="decoderBias">Shape: <c>[d_in]</c>.</param>
    public static SparseAutoencoder ByPursuit(LatentActivation.MatchingPursuit activation, FloatMatrix decoder, float[] decoderBias) =>
        new(activation, decoder, new float[decoder.Rows], decoder, decoderBias);

    /// <summary>From pre-activations to latents.</summary>
    public LatentActivation Activation { get; }

    /// <summary>W_enc, a latent a row. Shape: <c>[n_latents, d_in]</c>.</summary>
    public FloatMatrix Encoder { get; }

    /// <summary>b_enc; of a gated one, b_gate. Shape: <c>[n_latents]</c>.</summary>
    public float[] EncoderBias { get; }

    /// <summary>W_dec, a latent a row. Shape: <c>[n_latents, d_out]</c>.</summary>
    public FloatMatrix Decoder { get; }

    /// <summary>b_dec. Shape: <c>[d_out]</c>.</summary>
    public float[] DecoderBias { get; }

    /// <summary>W_skip of a skip-transcoder. Shape: <c>[d_out, d_in]</c>.</summary>
    public FloatMatrix? Skip { get; }

    /// <summary>Whether b_dec is taken from rows before encoding. By default it is, unless this is a transcoder.</summary>
    public bool SubtractDecoderBias { get; init; }

    /// <summary>What is done to each row before.</summary>
    public RowNormalisation Normalisation { get; init; }

    /// <summary>What a file said besides, for the tool that wrote it: model, hook, context size, …</summary>
    public JsonObject Metadata { get; init; } = [];

    /// <inheritdoc/>
    public override int DIn => Encoder.Columns;

    /// <inheritdoc/>
    public override int DOut => Decoder.Columns;

    /// <inheritdoc/>
    public override int NLatents => Encoder.Rows;

    /// <inheritdoc/>
    public override FloatMatrix Directions => Decoder;

    /// <summary>A dictionary of scaled rows as one of the rows themselves: W_enc·s, W_dec/t, b_dec/t, W_skip·s/t.</summary>
    /// <param name="inputs">s, above 0: the dictionary was made for s·x.</param>
    /// <param name="outputs">t, above 0: what it gives is t times what is meant; of an autoencoder, s.</param>
    /// <remarks>
    /// Latents stay what they were, but for two kinds. Matching pursuit has one matrix, which stays; its latents, like b_dec and the residual threshold, are
    /// those of s·x divided by s. TopK that rescales gives out what a latent contributes, which is a tᵗʰ.
    /// </remarks>
    internal SparseAutoencoder Unscaled(double inputs, double outputs)
    {
        if ((inputs, outputs) == (1, 1))
            return this;
        static float[] Times(float[] values, double factor) => Array.ConvertAll(values, value => (float)(value * factor));
        static FloatMatrix Scaled(FloatMatrix matrix, double factor) => new(matrix.Rows, matrix.Columns, Times(matrix.Data, factor));
        var bias = Times(DecoderBias, 1 / outputs);
        var unscaled = Activation is LatentActivation.MatchingPursuit pursuit
            ? ByPursuit(pursuit with { ResidualThreshold = pursuit.ResidualThreshold / inputs }, Decoder, bias)
            : new SparseAutoencoder(
                Activation,
                Scaled(Encoder, inputs),
                EncoderBias,
                Scaled(Decoder, 1 / outputs),
                bias,
                Skip is { } skip ? Scaled(skip, inputs / outputs) : null
            );
        return unscaled with { SubtractDecoderBias = SubtractDecoderBias, Normalisation = Normalisation, Metadata = Metadata };
    }

    /// <inheritdoc/>
    public override torch.Tensor Encode(torch.Tensor rows)
    {
        CheckWidth(rows, DIn, nameof(rows));
        using var scope = torch.NewDisposeScope();
        return EncodeNormalised(Normalised(rows).Rows).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override torch.Tensor Decode(torch.Tensor latents)
    {
        CheckWidth(latents, NLatents, nameof(latents));
        using var scope = torch.NewDisposeScope();
        var decoder = On(Decoder, latents.device);
        if (Activation is LatentActivation.TopK { RescaleByDecoderNorm: true })
            latents = latents / DecoderNorms(decoder);
        return (torch.mm(latents, decoder) + On(DecoderBias, latents.device)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override torch.Tensor Reconstruct(torch.Tensor rows)
    {
        CheckWidth(rows, DIn, nameof(rows));
        using var scope = torch.NewDisposeScope();
        var (normalised, mean, scale) = Normalised(rows);
        var decoded = Decode(EncodeNormalised(normalised));
        if (Skip is { } skip)
            decoded = decoded + torch.mm(normalised, On(skip, rows.device).t());
        if (scale is not null)
            decoded = decoded * scale;
        return (mean is null ? decoded : decoded + mean).MoveToOuterDisposeScope();
    }

    private torch.Tensor EncodeNormalised(torch.Tensor rows)
    {
        var device = rows.device;
        var centred = SubtractDecoderBias ? rows - On(DecoderBias, device) : rows;
        if (Activation is LatentActivation.MatchingPursuit pursuit)
            return MatchingPursuit.Encode(centred, On(Decoder, device), pursuit);
        var product = torch.mm(centred, On(Encoder, device).t());
        var z = product + On(EncoderBias, device);
        switch (Activation)
        {
            case LatentActivation.Relu:
                return z.relu();
            case LatentActivation.TopK { RescaleByDecoderNorm: var rescale } top:
                return Largest(rescale ? z * DecoderNorms(On(Decoder, device)) : z, top.K).relu();
            case LatentActivation.BatchTopK batch:
                var positive = z.relu();
                var kept = Largest(positive.reshape(1, -1), (int)Math.Min(batch.K * rows.shape[0], positive.numel()));
                return kept.reshape(z.shape);
            case LatentActivation.JumpRelu jump:
                return z.relu() * (z > On(jump.Threshold, device)).to_type(z.dtype);
            case LatentActivation.Gated gated:
                var magnitude = (product * On(gated.LogScale, device).exp()) + On(gated.MagnitudeBias, device);
                return magnitude.relu() * (z > 0).to_type(z.dtype);
            case LatentActivation.ProLu:
                return product * ((z > 0) & (product > 0)).to_type(z.dtype);
            case LatentActivation.GroupMax group:
                return Largest(z.relu().reshape(-1, NLatents / group.K), 1).reshape(z.shape);
            default:
                throw new InvalidOperationException($"unknown activation {Activation}");
        }
    }

    /// <summary>Rows = normalised · scale + mean, as far as a scale of the size of rounding allows.</summary>
    private (torch.Tensor Rows, torch.Tensor? Mean, torch.Tensor? Scale) Normalised(torch.Tensor rows)
    {
        switch (Normalisation)
        {
            case RowNormalisation.None:
                return (rows, null, null);
            case RowNormalisation.LayerNorm:
                var mean = rows.mean([1L], keepdim: true);
                var deviation = rows.std([1L], unbiased: true, keepdim: true);
                return ((rows - mean) / (deviation + LayerNormEpsilon), mean, deviation);
            case RowNormalisation.ConstantNorm:
                var scale = rows.norm(1, keepdim: true).clamp_min(float.Epsilon) / Math.Sqrt(DIn);
                return (rows / scale, null, scale);
            default:
                throw new InvalidOperationException($"unknown normalisation {Normalisation}");
        }
    }

    /// <summary>All but the k largest of each row set to 0.</summary>
    private static torch.Tensor Largest(torch.Tensor values, int k)
    {
        if (k == 0)
            return torch.zeros_like(values);
        var (largest, indexes) = values.topk(k, dim: 1, sorted: false);
        return torch.zeros_like(values).scatter_(1, indexes, largest);
    }

    private static torch.Tensor DecoderNorms(torch.Tensor decoder) => decoder.norm(1).clamp_min(1e-8);

    private static torch.Tensor On(FloatMatrix matrix, torch.Device device) => On(matrix.Data, device).reshape(matrix.Rows, matrix.Columns);

    private static torch.Tensor On(float[] values, torch.Device device) => torch.tensor(values).to(device);

    private static void Expect(string what, int found, int expected, string of)
    {
        if (found != expected)
            throw new ArgumentException($"{what} has {found}, but there are {expected} {of}");
    }
}
