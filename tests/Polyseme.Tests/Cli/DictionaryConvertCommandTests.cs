using System.Text.Json.Nodes;
using Polyseme.Activations;
using Polyseme.Cli;
using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Formats;
using Polyseme.Numerics;
using Polyseme.Tests.Dictionaries;
using Polyseme.Tests.Dictionaries.Formats;

namespace Polyseme.Tests.Cli;

public sealed class DictionaryConvertCommandTests : IDisposable
{
    private readonly TemporaryFolder _files = new();

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("topk", "saelens", "dictionary-learning", "topk, k = 1")]
    [InlineData("batchtopk", "saelens", "dictionary-learning", "jumprelu")]
    [InlineData("gated", "saelens", "dictionary-learning", "gated")]
    [InlineData("jumprelu", "gemma-scope", "dictionary-learning", "jumprelu")]
    [InlineData("topk", "sparsify", "dictionary-learning", "topk, k = 1")]
    [InlineData("openai-topk.pt", "polyseme", "openai", "topk, k = 2")]
    [InlineData("openai-topk.pt", "saelens", "openai", "topk, k = 2")]
    public void A_conversion_reads_back_what_it_wrote(string name, string to, string from, string activation)
    {
        var run = Convert(GoldenDictionary.Torch(name), _files.File("out"), "--to", to);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        Assert.Contains($"({from})", run.Out, StringComparison.Ordinal);
        Assert.Contains($"({to})", run.Out, StringComparison.Ordinal);
        Assert.Contains(activation, run.Out, StringComparison.Ordinal);
        Assert.Matches("largest difference, encode +0 of [1-9]", run.Out);
        Assert.Matches("largest difference, decode +0 of [1-9]", run.Out);
        Assert.DoesNotContain(" 0.0 % of latents active", run.Out, StringComparison.Ordinal);
        Assert.Equal(to, DictionaryFormats.Recognise(_files.File("out")).Name);
    }

    [Fact]
    public void Matching_pursuit_goes_from_one_format_to_another_and_back_and_is_evaluated()
    {
        var golden = GoldenDictionary.Plain("matching-pursuit");
        foreach (var (from, to) in (ReadOnlySpan<(string, string)>)[(golden, "polyseme"), (_files.File("polyseme"), "saelens")])
        {
            var run = Convert(from, _files.File(to), "--to", to);
            Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
            Assert.Contains(
                "matching pursuit, at most 2 steps, until a residual of 0.01 or a latent that is on already",
                run.Out,
                StringComparison.Ordinal
            );
            Assert.Matches("largest difference, encode +0 of [1-9]", run.Out);
        }
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(golden, "sae_weights.safetensors")),
            File.ReadAllBytes(Path.Combine(_files.File("saelens"), "sae_weights.safetensors"))
        );
        Convert(golden, _files.File("no"), "--to", "sparsify").AssertRefused(ExitCode.Failed, "sparsify", "top-k and groupmax");
        SafetensorsFile.Write(_files.File("acts.safetensors"), [SafetensorsTensor.Of("activations", [1.5f, 1.5f, 0, -1, 1, -0.5f], 3, 2)]);
        var evaluated = CommandLineRun.InProcess(
            "dictionary",
            "eval",
            golden,
            _files.File("acts.safetensors"),
            "--json",
            _files.File("eval.json"),
            "--quiet"
        );
        Assert.Equal((ExitCode.Done, ""), (evaluated.Code, evaluated.Error));
        Assert.Contains("MatchingPursuit", File.ReadAllText(_files.File("eval.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_of_the_bias_shows_as_rounding_and_no_more()
    {
        var run = Convert(GoldenDictionary.Plain("jumprelu"), _files.File("out"), "--to", "gemma-scope");
        Assert.Equal(ExitCode.Done, run.Code);
        Assert.Contains("largest difference, encode", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dictionary_that_changed_is_told_apart()
    {
        var before = Tiny.Of(new LatentActivation.JumpRelu([1, 0.5f, 0.25f]));
        var same = DictionaryConversion.Compare(before, Tiny.Of(new LatentActivation.JumpRelu([1, 0.5f, 0.25f])), new RandomStream(0, "x"));
        Assert.Equal((0.0, 0.0, true), (same.LatentDifference, same.RowDifference, same.Holds));
        Assert.True(same.ActiveShare > 0.1);
        Assert.False(DictionaryConversion.Compare(before, Tiny.Of(new LatentActivation.Relu()), new RandomStream(0, "x")).Holds);
        Assert.False(DictionaryConversion.Compare(before, before with { SubtractDecoderBias = false }, new RandomStream(0, "x")).Holds);
    }

    [Theory]
    [InlineData("torch/gated", "gemma-scope", "JumpReLU dictionaries only")]
    [InlineData("torch/gated", "sparsify", "top-k and groupmax")]
    [InlineData("torch/topk", "openai", "only read")]
    [InlineData("torch/topk", "saedashboard", "over text")]
    [InlineData("torch/topk", "saebench", "results of an evaluation")]
    [InlineData("plain/sparsify-groupmax", "saelens", "GroupMax")]
    [InlineData("plain/sparsify", "neuronpedia", "do not name them")]
    public void What_a_format_cannot_hold_is_refused_with_the_reason(string input, string to, string reason)
    {
        Convert(Path.Combine(GoldenDictionary.Plain(".."), input), _files.File("out"), "--to", to).AssertRefused(ExitCode.Failed, reason);
        Assert.False(Directory.Exists(_files.File("out")));
    }

    [Fact]
    public void Neuronpedia_gets_the_directions()
    {
        var run = Convert(GoldenDictionary.Plain("standard"), _files.File("out"), "--to", "neuronpedia");
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        Assert.Contains("written only", run.Out, StringComparison.Ordinal);
        Assert.Contains("gpt2/8-res-polyseme/features/batch-0.jsonl.gz", new DirectoryTree(_files.File("out")).Files);
        var source = File.ReadAllText(Path.Combine(_files.File("out"), "gpt2", "8-res-polyseme", "source.jsonl"));
        Assert.Equal("8-res-polyseme", JsonNode.Parse(source)!["id"]!.GetValue<string>());
    }

    [Fact]
    public void Bad_input_is_one_line_and_3()
    {
        Convert(_files.File("gone"), _files.File("out"), "--to", "saelens").AssertRefused(ExitCode.Input, "does not exist");
        Convert(_files.Path, _files.File("out"), "--to", "saelens").AssertRefused(ExitCode.Input, "known format");
        var copy = GoldenDictionary.Copy(GoldenDictionary.Plain("topk"), _files);
        var config = Path.Combine(copy, "cfg.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"k\": 1", "\"k\": 100", StringComparison.Ordinal));
        Convert(copy, _files.File("out"), "--to", "polyseme").AssertRefused(ExitCode.Input, "'k'", "at most 3");
    }

    [Fact]
    public void A_wrong_line_is_2_and_an_unwritable_place_is_1()
    {
        var golden = GoldenDictionary.Plain("topk");
        Convert(golden, _files.File("out"), "--to", "onnx").AssertRefused(ExitCode.Usage, "onnx", "gemma-scope");
        Convert(golden, _files.File("out")).AssertRefused(ExitCode.Usage, "--to");
        Convert(golden, golden, "--to", "saelens").AssertRefused(ExitCode.Usage, "both read and written");
        File.WriteAllText(_files.File("file"), "");
        Convert(golden, _files.File("file"), "--to", "polyseme").AssertRefused(ExitCode.Failed, "file");
    }

    private static CommandLineRun Convert(params string[] args) => CommandLineRun.InProcess(["dictionary", "convert", .. args]);

    private sealed class DirectoryTree(string path)
    {
        public IEnumerable<string> Files =>
            Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(path, file));
    }
}
