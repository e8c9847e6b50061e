using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Polyseme.Dictionaries.Metrics;
using Polyseme.Runs;

namespace Polyseme.Dictionaries.Formats;

/// <summary>Where a dictionary belongs, which other tools list it by.</summary>
/// <param name="Model">The model's name; <c>null</c> = as the dictionary's files say.</param>
/// <param name="Hook">Where in the model, with its layer: <c>blocks.8.hook_resid_post</c>; <c>null</c> = as the dictionary's files say.</param>
/// <param name="Dataset">The name of the activations' data.</param>
/// <param name="Time">When it was evaluated.</param>
public sealed record ReportOrigin(string? Model, string? Hook, string Dataset, DateTimeOffset Time);

/// <summary>An evaluation as the files of other tools.</summary>
/// <remarks>
/// SAEBench's core evaluation holds what its code computes under each name, its explained variance in its version 0.6.0's definition included; what
/// needs the network is <c>null</c> without one, and so is what is not measured here. Dashboards hold directions, the neurons they align with and how often each
/// latent is active, and no texts: activations alone do not know them.
/// </remarks>
public static class EvaluationReport
{
    private const string SaeBench = "saebench",
        SaeDashboard = "saedashboard",
        Neuronpedia = "neuronpedia";

    /// <summary>The format that is a directory; the others are a file.</summary>
    public const string Directory = Neuronpedia;

    /// <summary>The formats' names.</summary>
    public static IReadOnlyList<string> Formats { get; } = [SaeBench, SaeDashboard, Neuronpedia];

    /// <summary>Why it cannot be written; <c>null</c> when it can.</summary>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="dictionary">What was evaluated.</param>
    /// <param name="origin">Where it belongs.</param>
    public static string? WhyNot(string format, FeatureDictionary dictionary, ReportOrigin origin)
    {
        if (!Formats.Contains(format))
            return $"there is no format of evaluations '{format}'; there are {string.Join(", ", Formats)}";
        if (format == SaeBench)
            return null;
        return Model(dictionary, origin) is null ? "dashboards are listed by model, and the dictionary's files name none"
            : Hook(dictionary, origin) is not { } hook ? "dashboards are listed by hook, and the dictionary's files name none"
            : NeuronpediaFormat.Layer(hook) is null ? $"dashboards are listed by layer, and '{hook}' has no layer in it"
            : null;
    }

    /// <summary>Writes it.</summary>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="path">The file, of <c>neuronpedia</c> the directory.</param>
    /// <param name="dictionary">What was evaluated.</param>
    /// <param name="evaluation">What came out.</param>
    /// <param name="origin">Where it belongs.</param>
    /// <exception cref="ArgumentException">It cannot be written: <see cref="WhyNot"/>.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Write(string format, string path, FeatureDictionary dictionary, DictionaryEvaluation evaluation, ReportOrigin origin)
    {
        if (WhyNot(format, dictionary, origin) is { } reason)
            throw new ArgumentException(reason, nameof(format));
        var (model, hook) = (Model(dictionary, origin) ?? "", Hook(dictionary, origin) ?? "");
        switch (format)
        {
            case SaeBench:
                AtomicFile.WriteText(path, Benchmark(dictionary, evaluation, model, hook, origin.Time).Text());
                break;
            case SaeDashboard:
                var batch = new SaeDashboardBatch
                {
                    ModelId = model,
                    Layer = NeuronpediaFormat.Layer(hook)!.Value,
                    SaeSet = NeuronpediaFormat.SetName(hook),
                    Prompts = 0,
                    TokensInPrompt = 0,
                    Dataset = origin.Dataset,
                    Latents = Latents(dictionary, evaluation),
                };
                AtomicFile.WriteText(path, batch.Text());
                break;
            default:
                new NeuronpediaExport
                {
                    Model = new NeuronpediaModel { Id = model },
                    Layer = NeuronpediaFormat.Layer(hook)!.Value,
                    SetName = NeuronpediaFormat.SetName(hook),
                    HookName = hook,
                    CreatorId = "polyseme",
                    CreatedAt = origin.Time,
                    SaeLensConfig = ((dictionary as SparseAutoencoder)?.Metadata["saelens"] ?? new JsonObject()).ToJsonString(),
                    Dataset = origin.Dataset,
                    Latents = Latents(dictionary, evaluation),
                }.Write(path);
                break;
        }
    }

    private static LatentReport[] Latents(FeatureDictionary dictionary, DictionaryEvaluation evaluation) =>
        [
            .. Enumerable
                .Range(0, dictionary.NLatents)
                .Select(latent =>
                    NeuronpediaFormat.Report(dictionary.Directions, latent) with
                    {
                        FractionActive = evaluation.Activity.Density[latent],
                    }
                ),
        ];

