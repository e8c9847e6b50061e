using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polyseme.Numerics;

/// <summary>
/// Sixteen streams of <see cref="Xoshiro128"/> side by side: word 16·t + l is the t-th word of lane l. There are sixteen on every machine,
/// whatever the width of its registers, so the words are the same everywhere.
/// </summary>
/// <remarks>The lanes of a (seed, stream, step) start from Philox blocks of their own, as its authors and those of xoshiro advise for parallel streams.</remarks>
[StructLayout(LayoutKind.Auto)]
internal struct XoshiroLanes
{
    /// <summary>Streams side by side.</summary>
    public const int Count = 16;

    private Vector512<uint> _s0,
        _s1,
        _s2,
        _s3;

    /// <summary>The lanes of one part of a stream.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="stream">The stream's number.</param>
    /// <param name="part">Which part of it, for instance the step; parts do not overlap.</param>
    public static XoshiroLanes Of(ulong seed, ulong stream, uint part)
    {
        // Four Philox blocks per state word; that all four words of a lane are zero has probability 2⁻¹²⁸ (and is mended all the same).
        Span<uint> words = stackalloc uint[4 * Count];
        PhiloxFill.Words(words, (ulong)part << 32, stream, seed);
        for (var lane = 0; lane < Count; lane++)
        {
            if ((words[lane] | words[Count + lane] | words[(2 * Count) + lane] | words[(3 * Count) + lane]) == 0)
                words[lane] = 1;
        }
        return new XoshiroLanes
        {
            _s0 = Vector512.Create<uint>(words),
            _s1 = Vector512.Create<uint>(words[Count..]),
            _s2 = Vector512.Create<uint>(words[(2 * Count)..]),
            _s3 = Vector512.Create<uint>(words[(3 * Count)..]),
        };
    }

    /// <summary>One lane from its next word on, one word at a time.</summary>
    public readonly Xoshiro128 Lane(int lane) => new(_s0[lane], _s1[lane], _s2[lane], _s3[lane]);

    /// <summary>The next word of every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<uint> Next()
    {
        var word = RotateLeft7(_s0 + _s3) + _s0;
        var shifted = Vector512.ShiftLeft(_s1, 9);
        var s2 = _s2 ^ _s0;
        var s3 = _s3 ^ _s1;
        _s1 ^= s2;
        _s0 ^= s3;
        _s2 = s2 ^ shifted;
        _s3 = RotateLeft11(s3);
        return word;
    }

    /// <summary>The next word of every lane as numbers in [0, 1), 24 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> NextUniform() => Uniform(Next());

    /// <summary>The upper 24 bits as a number in [0, 1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Uniform(Vector512<uint> words) =>
        Vector512.ConvertToSingle(Vector512.ShiftRightLogical(words, 8).AsInt32()) * (1f / (1 << 24));

    /// <summary>The next words, lane by lane; the rest of the last sixteen is thrown away.</summary>
    public void Fill(Span<uint> words)
    {
        var lanes = this;
        ref var to = ref MemoryMarshal.GetReference(words);
        var at = 0;
        for (; at + Count <= words.Length; at += Count)
            lanes.Next().StoreUnsafe(ref to, (nuint)at);
        if (at < words.Length)
        {
            Span<uint> last = stackalloc uint[Count];
            lanes.Next().CopyTo(last);
            last[..(words.Length - at)].CopyTo(words[at..]);
        }
        this = lanes;
    }

    /// <summary>As <see cref="Fill(Span{uint})"/>, numbers in [0, 1).</summary>
    public void Fill(Span<float> values)
    {
        var lanes = this;
        ref var to = ref MemoryMarshal.GetReference(values);
        var at = 0;
        for (; at + Count <= values.Length; at += Count)
            lanes.NextUniform().StoreUnsafe(ref to, (nuint)at);
        if (at < values.Length)
        {
            Span<float> last = stackalloc float[Count];
            lanes.NextUniform().CopyTo(last);
            last[..(values.Length - at)].CopyTo(values[at..]);
        }
        this = lanes;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> RotateLeft7(Vector512<uint> words) =>
        Avx512F.IsSupported ? Avx512F.RotateLeft(words, 7) : Vector512.ShiftLeft(words, 7) | Vector512.ShiftRightLogical(words, 25);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> RotateLeft11(Vector512<uint> words) =>
        Avx512F.IsSupported ? Avx512F.RotateLeft(words, 11) : Vector512.ShiftLeft(words, 11) | Vector512.ShiftRightLogical(words, 21);
}
