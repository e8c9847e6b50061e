using System.Numerics.Tensors;
using System.Text.Json;
using System.Text.Json.Nodes;
using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Dictionaries.Formats;

/// <summary>
/// A directory of SAELens 6: <c>cfg.json</c> and <c>sae_weights.safetensors</c>, of an inference model or a training checkpoint. Older
/// configurations are read as SAELens reads them.
/// </summary>
/// <remarks>Read from the code of SAELens 6.18 and 6.49 (sae_lens/saes/*.py, sae_lens/loading/pretrained_sae_loaders.py).</remarks>
internal sealed class SaeLensFormat : DictionaryFormat
{
    public const string ConfigName = "cfg.json";
    public const string WeightsName = "sae_weights.safetensors";
    public const string SparsityName = "sparsity.safetensors";
    public const string ScalerName = "activation_scaler.json";

    /// <summary>Under this key a dictionary's metadata keep the whole cfg.json that it was read from.</summary>
    private const string Section = "saelens";

    private const string SparsityKey = "saelens_log_sparsity";
    private const string WeightsTypeKey = "saelens_weights_dtype";

    /// <summary>The version whose layout is written. A file that names none is read as one from before version 6.</summary>
    private const string LayoutVersion = "6.18.0";

    /// <summary>Smallest decoder norm that folding divides by.</summary>
    private const float SmallestNorm = 1e-8f;

    /// <summary>What versions before 6 kept beside the sizes and version 6 keeps in "metadata".</summary>
    private static readonly string[] ModelKeys =
    [
        "model_name",
        "hook_name",
        "model_class_name",
        "hook_head_index",
        "model_from_pretrained_kwargs",
        "prepend_bos",
        "exclude_special_tokens",
        "neuronpedia_id",
        "context_size",
        "seqpos_slice",
        "dataset_path",
        "sae_lens_version",
        "sae_lens_training_version",
        "hook_name_out",
        "hook_head_index_out",
    ];

    /// <summary>Keys of training that an inference file does not have.</summary>
    private static readonly string[] TrainingKeys =
    [
        "decoder_init_norm",
        "l1_coefficient",
        "lp_norm",
        "l1_warm_up_steps",
        "use_sparse_activations",
        "aux_loss_coefficient",
        "topk_threshold_lr",
        "matryoshka_widths",
        "use_matryoshka_aux_loss",
        "jumprelu_init_threshold",
        "jumprelu_bandwidth",
        "jumprelu_sparsity_loss_mode",
        "l0_coefficient",
        "l0_warm_up_steps",
        "pre_act_loss_coefficient",
        "jumprelu_tanh_scale",
    ];

    /// <summary>Keys that only files from before version 6 have; what they said is said elsewhere today, or folded into the weights.</summary>
    private static readonly string[] OldKeys =
    [
        "hook_point",
        "hook_point_head_index",
        "activation_fn",
        "activation_fn_str",
        "activation_fn_kwargs",
        "finetuning_scaling_factor",
        "dataset_trust_remote_code",
        .. ModelKeys,
    ];

    public override string Name => "saelens";

    public override string Summary => "SAELens 6: a directory with cfg.json and sae_weights.safetensors";

    internal override bool Recognises(string path) =>
        File.Exists(Path.Combine(path, ConfigName)) && File.Exists(Path.Combine(path, WeightsName));

    public override SparseAutoencoder Read(string path)
    {
        var config = ToolConfig.Read(Path.Combine(path, ConfigName));
        var original = (JsonObject)config.Values.DeepClone();
        if (IsBefore6(config))
            Modernise(config);
        var weights = SafetensorsFile.Open(Path.Combine(path, WeightsName));
        var reader = new Reader(path, config, new DictionaryTensors(weights));
        return Assemble(
            path,
            () =>
            {
                var dictionary = reader.Read();
                var metadata = new JsonObject { [Section] = original };
                foreach (var key in ModelKeys)
                    if (config.Section("metadata")?.Values[key] is { } value)
                        metadata[key] = value.DeepClone();
                if (reader.WeightsType != DType.F32)
                    metadata[WeightsTypeKey] = reader.WeightsType.Name();
                if (ReadSparsity(path, dictionary.NLatents) is { } sparsity)
                    metadata[SparsityKey] = new JsonArray([.. sparsity.Select(value => (JsonNode)(double)value)]);
                return dictionary with { Metadata = metadata };
            }
        );
    }

