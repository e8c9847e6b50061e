using System.Runtime.InteropServices;
using Polyseme.Activations;
using Polyseme.Dictionaries.Training;
using Polyseme.Numerics;

namespace Polyseme.Bench;

/// <summary>Activations on disk, in the page cache: a pass in order and batches in random order, as shares of a plain read of the file's blocks.</summary>
internal static class StoreBench
{
    private const int Columns = 512;
    private const int BlockRows = 4096;

    public static IEnumerable<Measurement> Run(BenchOptions options)
    {
        var rows = options.Quick ? 1 << 17 : 1 << 19;
        var path = Path.Combine(Path.GetTempPath(), $"polyseme-bench-{Guid.NewGuid():N}.safetensors");
        try
        {
            Write(path, rows);
            var source = ActivationFile.Open(path);
            var shuffled = ShuffledRows.Of(source, null, 0); // its hash reads the whole file into the page cache
            var batch = new float[BlockRows * Columns];
            var step = 0L;
            double Plain(int repeats)
            {
                using var handle = File.OpenHandle(path);
                var size = RandomAccess.GetLength(handle);
                var bytes = MemoryMarshal.AsBytes(batch.AsSpan());
                for (var repeat = 0; repeat < repeats; repeat++)
                {
                    for (long offset = 0; offset < size; )
                        offset += RandomAccess.Read(handle, bytes, offset);
                }
                return repeats * size / 1e9;
            }
            double Scan(int repeats)
            {
                long read = 0;
                for (var repeat = 0; repeat < repeats; repeat++)
                {
                    foreach (var block in source.ReadBlocks(BlockRows))
                        read += block.Values.Length * sizeof(float);
                }
                return read / 1e9;
            }
            double Shuffled(int repeats)
            {
                var count = (long)repeats * 16;
                for (var i = 0; i < count; i++)
                    shuffled.Fill(step++, batch, []);
                return count * batch.Length * sizeof(float) / 1e9;
            }
            var rates = Interleaved.Rates(options.Runs, options.RunSeconds, Plain, Scan, Shuffled);
            var where = $"{rows} x {Columns} float32, page cache warm; peer: a plain read of the file in blocks of {BlockRows} rows";
            yield return Of("store.scan", rates[1], rates[0], options.Runs, $"a pass in order; {where}");
            yield return Of(
                "store.shuffled",
                rates[2],
                rates[0],
                options.Runs,
                $"batches of {BlockRows} rows in an order random over all; {where}; {Environment.ProcessorCount} threads"
            );
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static Measurement Of(string name, double ours, double plain, int runs, string notes) =>
        new()
        {
            Name = name,
            Ours = ours,
            Peer = plain,
            Unit = "GB/s",
            LimitFraction = ours / plain,
            PeakMb = ProcessMemory.PeakMegabytes(),
            NRuns = runs,
            Notes = notes,
        };

    /// <summary>A safetensors file, written a block at a time.</summary>
    private static void Write(string path, int rows)
    {
        var bytes = (long)rows * Columns * sizeof(float);
        var header = $$$"""{"activations":{"dtype":"F32","shape":[{{{rows}}},{{{Columns}}}],"data_offsets":[0,{{{bytes}}}]}}""";
        header = header.PadRight((header.Length + 7) / 8 * 8);
        using var file = File.Create(path);
        file.Write(BitConverter.GetBytes((long)header.Length));
        file.Write(System.Text.Encoding.ASCII.GetBytes(header));
        var random = new RandomStream(0, "bench/store");
        var block = new float[BlockRows * Columns];
        for (var i = 0; i < block.Length; i++)
            block[i] = random.NextSingle();
        for (var row = 0; row < rows; row += BlockRows)
            file.Write(MemoryMarshal.AsBytes<float>(block));
    }
}
