namespace Polyseme.Runs;

/// <summary>The JSON Schema of <c>polyseme.diagnosis/1</c>, the same file as <c>schemas/polyseme.diagnosis-1.json</c>.</summary>
public static class DiagnosisSchema
{
    /// <summary>The schema as text.</summary>
    public static string Text { get; } = ReadText();

    private static string ReadText()
    {
        const string name = "polyseme.diagnosis-1.json";
        using var stream =
            typeof(DiagnosisSchema).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"the assembly was built without {name}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
