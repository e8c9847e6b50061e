using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Polyseme.Runs;

namespace Polyseme.Dictionaries.Formats;

/// <summary>A model as Neuronpedia lists it.</summary>
public sealed record NeuronpediaModel
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>Layers; 0 where it is not known.</summary>
    public int Layers { get; init; }

    /// <summary>Neurons of an MLP layer; 0 where it is not known.</summary>
    public int NeuronsPerLayer { get; init; }

    /// <summary>Who made it.</summary>
    public string Owner { get; init; } = "";
}

/// <summary>An explanation of a latent in words.</summary>
/// <param name="Latent">The latent.</param>
/// <param name="Description">The words.</param>
/// <param name="Method">How they were found, by Neuronpedia's name of it.</param>
/// <param name="Model">The model that found them.</param>
public sealed record NeuronpediaExplanation(int Latent, string Description, string Method, string Model);

/// <summary>Neuronpedia's export of one dictionary, ready for its import: lines of JSON, the long ones in gzip files.</summary>
/// <remarks>
/// Read from the code of Neuronpedia ebb8426f (convert-saedashboard-to-neuronpedia-export.py, db_models/*.py): orjson, keys in this order.
/// <c>release.jsonl</c> and <c>sourceset.jsonl</c> describe a release of many dictionaries and are not written.
/// </remarks>
public sealed record NeuronpediaExport
{
    private const int LatentsInFile = 256;

    /// <summary>The level of gzip that Neuronpedia's own exporter uses.</summary>
    private const int GzipLevel = 5;

    /// <summary>The model.</summary>
    public required NeuronpediaModel Model { get; init; }

    /// <summary>The layer.</summary>
    public required int Layer { get; init; }

    /// <summary>The set of dictionaries: <c>res-jb</c>. With the layer it makes the source's id: <c>8-res-jb</c>.</summary>
    public required string SetName { get; init; }

    /// <summary>What tells dictionaries of one set and layer apart.</summary>
    public string? Suffix { get; init; }

    /// <summary>Where in the model.</summary>
    public required string HookName { get; init; }

