namespace Polyseme.Tests.Activations;

/// <summary>A directory for one test, gone afterwards.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("polyseme-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public string Write(string name, ReadOnlySpan<byte> bytes)
    {
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>Files of the repository that tests read.</summary>
internal static class RepositoryFile
{
    public static string Golden(string name) => At("tests", "Polyseme.Tests", "Activations", "Golden", name);

    public static string At(params string[] parts)
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            if (File.Exists(Path.Combine(directory.FullName, "Polyseme.slnx")))
                return Path.Combine([directory.FullName, .. parts]);
        throw new InvalidOperationException($"the tests run outside of the repository: {AppContext.BaseDirectory}");
    }
}
