namespace Polyseme.Tests;

/// <summary>A folder of a test's own, gone afterwards.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("polyseme-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Every file and folder in it, by relative path, in ordinal order; hidden ones too.</summary>
    public IReadOnlyList<string> Entries() =>
        [
            .. Directory
                .EnumerateFileSystemEntries(
                    Path,
                    "*",
                    new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }
                )
                .Select(entry => System.IO.Path.GetRelativePath(Path, entry))
                .Order(StringComparer.Ordinal),
        ];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
