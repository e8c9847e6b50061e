using System.Text.Json;
using System.Text.Json.Nodes;
using Polyseme.Runs;

namespace Polyseme.Dictionaries.Training;

/// <summary>The kinds by name, and their settings from text.</summary>
public static class DictionaryKinds
{
    private static readonly DictionaryKind[] s_all =
    [
        new ReluKind(),
        new GatedKind(),
        new TopKKind(),
        new BatchTopKKind(),
        new JumpReluKind(),
        new MatryoshkaKind(),
        new PAnnealKind(),
        new ProLuKind(),
        new MatchingPursuitKind(),
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_all.Select(kind => kind.Name)];

    /// <summary>Those whose latents have an encoder, which transcoders need.</summary>
    public static IReadOnlyList<string> WithEncoder { get; } = [.. s_all.Where(kind => kind.HasEncoder).Select(kind => kind.Name)];

    /// <summary>A kind's name.</summary>
    public static string NameOf(DictionaryKind kind) => kind.Name;

    /// <summary>A kind and a configuration from <c>key=value</c> pairs laid over the defaults; keys as in the records, in snake_case or kebab-case.</summary>
    /// <exception cref="ArgumentException">No such kind or key, no <c>latents</c>, or a value that cannot be read, is out of range or does not fit the others.</exception>
    public static (DictionaryKind Kind, DictionaryConfig Config) With(string name, IEnumerable<KeyValuePair<string, string>> settings)
    {
        var standard = Find(name);
        var own = Json.ToObject(standard);
        var common = Json.ToObject(new DictionaryConfig { Latents = 1 });
        common.Remove("latents");
        foreach (var (key, text) in settings)
        {
            var plain = key.Replace('-', '_');
            if (plain != "latents" && !own.ContainsKey(plain) && !common.ContainsKey(plain))
                throw new ArgumentException(
                    $"there is no setting '{key}'; known: latents, {string.Join(", ", own.Concat(common).Select(pair => pair.Key))}"
                );
            (own.ContainsKey(plain) ? own : common)[plain] = Parse(text);
        }
        return Read(name, own, common);
    }

    /// <summary>A kind and a configuration from their JSON.</summary>
    /// <exception cref="ArgumentException">They are not those of such a kind.</exception>
    public static (DictionaryKind Kind, DictionaryConfig Config) Read(string name, JsonObject kind, JsonObject config)
    {
        try
        {
            var (made, training) = (
                (DictionaryKind)JsonSerializer.Deserialize(kind, Find(name).GetType(), Json.Options)!,
                JsonSerializer.Deserialize<DictionaryConfig>(config, Json.Options)!
            );
            made.Check(training);
            return (made, training);
        }
        catch (JsonException e)
        {
            throw new ArgumentException(e.Message, e);
        }
    }

    private static DictionaryKind Find(string name) =>
        s_all.FirstOrDefault(kind => kind.Name == name)
        ?? throw new ArgumentException($"there is no kind '{name}'; there are {string.Join(", ", Names)}");

    private static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
