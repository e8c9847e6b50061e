using System.Text.Json;
using System.Text.Json.Nodes;
using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Dictionaries.Formats;

/// <summary>Our own: a directory with <c>dictionary.json</c> (schema <c>polyseme.dictionary/1</c>) and <c>dictionary.safetensors</c>. It holds every dictionary.</summary>
internal sealed class PolysemeFormat : DictionaryFormat
{
    public const string ConfigName = "dictionary.json";
    public const string WeightsName = "dictionary.safetensors";
    private const string Schema = "polyseme.dictionary/1";
    private const string FromConfig = "as dictionary.json says";

    private static readonly JsonSerializerOptions s_indented = new(Json.Options) { WriteIndented = true };

    public override string Name => "polyseme";

    public override string Summary => "Polyseme's own: a directory with dictionary.json and dictionary.safetensors; holds every dictionary";

    internal override bool Recognises(string path) => File.Exists(Path.Combine(path, ConfigName));

    public override string? WhyNot(SparseAutoencoder dictionary) => null;

    public override SparseAutoencoder Read(string path)
    {
        var config = ToolConfig.Read(Path.Combine(path, ConfigName));
        if (config.Text("schema") != Schema)
            throw config.Wrong("schema", $"'{Schema}'");
        int dIn = config.Size("d_in"),
            dOut = config.Size("d_out"),
            latents = config.Size("n_latents");
        var tensors = new DictionaryTensors(SafetensorsFile.Open(Path.Combine(path, WeightsName)));
        var activation = ReadActivation(config.Section("activation") ?? throw config.Wrong("activation", "an object"), tensors, latents);
        return Assemble(
            path,
            () =>
                new SparseAutoencoder(
                    activation,
                    tensors.Matrix("encoder", latents, dIn, FromConfig),
                    tensors.Vector("encoder_bias", latents, FromConfig),
                    tensors.Matrix("decoder", latents, dOut, FromConfig),
                    tensors.Vector("decoder_bias", dOut, FromConfig),
                    tensors.Has("skip") ? tensors.Matrix("skip", dOut, dIn, FromConfig) : null
                )
                {
                    SubtractDecoderBias = config.Flag("subtract_decoder_bias", fallback: dIn == dOut),
                    Normalisation = config.Text("normalisation") switch
                    {
                        null or "none" => RowNormalisation.None,
                        "layer_norm" => RowNormalisation.LayerNorm,
                        "constant_norm" => RowNormalisation.ConstantNorm,
                        _ => throw config.Wrong("normalisation", "none, layer_norm or constant_norm"),
                    },
                    Metadata = (JsonObject)(config.Section("metadata")?.Values.DeepClone() ?? new JsonObject()),
                }
        );
    }

    private protected override void WriteFiles(SparseAutoencoder dictionary, string path)
    {
        Directory.CreateDirectory(path);
        File.Delete(Path.Combine(path, ConfigName));
        var (activation, more) = Describe(dictionary.Activation);
        var tensors = new List<SafetensorsTensor>
        {
            Matrix("encoder", dictionary.Encoder),
            SafetensorsTensor.Of("encoder_bias", dictionary.EncoderBias),
            Matrix("decoder", dictionary.Decoder),
            SafetensorsTensor.Of("decoder_bias", dictionary.DecoderBias),
        };
        tensors.AddRange(more);
        if (dictionary.Skip is { } skip)
            tensors.Add(Matrix("skip", skip));
        var config = new JsonObject
        {
            ["schema"] = Schema,
            ["polyseme"] = CodeVersion.Full,
            ["d_in"] = dictionary.DIn,
            ["d_out"] = dictionary.DOut,
            ["n_latents"] = dictionary.NLatents,
            ["activation"] = activation,
            ["subtract_decoder_bias"] = dictionary.SubtractDecoderBias,
            ["normalisation"] = dictionary.Normalisation switch
            {
                RowNormalisation.LayerNorm => "layer_norm",
                RowNormalisation.ConstantNorm => "constant_norm",
                _ => "none",
            },
            ["metadata"] = dictionary.Metadata.DeepClone(),
        };
        // A directory is a dictionary once dictionary.json is there, so it comes last.
        SafetensorsFile.Write(Path.Combine(path, WeightsName), tensors);
        AtomicFile.WriteText(Path.Combine(path, ConfigName), config.ToJsonString(s_indented) + "\n");
    }

    private static SafetensorsTensor Matrix(string name, FloatMatrix matrix) =>
        SafetensorsTensor.Of(name, matrix.Data, matrix.Rows, matrix.Columns);

    private static (JsonObject Config, SafetensorsTensor[] Tensors) Describe(LatentActivation activation) =>
        activation switch
        {
            LatentActivation.Relu => (Kind("relu"), []),
            LatentActivation.ProLu => (Kind("prolu"), []),
            LatentActivation.TopK top => (
                new JsonObject
                {
                    ["kind"] = "topk",
                    ["k"] = top.K,
                    ["rescale_by_decoder_norm"] = top.RescaleByDecoderNorm,
                },
                []
            ),
            LatentActivation.BatchTopK batch => (new JsonObject { ["kind"] = "batchtopk", ["k"] = batch.K }, []),
            LatentActivation.MatchingPursuit pursuit => (
                new JsonObject
                {
                    ["kind"] = "matching_pursuit",
                    ["residual_threshold"] = pursuit.ResidualThreshold,
                    ["max_iterations"] = pursuit.MaxIterations,
                    ["stop_on_duplicate_support"] = pursuit.StopOnDuplicateSupport,
                },
                []
            ),
            LatentActivation.GroupMax group => (new JsonObject { ["kind"] = "groupmax", ["k"] = group.K }, []),
            LatentActivation.JumpRelu jump => (Kind("jumprelu"), [SafetensorsTensor.Of("threshold", jump.Threshold)]),
            LatentActivation.Gated gated => (
                Kind("gated"),
                [SafetensorsTensor.Of("magnitude_bias", gated.MagnitudeBias), SafetensorsTensor.Of("log_scale", gated.LogScale)]
            ),
            _ => throw new InvalidOperationException($"unknown activation {activation}"),
        };

    private static JsonObject Kind(string name) => new() { ["kind"] = name };

    private static LatentActivation ReadActivation(ToolConfig config, DictionaryTensors tensors, int latents) =>
        config.Text("kind") switch
        {
            "relu" => new LatentActivation.Relu(),
            "prolu" => new LatentActivation.ProLu(),
            "topk" => new LatentActivation.TopK(config.Size("k"), config.Flag("rescale_by_decoder_norm", false)),
            "batchtopk" => new LatentActivation.BatchTopK(config.Number("k") ?? throw config.Wrong("k", "a number")),
            "groupmax" => new LatentActivation.GroupMax(config.Size("k")),
            "jumprelu" => new LatentActivation.JumpRelu(tensors.Vector("threshold", latents, FromConfig)),
            "gated" => new LatentActivation.Gated(
                tensors.Vector("magnitude_bias", latents, FromConfig),
                tensors.Vector("log_scale", latents, FromConfig)
            ),
            "matching_pursuit" => new LatentActivation.MatchingPursuit(
                config.Number("residual_threshold") ?? throw config.Wrong("residual_threshold", "a number"),
                config.Has("max_iterations") ? config.Size("max_iterations") : null,
                config.Flag("stop_on_duplicate_support", true)
            ),
            _ => throw config.Wrong("kind", "relu, prolu, topk, batchtopk, groupmax, jumprelu, gated or matching_pursuit"),
        };
}
