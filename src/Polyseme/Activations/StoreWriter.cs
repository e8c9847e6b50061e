using System.Text.Json.Nodes;
using Polyseme.Runs;

namespace Polyseme.Activations;

/// <summary>Writes a store: shards of float32 rows one after the other, and <c>store.json</c> when all are there.</summary>
/// <remarks>A directory without <c>store.json</c> is no store, so that one whose writing was cut off is not taken for a whole one.</remarks>
public sealed class StoreWriter
{
    /// <summary>The contract of <c>store.json</c>.</summary>
    public const string Schema = "polyseme.store/1";

    /// <summary>The name of the index.</summary>
    public const string IndexName = "store.json";

    private const int Alignment = 64;
    private readonly string _path;
    private readonly int _width;
    private readonly JsonArray _shards = [];

    private StoreWriter(string path, int width) => (_path, _width) = (path, width);

    /// <summary>Starts a store.</summary>
    /// <param name="path">The directory, made where there is none.</param>
    /// <param name="width">Values of a row.</param>
    /// <exception cref="OutputException">The directory cannot be made.</exception>
    public static StoreWriter Create(string path, int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        try
        {
            Directory.CreateDirectory(path);
            File.Delete(Path.Combine(path, IndexName));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OutputException(path, e);
        }
        return new StoreWriter(path, width);
    }

    /// <summary>Writes the next shard.</summary>
    /// <param name="rows">Rows in it, at least 1.</param>
    /// <param name="write">Writes them: rows · width float32 values, little-endian.</param>
    /// <exception cref="OutputException">It cannot be written; the shards before it are whole.</exception>
    public void WriteShard(long rows, Action<Stream> write)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        var name = $"shard-{_shards.Count:00000}.safetensors";
        var file = Path.Combine(_path, name);
        SafetensorsFile.Write(file, [new SafetensorsTensor("activations", DType.F32, [rows, _width], write)], alignment: Alignment);
        _shards.Add(
            new JsonObject
            {
                ["file"] = name,
                ["rows"] = rows,
                ["sha256"] = RunInput.HashOf(file),
            }
        );
    }

    /// <summary>Writes the index: from now on it is a store.</summary>
    /// <param name="hook">Where in a network the rows come from; <c>null</c> when not known.</param>
    /// <param name="config">How it was made.</param>
    /// <exception cref="OutputException">It cannot be written.</exception>
    public void Finish(string? hook, JsonObject config) =>
        AtomicFile.WriteText(
            Path.Combine(_path, IndexName),
            Json.Write(
                new JsonObject
                {
                    ["schema"] = Schema,
                    ["shards"] = _shards,
                    ["d"] = _width,
                    ["dtype"] = DType.F32.Name(),
                    ["hook"] = hook,
                    ["config"] = config,
                }
            )
        );
}