    public override string? WhyNot(SparseAutoencoder dictionary)
    {
        var transcoder = IsTranscoder(dictionary);
        if (transcoder && dictionary.SubtractDecoderBias)
            return "its transcoders do not subtract b_dec from what they read, and this one does";
        if (dictionary.Skip is not null && dictionary.Normalisation != RowNormalisation.None)
            return "its skip path takes rows as they are, and this one's are normalised";
        return dictionary.Activation switch
        {
            LatentActivation.Relu => null,
            LatentActivation.JumpRelu when dictionary.Skip is not null => "it has no JumpReLU transcoder with a skip path",
            LatentActivation.JumpRelu => null,
            LatentActivation.TopK when transcoder => "it has no TopK transcoder",
            LatentActivation.TopK => null,
            LatentActivation.MatchingPursuit when !dictionary.SubtractDecoderBias && dictionary.DecoderBias.AsSpan().ContainsAnyExcept(0) =>
                "its matching pursuit adds b_dec only where it also subtracts it",
            LatentActivation.MatchingPursuit => null,
            LatentActivation.Gated when transcoder => "it has no gated transcoder",
            LatentActivation.Gated => null,
            LatentActivation.BatchTopK =>
                "it keeps a BatchTopK dictionary as a JumpReLU one, and this one has no threshold yet: its latents depend on the rows beside them",
            LatentActivation.ProLu => "it has no ProLU architecture",
            LatentActivation.GroupMax => "it has no GroupMax architecture",
            _ => $"it does not know {dictionary.Activation.GetType().Name}",
        };
    }

    private protected override void WriteFiles(SparseAutoencoder dictionary, string path)
    {
        Directory.CreateDirectory(path);
        // A directory is a dictionary once its configuration is there: what was there before goes first, and nothing of it stays.
        File.Delete(Path.Combine(path, ConfigName));
        File.Delete(Path.Combine(path, SparsityName));
        var type = WeightsType(dictionary);
        var tensors = Tensors(dictionary).Select(tensor => Packed(tensor.Name, tensor.Values, tensor.Shape, type)).ToList();
        SafetensorsFile.Write(Path.Combine(path, WeightsName), tensors);
        if (
            dictionary.Metadata[SparsityKey] is JsonArray sparsity
            && sparsity.Count == dictionary.NLatents
            && sparsity.All(value => value is JsonValue number && number.GetValueKind() == JsonValueKind.Number)
        )
            SafetensorsFile.Write(
                Path.Combine(path, SparsityName),
                [SafetensorsTensor.Of("sparsity", sparsity.Select(value => (float)value!.GetValue<double>()).ToArray())]
            );
        AtomicFile.WriteText(Path.Combine(path, ConfigName), ToolJson.Write(Config(dictionary, type), JsonDialect.Python));
    }

    private static bool IsTranscoder(SparseAutoencoder dictionary) =>
        dictionary.Skip is not null
        || dictionary.DIn != dictionary.DOut
        || (!dictionary.SubtractDecoderBias && KnownArchitecture(dictionary) is "transcoder" or "skip_transcoder" or "jumprelu_transcoder");

    private static string? KnownArchitecture(SparseAutoencoder dictionary) =>
        (dictionary.Metadata[Section] as JsonObject)?["architecture"] is JsonValue value && value.TryGetValue(out string? name)
            ? name
            : null;

