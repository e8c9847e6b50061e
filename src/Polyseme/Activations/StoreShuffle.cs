using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Activations;

/// <summary>
/// A copy of activations in an order that is random over all rows, made in two passes: rows are dealt at random to parts that fit into memory, then each
/// part is shuffled. For what is larger than memory, or cannot be read in any order: the copy is then read from its beginning to its end.
/// </summary>
/// <remarks>
/// Parts drawn independently and then shuffled make every order equally likely (Rao 1961, "Generation of random permutation of given number of
/// elements using random sampling numbers"; Sandelius 1962). The order depends on the number of rows, the number of parts and the seed alone, so that
/// copies of two sources agree row for row. Memory: one part and one buffer a part, see <see cref="PartBytes"/>. Disk: the copy and one part.
/// </remarks>
public static class StoreShuffle
{
    /// <summary>Bytes of a part, until there are <see cref="MostParts"/> of them.</summary>
    public const long PartBytes = 1L << 28;

    /// <summary>Most parts; the files of all are open at once.</summary>
    public const int MostParts = 512;

    private const int BlockBytes = 1 << 24;
    private const int MostBufferBytes = 1 << 20;

    /// <summary>Parts for rows of a width; of two sources that are to agree, the larger number serves both.</summary>
    public static int PartsOf(long rows, int width) =>
        (int)Math.Clamp(((rows * width * sizeof(float)) + PartBytes - 1) / PartBytes, 1, MostParts);

    /// <summary>Whether a directory holds the finished copy of a source that <see cref="Write"/> would make.</summary>
    /// <param name="directory">Where it would be.</param>
    /// <param name="sha256">The source's hash.</param>
    /// <param name="parts">Parts it was dealt to.</param>
    /// <param name="seed">The seed of the order.</param>
    public static bool IsAt(string directory, string sha256, int parts, ulong seed)
    {
        var index = Path.Combine(directory, StoreWriter.IndexName);
        try
        {
            return File.Exists(index)
                && (JsonNode.Parse(File.ReadAllText(index)) as JsonObject)?["config"] is { } config
                && JsonNode.DeepEquals(config, Config(sha256, parts, seed));
        }
        catch (JsonException)
        {
            return false; // not what was written: it is made again
        }
    }

