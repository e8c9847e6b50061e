using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Polyseme.Dictionaries.Formats;

/// <summary>JSON written as another tool would write it, to the byte: its separators, escapes and numbers.</summary>
public static class ToolJson
{
    /// <summary>The node as text, without a newline at the end.</summary>
    /// <param name="node">Numbers that were written with a point or an exponent are floats, others are integers.</param>
    /// <param name="dialect">Whose way.</param>
    /// <param name="indent">Spaces of a level, as Python's <c>indent</c>; 0 keeps it all on one line.</param>
    /// <exception cref="ArgumentException">A number in it is NaN or infinite.</exception>
    public static string Write(JsonNode? node, JsonDialect dialect, int indent = 0)
    {
        var text = new StringBuilder();
        new Writer(text, dialect, indent).Append(node, 0);
        return text.ToString();
    }

    private sealed class Writer(StringBuilder text, JsonDialect dialect, int indent)
    {
        private readonly string _item = dialect == JsonDialect.Python && indent == 0 ? ", " : ",";
        private readonly string _key = dialect == JsonDialect.Python ? ": " : ":";

        public void Append(JsonNode? node, int depth)
        {
            switch (node)
            {
                case null:
                    text.Append("null");
                    break;
                case JsonObject { Count: 0 }:
                    text.Append("{}");
                    break;
                case JsonArray { Count: 0 }:
                    text.Append("[]");
                    break;
                case JsonObject members:
                    text.Append('{');
                    var first = true;
                    foreach (var (name, value) in members)
                    {
                        Separate(ref first, depth + 1);
                        AppendString(name);
                        text.Append(_key);
                        Append(value, depth + 1);
                    }
                    NewLine(depth);
                    text.Append('}');
                    break;
                case JsonArray items:
                    text.Append('[');
                    var firstItem = true;
                    foreach (var item in items)
                    {
                        Separate(ref firstItem, depth + 1);
                        Append(item, depth + 1);
                    }
                    NewLine(depth);
                    text.Append(']');
                    break;
                case JsonValue value:
                    AppendValue(value);
                    break;
                default:
                    throw new ArgumentException($"{node.GetType()} is no JSON node", nameof(node));
            }
        }

        private void Separate(ref bool first, int depth)
        {
            if (!first)
                text.Append(_item);
            first = false;
            NewLine(depth);
        }

        private void NewLine(int depth)
        {
            if (indent > 0)
                text.Append('\n').Append(' ', indent * depth);
        }

        private void AppendValue(JsonValue value)
        {
            switch (value.GetValueKind())
            {
                case JsonValueKind.String:
                    AppendString(value.GetValue<string>());
                    break;
                case JsonValueKind.True:
                    text.Append("true");
                    break;
                case JsonValueKind.False:
                    text.Append("false");
                    break;
                case JsonValueKind.Number:
                    AppendNumber(value);
                    break;
                default:
                    text.Append("null");
                    break;
            }
        }

        private void AppendNumber(JsonValue value)
        {
            if (value.TryGetValue(out JsonElement parsed))
            {
                var raw = parsed.GetRawText();
                if (raw.AsSpan().IndexOfAny('.', 'e', 'E') < 0)
                    text.Append(raw);
                else
                    text.Append(FloatText.Of(double.Parse(raw, CultureInfo.InvariantCulture), dialect));
            }
            else if (value.TryGetValue(out float single))
                text.Append(FloatText.Of(single, dialect)); // as Python sees it: a double with the same value
            else if (value.TryGetValue(out double number))
                text.Append(FloatText.Of(number, dialect));
            else
                text.Append(value.ToJsonString());
        }

        private void AppendString(string value)
        {
            text.Append('"');
            foreach (var c in value)
                text.Append(
                    c switch
                    {
                        '"' => "\\\"",
                        '\\' => "\\\\",
                        '\n' => "\\n",
                        '\r' => "\\r",
                        '\t' => "\\t",
                        '\b' => "\\b",
                        '\f' => "\\f",
                        < ' ' => $"\\u{(int)c:x4}",
                        > '~' when dialect == JsonDialect.Python => $"\\u{(int)c:x4}",
                        _ => c.ToString(),
                    }
                );
            text.Append('"');
        }
    }
}