    private static string Architecture(SparseAutoencoder dictionary) =>
        (dictionary.Activation, IsTranscoder(dictionary)) switch
        {
            (LatentActivation.Relu, false) => "standard",
            (LatentActivation.Relu, true) => dictionary.Skip is null ? "transcoder" : "skip_transcoder",
            (LatentActivation.JumpRelu, false) => "jumprelu",
            (LatentActivation.JumpRelu, true) => "jumprelu_transcoder",
            (LatentActivation.TopK, _) => "topk",
            (LatentActivation.Gated, _) => "gated",
            (LatentActivation.MatchingPursuit, _) => "matching_pursuit",
            _ => throw new InvalidOperationException($"no architecture for {dictionary.Activation}"),
        };

    private static IEnumerable<(string Name, float[] Values, long[] Shape)> Tensors(SparseAutoencoder dictionary)
    {
        long n = dictionary.NLatents;
        yield return ("W_dec", dictionary.Decoder.Data, [n, dictionary.DOut]);
        yield return ("b_dec", dictionary.DecoderBias, [dictionary.DOut]);
        if (dictionary.Activation is LatentActivation.MatchingPursuit)
            yield break;
        yield return ("W_enc", dictionary.Encoder.Transpose().Data, [dictionary.DIn, n]);
        if (dictionary.Activation is LatentActivation.Gated gated)
        {
            yield return ("b_gate", dictionary.EncoderBias, [n]);
            yield return ("b_mag", gated.MagnitudeBias, [n]);
            yield return ("r_mag", gated.LogScale, [n]);
        }
        else
            yield return ("b_enc", dictionary.EncoderBias, [n]);
        if (dictionary.Activation is LatentActivation.JumpRelu jump)
            yield return ("threshold", jump.Threshold, [n]);
        if (dictionary.Skip is { } skip)
            yield return ("W_skip", skip.Data, [skip.Rows, skip.Columns]);
    }

    /// <summary>The type of the file that it was read from, if every weight is still exact in it.</summary>
    private static DType WeightsType(SparseAutoencoder dictionary)
    {
        var type =
            dictionary.Metadata[WeightsTypeKey] is JsonValue value && value.TryGetValue(out string? name) ? DTypes.Parse(name) : DType.F32;
        return type switch
        {
            DType.F16 when Tensors(dictionary).All(tensor => tensor.Values.All(weight => (float)(Half)weight == weight)) => DType.F16,
            DType.BF16
                when Tensors(dictionary)
                    .All(tensor => tensor.Values.All(weight => (BitConverter.SingleToUInt32Bits(weight) & 0xFFFF) == 0)) => DType.BF16,
            _ => DType.F32,
        };
    }

    private static SafetensorsTensor Packed(string name, float[] values, long[] shape, DType type) =>
        type switch
        {
            DType.F16 => SafetensorsTensor.Of(name, Array.ConvertAll(values, value => (Half)value), shape),
            DType.BF16 => new SafetensorsTensor(
                name,
                DType.BF16,
                shape,
                stream =>
                {
                    Span<byte> two = stackalloc byte[2];
                    foreach (var value in values)
                    {
                        System.Buffers.Binary.BinaryPrimitives.WriteUInt16LittleEndian(
                            two,
                            (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)
                        );
                        stream.Write(two);
                    }
                }
            ),
            _ => SafetensorsTensor.Of(name, values, shape),
        };

