using System.Text.Json.Nodes;
using Polyseme.Activations;
using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Formats;
using Polyseme.Numerics;
using Polyseme.Tests.Cli;
using static Polyseme.Tests.Dictionaries.Formats.GoldenDictionary;

namespace Polyseme.Tests.Dictionaries.Formats;

/// <summary>sparsify, Gemma Scope, and our own format.</summary>
public sealed class OtherFormatsTests : IDisposable
{
    private static readonly float[] Rows = [1.5f, 1.5f, 0, -1, 1, -0.5f, 0.5f, 0.5f];
    private readonly TemporaryFolder _files = new();

    public static TheoryData<LatentActivation> Activations =>
        [
            new LatentActivation.Relu(),
            new LatentActivation.TopK(2),
            new LatentActivation.TopK(1, RescaleByDecoderNorm: true),
            new LatentActivation.BatchTopK(1.5),
            new LatentActivation.JumpRelu([1, 0.5f, 0.25f]),
            new LatentActivation.Gated([0.25f, -0.5f, 1], [0, 0.5f, 0]),
            new LatentActivation.ProLu(),
            new LatentActivation.GroupMax(3),
        ];

    public void Dispose() => _files.Dispose();

    [Theory]
    [MemberData(nameof(Activations))]
    public void Our_own_format_holds_every_dictionary(LatentActivation activation)
    {
        var format = new PolysemeFormat();
        var before = Tiny.Of(activation) with
        {
            Normalisation = RowNormalisation.LayerNorm,
            SubtractDecoderBias = false,
            Metadata = new JsonObject { ["model_name"] = "naïve", ["x"] = new JsonArray(1, 2.5, null) },
        };
        format.Write(before, _files.File("out"));
        var after = format.Read(_files.File("out"));
        Assert.Equal(activation.GetType(), after.Activation.GetType());
        Assert.Equal((before.Normalisation, before.SubtractDecoderBias), (after.Normalisation, after.SubtractDecoderBias));
        Equal(Encode(before, Rows), Encode(after, Rows), 0);
        Equal(Reconstruct(before, Rows), Reconstruct(after, Rows), 0);
        Assert.True(JsonNode.DeepEquals(before.Metadata, after.Metadata), after.Metadata.ToJsonString());
        format.Write(after, _files.File("again"));
        foreach (var file in (string[])["dictionary.json", "dictionary.safetensors"])
            Assert.Equal(
                File.ReadAllBytes(Path.Combine(_files.File("out"), file)),
                File.ReadAllBytes(Path.Combine(_files.File("again"), file))
            );
    }

    [Fact]
    public void Our_own_format_keeps_a_skip_path_and_two_widths()
    {
        var before = new SparseAutoencoder(
            new LatentActivation.Relu(),
            Tiny.Encoder(),
            Tiny.EncoderBias(),
            new FloatMatrix(3, 1, [1, 10, 100]),
            [0.5f],
            new FloatMatrix(1, 2, [7, 8])
        );
        new PolysemeFormat().Write(before, _files.File("out"));
        Equal([13 + 7 + 16], Reconstruct(new PolysemeFormat().Read(_files.File("out")), 1, 2));
    }

