using System.Text.Json;
using System.Text.Json.Nodes;
using Polyseme.Activations;

namespace Polyseme.Dictionaries.Formats;

/// <summary>A JSON object that another tool wrote, read with errors that say where.</summary>
internal sealed class ToolConfig
{
    /// <summary>The longest file accepted; configurations are a few kilobytes.</summary>
    private const int LongestFile = 1 << 26;

    private const int Deepest = 64;

    private readonly string _path;

    private ToolConfig(string path, JsonObject values) => (_path, Values) = (path, values);

    /// <summary>Everything in it.</summary>
    public JsonObject Values { get; }

    /// <summary>Reads the file.</summary>
    /// <exception cref="InputException">It cannot be read or is not one JSON object with unique keys.</exception>
    public static ToolConfig Read(string path)
    {
        var bytes = InputFile.ReadAll(path, LongestFile);
        try
        {
            var node = JsonNode.Parse(
                bytes,
                documentOptions: new JsonDocumentOptions { MaxDepth = Deepest, AllowDuplicateProperties = false }
            );
            CheckText(node);
            return node is JsonObject values
                ? new ToolConfig(path, values)
                : throw new InputException(
                    path,
                    "is not a configuration",
                    node is null ? "null" : node.GetValueKind().ToString(),
                    "an object"
                );
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new InputException(path, "is not valid JSON", e.Message, inner: e);
        }
    }

    /// <summary>An object that is part of another file.</summary>
    /// <param name="where">How messages name it.</param>
    /// <param name="values">The object.</param>
    public static ToolConfig Of(string where, JsonObject values) => new(where, values);

    /// <summary>Whether there is such a key, with a value other than <c>null</c>.</summary>
    public bool Has(string key) => Values[key] is not null;

    /// <summary>A size that is there.</summary>
    public int Size(string key) => Size(key, fallback: null);

    /// <summary>A positive whole number; the fallback where the key is missing or <c>null</c>.</summary>
    public int Size(string key, int? fallback) =>
        Values[key] is null && fallback is { } size ? size
        : Value(key) is { } value
        && value.GetValueKind() == JsonValueKind.Number
        && AsDouble(value) is var number
        && number is >= 1 and <= int.MaxValue
        && number == Math.Floor(number)
            ? (int)number
        : throw Wrong(key, "a positive whole number");

    /// <summary>A number; the fallback where the key is missing or <c>null</c>.</summary>
    public double? Number(string key) =>
        Values[key] is null ? null
        : Value(key) is { } value
        && value.GetValueKind() == JsonValueKind.Number
        && AsDouble(value) is var number
        && double.IsFinite(number)
            ? number
        : throw Wrong(key, "a number");

    /// <summary>A boolean; the fallback where the key is missing or <c>null</c>.</summary>
    public bool Flag(string key, bool fallback) =>
        Values[key] is null ? fallback
        : Value(key) is { } value && value.GetValueKind() is JsonValueKind.True or JsonValueKind.False
            ? value.GetValueKind() == JsonValueKind.True
        : throw Wrong(key, "true or false");

    /// <summary>A text; <c>null</c> where the key is missing or <c>null</c>.</summary>
    public string? Text(string key) =>
        Values[key] is null ? null
        : Value(key) is { } value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>()
        : throw Wrong(key, "a text");

    /// <summary>An object; <c>null</c> where the key is missing or <c>null</c>.</summary>
    public ToolConfig? Section(string key) =>
        Values[key] is null ? null
        : Values[key] is JsonObject section ? new ToolConfig($"{_path}, {InputException.Quote(key)}", section)
        : throw Wrong(key, "an object");

    /// <summary>The error that a value is not what it should be.</summary>
    public InputException Wrong(string key, string expected, string? hint = null)
    {
        var found = Values[key];
        return new InputException(
            _path,
            found is null ? $"lacks {InputException.Quote(key)}" : $"has a {InputException.Quote(key)} that cannot be used",
            found is null ? null : InputException.Quote(found.ToJsonString()),
            expected,
            hint
        );
    }

    private JsonValue? Value(string key) => Values[key] as JsonValue;

    private static double AsDouble(JsonValue value) =>
        value.TryGetValue(out JsonElement element) ? element.GetDouble()
        : value.TryGetValue(out double number) ? number
        : value.TryGetValue(out long whole) ? whole
        : value.TryGetValue(out int small) ? small
        : double.NaN;

    /// <summary>Half surrogates hide until a text is asked for; they are found here.</summary>
    private static void CheckText(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (_, value) in members)
                    CheckText(value);
                break;
            case JsonArray items:
                foreach (var item in items)
                    CheckText(item);
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                _ = value.GetValue<string>();
                break;
            default:
                break;
        }
    }
}
