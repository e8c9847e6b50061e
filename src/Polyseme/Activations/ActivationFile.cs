using System.Text.Json;

namespace Polyseme.Activations;

/// <summary>Opens the activations that a user brings: a file, a store, or a directory of shards.</summary>
public static class ActivationFile
{
    /// <summary>Finds out what <paramref name="path"/> is, checks it, and reads its row identities. The activations are read later, in passes.</summary>
    /// <param name="path">A <c>.safetensors</c>, <c>.npy</c> or <c>.npz</c> file, a store, a directory of shards, or SAELens' cache.</param>
    /// <param name="tensor">The 2-D tensor to read; <c>null</c> takes <c>activations</c>, else the only one.</param>
    /// <exception cref="InputException">It cannot be read as activations.</exception>
    public static ActivationSource Open(string path, string? tensor = null)
    {
        try
        {
            return Directory.Exists(path) ? OpenDirectory(path, tensor) : ArraySource.Open(ArrayFiles.Open(path), tensor);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw InputFile.Refused(path, e);
        }
    }

    private static ActivationSource OpenDirectory(string path, string? tensor)
    {
        var names = Directory
            .EnumerateFiles(path)
            .Select(file => Path.GetFileName(file))
            .Where(name => name[0] != '.')
            .Order(StringComparer.Ordinal)
            .ToArray();
        if (names.Contains(StoreWriter.IndexName, StringComparer.Ordinal))
            return StoreIndex.Read(path).Open(path);
        if (names.Contains("state.json", StringComparer.Ordinal) && names.Any(name => name.EndsWith(".arrow", StringComparison.Ordinal)))
            return ArrowCache.Open(path, tensor);
        var shards = names.Where(IsShard).ToArray();
        if (shards.Length == 0)
            throw new InputException(path, "is a directory without shards", $"{names.Length} other files", ".safetensors or .npy files");
        if (shards.Select(Path.GetExtension).Distinct(StringComparer.Ordinal).Count() > 1)
            throw new InputException(path, "mixes kinds of shards", ".safetensors and .npy files", "one kind only");
        return ShardedSource.Join(
            path,
            [.. shards.Select(name => ArraySource.Open(ArrayFiles.Open(Path.Combine(path, name)), tensor))],
            [.. shards.Select(name => (name, (string?)null))]
        );
    }

    private static bool IsShard(string name) =>
        name.EndsWith(".safetensors", StringComparison.Ordinal) || name.EndsWith(".npy", StringComparison.Ordinal);
}

/// <summary>Opens a file of arrays by its content and holds its ending against it.</summary>
internal static class ArrayFiles
{
    private const string Accepted = "a .safetensors, .npy or .npz file";

    /// <summary>Opens the file as what it is.</summary>
    /// <exception cref="InputException">It is none of the accepted kinds, or its ending says another.</exception>
    public static ArrayFile Open(string path)
    {
        var kind = Recognise(path);
        var ending = Path.GetExtension(path).ToLowerInvariant();
        if (kind is null)
            throw new InputException(
                path,
                ending is ".safetensors" or ".npy" or ".npz" ? "is not what its ending says" : "is of no kind that is read",
                "content of an unknown kind",
                ending is ".safetensors" or ".npy" or ".npz" ? $"a {ending} file" : Accepted,
                ending is ".pt" or ".pth" or ".bin" or ".h5" or ".mat" ? "convert it to safetensors first" : "was it cut off or renamed?"
            );
        if (ending != kind && ending is ".safetensors" or ".npy" or ".npz" or ".csv" or ".tsv" or ".parquet" or ".json" or ".arrow")
            throw new InputException(
                path,
                "is not what its ending says",
                $"content of a {kind} file",
                $"a {ending} file",
                $"rename it to {kind}"
            );
        return kind switch
        {
            ".safetensors" => SafetensorsFile.Open(path),
            ".npy" => NpyFile.Open(path),
            _ => NpzFile.Open(path),
        };
    }

    /// <summary>The ending that fits the file's first bytes, or <c>null</c>.</summary>
    private static string? Recognise(string path)
    {
        using var handle = InputFile.Open(path);
        Span<byte> start = stackalloc byte[(int)Math.Min(9, RandomAccess.GetLength(handle))];
        InputFile.Read(handle, path, 0, start);
        if (start.StartsWith(NpyHeader.Magic))
            return ".npy";
        if (start.StartsWith("PK\u0003\u0004"u8) || start.StartsWith("PK\u0005\u0006"u8))
            return ".npz";
        // A header of less than 2^40 bytes, opened by a brace: anything that was once a safetensors file, so that its own checks explain.
        return start.Length == 9 && start[8] == (byte)'{' && start[5..8].IndexOfAnyExcept((byte)0) < 0 ? ".safetensors" : null;
    }
}

