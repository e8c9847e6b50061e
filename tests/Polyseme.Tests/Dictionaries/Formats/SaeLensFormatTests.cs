using System.Text.Json.Nodes;
using Polyseme.Activations;
using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Formats;
using Polyseme.Numerics;
using static Polyseme.Tests.Dictionaries.Formats.GoldenDictionary;

namespace Polyseme.Tests.Dictionaries.Formats;

public sealed class SaeLensFormatTests : IDisposable
{
    // The rows of SparseAutoencoderTests, where every value below was worked out by hand.
    private static readonly float[] Rows = [1.5f, 1.5f, 0, -1, 1, -0.5f, 0.5f, 0.5f];

    private static readonly SaeLensFormat SaeLens = new();
    private readonly TemporaryFolder _files = new();

    public static TheoryData<string> Written =>
        [
            "standard",
            "standard-f16",
            "standard-bf16",
            "topk",
            "topk-rescale",
            "jumprelu",
            "gated",
            "transcoder",
            "jumprelu-transcoder",
            "skip-transcoder",
            "layer-norm",
            "matching-pursuit",
            "matching-pursuit-steps",
        ];

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("standard", new[] { 2.5f, 1, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0.5f })]
    [InlineData("standard-f16", new[] { 2.5f, 1, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0.5f })]
    [InlineData("standard-bf16", new[] { 2.5f, 1, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0.5f })]
    [InlineData("topk", new[] { 2.5f, 0, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0 })]
    [InlineData("topk-rescale", new[] { 5f, 0, 0, 0, 0, 3.125f, 2, 0, 0, 0, 0, 2.5f })]
    [InlineData("jumprelu", new[] { 2.5f, 1, 0, 0, 0, 0.625f, 0, 0, 0, 0, 0, 0.5f })]
    public void An_autoencoder_encodes_as_worked_out_by_hand(string name, float[] expected) =>
        Equal(expected, Encode(SaeLens.Read(Plain(name)), Rows));

    [Fact]
    public void A_gated_one_takes_its_magnitudes_from_its_own_bias_and_scale()
    {
        var dictionary = SaeLens.Read(Plain("gated"));
        // u = (2, 2, −0.5): magnitudes (2 + .25, e^.5·2 − .5, −.5 + 1), the third gate shut.
        Equal([2.25f, (2 * MathF.Exp(0.5f)) - 0.5f, 0], Encode(dictionary, 1.5f, 1.5f), 1e-6f);
    }

    [Fact]
    public void Transcoders_subtract_nothing()
    {
        var relu = SaeLens.Read(Plain("transcoder"));
        Equal([2.5f, 1, 0], Encode(relu, 1, 2));
        Equal([13], Reconstruct(relu, 1, 2));
        Equal([13], Reconstruct(SaeLens.Read(Plain("jumprelu-transcoder")), 1, 2));
        Equal([0.5f], Reconstruct(SaeLens.Read(Plain("jumprelu-transcoder")), 0.5f, 0));
        Equal([10.5f, -1.5f], Reconstruct(SaeLens.Read(Plain("skip-transcoder")), 1, 2));
    }

    [Fact]
    public void A_BatchTopK_checkpoint_is_folded_into_a_JumpRelu()
    {
        var dictionary = SaeLens.Read(Plain("batchtopk"));
        Assert.IsType<LatentActivation.JumpRelu>(dictionary.Activation);
        // z·‖W_dec‖ with norms 2, 1, 5, strictly above 1.5. Row 0: (5, 1, ·); row 1: 3.125; row 2: 2; row 3: 2 and 2.5.
        Equal([5, 0, 0, 0, 0, 3.125f, 2, 0, 0, 2, 0, 2.5f], Encode(dictionary, Rows));
        // Decoder rows have norm 1: 5·(1, 0) + b_dec.
        Equal([5.5f, -0.5f], Reconstruct(dictionary, 1.5f, 1.5f));
    }

    [Fact]
    public void The_factor_of_expected_average_only_in_is_folded_in()
    {
        // Weights for 4·x that do what the standard ones do for x.
        var dictionary = SaeLens.Read(Plain("scaled"));
        Equal([2.5f, 1, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0.5f], Encode(dictionary, Rows));
        Equal([5.5f, 0.5f, 2.375f, 2, 2.5f, -0.5f, 4, 1.5f], Reconstruct(dictionary, Rows));
        var unknown = Copy(Plain("scaled"), _files);
        File.Delete(Path.Combine(unknown, "activation_scaler.json"));
        Assert.Contains("activation_scaler.json", Refused(unknown), StringComparison.Ordinal);
    }

    /// <summary>
    /// Directions (1, 0), (.6, .8), (−1, 0). x − b = (1, 2): the second takes 2.2 and leaves (−.32, .24), the third .32 and leaves (0, .24), the second
    /// again .192 and leaves (−.1152, .0864). x − b = (0, 1): .8, .48, again .288, again .1728.
    /// </summary>
    [Theory]
    [InlineData("matching-pursuit", new[] { 0, 2.2f, 0.32f, 0, 0, 0.5f, 0.5f, 0, 0, 0, 0.8f, 0.48f })] // as many steps as inputs: two
    [InlineData("matching-pursuit-steps", new[] { 0, 2.392f, 0.4352f, 0, 0, 0.5f, 0.5f, 0, 0, 0, 1.088f, 0.6528f })] // four
    [InlineData("matching-pursuit-scaled", new[] { 0, 2.2f, 0.32f, 0, 0, 0.5f, 0.5f, 0, 0, 0, 1.088f, 0.48f })] // residual below .3, or twice
    public void Matching_pursuit_takes_out_direction_after_direction(string name, float[] expected)
    {
        var dictionary = SaeLens.Read(Plain(name));
        Equal(expected, Encode(dictionary, Rows));
        // Row 2 is all of the first direction.
        Equal([1, -0.5f], Reconstruct(dictionary, Rows)[4..6]);
    }

    [Fact]
    public void Folding_the_factor_of_a_matching_pursuit_scales_its_residual_threshold_and_leaves_its_directions()
    {
        var dictionary = SaeLens.Read(Plain("matching-pursuit-scaled"));
        Assert.Equal(new LatentActivation.MatchingPursuit(1.2 / 4, 5), dictionary.Activation);
        Equal([0.5f, -0.5f], dictionary.DecoderBias, 0);
        Assert.Equal([1, 0, 0.6f, 0.8f, -1, 0], dictionary.Decoder.Data);
        SaeLens.Write(dictionary, _files.File("out"));
        Assert.Equal("none", Config(_files.File("out"))["normalize_activations"]!.GetValue<string>());
        Equal(Encode(dictionary, Rows), Encode(SaeLens.Read(_files.File("out")), Rows), 0);
    }

    [Fact]
    public void Matching_pursuit_that_does_not_subtract_its_bias_does_not_add_it_either()
    {
        var golden = Copy(Plain("matching-pursuit"), _files);
        Set(golden, "apply_b_dec_to_input", false);
        var dictionary = SaeLens.Read(golden);
        Equal([0, 2.2f, 0.32f], Encode(dictionary, 1, 2));
        Equal([1, 1.76f], Reconstruct(dictionary, 1, 2));
        var adds = SparseAutoencoder.ByPursuit(new LatentActivation.MatchingPursuit(), dictionary.Decoder, [1, 2]) with
        {
            SubtractDecoderBias = false,
        };
        Assert.Contains("b_dec", SaeLens.WhyNot(adds)!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_from_before_version_6_is_read_as_SAELens_reads_it()
    {
        var dictionary = SaeLens.Read(Plain("old"));
        Assert.Equal(new LatentActivation.TopK(2), dictionary.Activation);
        Assert.True(dictionary.SubtractDecoderBias);
        Assert.Equal("blocks.8.hook_resid_pre", dictionary.Metadata["hook_name"]!.GetValue<string>());
        SaeLens.Write(dictionary, _files.File("new"));
        var config = Config(_files.File("new"));
        Assert.Equal("topk", config["architecture"]!.GetValue<string>());
        Assert.Equal(2, config["k"]!.GetValue<int>());
        Assert.Equal("6.18.0", config["metadata"]!["sae_lens_version"]!.GetValue<string>());
        Assert.Equal("gpt2", config["metadata"]!["model_name"]!.GetValue<string>());
        Assert.All((string[])["hook_point", "activation_fn_str", "model_name"], key => Assert.False(config.ContainsKey(key), key));
        Equal(Encode(dictionary, Rows), Encode(SaeLens.Read(_files.File("new")), Rows));
    }

    [Fact]
    public void Factors_of_finetuning_scale_what_a_latent_writes_and_only_if_the_configuration_says_so()
    {
        var golden = Copy(Plain("old"), _files);
        var weights = SafetensorsFile.Open(Path.Combine(golden, "sae_weights.safetensors"));
        SafetensorsFile.Write(
            Path.Combine(golden, "sae_weights.safetensors"),
            [
                .. weights.Arrays.Select(array =>
                    SafetensorsTensor.Of(array.Name, array.Name == "scaling_factor" ? [2, 1, 1] : weights.ReadSingles(array), array.Shape)
                ),
            ]
        );
        Assert.Contains("finetuning_scaling_factor", Refused(golden), StringComparison.Ordinal);
        Set(golden, "finetuning_scaling_factor", true);
        // f = (2.5, 1, 0): 2.5·2·(2, 0) + (0, 1) + b_dec
        Equal([10.5f, 0.5f], Reconstruct(SaeLens.Read(golden), 1.5f, 1.5f));
    }

    [Theory]
    [MemberData(nameof(Written))]
    public void What_is_written_is_what_was_read(string name)
    {
        SaeLens.Write(SaeLens.Read(Plain(name)), _files.File("out"));
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(Plain(name), "sae_weights.safetensors")),
            File.ReadAllBytes(Path.Combine(_files.File("out"), "sae_weights.safetensors"))
        );
        Assert.True(JsonNode.DeepEquals(Config(Plain(name)), Config(_files.File("out"))), ConfigText(_files.File("out")));
    }

    [Fact]
    public void The_configuration_is_written_as_Python_writes_it()
    {
        SaeLens.Write(SaeLens.Read(Plain("standard")), _files.File("out"));
        // Here the keys come in the order of the fields, so that even the bytes agree.
        Assert.Equal(ConfigText(Plain("standard")), ConfigText(_files.File("out")));
        SaeLens.Write(Tiny.Of(new LatentActivation.TopK(2)), _files.File("bare"));
        Assert.Equal(
            """{"d_in": 2, "d_sae": 3, "dtype": "float32", "device": "cpu", "apply_b_dec_to_input": true, "normalize_activations": "none", "reshape_activations": "none", "metadata": {"sae_lens_version": "6.18.0"}, "k": 2, "rescale_acts_by_decoder_norm": false, "architecture": "topk"}""",
            ConfigText(_files.File("bare"))
        );
    }

    [Fact]
    public void What_an_export_no_longer_is_does_not_stay_in_its_configuration()
    {
        var dictionary = SaeLens.Read(Plain("batchtopk"));
        SaeLens.Write(dictionary, _files.File("out"));
        var config = Config(_files.File("out"));
        Assert.Equal("jumprelu", config["architecture"]!.GetValue<string>());
        Assert.All(
            (string[])["k", "topk_threshold_lr", "decoder_init_norm", "rescale_acts_by_decoder_norm"],
            key => Assert.False(config.ContainsKey(key), key)
        );
        Assert.Equal("gpt2", config["metadata"]!["model_name"]!.GetValue<string>());
        Equal(Encode(dictionary, Rows), Encode(SaeLens.Read(_files.File("out")), Rows), 0);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(Plain("batchtopk"), "sparsity.safetensors")),
            File.ReadAllBytes(Path.Combine(_files.File("out"), "sparsity.safetensors"))
        );
    }

    [Fact]
    public void Weights_that_are_not_exact_in_half_precision_are_written_in_single()
    {
        var dictionary = SaeLens.Read(Plain("standard-f16"));
        dictionary.EncoderBias[0] = 0.1f;
        SaeLens.Write(dictionary, _files.File("out"));
        Assert.Equal("float32", Config(_files.File("out"))["dtype"]!.GetValue<string>());
        Assert.Equal(0.1f, SaeLens.Read(_files.File("out")).EncoderBias[0]);
    }

    [Fact]
    public void What_it_cannot_express_is_refused_with_the_reason()
    {
        void Refuses(SparseAutoencoder dictionary, string why)
        {
            var refused = Assert.Throws<ConversionException>(() => SaeLens.Write(dictionary, _files.File("out")));
            Assert.Contains(why, refused.Message, StringComparison.Ordinal);
            Assert.False(Directory.Exists(_files.File("out")));
        }
        Refuses(Tiny.Of(new LatentActivation.ProLu()), "ProLU");
        Refuses(Tiny.Of(new LatentActivation.GroupMax(3)), "GroupMax");
        Refuses(Tiny.Of(new LatentActivation.BatchTopK(1)), "threshold");
        var narrow = new SparseAutoencoder(
            new LatentActivation.TopK(1),
            Tiny.Encoder(),
            Tiny.EncoderBias(),
            new FloatMatrix(3, 1, [1, 2, 3]),
            [0]
        );
        Refuses(narrow, "TopK transcoder");
        Refuses(narrow with { SubtractDecoderBias = true }, "b_dec");
    }

    [Fact]
    public void Sizes_that_disagree_with_the_configuration_are_named()
    {
        var golden = Copy(Plain("standard"), _files);
        Set(golden, "d_sae", 4);
        var message = Refused(golden);
        Assert.Contains("tensor 'W_enc'", message, StringComparison.Ordinal);
        Assert.Contains("[2, 3]", message, StringComparison.Ordinal);
        Assert.Contains("[2, 4], as cfg.json says", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("topk", "k", 4, "'4'")]
    [InlineData("topk", "k", 0, "positive whole number")]
    [InlineData("topk", "k", 1.5, "positive whole number")]
    [InlineData("topk", "k", null, "lacks 'k'")]
    [InlineData("standard", "architecture", "temporal", "standard, topk")]
    [InlineData("matching-pursuit", "residual_threshold", -1, "at least 0")]
    [InlineData("matching-pursuit", "max_iterations", 0, "positive whole number")]
    [InlineData("matching-pursuit", "stop_on_duplicate_support", 1, "true or false")]
    [InlineData("matching-pursuit", "architecture", "standard", "W_enc")]
    [InlineData("standard", "architecture", null, "lacks 'architecture'")]
    [InlineData("standard", "architecture", "gated", "b_mag")]
    [InlineData("standard", "normalize_activations", "covariance_whitening", "layer_norm")]
    [InlineData("standard", "apply_b_dec_to_input", "yes", "true or false")]
    [InlineData("standard", "d_in", -1, "positive whole number")]
    [InlineData("transcoder", "apply_b_dec_to_input", true, "transcoder")]
    [InlineData("transcoder", "d_out", 2, "as cfg.json says")]
    public void A_configuration_that_cannot_be_meant_is_refused(string name, string key, object? value, string mention)
    {
        var golden = Copy(Plain(name), _files);
        Set(golden, key, value);
        Assert.Contains(mention, Refused(golden), StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_that_are_not_numbers_are_refused_with_their_place()
    {
        var golden = Copy(Plain("standard"), _files);
        var path = Path.Combine(golden, "sae_weights.safetensors");
        var weights = SafetensorsFile.Open(path);
        var tensors = weights.Arrays.ToDictionary(array => array, weights.ReadSingles);
        tensors[weights.Find("W_dec")!][5] = float.NaN;
        SafetensorsFile.Write(path, [.. tensors.Select(pair => SafetensorsTensor.Of(pair.Key.Name, pair.Value, pair.Key.Shape))]);
        var message = Refused(golden);
        Assert.Contains("'W_dec'", message, StringComparison.Ordinal);
        Assert.Contains("NaN at [2, 1]", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"d_in\": 2, \"d_in\": 2}")]
    [InlineData("{\"d_in\": 2")]
    [InlineData("{\"d_in\": NaN}")]
    [InlineData("{\"d_in\": \"\\ud800\"}")]
    public void A_file_that_is_no_configuration_is_one_line(string text)
    {
        var golden = Copy(Plain("standard"), _files);
        File.WriteAllText(Path.Combine(golden, "cfg.json"), text);
        Assert.Contains("cfg.json", Refused(golden), StringComparison.Ordinal);
    }

    private static string Refused(string path)
    {
        var refused = Assert.Throws<InputException>(() => SaeLens.Read(path));
        Assert.DoesNotContain('\n', refused.Message);
        return refused.Message;
    }

    private static string ConfigText(string directory) => File.ReadAllText(Path.Combine(directory, "cfg.json"));

    private static JsonObject Config(string directory) => JsonNode.Parse(ConfigText(directory))!.AsObject();

    private static void Set(string directory, string key, object? value)
    {
        var config = Config(directory);
        config[key] = value is null ? null : JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(value));
        File.WriteAllText(Path.Combine(directory, "cfg.json"), config.ToJsonString());
    }
}