    private static SaeBenchResult Benchmark(
        FeatureDictionary dictionary,
        DictionaryEvaluation evaluation,
        string model,
        string hook,
        DateTimeOffset time
    )
    {
        var (back, activity, loss) = (evaluation.Reconstruction, evaluation.Activity, evaluation.LossRecovered);
        double Over(double density) => (double)activity.Density.Count(value => value > density) / activity.Density.Length;
        var id = SHA256.HashData(Encoding.UTF8.GetBytes(Json.Write(evaluation)));
        return new SaeBenchResult
        {
            EvalTypeId = "core",
            EvalConfig = new JsonObject
            {
                ["model_name"] = model,
                ["n_rows"] = back.NRows,
                ["batch_rows"] = back.BatchRows,
            },
            EvalId = new Guid(id.AsSpan(0, 16)),
            Time = time,
            Metrics =
            [
                (
                    "model_behavior_preservation",
                    [
                        ("kl_div_score", loss?.DivergenceScore),
                        ("kl_div_with_ablation", loss?.Zero.Divergence),
                        ("kl_div_with_sae", loss?.Reconstructed.Divergence),
                    ]
                ),
                (
                    "model_performance_preservation",
                    [
                        ("ce_loss_score", loss?.CrossEntropyScore),
                        ("ce_loss_with_ablation", loss?.Zero.CrossEntropy),
                        ("ce_loss_with_sae", loss?.Reconstructed.CrossEntropy),
                        ("ce_loss_without_sae", loss?.CrossEntropy),
                    ]
                ),
                (
                    "reconstruction_quality",
                    [
                        ("explained_variance", back.ExplainedVarianceSaeBench060),
                        ("explained_variance_legacy", back.ExplainedVarianceLegacy),
                        ("mse", back.MeanSquaredError),
                        ("cossim", back.Cosine),
                    ]
                ),
                (
                    "shrinkage",
                    [
                        ("l2_norm_in", null),
                        ("l2_norm_out", null),
                        ("l2_ratio", back.L2Ratio),
                        ("relative_reconstruction_bias", back.RelativeReconstructionBias),
                    ]
                ),
                ("sparsity", [("l0", activity.L0), ("l1", activity.L1)]),
                ("token_stats", [("total_tokens_eval_reconstruction", back.NRows), ("total_tokens_eval_sparsity_variance", back.NRows)]),
                (
                    "misc_metrics",
                    [
                        ("freq_over_1_percent", Over(0.01)),
                        ("freq_over_10_percent", Over(0.1)),
                        ("normalized_freq_over_1_percent", null),
                        ("normalized_freq_over_10_percent", null),
                        ("average_max_encoder_cosine_sim", null),
                        ("average_max_decoder_cosine_sim", null),
                        ("frac_alive", activity.AliveShare),
                    ]
                ),
            ],
            Details =
            [
                .. Enumerable.Range(0, dictionary.NLatents).Select(latent => Detail(dictionary as SparseAutoencoder, activity, latent)),
            ],
            CommitHash = CodeVersion.Full,
            SaeConfig = new JsonObject
            {
                ["model_name"] = model,
                ["hook_name"] = hook,
                ["hook_layer"] = NeuronpediaFormat.Layer(hook),
                ["architecture"] = evaluation.Kind,
                ["d_in"] = evaluation.DIn,
                ["d_sae"] = evaluation.NLatents,
                ["dtype"] = "float32",
            },
            Unstructured = new JsonObject
            {
                ["polyseme"] = new JsonObject
                {
                    ["explained_variance"] = back.ExplainedVariance,
                    ["explained_variance_definition"] = "1 - E|e|^2 / (E|x|^2 - |E x|^2)",
                },
            },
        };
    }

    private static JsonObject Detail(SparseAutoencoder? dictionary, LatentActivity activity, int latent)
    {
        var encoder = dictionary is null ? [] : dictionary.Encoder.Row(latent).ToArray();
        var direction = dictionary is null ? [] : dictionary.Decoder.Row(latent).ToArray();
        double Inner(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
        var norms = Math.Sqrt(Inner(encoder, encoder) * Inner(direction, direction));
        return new JsonObject
        {
            ["index"] = latent,
            ["feature_density"] = activity.Density[latent],
            ["consistent_activation_heuristic"] = null,
            ["encoder_bias"] = dictionary is null ? null : (double)dictionary.EncoderBias[latent],
            ["encoder_norm"] = dictionary is null ? null : Math.Sqrt(Inner(encoder, encoder)),
            ["encoder_decoder_cosine_sim"] = encoder.Length == direction.Length && norms > 0 ? Inner(encoder, direction) / norms : null,
            ["max_encoder_cosine_sim"] = null,
            ["max_decoder_cosine_sim"] = null,
        };
    }

    private static string? Model(FeatureDictionary dictionary, ReportOrigin origin) => origin.Model ?? Named(dictionary, "model_name");

    private static string? Hook(FeatureDictionary dictionary, ReportOrigin origin) => origin.Hook ?? Named(dictionary, "hook_name");

    private static string? Named(FeatureDictionary dictionary, string key) =>
        dictionary is SparseAutoencoder autoencoder ? NeuronpediaFormat.Text(autoencoder, key) : null;
}
