namespace Polyseme.Dictionaries.Metrics;

/// <summary>The JSON Schema of <see cref="DictionaryEvaluation"/>, the same file as <c>schemas/polyseme.dictionary-evaluation-1.json</c>.</summary>
public static class DictionaryEvaluationSchema
{
    /// <summary>The schema as text.</summary>
    public static string Text { get; } = ReadText();

    private static string ReadText()
    {
        const string name = "polyseme.dictionary-evaluation-1.json";
        using var stream =
            typeof(DictionaryEvaluationSchema).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"the assembly was built without {name}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
