using System.Security.Cryptography;
using System.Text;

namespace Polyseme.Activations;

/// <summary>Consecutive rows of an activation source.</summary>
/// <param name="FirstRow">The row of the source that the block starts with.</param>
/// <param name="Rows">Rows in the block.</param>
/// <param name="Columns">d.</param>
/// <param name="Values">The activations, row-major. Shape: <c>[rows, n_neurons]</c>. Reused by the pass: copy what must outlive the step.</param>
public readonly record struct RowBlock(long FirstRow, int Rows, int Columns, Memory<float> Values)
{
    /// <summary>One row of the block. Shape: <c>[n_neurons]</c>.</summary>
    public Span<float> Row(int row) => Values.Span.Slice(row * Columns, Columns);
}

/// <summary>
/// Activations on disk: <c>n_samples</c> rows of <c>n_neurons</c> columns, read in passes of float32 blocks, with memory for two blocks
/// however large the file is.
/// </summary>
public abstract class ActivationSource
{
    // Values of a part of a block that is worth a thread of its own.
    private const int LeastPart = 1 << 16;

    private protected ActivationSource(string path, long nSamples, int nNeurons, DType type, RowIdentities rows) =>
        (Path, NSamples, NNeurons, DType, Rows) = (path, nSamples, nNeurons, type, rows);

    /// <summary>The file or directory.</summary>
    public string Path { get; }

    /// <summary>Rows, at least 1.</summary>
    public long NSamples { get; }

    /// <summary>Columns: d, at least 1.</summary>
    public int NNeurons { get; }

    /// <summary>The element type on disk: F32, F16, BF16 or F64.</summary>
    public DType DType { get; }

    /// <summary>What each row is a row of, as far as the file says.</summary>
    public RowIdentities Rows { get; }

    /// <summary>Whether a row here and a row there cost no more than two rows in a pass; not so where files are compressed or columns lie together.</summary>
    public bool CheapRows
    {
        get
        {
            using var reader = OpenRows();
            return reader.CheapRows;
        }
    }