    private static JsonObject Config(SparseAutoencoder dictionary, DType type)
    {
        var architecture = Architecture(dictionary);
        var before = dictionary.Metadata[Section] as JsonObject;
        var isTheSame = before is not null && KnownArchitecture(dictionary) == architecture;
        var config = new JsonObject
        {
            ["d_in"] = dictionary.DIn,
            ["d_sae"] = dictionary.NLatents,
            ["dtype"] = type switch
            {
                DType.F16 => "float16",
                DType.BF16 => "bfloat16",
                _ => "float32",
            },
            ["device"] = "cpu",
            ["apply_b_dec_to_input"] = dictionary.SubtractDecoderBias,
            ["normalize_activations"] = dictionary.Normalisation switch
            {
                RowNormalisation.LayerNorm => "layer_norm",
                RowNormalisation.ConstantNorm => "constant_norm_rescale",
                _ => "none",
            },
            ["reshape_activations"] = "none",
            ["metadata"] = Metadata(dictionary),
        };
        if (IsTranscoder(dictionary))
            config["d_out"] = dictionary.DOut;
        if (dictionary.Activation is LatentActivation.TopK top)
        {
            config["k"] = top.K;
            config["rescale_acts_by_decoder_norm"] = top.RescaleByDecoderNorm;
        }
        if (dictionary.Activation is LatentActivation.MatchingPursuit pursuit)
        {
            config["residual_threshold"] = pursuit.ResidualThreshold;
            config["max_iterations"] = pursuit.MaxIterations;
            config["stop_on_duplicate_support"] = pursuit.StopOnDuplicateSupport;
        }
        // What the file said besides. Keys of training say nothing true about a model that was folded into another architecture.
        var isOld = before is not null && IsBefore6(ToolConfig.Of(Section, before));
        foreach (var (key, value) in before ?? [])
            if (isOld && OldKeys.Contains(key))
                continue;
            else if (key is "device" or "reshape_activations")
                config[key] = value?.DeepClone();
            else if (!config.ContainsKey(key) && key is not ("architecture" or "k") && (isTheSame || !TrainingKeys.Contains(key)))
                config[key] = value?.DeepClone();
        if (architecture != "topk")
            config.Remove("rescale_acts_by_decoder_norm");
        config["architecture"] = architecture;
        return config;
    }

    private static JsonObject Metadata(SparseAutoencoder dictionary)
    {
        var metadata = (dictionary.Metadata[Section] as JsonObject)?["metadata"] is JsonObject before
            ? (JsonObject)before.DeepClone()
            : new JsonObject();
        if (metadata["sae_lens_version"] is null || IsOld(metadata["sae_lens_version"]))
            metadata["sae_lens_version"] = LayoutVersion;
        foreach (var key in ModelKeys)
            if (!metadata.ContainsKey(key) && dictionary.Metadata[key] is { } value)
                metadata[key] = value.DeepClone();
        return metadata;
    }

    private static float[]? ReadSparsity(string path, int latents)
    {
        var file = Path.Combine(path, SparsityName);
        return File.Exists(file)
            ? new DictionaryTensors(SafetensorsFile.Open(file)).Vector("sparsity", latents, "one for each latent")
            : null;
    }

    private static bool IsBefore6(ToolConfig config) =>
        IsOld(config.Values["sae_lens_version"] ?? config.Section("metadata")?.Values["sae_lens_version"]);

    private static bool IsOld(JsonNode? version) =>
        version is not JsonValue value
        || !value.TryGetValue(out string? text)
        || (int.TryParse(text.Split('.')[0], out var major) && major < 6);

    /// <summary>Brings a configuration from before version 6 into today's form, as SAELens does.</summary>
    private static void Modernise(ToolConfig config)
    {
        var values = config.Values;
        foreach (
            var (old, name) in (ReadOnlySpan<(string, string)>)
                [("hook_point", "hook_name"), ("hook_point_head_index", "hook_head_index"), ("activation_fn_str", "activation_fn")]
        )
            if (values.ContainsKey(old) && !values.ContainsKey(name))
            {
                values[name] = values[old]?.DeepClone();
                values.Remove(old);
            }
        if (values["architecture"] is null)
            values["architecture"] = "standard";
        if (config.Text("activation_fn") == "topk" && config.Section("activation_fn_kwargs") is { } arguments && arguments.Has("k"))
        {
            values["architecture"] = "topk";
            values["k"] = arguments.Size("k");
        }
        else if (config.Text("activation_fn") is { } other && other != "relu")
            throw config.Wrong("activation_fn", "relu, or topk with a k");
        if (values["normalize_activations"] is JsonValue flag && flag.TryGetValue(out bool scaled))
            values["normalize_activations"] = scaled ? "expected_average_only_in" : "none";
        if (values["metadata"] is null)
            values["metadata"] = new JsonObject();
        var metadata = config.Section("metadata")!.Values;
        foreach (var key in ModelKeys)
            if (values.ContainsKey(key) && !metadata.ContainsKey(key))
                metadata[key] = values[key]?.DeepClone();
    }

