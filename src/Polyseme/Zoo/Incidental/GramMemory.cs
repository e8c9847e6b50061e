using System.Runtime.InteropServices;

namespace Polyseme.Zoo.Incidental;

/// <summary>The memory that tied weights on one-hot inputs are trained in, one block aligned to 64 bytes.</summary>
/// <remarks>Rows of a power of two of floats would share few lines of the cache: what a pass over all rows reads is packed first, a piece of each row.</remarks>
internal sealed unsafe class GramMemory : IDisposable
{
    /// <summary>Floats of a row that are packed at a time: of 64 rows they fill the first-level cache.</summary>
    public const int Piece = 128;

    private float* _block;

    /// <param name="n">Features.</param>
    /// <param name="m">Neurons, a multiple of 16.</param>
    public GramMemory(int n, int m)
    {
        if (m % 16 != 0)
            throw new ArgumentException($"there are {m} neurons; they are a multiple of 16", nameof(m));
        (N, M) = (n, m);
        nint weights = (nint)n * m,
            products = Aligned((nint)n * n),
            counts = Aligned(n);
        var total = (4 * weights) + (3 * products) + counts + ((nint)n * Piece) + Piece;
        _block = (float*)NativeMemory.AlignedAlloc((nuint)total * sizeof(float), 64);
        NativeMemory.Clear(_block, (nuint)total * sizeof(float));
        W = _block;
        First = W + weights;
        Second = First + weights;
        Gradient = Second + weights;
        Gram = Gradient + weights;
        Factors = Gram + products;
        Rows = (int*)(Factors + products);
        Counts = Rows + products;
        Packed = (float*)(Counts + counts);
        GradientPiece = Packed + ((nint)n * Piece);
    }

    public int N { get; }
    public int M { get; }

    /// <summary>Weights, their moments and their gradient. Shape each: <c>[n, m]</c>.</summary>
    public float* W { get; }
    public float* First { get; }
    public float* Second { get; }
    public float* Gradient { get; }

    /// <summary>G. Shape: <c>[n, n]</c>.</summary>
    public float* Gram { get; }

    /// <summary>The entries of 4·F that are not zero, row by row, and the columns they lie in. Shape each: <c>[n, n]</c>, of which a row's count is used.</summary>
    public float* Factors { get; }
    public int* Rows { get; }
    public int* Counts { get; }

    /// <summary>A piece of each row of W. Shape: <c>[n, Piece]</c>, or closer together at the end of the rows.</summary>
    public float* Packed { get; }

    /// <summary>The gradient of a piece of one row. Shape: <c>[Piece]</c>.</summary>
    public float* GradientPiece { get; }

    /// <summary>W as a span. Shape: <c>[n, m]</c>.</summary>
    public Span<float> Weights => new(W, N * M);

    /// <summary>The gradient as a span. Shape: <c>[n, m]</c>.</summary>
    public ReadOnlySpan<float> Gradients => new(Gradient, N * M);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_block);
        _block = null;
    }

    private static nint Aligned(nint floats) => (floats + 15) / 16 * 16;
}