/// <summary>The index of a store, <c>store.json</c>: schema <c>polyseme.store/1</c>.</summary>
internal sealed class StoreIndex
{
    /// <summary>The longest index accepted: about a hundred thousand shards.</summary>
    private const int LongestIndex = 1 << 24;

    private readonly string _path;
    private readonly List<(string File, long Rows, string Sha256)> _shards = [];
    private long _width;
    private string _dtype = "";

    private StoreIndex(string path) => _path = path;

    /// <summary>Reads and checks the index of the store at <paramref name="directory"/>.</summary>
    public static StoreIndex Read(string directory)
    {
        var index = new StoreIndex(Path.Combine(directory, StoreWriter.IndexName));
        var bytes = InputFile.ReadAll(index._path, LongestIndex);
        try
        {
            using var json = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false });
            index.Fill(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InputException(index._path, "is not valid JSON", e.Message, inner: e);
        }
        return index;
    }

    /// <summary>Opens the shards and holds them against the index. Their hashes are compared when they are read whole.</summary>
    public ShardedSource Open(string directory)
    {
        var shards = new List<ArraySource>();
        foreach (var (file, rows, _) in _shards)
        {
            var shard = ArraySource.Open(SafetensorsFile.Open(Path.Combine(directory, file)), "activations");
            if (shard.NSamples != rows || shard.NNeurons != _width || shard.DType.Name() != _dtype)
                throw new InputException(
                    shard.Path,
                    "is not the shard that store.json names",
                    $"{shard.DType.Name()} [{shard.NSamples}, {shard.NNeurons}]",
                    $"{_dtype} [{rows}, {_width}]"
                );
            shards.Add(shard);
        }
        return ShardedSource.Join(
            directory,
            shards,
            [.. _shards.Select(shard => (shard.File, (string?)shard.Sha256)), (StoreWriter.IndexName, null)]
        );
    }

    private void Fill(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new InputException(_path, "is not a store index", root.ValueKind.ToString(), "an object");
        var schema = Member(root, "schema", JsonValueKind.String).GetString()!;
        if (schema != StoreWriter.Schema)
            throw new InputException(_path, "has an unknown schema", InputException.Quote(schema), $"'{StoreWriter.Schema}'");
        _width = Size(root, "d");
        _dtype = Member(root, "dtype", JsonValueKind.String).GetString()!;
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var shard in Member(root, "shards", JsonValueKind.Array).EnumerateArray())
        {
            if (shard.ValueKind != JsonValueKind.Object)
                throw new InputException(_path, "has a shard that is not an object", shard.ValueKind.ToString());
            var file = Member(shard, "file", JsonValueKind.String).GetString()!;
            // Only files of the store itself: a name, no way out of the directory.
            if (file.Length == 0 || file[0] == '.' || file.Any(c => c is '/' or '\\' or ':' || char.IsControl(c)))
                throw new InputException(_path, "names a shard outside of the store", InputException.Quote(file), "a plain file name");
            if (!names.Add(file))
                throw new InputException(_path, "names a shard twice", InputException.Quote(file));
            var sha256 = Member(shard, "sha256", JsonValueKind.String).GetString()!;
            if (sha256.Length != 64 || !sha256.All(char.IsAsciiHexDigit))
                throw new InputException(_path, "has a sha256 that is none", InputException.Quote(sha256), "64 hexadecimal digits");
            _shards.Add((file, Size(shard, "rows"), sha256));
        }
        if (_shards.Count == 0)
            throw new InputException(_path, "names no shards", "[]", "at least one");
    }

    private JsonElement Member(JsonElement parent, string name, JsonValueKind kind) =>
        !parent.TryGetProperty(name, out var member) ? throw new InputException(_path, $"lacks '{name}'")
        : member.ValueKind == kind ? member
        : throw new InputException(_path, $"has a '{name}' of the wrong kind", member.ValueKind.ToString(), kind.ToString());

    private long Size(JsonElement parent, string name) =>
        Member(parent, name, JsonValueKind.Number).TryGetInt64(out var size) && size > 0
            ? size
            : throw new InputException(_path, $"has a '{name}' that is not a size", expected: "a positive integer");
}
