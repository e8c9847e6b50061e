using System.Text.Json;
using System.Text.Json.Serialization;
using Polyseme.Numerics;

namespace Polyseme.Reports;

/// <summary>The data of a report as JSON: schema <c>polyseme.report/1</c>, each result as schema <c>polyseme.diagnosis/1</c>.</summary>
internal static class ReportData
{
    // The default encoder escapes <, >, & and everything beyond ASCII, so no text can close the script element.
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new MatrixConverter(), new DoubleConverter() },
    };

    /// <summary>One object, safe inside a script element.</summary>
    public static string ToJson(IReadOnlyList<ReportEntry> entries, string title) =>
        JsonSerializer.Serialize(new Document("polyseme.report/1", title, entries), Options);

    private sealed record Document(string Schema, string Title, IReadOnlyList<ReportEntry> Entries);

    /// <summary>A matrix as an array of rows.</summary>
    private sealed class MatrixConverter : JsonConverter<Matrix>
    {
        public override Matrix Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("a report is written, not read");

        public override void Write(Utf8JsonWriter writer, Matrix value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            for (var i = 0; i < value.Rows; i++)
            {
                writer.WriteStartArray();
                foreach (var number in value.Row(i))
                    WriteDefined(writer, number);
                writer.WriteEndArray();
            }
            writer.WriteEndArray();
        }
    }

    /// <summary>An open end of an accepted range is infinite, and a loss may have diverged: both are <c>null</c> here, as every undefined number is.</summary>
    private sealed class DoubleConverter : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("a report is written, not read");

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) => WriteDefined(writer, value);
    }

    private static void WriteDefined(Utf8JsonWriter writer, double value)
    {
        if (double.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteNullValue();
    }
}
