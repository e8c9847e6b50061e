using Polyseme.Activations;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Formats;

/// <summary>How a dictionary that was written and read back differs from what was read first, on random rows.</summary>
/// <param name="Rows">Rows compared.</param>
/// <param name="LatentDifference">The largest difference of a latent.</param>
/// <param name="LatentScale">The largest latent.</param>
/// <param name="RowDifference">The largest difference of a reconstructed value.</param>
/// <param name="RowScale">The largest reconstructed value.</param>
/// <param name="ActiveShare">Share of latents that were not 0: with none, nothing was compared.</param>
public sealed record ConversionProof(
    int Rows,
    double LatentDifference,
    double LatentScale,
    double RowDifference,
    double RowScale,
    double ActiveShare
)
{
    /// <summary>Relative to the scale, above which a conversion changed the dictionary: some thousand roundings of float32.</summary>
    public const double Tolerance = 1e-4;

    /// <summary>Whether nothing differs by more than rounding.</summary>
    public bool Holds => LatentDifference <= Tolerance * Math.Max(LatentScale, 1) && RowDifference <= Tolerance * Math.Max(RowScale, 1);
}

/// <summary>What a conversion did.</summary>
/// <param name="From">The format read.</param>
/// <param name="To">The format written.</param>
/// <param name="Dictionary">What was read.</param>
/// <param name="Proof">The comparison; <c>null</c> where the target cannot be read back.</param>
public sealed record ConversionResult(DictionaryFormat From, DictionaryFormat To, SparseAutoencoder Dictionary, ConversionProof? Proof);

/// <summary>From one format to another, and back again to see that nothing changed.</summary>
public static class DictionaryConversion
{
    private const int ProofRows = 256;

    /// <summary>Reads, writes, reads back and compares.</summary>
    /// <param name="input">The dictionary.</param>
    /// <param name="output">Where to: a directory.</param>
    /// <param name="to">The format to write.</param>
    /// <param name="from">The format to read; <c>null</c> finds out.</param>
    /// <param name="seed">Draws the rows of the comparison.</param>
    /// <exception cref="InputException">The input is not such a dictionary.</exception>
    /// <exception cref="ConversionException">The target cannot express it, or what was written reads back as something else.</exception>
    /// <exception cref="IOException">The output cannot be written.</exception>
    public static ConversionResult Run(string input, string output, DictionaryFormat to, DictionaryFormat? from, ulong seed)
    {
        from ??= DictionaryFormats.Recognise(input);
        if (to.WhyNotWritten is { } reason)
            throw new ConversionException($"{to.Name} is not written: {reason}");
        var dictionary = from.Read(input);
        to.Write(dictionary, output);
        if (!to.IsRead)
            return new ConversionResult(from, to, dictionary, null);
        var proof = Compare(dictionary, to.Read(output), new RandomStream(seed, "rows of a conversion"));
        return proof.Holds
            ? new ConversionResult(from, to, dictionary, proof)
            : throw new ConversionException(
                $"{output} does not encode as {input}: latents differ by {proof.LatentDifference:g3} of {proof.LatentScale:g3}, "
                    + $"rows by {proof.RowDifference:g3} of {proof.RowScale:g3}"
            );
    }

    /// <summary>Compares two dictionaries on random rows around the first one's decoder bias.</summary>
    public static ConversionProof Compare(SparseAutoencoder before, SparseAutoencoder after, RandomStream random)
    {
        if ((before.DIn, before.DOut, before.NLatents) != (after.DIn, after.DOut, after.NLatents))
            throw new ArgumentException(
                $"[{before.DIn}, {before.NLatents}, {before.DOut}] cannot be compared with [{after.DIn}, {after.NLatents}, {after.DOut}]"
            );
        using var scope = torch.NewDisposeScope();
        var values = new float[ProofRows * before.DIn];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)random.NextNormal() + (before.SubtractDecoderBias ? before.DecoderBias[i % before.DIn] : 0);
        var rows = torch.tensor(values).reshape(ProofRows, before.DIn);
        var latents = before.Encode(rows);
        var reconstructed = before.Reconstruct(rows);
        return new ConversionProof(
            ProofRows,
            Largest(latents - after.Encode(rows)),
            Largest(latents),
            Largest(reconstructed - after.Reconstruct(rows)),
            Largest(reconstructed),
            (latents != 0).to(torch.float32).mean().item<float>()
        );
    }

    private static double Largest(torch.Tensor values) => values.abs().max().item<float>();
}