    [Theory]
    [InlineData("\"schema\": \"polyseme.dictionary/1\"", "\"schema\": \"polyseme.dictionary/2\"", "polyseme.dictionary/1")]
    [InlineData("\"kind\": \"topk\"", "\"kind\": \"softmax\"", "groupmax")]
    [InlineData("\"k\": 2", "\"k\": 7", "does not fit 3 latents")]
    [InlineData("\"n_latents\": 3", "\"n_latents\": 4", "as dictionary.json says")]
    [InlineData("\"normalisation\": \"none\"", "\"normalisation\": \"some\"", "layer_norm")]
    public void Our_own_format_is_read_strictly(string find, string replace, string mention)
    {
        var format = new PolysemeFormat();
        format.Write(Tiny.Of(new LatentActivation.TopK(2)), _files.File("out"));
        var config = Path.Combine(_files.File("out"), "dictionary.json");
        var text = File.ReadAllText(config);
        Assert.Contains(find, text, StringComparison.Ordinal);
        File.WriteAllText(config, text.Replace(find, replace, StringComparison.Ordinal));
        Assert.Contains(mention, Assert.Throws<InputException>(() => format.Read(_files.File("out"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sparsify", new[] { 2.5f, 0, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0 })]
    [InlineData("sparsify-groupmax", new[] { 2.5f, 1, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0.5f })]
    public void Sparsify_has_a_latent_a_row_in_both_matrices(string name, float[] expected)
    {
        var format = new SparsifyFormat();
        var dictionary = format.Read(Plain(name));
        Equal(expected, Encode(dictionary, Rows));
        format.Write(dictionary, _files.File("out"));
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(Plain(name), "sae.safetensors")),
            File.ReadAllBytes(Path.Combine(_files.File("out"), "sae.safetensors"))
        );
        Assert.Equal(
            File.ReadAllText(Path.Combine(Plain(name), "cfg.json")),
            File.ReadAllText(Path.Combine(_files.File("out"), "cfg.json"))
        );
    }

    [Fact]
    public void Sparsify_transcoders_subtract_nothing_and_may_skip()
    {
        var dictionary = new SparsifyFormat().Read(Plain("sparsify-skip"));
        Equal([2.5f, 1, 0], Encode(dictionary, 1, 2));
        Equal([10.5f, -1.5f], Reconstruct(dictionary, 1, 2));
    }

    [Theory]
    [InlineData("\"k\": 1", "\"k\": 4", "3 latents")]
    [InlineData("\"num_latents\": 3", "\"num_latents\": 0", "[64, 2], as cfg.json says")]
    [InlineData("\"topk\"", "\"softmax\"", "topk or groupmax")]
    public void Sparsify_is_read_strictly(string find, string replace, string mention)
    {
        var copy = Copy(Plain("sparsify"), _files);
        var config = Path.Combine(copy, "cfg.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace(find, replace, StringComparison.Ordinal));
        Assert.Contains(mention, Assert.Throws<InputException>(() => new SparsifyFormat().Read(copy)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gemma-scope")]
    [InlineData("gemma-scope-small")]
    public void Gemma_Scope_jumps_and_subtracts_nothing(string name)
    {
        var dictionary = new GemmaScopeFormat().Read(Plain(name));
        Assert.False(dictionary.SubtractDecoderBias);
        Equal([2.5f, 1, 0], Encode(dictionary, 1, 2));
        Equal([0, 0, 0], Encode(dictionary, 0.5f, 0)); // z = 1 is not above θ = 1
        Equal([5.5f, 0.5f], Reconstruct(dictionary, 1, 2));
    }

    [Fact]
    public void Gemma_Scope_takes_what_others_subtract_into_the_bias()
    {
        var format = new GemmaScopeFormat();
        var before = Tiny.Of(new LatentActivation.JumpRelu([1, 0.5f, 0.25f]));
        format.Write(before, _files.File("out"));
        var after = format.Read(_files.File("out"));
        Equal(Encode(before, Rows), Encode(after, Rows));
        Equal(Reconstruct(before, Rows), Reconstruct(after, Rows));
        format.Write(after, _files.File("again"));
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(_files.File("out"), "params.npz")),
            File.ReadAllBytes(Path.Combine(_files.File("again"), "params.npz"))
        );
        format.Write(Tiny.Of(new LatentActivation.Relu()), _files.File("relu"));
        Equal(Encode(Tiny.Of(new LatentActivation.Relu()), Rows), Encode(format.Read(_files.File("relu")), Rows));
    }

    [Fact]
    public void Gemma_Scope_holds_nothing_else()
    {
        var gated = Tiny.Of(new LatentActivation.Gated([1, 2, 3], [0, 0, 0]));
        var refused = Assert.Throws<ConversionException>(() => new GemmaScopeFormat().Write(gated, _files.File("out")));
        Assert.Contains("Gated", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_golden_files_are_what_the_script_beside_them_makes()
    {
        using var process = CommandLineRun.Start(
            _files.Path,
            "/usr/bin/python3",
            [Path.Combine(Plain(".."), "make.py"), _files.File("made")]
        );
        var run = CommandLineRun.ToTheEnd(process);
        Assert.True(run.Code == 0, run.Error);
        var golden = Directory.GetFiles(Plain("."), "*", SearchOption.AllDirectories);
        Assert.True(golden.Length > 30, $"{golden.Length} files");
        foreach (var file in golden)
            Assert.Equal(
                File.ReadAllBytes(file),
                File.ReadAllBytes(Path.Combine(_files.File("made"), Path.GetRelativePath(Plain("."), file)))
            );
    }

    [Fact]
    public void Random_dictionaries_survive_every_format_that_can_hold_them()
    {
        var random = new RandomStream(7, "dictionaries");
        float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.NextNormal())];
        var compared = 0;
        for (var trial = 0; trial < 40; trial++)
        {
            int d = 2 + random.NextInt(7),
                n = 4 * (1 + random.NextInt(5)),
                dOut = trial % 5 == 0 ? d + 1 : d;
            LatentActivation activation = (trial % 6) switch
            {
                0 => new LatentActivation.Relu(),
                1 => new LatentActivation.TopK(2, trial % 4 == 1),
                2 => new LatentActivation.JumpRelu(Draw(n)),
                3 => new LatentActivation.Gated(Draw(n), Draw(n)),
                4 => new LatentActivation.GroupMax(2),
                _ => new LatentActivation.ProLu(),
            };
            var before = new SparseAutoencoder(
                activation,
                new FloatMatrix(n, d, Draw(n * d)),
                Draw(n),
                new FloatMatrix(n, dOut, Draw(n * dOut)),
                Draw(dOut),
                trial % 7 == 0 ? new FloatMatrix(dOut, d, Draw(dOut * d)) : null
            );
            foreach (var format in DictionaryFormats.All.Where(format => format.IsRead && format.WhyNot(before) is null))
            {
                var path = _files.File($"{trial}-{format.Name}");
                format.Write(before, path);
                var proof = DictionaryConversion.Compare(before, format.Read(path), random);
                // Gemma Scope folds the bias, which rounds; a row within that of its threshold would jump, and none of these is.
                var tolerance = format.Name == "gemma-scope" ? 1e-5 : 0;
                Assert.InRange(proof.LatentDifference, 0, tolerance * proof.LatentScale);
                Assert.InRange(proof.RowDifference, 0, tolerance * proof.RowScale);
                compared++;
            }
        }
        Assert.True(compared > 80, $"{compared} comparisons");
    }

    [Theory]
    [InlineData("plain/standard", "saelens")]
    [InlineData("plain/sparsify", "sparsify")]
    [InlineData("plain/gemma-scope", "gemma-scope")]
    [InlineData("plain/gemma-scope/params.npz", "gemma-scope")]
    [InlineData("torch/topk", "dictionary-learning")]
    [InlineData("torch/topk/ae.pt", "dictionary-learning")]
    [InlineData("torch/openai-topk.pt", "openai")]
    public void A_format_is_recognised_by_its_files(string path, string format) =>
        Assert.Equal(format, DictionaryFormats.Recognise(Path.Combine(Plain(".."), path)).Name);
}
