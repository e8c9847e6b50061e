using System.Text.Json.Nodes;
using NJsonSchema;
using Polyseme.Activations;
using Polyseme.Cli;
using Polyseme.Dictionaries.Classical;
using Polyseme.Dictionaries.Metrics;
using Polyseme.Numerics;
using Polyseme.Tests.Dictionaries.Classical;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Cli;

public sealed class DictionaryCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_dictionary_is_fitted_evaluated_against_the_truth_and_written_by_the_schema()
    {
        var (activations, truth, concepts) = Files();
        foreach (var seed in new[] { "0", "1" })
        {
            var fit = CommandLineRun.InProcess(
                "dictionary",
                "fit",
                activations,
                "--method",
                "online",
                "--set",
                "latents=12",
                "--set",
                "steps=300",
                "--seed",
                seed,
                "--out",
                In($"online-{seed}"),
                "--quiet"
            );
            Assert.Equal((0, ""), (fit.Code, fit.Error));
            Assert.Contains("Mairal", fit.Out, StringComparison.Ordinal);
        }
        string[] evaluation = ["dictionary", "eval", In("online-0"), activations, "--truth", truth, "--concepts", concepts];
        string[] others = ["--train", activations, "--against", In("online-1"), "--quiet"];
        CommandLineRun Evaluate(string json) => CommandLineRun.InProcess([.. evaluation, .. others, "--json", json]);
        var eval = Evaluate(In("eval.json"));
        Assert.Equal((0, ""), (eval.Code, eval.Error));
        Assert.Contains("the right one", eval.Out, StringComparison.Ordinal);
        var json = await File.ReadAllTextAsync(In("eval.json"), TestContext.Current.CancellationToken);
        var schema = await JsonSchema.FromJsonAsync(DictionaryEvaluationSchema.Text, TestContext.Current.CancellationToken);
        Assert.Empty(schema.Validate(json));
        var root = JsonNode.Parse(json)!;
        Assert.True(root["recovery"]!["recovered"]!.GetValue<int>() >= 10);
        Assert.True(root["detection"]!["f1"]!.GetValue<double>() > 0.8);
        Assert.Equal(0, root["held_out"]!["gap"]!.GetValue<double>(), 1e-12); // the same rows
        Assert.True(root["stability"]!["mean_mmcs"]!.GetValue<double>() > 0.8);
        Assert.Equal("on", root["probes"]![0]!["concept"]!.GetValue<string>());
        Assert.True(root["probes"]![0]!["latents"]![0]!["score"]!["f1"]!.GetValue<double>() > 0.9);
        // A schema that accepts anything would be none.
        root["activity"]!["l0"] = "many";
        Assert.NotEmpty(schema.Validate(root.ToJsonString()));
        Assert.Equal(json, Evaluate("-").Out);
    }

    [Fact]
    public void An_evaluation_is_written_for_other_tools()
    {
        var (activations, _, _) = Files();
        string[] training = ["dictionary", "train", activations, "--kind", "topk", "--out", In("sae"), "--quiet"];
        string[] settings = ["latents=16", "k=2", "steps=20", "batch=64"];
        Assert.Equal(0, CommandLineRun.InProcess([.. training, .. settings.SelectMany(setting => new[] { "--set", setting })]).Code);
        string[] eval = ["dictionary", "eval", In("sae"), activations, "--quiet"];
        string[] named = ["--model", "toy", "--hook", "blocks.3.hook_resid_post"];
        string[] reports = ["saebench=" + In("core.json"), "saedashboard=" + In("batch-0.json"), "neuronpedia=" + In("export")];
        var run = CommandLineRun.InProcess([
            .. eval,
            .. named,
            "--json",
            In("eval.json"),
            .. reports.SelectMany(report => new[] { "--write", report }),
        ]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        JsonNode Read(string name) => JsonNode.Parse(File.ReadAllText(In(name)))!;
        var ours = Read("eval.json");
        var density = ours["activity"]!["density"]!.AsArray().Select(value => (double)value!).ToArray();

        var bench = Read("core.json");
        Assert.Equal("core", (string?)bench["eval_type_id"]);
        var metrics = bench["eval_result_metrics"]!;
        Assert.Equal((double)ours["activity"]!["l0"]!, (double)metrics["sparsity"]!["l0"]!);
        Assert.Equal(
            (double)ours["reconstruction"]!["explained_variance_sae_bench060"]!,
            (double)metrics["reconstruction_quality"]!["explained_variance"]!
        );
        Assert.Null(metrics["model_performance_preservation"]!["ce_loss_score"]);
        Assert.Equal(density, bench["eval_result_details"]!.AsArray().Select(one => (double)one!["feature_density"]!));
        Assert.Equal(
            (double)ours["encoder_decoder_cosine"]!,
            bench["eval_result_details"]!.AsArray().Average(one => (double)one!["encoder_decoder_cosine_sim"]!),
            1e-5
        );
        Assert.Equal((3, 16), ((int)bench["sae_cfg_dict"]!["hook_layer"]!, (int)bench["sae_cfg_dict"]!["d_sae"]!));

        var dashboard = Read("batch-0.json");
        Assert.Equal(("toy", 3, "res-polyseme"), ((string?)dashboard["model_id"], (int)dashboard["layer"]!, (string?)dashboard["sae_set"]));
        var features = dashboard["features"]!.AsArray();
        Assert.Equal(density, features.Select(feature => (double)feature!["frac_nonzero"]!));
        Assert.Equal(8, features[0]!["vector"]!.AsArray().Count);

        using var packed = File.OpenRead(In("export/toy/3-res-polyseme/features/batch-0.jsonl.gz"));
        using var lines = new StreamReader(new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionMode.Decompress));
        var exported = lines.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(density, exported.Select(feature => (double)feature["frac_nonzero"]!));
        Assert.Equal("blocks.3.hook_resid_post", (string?)exported[15]["hookName"]);

        CommandLineRun.InProcess([.. eval, "--write", "saedashboard=" + In("x.json")]).AssertRefused(ExitCode.Usage, "--model", "--hook");
        CommandLineRun
            .InProcess([.. eval, "--model", "toy", "--hook", "embed", "--write", "neuronpedia=" + In("x")])
            .AssertRefused(ExitCode.Usage, "'embed' has no layer");
        CommandLineRun.InProcess([.. eval, "--write", "gguf=" + In("x")]).AssertRefused(ExitCode.Usage, "saebench");
        CommandLineRun
            .InProcess([.. eval, "--write", "saebench=" + In("absent/x.json")])
            .AssertRefused(ExitCode.Failed, "there is no directory");
    }

    [Fact]
    public async Task A_dictionary_of_a_transformer_is_held_against_what_the_transformer_loses()
    {
        string[] train = ["zoo", "train", "token-classes", "--set", "steps=60", "--set", "samples=900", "--out", In("tc"), "--quiet"];
        Assert.Contains(CommandLineRun.InProcess(train).Code, new[] { 0, 1 }); // so short a training misses its acceptance
        var activations = In("tc/activations.safetensors");
        Assert.Equal(
            0,
            CommandLineRun
                .InProcess("dictionary", "fit", activations, "--method", "pca", "--set", "components=32", "--out", In("pca"), "--quiet")
                .Code
        );
        string[] eval = ["dictionary", "eval", In("pca"), activations, "--quiet"];
        string[] texts = ["--texts", In("tc/texts.safetensors"), "--model", In("tc")];
        string[] at = ["--hook", "blocks.0.mlp.hook_post"];
        var run = CommandLineRun.InProcess([.. eval, .. texts, .. at, "--json", In("eval.json"), "--write", "saebench=" + In("core.json")]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var json = await File.ReadAllTextAsync(In("eval.json"), TestContext.Current.CancellationToken);
        var schema = await JsonSchema.FromJsonAsync(DictionaryEvaluationSchema.Text, TestContext.Current.CancellationToken);
        Assert.Empty(schema.Validate(json));
        var loss = JsonNode.Parse(json)!["loss_recovered"]!;
        // All of the principal components lose nothing; each text has twelve tokens to be foretold.
        Assert.Equal(1, (double)loss["divergence_score"]!, 1e-5);
        Assert.Equal(100 * 12, (int)loss["positions"]!);
        var bench = JsonNode.Parse(await File.ReadAllTextAsync(In("core.json"), TestContext.Current.CancellationToken))!;
        Assert.Equal(
            (double)loss["cross_entropy"]!,
            (double)bench["eval_result_metrics"]!["model_performance_preservation"]!["ce_loss_without_sae"]!
        );
        CommandLineRun.InProcess([.. eval, .. texts]).AssertRefused(ExitCode.Usage, "--texts", "--hook");
        CommandLineRun
            .InProcess([.. eval, .. texts, "--hook", "blocks.0.hook_mlp_out"])
            .AssertRefused(ExitCode.Input, "texts.safetensors", "24 wide");
        CommandLineRun
            .InProcess([.. eval, .. at, "--model", In("tc"), "--texts", activations])
            .AssertRefused(ExitCode.Input, "activations.safetensors", "integers");
    }

    [Fact]
    public void Every_method_is_written_and_read_again_as_it_was()
    {
        var rows = Positive(Planted.Superposed(300, 8, 5, 0.3).Rows);
        foreach (
            var method in new ClassicalMethod[]
            {
                new Pca(),
                new Nmf { Latents = 3, MaxIterations = 5 },
                new KSvd
                {
                    Latents = 6,
                    K = 2,
                    Iterations = 2,
                },
                new OnlineDictionaryLearning { Latents = 6, Steps = 3 },
                new KMeans { Latents = 3 },
            }
        )
        {
            var dictionary = method.Fit(rows, null, TestContext.Current.CancellationToken).Dictionary;
            var path = Directory.CreateDirectory(In(method.Name)).FullName;
            ClassicalDictionaryFile.Write(dictionary, path);
            var again = ClassicalDictionaryFile.Read(path);
            Assert.Equal(dictionary.GetType(), again.GetType());
            Assert.Equal(dictionary.Directions.Data, again.Directions.Data);
            Assert.Equal(Planted.Latents(dictionary, rows).Data, Planted.Latents(again, rows).Data);
        }
    }

    [Fact]
    public void What_cannot_be_done_is_refused_in_one_line()
    {
        var (activations, truth, _) = Files();
        CommandLineRun.InProcess("dictionary", "fit", activations, "--method", "tsne").AssertRefused(ExitCode.Usage, "tsne", "pca");
        CommandLineRun
            .InProcess("dictionary", "fit", activations, "--method", "ksvd", "--set", "k=0")
            .AssertRefused(ExitCode.Usage, "k=0", "ranges from 1");
        CommandLineRun
            .InProcess("dictionary", "fit", activations, "--method", "pca", "--set", "k=2")
            .AssertRefused(ExitCode.Usage, "'k'", "components");
        CommandLineRun
            .InProcess("dictionary", "fit", activations, "--method", "nmf", "--out", In("nmf"), "--quiet")
            .AssertRefused(ExitCode.Input, "not negative");
        CommandLineRun
            .InProcess("dictionary", "fit", activations, "--method", "fastica", "--set", "components=99", "--out", In("ica"), "--quiet")
            .AssertRefused(ExitCode.Input, "99 components");
        CommandLineRun.InProcess("dictionary", "eval", In("nothing"), activations, "--quiet").AssertRefused(ExitCode.Input, "nothing");
        Assert.Equal(0, CommandLineRun.InProcess("dictionary", "fit", activations, "--method", "pca", "--out", In("pca"), "--quiet").Code);
        SafetensorsFile.Write(In("narrow.safetensors"), [SafetensorsTensor.Of("activations", new float[20], 10, 2)]);
        CommandLineRun
            .InProcess("dictionary", "eval", In("pca"), In("narrow.safetensors"), "--quiet")
            .AssertRefused(ExitCode.Input, "width");
        SafetensorsFile.Write(In("truth.safetensors"), [SafetensorsTensor.Of("directions", new float[6], 2, 3)]);
        CommandLineRun
            .InProcess("dictionary", "eval", In("pca"), activations, "--truth", In("truth.safetensors"), "--quiet")
            .AssertRefused(ExitCode.Input, "[2, 3]");
        File.WriteAllText(In("pca/classical.json"), "{\"schema\": \"polyseme.classical-dictionary/1\", \"kind\": \"circular\"}\n");
        CommandLineRun
            .InProcess("dictionary", "eval", In("pca"), activations, "--truth", truth, "--quiet")
            .AssertRefused(ExitCode.Input, "circular");
    }

    private string In(string name) => Path.Combine(_folder.Path, name);

    private static FloatMatrix Positive(FloatMatrix rows) => new(rows.Rows, rows.Columns, Array.ConvertAll(rows.Data, Math.Abs));

    private (string Activations, string Truth, string Concepts) Files()
    {
        const int rows = 3000,
            features = 12,
            width = 8;
        var values = PlantedLayers.SparseFeatures(rows, features, 0.08, 3);
        var directions = PlantedLayers.Directions(features, width, 3);
        var x = LinearAlgebra.Multiply(values, directions);
        SafetensorsFile.Write(In("acts.safetensors"), [SafetensorsTensor.Of("activations", Planted.Single(x).Data, rows, width)]);
        new DictionaryTruth(directions, Planted.Single(values)).Write(In("true.safetensors"));
        SafetensorsFile.Write(
            In("concepts.safetensors"),
            [SafetensorsTensor.Of("on", values.Column(0).Select(value => value > 0 ? 1L : 0L).ToArray())]
        );
        return (In("acts.safetensors"), In("true.safetensors"), In("concepts.safetensors"));
    }
}