    /// <summary>From configuration and weights to a dictionary.</summary>
    private sealed class Reader(string path, ToolConfig config, DictionaryTensors tensors)
    {
        private const string FromConfig = "as cfg.json says";

        private readonly int _in = config.Size("d_in");
        private readonly int _latents = config.Size("d_sae");

        public DType WeightsType { get; } = tensors.Type("W_dec");

        public SparseAutoencoder Read()
        {
            var architecture = config.Text("architecture") ?? throw config.Wrong("architecture", "the name of an architecture");
            return architecture switch
            {
                "standard" => Coder(new LatentActivation.Relu(), "b_enc"),
                "topk" => Coder(TopK(), "b_enc"),
                "gated" => Coder(
                    new LatentActivation.Gated(
                        tensors.Vector("b_mag", _latents, FromConfig),
                        tensors.Vector("r_mag", _latents, FromConfig)
                    ),
                    "b_gate"
                ),
                "jumprelu" => Coder(JumpRelu(), "b_enc"),
                "batchtopk" or "matryoshka_batchtopk" => BatchTopK(),
                "transcoder" => Transcoder(new LatentActivation.Relu()),
                "skip_transcoder" => Transcoder(new LatentActivation.Relu(), skip: true),
                "jumprelu_transcoder" => Transcoder(JumpRelu()),
                "matching_pursuit" => Pursuit(),
                _ => throw config.Wrong(
                    "architecture",
                    "standard, topk, gated, jumprelu, batchtopk, matryoshka_batchtopk, matching_pursuit, transcoder, skip_transcoder or jumprelu_transcoder"
                ),
            };
        }

        private LatentActivation.TopK TopK()
        {
            var k = config.Size("k");
            return k <= _latents
                ? new LatentActivation.TopK(k, config.Flag("rescale_acts_by_decoder_norm", false))
                : throw config.Wrong("k", $"at most {_latents}, the number of latents");
        }

        private LatentActivation.JumpRelu JumpRelu() => new(tensors.Vector("threshold", _latents, FromConfig));

        private SparseAutoencoder Coder(LatentActivation activation, string bias)
        {
            var normalisation = Normalisation(out var scale);
            var read = new SparseAutoencoder(
                activation,
                tensors.Matrix("W_enc", _in, _latents, FromConfig).Transpose(),
                tensors.Vector(bias, _latents, FromConfig),
                FinetunedDecoder(),
                tensors.Vector("b_dec", _in, FromConfig)
            )
            {
                SubtractDecoderBias = config.Flag("apply_b_dec_to_input", true),
                Normalisation = normalisation,
            };
            return read.Unscaled(scale, scale);
        }

        /// <summary>Without an encoder. SAELens adds b_dec only where it subtracts it, so that elsewhere the file's counts for nothing.</summary>
        private SparseAutoencoder Pursuit()
        {
            var threshold = config.Number("residual_threshold") ?? 0.01;
            if (threshold < 0)
                throw config.Wrong("residual_threshold", "a number of at least 0");
            var subtracts = config.Flag("apply_b_dec_to_input", true);
            var normalisation = Normalisation(out var scale);
            var bias = tensors.Vector("b_dec", _in, FromConfig);
            var dictionary = SparseAutoencoder.ByPursuit(
                new LatentActivation.MatchingPursuit(
                    threshold,
                    config.Has("max_iterations") ? config.Size("max_iterations") : null,
                    config.Flag("stop_on_duplicate_support", true)
                ),
                tensors.Matrix("W_dec", _latents, _in, FromConfig),
                subtracts ? bias : new float[_in]
            );
            return (dictionary with { SubtractDecoderBias = subtracts, Normalisation = normalisation }).Unscaled(scale, scale);
        }

