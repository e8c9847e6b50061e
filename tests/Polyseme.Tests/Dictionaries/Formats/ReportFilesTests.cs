using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Formats;

namespace Polyseme.Tests.Dictionaries.Formats;

/// <summary>What dashboards and benchmarks read. The expected texts were written by hand from the descriptions of the formats.</summary>
public sealed class ReportFilesTests : IDisposable
{
    private static readonly DateTimeOffset Time = new(2025, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    private readonly TemporaryFolder _files = new();

    private static LatentReport Latent { get; } =
        new()
        {
            Index = 7,
            AlignedNeurons = [1, 0],
            AlignedWeights = [0.75, 0.0004],
            AlignedShares = [0.5, 0.25],
            CorrelatedNeurons = [1],
            CorrelatedNeuronsPearson = [0.123456],
            CorrelatedNeuronsCosine = [1],
            NegativeLogits = [(" né", -1.5)],
            PositiveLogits = [("a\"", 2)],
            FractionActive = 1e-5,
            ActivationHistogram = [(0.5, 3)],
            Direction = [0.75, -0.25],
            Examples = [new ActivationExample(["a", " b"], [0, 2.5]) { BinMax = 2.5, QualifyingToken = 1 }],
        };

    public void Dispose() => _files.Dispose();

    [Fact]
    public void SAEDashboard_gets_its_keys_in_its_order_and_three_decimals()
    {
        var batch = new SaeDashboardBatch
        {
            ModelId = "gpt2",
            Layer = 8,
            SaeSet = "res-jb",
            Prompts = 10,
            TokensInPrompt = 128,
            Dataset = "text",
            Latents =
            [
                Latent,
                Latent with
                {
                    Index = 8,
                    Examples = [Latent.Examples[0] with { Attribution = new TokenAttribution([1, 0.5], 1, 0) }],
                },
            ],
        };
        const string first =
            """{"feature_index": 7, "neuron_alignment_indices": [1, 0], "neuron_alignment_values": [0.75, 0.0], "neuron_alignment_l1": [0.5, 0.25], "correlated_neurons_indices": [1], "correlated_neurons_l1": [1.0], "correlated_neurons_pearson": [0.123], "correlated_features_indices": [], "correlated_features_l1": [], "correlated_features_pearson": [], "neg_str": [" n\u00e9"], "neg_values": [-1.5], "pos_str": ["a\""], "pos_values": [2.0], "frac_nonzero": 1e-05, "freq_hist_data_bar_values": [0.5], "freq_hist_data_bar_heights": [3.0], "logits_hist_data_bar_heights": [], "logits_hist_data_bar_values": [], "n_prompts_total": 10, "n_tokens_in_prompt": 128, "dataset": "text", "decoder_weights_dist": [], "activations": [{"bin_min": -1.0, "bin_max": 2.5, "bin_contains": -1.0, "tokens": ["a", " b"], "values": [0.0, 2.5], "qualifying_token_index": 1}], "vector": [0.75, -0.25]}""";
        var second = first
            .Replace("\"feature_index\": 7", "\"feature_index\": 8", StringComparison.Ordinal)
            .Replace(
                "\"qualifying_token_index\": 1}",
                "\"qualifying_token_index\": 1, \"dfa_values\": [1.0, 0.5], \"dfa_maxValue\": 1.0, \"dfa_targetIndex\": 0}",
                StringComparison.Ordinal
            );
        Assert.Equal(
            $$"""{"model_id": "gpt2", "layer": 8, "sae_set": "res-jb", "sae_id_suffix": null, "features": [{{first}}, {{second}}]}""",
            batch.Text()
        );
    }

    [Fact]
    public void SAEBench_gets_its_keys_in_its_order()
    {
        var result = new SaeBenchResult
        {
            EvalTypeId = "core",
            EvalConfig = new JsonObject { ["context_size"] = 128 },
            EvalId = Guid.Parse("01234567-89ab-cdef-0123-456789abcdef"),
            Time = Time,
            Metrics = [("sparsity", [("l0", 32.0), ("l1", 1e-6)]), ("model_performance_preservation", [("ce_loss_score", null)])],
            Details = [new JsonObject { ["index"] = 0, ["feature_density"] = 0.25 }],
            CommitHash = "abc",
            SaeLensReleaseId = "mine",
            SaeConfig = new JsonObject { ["d_in"] = 2 },
        };
        Assert.Equal(
            """
            {
              "eval_type_id": "core",
              "eval_config": {
                "context_size": 128
              },
              "eval_id": "01234567-89ab-cdef-0123-456789abcdef",
              "datetime_epoch_millis": 1735787045678,
              "eval_result_metrics": {
                "sparsity": {
                  "l0": 32.0,
                  "l1": 1e-06
                },
                "model_performance_preservation": {
                  "ce_loss_score": null
                }
              },
              "eval_result_details": [
                {
                  "index": 0,
                  "feature_density": 0.25
                }
              ],
              "sae_bench_commit_hash": "abc",
              "sae_lens_id": "custom_sae",
              "sae_lens_release_id": "mine",
              "sae_lens_version": null,
              "sae_cfg_dict": {
                "d_in": 2
              },
              "eval_result_unstructured": null
            }
            """,
            result.Text()
        );
        Assert.Throws<ArgumentException>(() => (result with { Metrics = [("a", [("b", double.NaN)])] }).Text());
    }

    [Fact]
    public void Neuronpedia_gets_lines_of_JSON_and_gzip_where_they_are_long()
    {
        var folder = Export().Write(_files.Path);
        Assert.Equal(
            [
                "gpt2",
                "gpt2/8-res-jb__x",
                "gpt2/8-res-jb__x/activations",
                "gpt2/8-res-jb__x/activations/batch-0.jsonl.gz",
                "gpt2/8-res-jb__x/explanations",
                "gpt2/8-res-jb__x/explanations/batch-0.jsonl.gz",
                "gpt2/8-res-jb__x/features",
                "gpt2/8-res-jb__x/features/batch-0.jsonl.gz",
                "gpt2/8-res-jb__x/model.jsonl",
                "gpt2/8-res-jb__x/source.jsonl",
            ],
            _files.Entries()
        );
        Assert.Equal(
            """{"modelId":"gpt2","layer":"8-res-jb__x","index":"7","creatorId":"me","createdAt":"2025-01-02T03:04:05.678000","maxActApprox":2.5,"hasVector":true,"vector":[0.75,-0.25],"vectorLabel":null,"vectorDefaultSteerStrength":10,"hookName":"blocks.8.hook_resid_pre","topkCosSimIndices":[],"topkCosSimValues":[],"neuron_alignment_indices":[1,0],"neuron_alignment_values":[0.75,0.0004],"neuron_alignment_l1":[0.5,0.25],"correlated_neurons_indices":[1],"correlated_neurons_pearson":[0.123456],"correlated_neurons_l1":[1.0],"correlated_features_indices":[],"correlated_features_pearson":[],"correlated_features_l1":[],"neg_str":[" né"],"neg_values":[-1.5],"pos_str":["a\""],"pos_values":[2.0],"frac_nonzero":0.00001,"freq_hist_data_bar_heights":[3.0],"freq_hist_data_bar_values":[0.5],"logits_hist_data_bar_heights":[],"logits_hist_data_bar_values":[],"decoder_weights_dist":[],"sourceSetName":"res-jb"}"""
                + "\n",
            Inflated(Path.Combine(folder, "features", "batch-0.jsonl.gz"))
        );
        Keys(
            Inflated(Path.Combine(folder, "activations", "batch-0.jsonl.gz")),
            "id tokens index layer modelId maxValue maxValueTokenIndex minValue values creatorId dataSource dataIndex dfaValues dfaTargetIndex dfaMaxValue createdAt lossValues logitContributions binMin binMax binContains qualifyingTokenIndex zIndices zValues"
        );
        Keys(
            Inflated(Path.Combine(folder, "explanations", "batch-0.jsonl.gz")),
            "id modelId layer index description authorId embedding triggeredById typeName explanationModelName notes createdAt"
        );
        Keys(
            File.ReadAllText(Path.Combine(folder, "source.jsonl")),
            "id modelId setName creatorId hasDashboards inferenceEnabled inferenceHosts saelensConfig saelensRelease saelensSaeId hfRepoId hfFolderId visibility defaultOfModelId hasUmap hasUmapLogSparsity hasUmapClusters num_prompts num_tokens_in_prompt dataset notes createdAt"
        );
        Keys(
            File.ReadAllText(Path.Combine(folder, "model.jsonl")),
            "id instruct creatorId displayNameShort displayName tlensId dimension visibility defaultSourceSetName defaultSourceId inferenceEnabled layers neuronsPerLayer createdAt owner updatedAt website"
        );
    }

    [Fact]
    public void Neuronpedias_files_hold_256_latents_each_and_ids_do_not_repeat()
    {
        var many = Export() with { Latents = [.. Enumerable.Range(0, 300).Select(i => Latent with { Index = i })], Explanations = [] };
        var folder = many.Write(_files.Path);
        Assert.Equal(256, Lines(Path.Combine(folder, "features", "batch-0.jsonl.gz")).Length);
        Assert.Equal(44, Lines(Path.Combine(folder, "features", "batch-1.jsonl.gz")).Length);
        var ids = ((string[])["batch-0.jsonl.gz", "batch-1.jsonl.gz"])
            .SelectMany(name => Lines(Path.Combine(folder, "activations", name)))
            .Select(line => JsonNode.Parse(line)!["id"]!.GetValue<string>())
            .ToArray();
        Assert.Equal(300, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^c[0-9a-z]{24}$", id));
    }

    [Fact]
    public void A_models_name_does_not_lead_out_of_the_export()
    {
        var folder = (
            Export() with
            {
                Model = new NeuronpediaModel { Id = "../../x y" },
                Suffix = null,
            }
        ).Write(_files.Path);
        Assert.StartsWith(_files.Path + "/", Path.GetFullPath(folder), StringComparison.Ordinal);
        Assert.Equal("..-..-x-y", Path.GetFileName(Path.GetDirectoryName(folder)));
        Assert.Equal(
            "unnamed",
            Path.GetFileName(Path.GetDirectoryName((Export() with { Model = new NeuronpediaModel { Id = ".." } }).Write(_files.Path)))
        );
    }

    [Fact]
    public void The_weights_alone_say_which_neurons_a_latent_aligns_with()
    {
        var report = NeuronpediaFormat.Report(Tiny.Of(new LatentActivation.Relu()).Decoder, 2); // direction (3, 4)
        Assert.Equal([1, 0], report.AlignedNeurons);
        Assert.Equal([4.0, 3], report.AlignedWeights);
        Assert.Equal([4 / 7.0, 3 / 7.0], report.AlignedShares);
        Assert.Equal([3.0, 4], report.Direction);
    }

    private static NeuronpediaExport Export() =>
        new()
        {
            Model = new NeuronpediaModel { Id = "gpt2", Layers = 12 },
            Layer = 8,
            SetName = "res-jb",
            Suffix = "x",
            HookName = "blocks.8.hook_resid_pre",
            CreatorId = "me",
            CreatedAt = Time,
            SaeLensConfig = "{}",
            Latents = [Latent],
            Explanations = [new NeuronpediaExplanation(7, "a thing", "oai_token-act-pair", "gpt-4o")],
        };

    private static string[] Lines(string path) => Inflated(path).TrimEnd('\n').Split('\n');

    private static string Inflated(string path)
    {
        using var gzip = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private static void Keys(string line, string expected) =>
        Assert.Equal(expected, string.Join(' ', JsonNode.Parse(line)!.AsObject().Select(member => member.Key)));
}
