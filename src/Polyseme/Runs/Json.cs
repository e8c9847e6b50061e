using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Polyseme.Numerics;

namespace Polyseme.Runs;

/// <summary>
/// How records become JSON, everywhere: snake_case names, enums as the ids that people read, matrices as arrays of rows, properties in
/// the order of the record, two spaces, a newline at the end. NaN and infinity are refused. Equal records give equal bytes.
/// </summary>
public static class Json
{
    /// <summary>The options behind every function here. Reading refuses unknown keys.</summary>
    public static JsonSerializerOptions Options { get; } = MakeOptions();

    /// <summary>The record as text, with a newline at the end.</summary>
    /// <exception cref="ArgumentException">A number in it is NaN or infinite.</exception>
    public static string Write(object value) => JsonSerializer.Serialize(value, value.GetType(), Options) + "\n";

    /// <summary>The record as an object, to be put inside another.</summary>
    /// <exception cref="ArgumentException">It is not a record, or a number in it is NaN or infinite.</exception>
    public static JsonObject ToObject(object value) =>
        // By way of text, so that a number that JSON cannot hold is refused here and not when the object is written.
        JsonNode.Parse(JsonSerializer.Serialize(value, value.GetType(), Options)) as JsonObject
        ?? throw new ArgumentException($"{value.GetType()} does not become a JSON object", nameof(value));

    /// <summary>Reads a record.</summary>
    /// <exception cref="JsonException">The text is not JSON, or not this record: an unknown key, a missing one, a wrong type.</exception>
    public static T Read<T>(string text) =>
        JsonSerializer.Deserialize<T>(text, Options) ?? throw new JsonException($"expected a {typeof(T).Name}, found null");

    /// <summary>SHA-256 of the record's JSON, in lower-case hex: the same for equal records.</summary>
    public static string Hash(object value) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), Options)));

    private static JsonSerializerOptions MakeOptions()
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            DictionaryKeyPolicy = null,
            WriteIndented = true,
            IndentSize = 2,
            NewLine = "\n",
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            // Readable ² and ×. Control characters stay escaped; the text is not meant to stand inside HTML as it is.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        options.Converters.Add(new PlainEnums());
        options.Converters.Add(new MatrixAsRows());
        options.Converters.Add(new RangeAsPair());
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    // Enums that say nothing about their spelling are written in snake_case; the causes and access levels name themselves.
    private sealed class PlainEnums : JsonConverterFactory
    {
        private readonly JsonStringEnumConverter _converter = new(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false);

        public override bool CanConvert(Type typeToConvert) =>
            typeToConvert.IsEnum && !typeToConvert.IsDefined(typeof(JsonConverterAttribute), inherit: false);

        public override JsonConverter? CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            _converter.CreateConverter(typeToConvert, options);
    }

    private sealed class MatrixAsRows : JsonConverter<Matrix>
    {
        public override Matrix Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var rows = JsonSerializer.Deserialize<double[][]>(ref reader, options) ?? [];
            if (rows.Any(row => row.Length != rows[0].Length))
                throw new JsonException("the rows of a matrix differ in length");
            return Matrix.FromRows(rows);
        }

        public override void Write(Utf8JsonWriter writer, Matrix value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            for (var i = 0; i < value.Rows; i++)
                writer.WriteRawValue(JsonSerializer.Serialize(value.Row(i).ToArray()));
            writer.WriteEndArray();
        }
    }

    // (first, last), as in the neurons to report.
    private sealed class RangeAsPair : JsonConverter<(int First, int Last)>
    {
        public override (int First, int Last) Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonSerializer.Deserialize<int[]>(ref reader, options) is [var first, var last]
                ? (first, last)
                : throw new JsonException("expected a pair of whole numbers");

        public override void Write(Utf8JsonWriter writer, (int First, int Last) value, JsonSerializerOptions options) =>
            writer.WriteRawValue($"[{value.First}, {value.Last}]");
    }
}
