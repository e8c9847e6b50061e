using System.Text.Json.Nodes;

namespace Polyseme.Dictionaries.Formats;

/// <summary>JSON nodes that keep whole numbers and floating-point numbers apart, as Python does.</summary>
internal static class ReportNodes
{
    public static JsonNode? Of(double? value) => value is { } number ? JsonValue.Create(number) : null;

    public static JsonArray Of(IEnumerable<double> values) => new([.. values.Select(value => (JsonNode?)JsonValue.Create(value))]);

    public static JsonArray Of(IEnumerable<int> values) => new([.. values.Select(value => (JsonNode?)JsonValue.Create(value))]);

    public static JsonArray Of(IEnumerable<string> values) => new([.. values.Select(value => (JsonNode?)JsonValue.Create(value))]);

    /// <summary>A date and time as orjson writes those of Python: to the second, and to the microsecond where there are any.</summary>
    public static string Of(DateTimeOffset time) =>
        time.UtcDateTime.ToString(time.Ticks % TimeSpan.TicksPerSecond / 10 == 0 ? "yyyy-MM-ddTHH:mm:ss" : "yyyy-MM-ddTHH:mm:ss.ffffff");
}
