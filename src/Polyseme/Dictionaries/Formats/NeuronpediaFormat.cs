using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Formats;

/// <summary>Neuronpedia's export of the dictionary alone: its directions and the neurons they align with, without activations over text.</summary>
internal sealed partial class NeuronpediaFormat : DictionaryFormat
{
    private const int AlignedNeurons = 3;

    public override string Name => "neuronpedia";

    public override string Summary => "Neuronpedia's export: model, source and features with their vectors; written only";

    public override bool IsRead => false;

    internal override bool Recognises(string path) => false;

    public override SparseAutoencoder Read(string path) =>
        throw new InputException(path, "cannot be read: Neuronpedia's export holds decoder vectors without the encoder");

    public override string? WhyNot(SparseAutoencoder dictionary) =>
        Text(dictionary, "model_name") is null || Text(dictionary, "hook_name") is not { } hook
            ? "it lists dictionaries by model and hook, and this one's files do not name them"
        : Layer(hook) is null ? $"it lists dictionaries by layer, and {InputException.Quote(hook)} has no layer in it"
        : null;

    private protected override void WriteFiles(SparseAutoencoder dictionary, string path)
    {
        var hook = Text(dictionary, "hook_name")!;
        new NeuronpediaExport
        {
            Model = new NeuronpediaModel { Id = Text(dictionary, "model_name")! },
            Layer = Layer(hook)!.Value,
            SetName = SetName(hook),
            HookName = hook,
            CreatorId = "polyseme",
            CreatedAt = DateTimeOffset.UtcNow,
            SaeLensConfig = (dictionary.Metadata["saelens"] ?? new JsonObject()).ToJsonString(),
            Dataset = Text(dictionary, "dataset_path") ?? "",
            Latents = [.. Enumerable.Range(0, dictionary.NLatents).Select(latent => Report(dictionary.Decoder, latent))],
        }.Write(path);
    }

    /// <summary>What the weights alone say about a latent.</summary>
    /// <param name="directions">Shape: <c>[n_latents, d_out]</c>.</param>
    /// <param name="latent">Which.</param>
    internal static LatentReport Report(FloatMatrix directions, int latent)
    {
        var direction = directions.Row(latent).ToArray();
        var total = direction.Sum(weight => Math.Abs((double)weight));
        var aligned = Enumerable.Range(0, direction.Length).OrderByDescending(j => direction[j]).Take(AlignedNeurons).ToArray();
        return new LatentReport
        {
            Index = latent,
            AlignedNeurons = aligned,
            AlignedWeights = [.. aligned.Select(j => (double)direction[j])],
            AlignedShares = [.. aligned.Select(j => total > 0 ? Math.Abs(direction[j]) / total : 0)],
            Direction = [.. direction.Select(weight => (double)weight)],
        };
    }

    /// <summary>The layer that a hook names, if it names one.</summary>
    internal static int? Layer(string hook) => LayerNumber().Match(hook) is { Success: true } match ? int.Parse(match.ValueSpan) : null;

    /// <summary>The set that a dictionary at a hook is listed in.</summary>
    internal static string SetName(string hook) => $"{Place(hook)}-polyseme";

    private static string Place(string hook) =>
        hook.Contains("resid", StringComparison.Ordinal) ? "res"
        : hook.Contains("mlp", StringComparison.Ordinal) ? "mlp"
        : hook.Contains("attn", StringComparison.Ordinal) ? "att"
        : "other";

    internal static string? Text(SparseAutoencoder dictionary, string key) =>
        dictionary.Metadata[key] is JsonValue value && value.TryGetValue(out string? text) && text.Length > 0 ? text : null;

    [GeneratedRegex(@"(?<=(^|\.)(blocks|layers|h|layer)\.)[0-9]{1,6}(?=\.|$)", RegexOptions.ExplicitCapture)]
    private static partial Regex LayerNumber();
}
