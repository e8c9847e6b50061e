using System.Text.Json.Nodes;
using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Dictionaries.Formats;

/// <summary>A directory of EleutherAI's sparsify: <c>cfg.json</c> and <c>sae.safetensors</c>.</summary>
/// <remarks>Read from the code of sparsify 9d3b136 (sparse_coder.py, fused_encoder.py). W_dec has a latent a row.</remarks>
internal sealed class SparsifyFormat : DictionaryFormat
{
    private const string ConfigName = "cfg.json";
    private const string WeightsName = "sae.safetensors";
    private const string Section = "sparsify";
    private const string FromConfig = "as cfg.json says";

    public override string Name => "sparsify";

    public override string Summary => "EleutherAI's sparsify: a directory with cfg.json and sae.safetensors; top-k and groupmax";

    internal override bool Recognises(string path) =>
        File.Exists(Path.Combine(path, ConfigName)) && File.Exists(Path.Combine(path, WeightsName));

    public override SparseAutoencoder Read(string path)
    {
        var config = ToolConfig.Read(Path.Combine(path, ConfigName));
        var tensors = new DictionaryTensors(SafetensorsFile.Open(Path.Combine(path, WeightsName)));
        var dIn = config.Size("d_in");
        // 0 asks for the expansion factor.
        var latents = config.Number("num_latents") is null or 0
            ? checked(dIn * config.Size("expansion_factor", 32))
            : config.Size("num_latents");
        var transcodes = config.Flag("transcode", false);
        var k = config.Size("k");
        LatentActivation activation = (config.Text("activation") ?? "topk") switch
        {
            "topk" when k <= latents => new LatentActivation.TopK(k),
            "groupmax" when latents % k == 0 => new LatentActivation.GroupMax(k),
            "topk" or "groupmax" => throw config.Wrong("k", $"a k that fits {latents} latents"),
            _ => throw config.Wrong("activation", "topk or groupmax"),
        };
        // A transcoder's outputs may have another width, which only its decoder tells.
        var dOut = transcodes ? tensors.Sizes("W_dec").Columns : dIn;
        return Assemble(
            path,
            () =>
                new SparseAutoencoder(
                    activation,
                    tensors.Matrix("encoder.weight", latents, dIn, FromConfig),
                    tensors.Vector("encoder.bias", latents, FromConfig),
                    tensors.Matrix("W_dec", latents, dOut, FromConfig),
                    tensors.Vector("b_dec", dOut, FromConfig),
                    config.Flag("skip_connection", false) ? tensors.Matrix("W_skip", dOut, dIn, FromConfig) : null
                )
                {
                    SubtractDecoderBias = !transcodes,
                    Metadata = new JsonObject { [Section] = config.Values.DeepClone() },
                }
        );
    }

    public override string? WhyNot(SparseAutoencoder dictionary) =>
        dictionary.Normalisation != RowNormalisation.None ? "it does not normalise rows"
        : dictionary.DIn != dictionary.DOut && dictionary.SubtractDecoderBias ? "its transcoders do not subtract b_dec"
        : dictionary.Activation is LatentActivation.TopK { RescaleByDecoderNorm: true }
            ? "its top-k selects by the pre-activation alone, not by what a latent contributes"
        : dictionary.Activation is LatentActivation.TopK or LatentActivation.GroupMax ? null
        : "it has top-k and groupmax activations only";

    private protected override void WriteFiles(SparseAutoencoder dictionary, string path)
    {
        Directory.CreateDirectory(path);
        var config = new JsonObject
        {
            ["activation"] = dictionary.Activation is LatentActivation.TopK ? "topk" : "groupmax",
            ["expansion_factor"] = Math.Max(1, dictionary.NLatents / dictionary.DIn),
            ["normalize_decoder"] = false,
            ["num_latents"] = dictionary.NLatents,
            ["k"] = dictionary.Activation is LatentActivation.TopK { K: var k } ? k : ((LatentActivation.GroupMax)dictionary.Activation).K,
            ["multi_topk"] = false,
            ["skip_connection"] = dictionary.Skip is not null,
            ["transcode"] = !dictionary.SubtractDecoderBias,
            ["d_in"] = dictionary.DIn,
        };
        foreach (var (key, value) in dictionary.Metadata[Section] as JsonObject ?? [])
            if (!config.ContainsKey(key) || key is "expansion_factor" or "normalize_decoder" or "multi_topk")
                config[key] = value?.DeepClone();
        var tensors = new List<SafetensorsTensor>
        {
            Matrix("encoder.weight", dictionary.Encoder),
            SafetensorsTensor.Of("encoder.bias", dictionary.EncoderBias),
            Matrix("W_dec", dictionary.Decoder),
            SafetensorsTensor.Of("b_dec", dictionary.DecoderBias),
        };
        if (dictionary.Skip is { } skip)
            tensors.Add(Matrix("W_skip", skip));
        SafetensorsFile.Write(Path.Combine(path, WeightsName), tensors);
        AtomicFile.WriteText(Path.Combine(path, ConfigName), ToolJson.Write(config, JsonDialect.Python));
    }

    private static SafetensorsTensor Matrix(string name, FloatMatrix matrix) =>
        SafetensorsTensor.Of(name, matrix.Data, matrix.Rows, matrix.Columns);
}