    /// <summary>The account that imports it.</summary>
    public required string CreatorId { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The configuration of the dictionary, as SAELens writes it.</summary>
    public required string SaeLensConfig { get; init; }

    /// <summary>The data set's name; empty where it is not known.</summary>
    public string Dataset { get; init; } = "";

    /// <summary>Prompts that the examples come from.</summary>
    public int Prompts { get; init; }

    /// <summary>Tokens of each.</summary>
    public int TokensInPrompt { get; init; }

    /// <summary>The latents.</summary>
    public required IReadOnlyList<LatentReport> Latents { get; init; }

    /// <summary>Explanations of latents.</summary>
    public IReadOnlyList<NeuronpediaExplanation> Explanations { get; init; } = [];

    /// <summary>The source's id, which Neuronpedia calls a layer elsewhere.</summary>
    public string SourceId => $"{Layer}-{SetName}{(Suffix is null ? "" : $"__{Suffix}")}";

    /// <summary>Writes the files of the export below a directory: <c>MODEL/SOURCE/…</c>.</summary>
    /// <returns>The directory of this source.</returns>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public string Write(string directory)
    {
        var folder = Path.Combine(directory, SafeName(Model.Id), SafeName(SourceId));
        foreach (var part in (ReadOnlySpan<string>)["features", "activations", "explanations"])
            Directory.CreateDirectory(Path.Combine(folder, part));
        AtomicFile.WriteText(Path.Combine(folder, "model.jsonl"), Lines([ModelLine()]));
        AtomicFile.WriteText(Path.Combine(folder, "source.jsonl"), Lines([SourceLine()]));
        for (var first = 0; first < Latents.Count; first += LatentsInFile)
        {
            var name = $"batch-{first / LatentsInFile}.jsonl.gz";
            var latents = Latents.Skip(first).Take(LatentsInFile).ToArray();
            Compressed(Path.Combine(folder, "features", name), Lines(latents.Select(FeatureLine)));
            var ids = latents.Select(latent => latent.Index).ToHashSet();
            if (latents.Any(latent => latent.Examples.Count > 0))
                Compressed(Path.Combine(folder, "activations", name), Lines(latents.SelectMany(ActivationLines)));
            if (Explanations.Any(explanation => ids.Contains(explanation.Latent)))
                Compressed(
                    Path.Combine(folder, "explanations", name),
                    Lines(Explanations.Where(explanation => ids.Contains(explanation.Latent)).Select(ExplanationLine))
                );
        }
        return folder;
    }

    internal JsonObject ModelLine() =>
        new()
        {
            ["id"] = Model.Id,
            ["instruct"] = false,
            ["creatorId"] = CreatorId,
            ["displayNameShort"] = Model.Id,
            ["displayName"] = Model.Id,
            ["tlensId"] = Model.Id,
            ["dimension"] = Latents.Count == 0 ? 0 : Latents[0].Direction.Count,
            ["visibility"] = "PRIVATE",
            ["defaultSourceSetName"] = SetName,
            ["defaultSourceId"] = SourceId,
            ["inferenceEnabled"] = false,
            ["layers"] = Model.Layers,
            ["neuronsPerLayer"] = Model.NeuronsPerLayer,
            ["createdAt"] = ReportNodes.Of(CreatedAt),
            ["owner"] = Model.Owner,
            ["updatedAt"] = ReportNodes.Of(CreatedAt),
            ["website"] = null,
        };

    internal JsonObject SourceLine() =>
        new()
        {
            ["id"] = SourceId,
            ["modelId"] = Model.Id,
            ["setName"] = SetName,
            ["creatorId"] = CreatorId,
            ["hasDashboards"] = Latents.Any(latent => latent.Examples.Count > 0),
            ["inferenceEnabled"] = false,
            ["inferenceHosts"] = new JsonArray(),
            ["saelensConfig"] = SaeLensConfig,
            ["saelensRelease"] = null,
            ["saelensSaeId"] = null,
            ["hfRepoId"] = null,
            ["hfFolderId"] = null,
            ["visibility"] = "PRIVATE",
            ["defaultOfModelId"] = null,
            ["hasUmap"] = false,
            ["hasUmapLogSparsity"] = false,
            ["hasUmapClusters"] = false,
            ["num_prompts"] = Prompts,
            ["num_tokens_in_prompt"] = TokensInPrompt,
            ["dataset"] = Dataset,
            ["notes"] = null,
            ["createdAt"] = ReportNodes.Of(CreatedAt),
        };

    internal JsonObject FeatureLine(LatentReport latent) =>
        new()
        {
            ["modelId"] = Model.Id,
            ["layer"] = SourceId,
            ["index"] = latent.Index.ToString(),
            ["creatorId"] = CreatorId,
            ["createdAt"] = ReportNodes.Of(CreatedAt),
            ["maxActApprox"] = latent.LargestActivation,
            ["hasVector"] = latent.Direction.Count > 0,
            ["vector"] = ReportNodes.Of(latent.Direction),
            ["vectorLabel"] = null,
            ["vectorDefaultSteerStrength"] = 10,
            ["hookName"] = HookName,
            ["topkCosSimIndices"] = new JsonArray(),
            ["topkCosSimValues"] = new JsonArray(),
            ["neuron_alignment_indices"] = ReportNodes.Of(latent.AlignedNeurons),
            ["neuron_alignment_values"] = ReportNodes.Of(latent.AlignedWeights),
            ["neuron_alignment_l1"] = ReportNodes.Of(latent.AlignedShares),
            ["correlated_neurons_indices"] = ReportNodes.Of(latent.CorrelatedNeurons),
            ["correlated_neurons_pearson"] = ReportNodes.Of(latent.CorrelatedNeuronsPearson),
            ["correlated_neurons_l1"] = ReportNodes.Of(latent.CorrelatedNeuronsCosine),
            ["correlated_features_indices"] = ReportNodes.Of(latent.CorrelatedLatents),
            ["correlated_features_pearson"] = ReportNodes.Of(latent.CorrelatedLatentsPearson),
            ["correlated_features_l1"] = ReportNodes.Of(latent.CorrelatedLatentsCosine),
            ["neg_str"] = ReportNodes.Of(latent.NegativeLogits.Select(entry => entry.Token)),
            ["neg_values"] = ReportNodes.Of(latent.NegativeLogits.Select(entry => entry.Logit)),
            ["pos_str"] = ReportNodes.Of(latent.PositiveLogits.Select(entry => entry.Token)),
            ["pos_values"] = ReportNodes.Of(latent.PositiveLogits.Select(entry => entry.Logit)),
            ["frac_nonzero"] = latent.FractionActive,
            ["freq_hist_data_bar_heights"] = ReportNodes.Of(latent.ActivationHistogram.Select(bar => bar.Height)),
            ["freq_hist_data_bar_values"] = ReportNodes.Of(latent.ActivationHistogram.Select(bar => bar.Middle)),
            ["logits_hist_data_bar_heights"] = ReportNodes.Of(latent.LogitHistogram.Select(bar => bar.Height)),
            ["logits_hist_data_bar_values"] = ReportNodes.Of(latent.LogitHistogram.Select(bar => bar.Middle)),
            ["decoder_weights_dist"] = ReportNodes.Of(latent.DecoderWeightsByHead),
            ["sourceSetName"] = SetName,
        };

    internal IEnumerable<JsonObject> ActivationLines(LatentReport latent) =>
        latent.Examples.Select(
            (example, i) =>
            {
                var largest = 0;
                for (var t = 1; t < example.Values.Count; t++)
                    if (example.Values[t] > example.Values[largest])
                        largest = t;
                return new JsonObject
                {
                    ["id"] = Id("activation", latent.Index, i),
                    ["tokens"] = ReportNodes.Of(example.Tokens),
                    ["index"] = latent.Index.ToString(),
                    ["layer"] = SourceId,
                    ["modelId"] = Model.Id,
                    ["maxValue"] = example.Values.Count == 0 ? 0.0 : example.Values[largest],
                    ["maxValueTokenIndex"] = largest,
                    ["minValue"] = example.Values.Count == 0 ? 0.0 : example.Values.Min(),
                    ["values"] = ReportNodes.Of(example.Values),
                    ["creatorId"] = CreatorId,
                    ["dataSource"] = Dataset,
                    ["dataIndex"] = null,
                    ["dfaValues"] = ReportNodes.Of(example.Attribution?.Values ?? []),
                    ["dfaTargetIndex"] = example.Attribution?.Target,
                    ["dfaMaxValue"] = ReportNodes.Of(example.Attribution?.Largest),
                    ["createdAt"] = ReportNodes.Of(CreatedAt),
                    ["lossValues"] = new JsonArray(),
                    ["logitContributions"] = null,
                    ["binMin"] = example.BinMin,
                    ["binMax"] = example.BinMax,
                    ["binContains"] = example.BinContains,
                    ["qualifyingTokenIndex"] = example.QualifyingToken,
                    ["zIndices"] = null,
                    ["zValues"] = null,
                };
            }
        );

    internal JsonObject ExplanationLine(NeuronpediaExplanation explanation) =>
        new()
        {
            ["id"] = Id("explanation", explanation.Latent, explanation.Description),
            ["modelId"] = Model.Id,
            ["layer"] = SourceId,
            ["index"] = explanation.Latent.ToString(),
            ["description"] = explanation.Description,
            ["authorId"] = CreatorId,
            ["embedding"] = new JsonArray(),
            ["triggeredById"] = CreatorId,
            ["typeName"] = explanation.Method,
            ["explanationModelName"] = explanation.Model,
            ["notes"] = null,
            ["createdAt"] = ReportNodes.Of(CreatedAt),
        };

    private static string Lines(IEnumerable<JsonObject> objects) =>
        string.Concat(objects.Select(line => ToolJson.Write(line, JsonDialect.Orjson) + "\n"));

    private static void Compressed(string path, string text) =>
        AtomicFile.Write(
            path,
            stream =>
            {
                using var gzip = new GZipStream(stream, new ZLibCompressionOptions { CompressionLevel = GzipLevel }, leaveOpen: true);
                gzip.Write(Encoding.UTF8.GetBytes(text));
            }
        );

    /// <summary>25 letters and digits that look like Neuronpedia's ids, the same for the same thing.</summary>
    private string Id(params object[] parts)
    {
        const string digits = "0123456789abcdefghijklmnopqrstuvwxyz";
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', [Model.Id, SourceId, .. parts])));
        return "c" + string.Concat(hash.Take(24).Select(b => digits[b % digits.Length]));
    }

    private static string SafeName(string text)
    {
        var safe = string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-'));
        return safe.Trim('.').Length == 0 ? "unnamed" : safe;
    }
}
