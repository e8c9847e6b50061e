using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Polyseme.Runs;

/// <summary>One input of a run.</summary>
/// <param name="Role">What it is to the run: <c>activations</c>, <c>concepts</c>, …</param>
/// <param name="Path">Where it was read; <c>null</c> when it was never a file.</param>
/// <param name="Sha256">Its hash; of a directory, over its sorted <c>name size sha256</c> lines.</param>
public sealed record RunInput(string Role, string? Path, string Sha256)
{
    /// <summary>The SHA-256 of a file, in lower-case hex.</summary>
    public static string HashOf(string path)
    {
        using var stream = System.IO.File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}

/// <summary>What made a run: <c>run.json</c> in its folder. Equal runs have equal files, apart from the paths of their inputs.</summary>
public sealed record RunManifest
{
    /// <summary>The contract this file follows.</summary>
    public string Schema { get; init; } = "polyseme.run/1";

    /// <summary>The command that made it: <c>diagnose</c>, <c>zoo train</c>, <c>tour</c>.</summary>
    public required string Command { get; init; }

    /// <summary>What it is a run of.</summary>
    public required string Name { get; init; }

    /// <summary>The version of the library, with the git commit.</summary>
    public string Polyseme { get; init; } = CodeVersion.Full;

    /// <summary>The one seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Threads used: sums over threads depend on it.</summary>
    public required int Threads { get; init; }

    /// <summary>The full configuration.</summary>
    public required JsonObject Config { get; init; }

    /// <summary>What was read.</summary>
    public IReadOnlyList<RunInput> Inputs { get; init; } = [];

    /// <summary>Ten hex digits from command, configuration, seed and the inputs' hashes: the same for the same question, wherever it is asked.</summary>
    public string ShortHash() =>
        Json.Hash(
            new
            {
                Command,
                Name,
                Seed,
                Config,
                Inputs = Inputs.Select(input => $"{input.Role} {input.Sha256}"),
            }
        )[..10];
}

/// <summary>A folder that holds a run: its manifest and its results. Every file in it is whole.</summary>
public sealed class RunFolder
{
    /// <summary>The name of the manifest in every run folder.</summary>
    public const string ManifestName = "run.json";

    private RunFolder(string path, bool created)
    {
        Path = path;
        WasCreated = created;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Whether opening it made it, so that a run that ends without a result can take it away again.</summary>
    public bool WasCreated { get; }

    /// <summary>Where a run goes when the user names no folder: <c>runs/NAME-HASH</c>.</summary>
    public static string DefaultPath(RunManifest manifest) => System.IO.Path.Combine("runs", $"{manifest.Name}-{manifest.ShortHash()}");

    /// <summary>Opens the folder for writing, making it where needed. Called before the work starts, so that an unwritable output is found out early.</summary>
    /// <exception cref="IOException">It cannot be made or written to; says where and why.</exception>
    public static RunFolder Open(string path)
    {
        var existed = Directory.Exists(path);
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OutputException(path, e);
        }
        AtomicFile.EnsureWritable(System.IO.Path.Combine(path, ManifestName));
        return new RunFolder(path, !existed);
    }

    /// <summary>Checks that a folder could be made at <see cref="DefaultPath"/>, whatever its name will be. Leaves nothing behind.</summary>
    /// <exception cref="IOException">It could not; says where and why.</exception>
    public static void EnsureDefaultWritable()
    {
        var parent = Directory.Exists("runs") ? "runs" : Directory.GetCurrentDirectory();
        AtomicFile.EnsureWritable(System.IO.Path.Combine(parent, ManifestName));
    }

    /// <summary>The path of a file in the folder.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a record as JSON.</summary>
    public void WriteJson(string name, object value) => WriteText(name, Json.Write(value));

    /// <summary>Writes a text file.</summary>
    public void WriteText(string name, string text) => AtomicFile.WriteText(File(name), text);

    /// <summary>Writes the manifest.</summary>
    public void WriteManifest(RunManifest manifest) => WriteJson(ManifestName, manifest);

    /// <summary>Removes the folder if opening it made it and nothing has been written into it.</summary>
    public void RemoveIfEmpty()
    {
        if (WasCreated && Directory.Exists(Path) && !Directory.EnumerateFileSystemEntries(Path).Any())
            Directory.Delete(Path);
    }
}
