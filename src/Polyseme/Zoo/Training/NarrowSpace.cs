using System.Runtime.InteropServices;

namespace Polyseme.Zoo.Training;

/// <summary>The memory that <see cref="NarrowKernel{TSimd, TVector}"/> works in, one block aligned to 64 bytes.</summary>
internal sealed unsafe class NarrowSpace : IDisposable
{
    private float* _block;

    public NarrowSpace(int features, int hidden, int batch)
    {
        Samples = (batch + 15) / 16 * 16;
        var total = ((2L * hidden * Samples) + features) * sizeof(float);
        _block = (float*)NativeMemory.AlignedAlloc((nuint)((total + 63) / 64 * 64), 64);
        NativeMemory.Clear(_block, (nuint)total);
        H = _block;
        Gradient = H + ((nint)hidden * Samples);
        BiasSums = Gradient + ((nint)hidden * Samples);
    }

    /// <summary>Floats from one hidden unit to the next: the batch rounded up to whole registers. What lies beyond the batch is zero in H.</summary>
    public int Samples { get; }

    /// <summary>Hidden layer and its gradient. Shape each: <c>[m, samples]</c>.</summary>
    public float* H { get; }
    public float* Gradient { get; }

    /// <summary>The gradient by b, unscaled. Shape: <c>[n]</c>.</summary>
    public float* BiasSums { get; }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_block);
        _block = null;
    }
}