    /// <summary>One pass over all rows.</summary>
    /// <param name="rowsPerBlock">Rows of a block; the last may have fewer.</param>
    /// <param name="cancellation">Checked at each block.</param>
    /// <returns>The blocks in order. While one is used, the next is read.</returns>
    /// <exception cref="InputException">The file ends early or cannot be unpacked.</exception>
    public IEnumerable<RowBlock> ReadBlocks(int rowsPerBlock, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsPerBlock, 1);
        return Blocks((int)Math.Min(rowsPerBlock, NSamples), cancellation);
    }

    /// <summary>The named rows. Shape: <c>[rows.Count, n_neurons]</c>.</summary>
    /// <param name="rows">Row indices, ascending.</param>
    /// <param name="cancellation">Checked at each run of rows.</param>
    public float[] ReadRows(IReadOnlyList<int> rows, CancellationToken cancellation = default)
    {
        var values = new float[checked(rows.Count * NNeurons)];
        using var reader = OpenRows();
        for (var i = 0; i < rows.Count; )
        {
            cancellation.ThrowIfCancellationRequested();
            var run = 1;
            while (i + run < rows.Count && rows[i + run] == rows[i] + run)
                run++;
            reader.Read(rows[i], values.AsSpan(i * NNeurons, run * NNeurons));
            i += run;
        }
        return values;
    }

    /// <summary>
    /// The hash of what is read: of a file, the SHA-256 of its bytes; of a directory, the SHA-256 over the sorted lines
    /// <c>name size sha256</c> of its files, each ended by a line feed. Lower-case hexadecimal.
    /// </summary>
    /// <exception cref="InputException">A file cannot be read, or is not the one that a store's index names.</exception>
    public string ComputeSha256(CancellationToken cancellation = default)
    {
        if (Files is not { } files)
            return HashFile(Path, cancellation).Sha256;
        var lines = new List<string>();
        foreach (var (name, expected) in files)
        {
            var file = System.IO.Path.Combine(Path, name);
            var (size, sha256) = HashFile(file, cancellation);
            if (expected is not null && !string.Equals(sha256, expected, StringComparison.OrdinalIgnoreCase))
                throw new InputException(
                    file,
                    "is not the shard that store.json names",
                    $"sha256 {sha256}",
                    expected,
                    "the shard was changed or damaged after the store was written"
                );
            lines.Add($"{name} {size} {sha256}\n");
        }
        lines.Sort(StringComparer.Ordinal);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(lines))));
    }

    /// <summary>Of a directory, the names of the files that are read, each with the hash it must have where one is known; of a file, <c>null</c>.</summary>
    internal virtual IReadOnlyList<(string Name, string? Sha256)>? Files => null;

    /// <summary>Starts reading rows; requests go forward.</summary>
    internal abstract RowReader OpenRows();

    private IEnumerable<RowBlock> Blocks(int rowsPerBlock, CancellationToken cancellation)
    {
        List<RowReader> readers = [OpenRows()];
        // A block by all cores, where a file may be read anywhere.
        if (readers[0].AnyOrder)
            while (readers.Count < Math.Min(Environment.ProcessorCount, (long)rowsPerBlock * NNeurons / LeastPart))
                readers.Add(OpenRows());
        float[] current = new float[checked(rowsPerBlock * NNeurons)],
            next = NSamples > rowsPerBlock ? new float[current.Length] : [];
        int Rows(long first) => (int)Math.Min(rowsPerBlock, NSamples - first);
        Task Start(long first, float[] buffer) =>
            Task.WhenAll(readers.Select((reader, part) => Task.Run(() => Read(reader, part, first, buffer), cancellation)));
        void Read(RowReader reader, int part, long first, float[] buffer)
        {
            var rows = Rows(first);
            var (from, to) = ((int)((long)rows * part / readers.Count), (int)((long)rows * (part + 1) / readers.Count));
            if (to > from)
                reader.Read(first + from, buffer.AsSpan(from * NNeurons, (to - from) * NNeurons));
        }
        var reading = Start(0, current);
        try
        {
            for (long first = 0; first < NSamples; first += rowsPerBlock)
            {
                cancellation.ThrowIfCancellationRequested();
                reading.GetAwaiter().GetResult();
                if (first + rowsPerBlock < NSamples)
                    reading = Start(first + rowsPerBlock, next);
                yield return new RowBlock(first, Rows(first), NNeurons, current.AsMemory(0, Rows(first) * NNeurons));
                (current, next) = (next, current);
            }
        }
        finally
        {
            // The reader may only be closed when nobody reads; what went wrong ahead of the consumer no longer matters.
            ((IAsyncResult)reading).AsyncWaitHandle.WaitOne();
            _ = reading.Exception;
            readers.ForEach(reader => reader.Dispose());
        }
    }

    private static (long Size, string Sha256) HashFile(string path, CancellationToken cancellation)
    {
        using var handle = InputFile.Open(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        var size = RandomAccess.GetLength(handle);
        for (long offset = 0; offset < size; offset += buffer.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, size - offset));
            InputFile.Read(handle, path, offset, part);
            hash.AppendData(part);
        }
        return (size, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}

/// <summary>Reads rows as float32.</summary>
internal abstract class RowReader : IDisposable
{
    /// <summary>Whether requests may go back as well as forward.</summary>
    public virtual bool AnyOrder => false;

    /// <summary>Whether a single row anywhere costs about what it costs in a pass.</summary>
    public virtual bool CheapRows => AnyOrder;

    /// <summary>
    /// Fills <paramref name="destination"/> with whole rows from <paramref name="firstRow"/> on, which is not before the end of the last request
    /// unless <see cref="AnyOrder"/>.
    /// </summary>
    public abstract void Read(long firstRow, Span<float> destination);

    /// <inheritdoc/>
    public abstract void Dispose();
}
