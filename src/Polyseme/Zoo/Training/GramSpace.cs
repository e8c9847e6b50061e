using System.Runtime.InteropServices;

namespace Polyseme.Zoo.Training;

/// <summary>An active entry as the kernel reads it.</summary>
/// <param name="Offset">Where the row of its feature begins, floats.</param>
/// <param name="Value">x.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct GramEntry(int Offset, float Value);

/// <summary>The memory that <see cref="GramKernel{TSimd, TVector}"/> works in, one block aligned to 64 bytes.</summary>
internal sealed unsafe class GramSpace : IDisposable
{
    /// <summary>Errors kept between the two passes over a chunk of samples: they stay in the second-level cache beside G and M.</summary>
    private const int ChunkFloats = 16_000;

    private float* _block;

    public GramSpace(int features, int hidden)
    {
        // An odd number of cache lines: a column of registers, walked from row to row, then visits all sets of the cache.
        Stride = (((features + 15) / 16) | 1) * 16;
        Columns = (features + 15) / 16 * 16;
        ChunkSamples = Math.Max(16, ChunkFloats / Stride);
        ChunkEntries = Math.Max(16_384, features);
        Span<long> sizes =
        [
            (long)features * Stride,
            (long)features * Stride,
            (long)hidden * Stride,
            (long)hidden * Stride,
            (long)ChunkSamples * Stride,
            Stride,
            Stride,
            Stride,
            Stride,
            2L * ChunkEntries,
        ];
        var total = 0L;
        foreach (var size in sizes)
            total += size;
        _block = (float*)NativeMemory.AlignedAlloc((nuint)total * sizeof(float), 64);
        NativeMemory.Clear(_block, (nuint)total * sizeof(float));
        var at = _block;
        float* Take(long size)
        {
            var taken = at;
            at += size;
            return taken;
        }
        G = Take(sizes[0]);
        M = Take(sizes[1]);
        Directions = Take(sizes[2]);
        Gradient = Take(sizes[3]);
        E = Take(sizes[4]);
        Bias = Take(sizes[5]);
        Importance = Take(sizes[6]);
        BiasGradient = Take(sizes[7]);
        Loss = Take(sizes[8]);
        Entries = (GramEntry*)Take(sizes[9]);
    }

    /// <summary>Floats from row to row.</summary>
    public int Stride { get; }

    /// <summary>Floats of a row that hold features, rounded up to whole registers.</summary>
    public int Columns { get; }

    /// <summary>Samples between a forward and a backward pass.</summary>
    public int ChunkSamples { get; }

    /// <summary>Their active entries, at most.</summary>
    public int ChunkEntries { get; }

    /// <summary>The entries of a chunk, sample by sample. Shape: <c>[chunk entries]</c>.</summary>
    public GramEntry* Entries { get; }

    /// <summary>G = W·Wᵀ, and M = Xᵀ·E over the batch. Shape each: <c>[n, stride]</c>.</summary>
    public float* G { get; }
    public float* M { get; }

    /// <summary>Wᵀ and its gradient. Shape each: <c>[m, stride]</c>.</summary>
    public float* Directions { get; }
    public float* Gradient { get; }

    /// <summary>Between chunks zero; x, then I·(x' − x) behind the output's ReLU. Shape: <c>[chunk samples, stride]</c>.</summary>
    public float* E { get; }

    /// <summary>b, I, the gradient by b and the loss by feature. Shape each: <c>[stride]</c>.</summary>
    public float* Bias { get; }
    public float* Importance { get; }
    public float* BiasGradient { get; }
    public float* Loss { get; }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_block);
        _block = null;
    }
}
