using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Polyseme.Activations;
using Polyseme.Runs;

namespace Polyseme.Dictionaries.Formats;

/// <summary>Gemma Scope's <c>params.npz</c>: a JumpReLU dictionary, or transcoder, that subtracts nothing from what it reads.</summary>
/// <remarks>Lieberum et al. 2024 (arXiv 2408.05147); W_enc [d_in, n], W_dec [n, d_out], b_enc, b_dec, threshold. Some files write w_enc and w_dec.</remarks>
internal sealed class GemmaScopeFormat : DictionaryFormat
{
    private const string FileName = "params.npz";

    public override string Name => "gemma-scope";

    public override string Summary => "Gemma Scope: params.npz; JumpReLU";

    internal override bool Recognises(string path) =>
        File.Exists(Path.Combine(path, FileName)) || (File.Exists(path) && path.EndsWith(".npz", StringComparison.Ordinal));

    public override SparseAutoencoder Read(string path)
    {
        var file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        var tensors = new DictionaryTensors(NpzFile.Open(file));
        string encoder = tensors.Has("W_enc") ? "W_enc" : "w_enc",
            decoder = tensors.Has("W_dec") ? "W_dec" : "w_dec";
        var (dIn, latents) = tensors.Sizes(encoder);
        var dOut = tensors.Sizes(decoder).Columns;
        const string fits = "as W_enc says";
        return Assemble(
            file,
            () =>
                new SparseAutoencoder(
                    new LatentActivation.JumpRelu(tensors.Vector("threshold", latents, fits)),
                    tensors.Matrix(encoder, dIn, latents, fits).Transpose(),
                    tensors.Vector("b_enc", latents, fits),
                    tensors.Matrix(decoder, latents, dOut, fits),
                    tensors.Vector("b_dec", dOut, fits)
                )
                {
                    SubtractDecoderBias = false,
                    Metadata = new JsonObject(),
                }
        );
    }

    public override string? WhyNot(SparseAutoencoder dictionary) =>
        dictionary.Skip is not null ? "it has no skip path"
        : dictionary.Normalisation != RowNormalisation.None ? "it does not normalise rows"
        : dictionary.Activation is not (LatentActivation.JumpRelu or LatentActivation.Relu)
            ? $"it holds JumpReLU dictionaries only, and this one is {dictionary.Activation.GetType().Name}"
        : null;

    private protected override void WriteFiles(SparseAutoencoder dictionary, string path)
    {
        Directory.CreateDirectory(path);
        var encoderBias = (float[])dictionary.EncoderBias.Clone();
        // What it subtracts before encoding becomes part of the bias: W_enc·(x − b_dec) + b_enc = W_enc·x + (b_enc − W_enc·b_dec).
        if (dictionary.SubtractDecoderBias)
            for (var i = 0; i < encoderBias.Length; i++)
            {
                var shift = 0.0;
                for (var j = 0; j < dictionary.DIn; j++)
                    shift += (double)dictionary.Encoder[i, j] * dictionary.DecoderBias[j];
                encoderBias[i] = (float)(encoderBias[i] - shift);
            }
        // A ReLU is a JumpReLU that jumps at 0.
        var threshold = dictionary.Activation is LatentActivation.JumpRelu jump ? jump.Threshold : new float[dictionary.NLatents];
        AtomicFile.Write(
            Path.Combine(path, FileName),
            stream =>
            {
                using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
                Add(archive, "W_dec", dictionary.Decoder.Data, dictionary.NLatents, dictionary.DOut);
                Add(archive, "W_enc", dictionary.Encoder.Transpose().Data, dictionary.DIn, dictionary.NLatents);
                Add(archive, "b_dec", dictionary.DecoderBias, dictionary.DOut);
                Add(archive, "b_enc", encoderBias, dictionary.NLatents);
                Add(archive, "threshold", threshold, dictionary.NLatents);
            }
        );
    }

    private static void Add(ZipArchive archive, string name, float[] values, params int[] shape)
    {
        var entry = archive.CreateEntry($"{name}.npy", CompressionLevel.NoCompression);
        entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero); // numpy's own; equal dictionaries give equal bytes
        var sizes = string.Join(", ", shape) + (shape.Length == 1 ? "," : "");
        var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({sizes}), }}";
        header = header.PadRight(((10 + header.Length + 1 + 63) / 64 * 64) - 11) + "\n";
        var start = new byte[10 + header.Length];
        NpyHeader.Magic.CopyTo(start);
        start[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(start.AsSpan(8), (ushort)header.Length);
        Encoding.ASCII.GetBytes(header, start.AsSpan(10));
        using var data = entry.Open();
        data.Write(start);
        const int part = 1 << 20;
        for (var i = 0; i < values.Length; i += part)
            data.Write(MemoryMarshal.AsBytes(values.AsSpan(i, Math.Min(part, values.Length - i))));
    }
}