    /// <summary>Writes the copy, as a store.</summary>
    /// <param name="source">The rows.</param>
    /// <param name="sha256">Their hash, kept in the store's index.</param>
    /// <param name="directory">The store's directory. What it holds is replaced.</param>
    /// <param name="parts">Parts to deal to (<see cref="PartsOf"/>).</param>
    /// <param name="seed">Orders the rows.</param>
    /// <param name="progress">Told the rows of either pass.</param>
    /// <param name="cancellation">Checked at each block; what is there then is not a store.</param>
    /// <exception cref="InputException">A row cannot be read, or holds a value that is not finite.</exception>
    /// <exception cref="OutputException">There is no room, or a file cannot be written.</exception>
    public static void Write(
        ActivationSource source,
        string sha256,
        string directory,
        int parts,
        ulong seed,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts, 1);
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        var writer = StoreWriter.Create(directory, source.NNeurons);
        EnsureRoom(source, directory, parts);
        var rows = Deal(source, directory, parts, seed, progress, cancellation);
        long done = 0;
        for (var part = 0; part < parts; part++)
        {
            cancellation.ThrowIfCancellationRequested();
            WritePart(writer, PartPath(directory, part), rows[part], source.NNeurons, new RandomStream(seed, $"store/shuffle/{part}"));
            progress?.Report(new Step("shuffling, second pass", done += rows[part], source.NSamples));
        }
        writer.Finish(hook: null, Config(sha256, parts, seed));
    }

    private static JsonObject Config(string sha256, int parts, ulong seed) =>
        new()
        {
            ["shuffled"] = new JsonObject
            {
                ["sha256"] = sha256,
                ["parts"] = parts,
                ["seed"] = seed,
            },
        };

    private static string PartPath(string directory, int part) => Path.Combine(directory, $".part-{part:000}");

    private static void EnsureRoom(ActivationSource source, string directory, int parts)
    {
        var bytes = source.NSamples * source.NNeurons * sizeof(float);
        var needed = bytes + (bytes / parts);
        var free = new DriveInfo(Path.GetFullPath(directory)).AvailableFreeSpace;
        if (free < needed)
            throw new OutputException(
                directory,
                new IOException($"a shuffled copy needs {needed / 1e9:0.0} GB, and {free / 1e9:0.0} GB are free; --out elsewhere")
            );
    }

    /// <summary>The first pass: every row goes to a part drawn for it. Gives the rows of each part.</summary>
    private static long[] Deal(
        ActivationSource source,
        string directory,
        int parts,
        ulong seed,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var width = source.NNeurons;
        var random = new RandomStream(seed, "store/shuffle");
        var rows = new long[parts];
        var streams = new List<FileStream>();
        var written = directory;
        try
        {
            for (var part = 0; part < parts; part++)
            {
                written = PartPath(directory, part);
                streams.Add(
                    new FileStream(
                        written,
                        FileMode.CreateNew,
                        FileAccess.Write,
                        FileShare.None,
                        (int)Math.Min(MostBufferBytes, PartBytes / parts)
                    )
                );
            }
            foreach (var block in source.ReadBlocks(Math.Max(1, BlockBytes / sizeof(float) / width), cancellation))
            {
                FiniteRows.Require(source.Path, block.FirstRow, width, block.Values.Span);
                for (var row = 0; row < block.Rows; row++)
                {
                    var part = random.NextInt(parts);
                    rows[part]++;
                    written = streams[part].Name;
                    streams[part].Write(MemoryMarshal.AsBytes(block.Row(row)));
                }
                progress?.Report(new Step("shuffling, first pass", block.FirstRow + block.Rows, source.NSamples));
            }
            foreach (var stream in streams)
            {
                written = stream.Name;
                stream.Dispose();
            }
        }
        catch (Exception e) when (AtomicFile.IsRefusal(e))
        {
            throw new OutputException(written, e);
        }
        finally
        {
            foreach (var stream in streams)
                Abandon(stream);
        }
        return rows;
    }

    // What a full disk left in the buffer cannot be written now, either; why has been said.
    private static void Abandon(FileStream stream)
    {
        try
        {
            stream.Dispose();
        }
        catch (Exception e) when (AtomicFile.IsRefusal(e)) { }
    }

    /// <summary>The second pass over a part: its rows in random order become a shard.</summary>
    private static void WritePart(StoreWriter writer, string path, long rows, int width, RandomStream random)
    {
        if (rows > 0)
        {
            var values = new float[checked(rows * width)];
            using (var handle = InputFile.Open(path))
            {
                const int piece = 1 << 24;
                for (long at = 0; at < values.LongLength; at += piece)
                    InputFile.Read(
                        handle,
                        path,
                        at * sizeof(float),
                        MemoryMarshal.AsBytes(values.AsSpan((int)at, (int)Math.Min(piece, values.LongLength - at)))
                    );
            }
            var order = random.Permutation((int)rows);
            writer.WriteShard(rows, stream => WriteRows(stream, values, order, width));
        }
        File.Delete(path);
    }

    private static void WriteRows(Stream stream, float[] values, int[] order, int width)
    {
        var perBlock = Math.Max(1, (1 << 18) / width);
        var block = ArrayPool<float>.Shared.Rent(perBlock * width);
        for (var first = 0; first < order.Length; first += perBlock)
        {
            var count = Math.Min(perBlock, order.Length - first);
            for (var i = 0; i < count; i++)
                values.AsSpan(order[first + i] * width, width).CopyTo(block.AsSpan(i * width));
            stream.Write(MemoryMarshal.AsBytes(block.AsSpan(0, count * width)));
        }
        ArrayPool<float>.Shared.Return(block);
    }
}

/// <summary>Rows that are learned from hold finite numbers only.</summary>
internal static class FiniteRows
{
    /// <summary>Refuses rows with NaN or infinity, and says where the first is.</summary>
    /// <param name="path">What they were read from.</param>
    /// <param name="firstRow">The number of the first row.</param>
    /// <param name="width">Values of a row.</param>
    /// <param name="values">The rows.</param>
    /// <exception cref="InputException">A value is not finite.</exception>
    public static void Require(string path, long firstRow, int width, ReadOnlySpan<float> values)
    {
        if (TensorPrimitives.IsFiniteAll(values))
            return;
        var at = 0;
        while (float.IsFinite(values[at]))
            at++;
        throw new InputException(
            path,
            "holds a value that is not finite",
            $"{values[at]} in row {firstRow + (at / width)}, column {at % width} (both from 0)",
            "finite numbers",
            "drop such rows before training"
        );
    }
}
