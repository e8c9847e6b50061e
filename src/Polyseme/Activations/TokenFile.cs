using System.Text.Json;

namespace Polyseme.Activations;

/// <summary>Reads token texts: a JSON array of strings, one per row of the activations.</summary>
public static class TokenFile
{
    /// <summary>Reads the file. Equal tokens share one string.</summary>
    /// <param name="path">The <c>.json</c> file.</param>
    /// <param name="expectedRows">Rows of the activations.</param>
    /// <exception cref="InputException">The file cannot be read, is not an array of strings, or has another length.</exception>
    public static string[] Read(string path, long expectedRows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(expectedRows, 1);
        var bytes = InputFile.ReadAll(path, Array.MaxLength).AsSpan();
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            bytes = bytes[3..];
        var tokens = new List<string>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            var reader = new Utf8JsonReader(bytes);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
                throw new InputException(path, "is not a list of tokens", $"JSON {reader.TokenType}", "a JSON array of strings");
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType != JsonTokenType.String)
                    throw new InputException(
                        path,
                        "has a token that is not text",
                        $"{reader.TokenType} as token {tokens.Count}",
                        "a string"
                    );
                var token = reader.GetString()!;
                if (known.TryGetValue(token, out var same))
                    token = same;
                else
                    known.Add(token);
                tokens.Add(token);
            }
            // Throws on anything that follows.
            reader.Read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: text that is not UTF-8, or an escape that is half of a surrogate pair.
            throw new InputException(path, "is not valid JSON", e.Message, "a JSON array of strings", inner: e);
        }
        return tokens.Count == expectedRows
            ? [.. tokens]
            : throw new InputException(
                path,
                "has another length than the activations",
                $"{tokens.Count} tokens",
                $"{expectedRows}",
                "one token per row, in the order of the rows"
            );
    }
}
