using System.Text.Json.Nodes;

namespace Polyseme.Dictionaries.Formats;

/// <summary>SAEBench's result file: one evaluation of one dictionary.</summary>
/// <remarks>Read from the code of SAEBench 0.6.0 (base_eval_output.py): Python's json with an indent of 2, no newline at the end.</remarks>
public sealed record SaeBenchResult
{
    /// <summary>Which evaluation: <c>core</c>, <c>absorption_first_letter</c>, <c>sparse_probing</c>, …</summary>
    public required string EvalTypeId { get; init; }

    /// <summary>How it was run.</summary>
    public required JsonObject EvalConfig { get; init; }

    /// <summary>A name for this run of it alone.</summary>
    public required Guid EvalId { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The metrics, by category. A metric that was not computed is <c>null</c>.</summary>
    public required IReadOnlyList<(string Category, IReadOnlyList<(string Metric, double? Value)> Metrics)> Metrics { get; init; }

    /// <summary>Details, one object each: of a core evaluation, one a latent.</summary>
    public IReadOnlyList<JsonObject> Details { get; init; } = [];

    /// <summary>The git commit of the program that evaluated it.</summary>
    public required string CommitHash { get; init; }

    /// <summary>The dictionary's id in SAELens; <c>custom_sae</c> for others.</summary>
    public string? SaeLensId { get; init; } = "custom_sae";

    /// <summary>Its release in SAELens, or the name given to it.</summary>
    public string? SaeLensReleaseId { get; init; }

    /// <summary>The version of SAELens that loaded it.</summary>
    public string? SaeLensVersion { get; init; }

    /// <summary>The dictionary's configuration.</summary>
    public required JsonObject SaeConfig { get; init; }

    /// <summary>Anything else.</summary>
    public JsonNode? Unstructured { get; init; }

    /// <summary>The file's text.</summary>
    /// <exception cref="ArgumentException">A number is NaN or infinite.</exception>
    public string Text()
    {
        var metrics = new JsonObject();
        foreach (var (category, values) in Metrics)
        {
            var members = new JsonObject();
            foreach (var (metric, value) in values)
                members[metric] = ReportNodes.Of(value);
            metrics[category] = members;
        }
        return ToolJson.Write(
            new JsonObject
            {
                ["eval_type_id"] = EvalTypeId,
                ["eval_config"] = EvalConfig.DeepClone(),
                ["eval_id"] = EvalId.ToString("D"),
                ["datetime_epoch_millis"] = Time.ToUnixTimeMilliseconds(),
                ["eval_result_metrics"] = metrics,
                ["eval_result_details"] = new JsonArray([.. Details.Select(detail => detail.DeepClone())]),
                ["sae_bench_commit_hash"] = CommitHash,
                ["sae_lens_id"] = SaeLensId,
                ["sae_lens_release_id"] = SaeLensReleaseId,
                ["sae_lens_version"] = SaeLensVersion,
                ["sae_cfg_dict"] = SaeConfig.DeepClone(),
                ["eval_result_unstructured"] = Unstructured?.DeepClone(),
            },
            JsonDialect.Python,
            indent: 2
        );
    }
}
