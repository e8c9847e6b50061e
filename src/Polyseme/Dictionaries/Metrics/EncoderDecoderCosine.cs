using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Metrics;

/// <summary>Whether a latent reads along the direction that it writes.</summary>
public static class EncoderDecoderCosine
{
    /// <summary>Cosine of each latent's encoder row with its decoder row, in [−1, 1]; <c>null</c> where either is zero. Shape: <c>[n_latents]</c>.</summary>
    /// <remarks>Below 1 the encoder takes interference out of what it reads. Not defined for transcoders, whose two sides live in different spaces.</remarks>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static double?[] PerLatent(FloatMatrix encoder, FloatMatrix decoder)
    {
        if (encoder.Rows != decoder.Rows || encoder.Columns != decoder.Columns)
            throw new ArgumentException(
                $"the encoder is [{encoder.Rows}, {encoder.Columns}] and the decoder [{decoder.Rows}, {decoder.Columns}], but their shapes must agree",
                nameof(decoder)
            );
        var cosines = new double?[encoder.Rows];
        for (var k = 0; k < encoder.Rows; k++)
        {
            double inner = 0,
                reads = 0,
                writes = 0;
            var read = encoder.Row(k);
            var write = decoder.Row(k);
            for (var j = 0; j < read.Length; j++)
            {
                inner += (double)read[j] * write[j];
                reads += (double)read[j] * read[j];
                writes += (double)write[j] * write[j];
            }
            cosines[k] = reads > 0 && writes > 0 ? inner / Math.Sqrt(reads * writes) : null;
        }
        return cosines;
    }
}