        private SparseAutoencoder Transcoder(LatentActivation activation, bool skip = false)
        {
            if (config.Flag("apply_b_dec_to_input", false))
                throw config.Wrong("apply_b_dec_to_input", "false, for a transcoder");
            var normalisation = Normalisation(out var scale);
            if (skip && normalisation != RowNormalisation.None)
                throw config.Wrong("normalize_activations", "none, where there is a skip path");
            var dOut = config.Size("d_out");
            var read = new SparseAutoencoder(
                activation,
                tensors.Matrix("W_enc", _in, _latents, FromConfig).Transpose(),
                tensors.Vector("b_enc", _latents, FromConfig),
                tensors.Matrix("W_dec", _latents, dOut, FromConfig),
                tensors.Vector("b_dec", dOut, FromConfig),
                skip ? tensors.Matrix("W_skip", dOut, _in, FromConfig) : null
            )
            {
                SubtractDecoderBias = false,
                Normalisation = normalisation,
            };
            return read.Unscaled(scale, scale);
        }

        /// <summary>A checkpoint of BatchTopK: the threshold that training kept, over latents scaled by their decoder norm, as SAELens exports it.</summary>
        private SparseAutoencoder BatchTopK()
        {
            if (!tensors.Has("topk_threshold"))
                throw new InputException(
                    path,
                    "is a BatchTopK checkpoint without its threshold",
                    expected: "the tensor 'topk_threshold'",
                    hint: "finished models are saved with architecture 'jumprelu'"
                );
            var threshold = new float[_latents];
            Array.Fill(threshold, (float)tensors.Scalar("topk_threshold"));
            var coder = Coder(new LatentActivation.JumpRelu(threshold), "b_enc");
            if (!config.Flag("rescale_acts_by_decoder_norm", true))
                return coder;
            for (var i = 0; i < _latents; i++)
            {
                var norm = Math.Max(TensorPrimitives.Norm(coder.Decoder.Row(i)), SmallestNorm);
                coder.EncoderBias[i] *= norm;
                TensorPrimitives.Multiply(coder.Encoder.Row(i), norm, coder.Encoder.Row(i));
                TensorPrimitives.Divide(coder.Decoder.Row(i), norm, coder.Decoder.Row(i));
            }
            return coder;
        }

        /// <summary>W_dec with the factors that fine-tuning of old versions put on the latents before decoding.</summary>
        private FloatMatrix FinetunedDecoder()
        {
            var decoder = tensors.Matrix("W_dec", _latents, _in, FromConfig);
            if (!tensors.Has("scaling_factor"))
                return decoder;
            var factors = tensors.Vector("scaling_factor", _latents, FromConfig);
            if (Array.TrueForAll(factors, factor => Math.Abs(factor - 1) <= 1e-5f))
                return decoder;
            if (!config.Flag("finetuning_scaling_factor", false))
                throw config.Wrong("finetuning_scaling_factor", "true, because the tensor 'scaling_factor' is there and not all ones");
            for (var i = 0; i < _latents; i++)
                TensorPrimitives.Multiply(decoder.Row(i), factors[i], decoder.Row(i));
            return decoder;
        }

        /// <summary>What is done to rows, and the constant that a checkpoint still has to fold in.</summary>
        private RowNormalisation Normalisation(out double scale)
        {
            scale = 1;
            switch (config.Text("normalize_activations") ?? "none")
            {
                case "none":
                    return RowNormalisation.None;
                case "layer_norm":
                    return RowNormalisation.LayerNorm;
                case "constant_norm_rescale":
                    return RowNormalisation.ConstantNorm;
                case "expected_average_only_in":
                    var file = Path.Combine(path, ScalerName);
                    if (!File.Exists(file))
                        throw config.Wrong(
                            "normalize_activations",
                            $"none, or {ScalerName} with the scaling_factor beside it",
                            "the factor is √d_in / mean‖x‖ over the activations it was trained on; without it the numbers would be wrong"
                        );
                    var scaler = ToolConfig.Read(file);
                    scale = scaler.Number("scaling_factor") ?? 1;
                    return scale > 0 ? RowNormalisation.None : throw scaler.Wrong("scaling_factor", "a positive number or null");
                default:
                    throw config.Wrong("normalize_activations", "none, layer_norm, constant_norm_rescale or expected_average_only_in");
            }
        }
    }
}
