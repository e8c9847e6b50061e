using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polyseme.Numerics;

/// <summary>Philox4x32-10 for many counters at once: the same words as <see cref="RandomStream"/>, in bulk.</summary>
/// <remarks>
/// A 64-bit lane holds one 32-bit word of the state. Only its low half is ever read by the widening multiplication, so the high half may
/// hold rubbish, which saves masking. Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
/// </remarks>
public static class PhiloxFill
{
    private const uint Multiplier0 = 0xD2511F53u,
        Multiplier1 = 0xCD9E8D57u,
        Weyl0 = 0x9E3779B9u,
        Weyl1 = 0xBB67AE85u;

    /// <summary>Writes the words of the blocks <paramref name="counter"/>, <paramref name="counter"/>+1, … of one stream.</summary>
    /// <param name="words">Where to: four words per block; a length that is not a multiple of four ends inside a block.</param>
    /// <param name="counter">The first block.</param>
    /// <param name="lane">The stream.</param>
    /// <param name="seed">The seed.</param>
    public static void Words(Span<uint> words, ulong counter, ulong lane, ulong seed)
    {
        uint key0 = (uint)seed,
            key1 = (uint)(seed >> 32);
        var done = 0;
        if (Avx512F.IsSupported)
        {
            for (; done + 64 <= words.Length; done += 64)
                SixteenBlocks(words.Slice(done, 64), counter + ((ulong)done / 4), lane, key0, key1);
            for (; done + 32 <= words.Length; done += 32)
                EightBlocks(words.Slice(done, 32), counter + ((ulong)done / 4), lane, key0, key1);
        }
        else if (Avx2.IsSupported)
        {
            for (; done + 16 <= words.Length; done += 16)
                FourBlocks(words.Slice(done, 16), counter + ((ulong)done / 4), lane, key0, key1);
        }
        Span<uint> block = stackalloc uint[4];
        for (; done < words.Length; done += 4)
        {
            (block[0], block[1], block[2], block[3]) = RandomStream.Block(counter + ((ulong)done / 4), lane, key0, key1);
            block[..Math.Min(4, words.Length - done)].CopyTo(words[done..]);
        }
    }

    /// <summary>Twice eight blocks side by side: the ten rounds of one are a chain of multiplications that wait for each other.</summary>
    private static void SixteenBlocks(Span<uint> words, ulong counter, ulong lane, uint key0, uint key1)
    {
        var (c0, c1, c2, c3) = Start(counter, lane);
        var (d0, d1, d2, d3) = Start(counter + 8, lane);
        for (var round = 0; round < 10; round++)
        {
            var (k0, k1) = (Vector512.Create((ulong)key0), Vector512.Create((ulong)key1));
            Round(ref c0, ref c1, ref c2, ref c3, k0, k1);
            Round(ref d0, ref d1, ref d2, ref d3, k0, k1);
            key0 += Weyl0;
            key1 += Weyl1;
        }
        Store(words, c0, c1, c2, c3);
        Store(words[32..], d0, d1, d2, d3);
    }

    private static void EightBlocks(Span<uint> words, ulong counter, ulong lane, uint key0, uint key1)
    {
        var (c0, c1, c2, c3) = Start(counter, lane);
        for (var round = 0; round < 10; round++)
        {
            Round(ref c0, ref c1, ref c2, ref c3, Vector512.Create((ulong)key0), Vector512.Create((ulong)key1));
            key0 += Weyl0;
            key1 += Weyl1;
        }
        Store(words, c0, c1, c2, c3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<ulong> C0, Vector512<ulong> C1, Vector512<ulong> C2, Vector512<ulong> C3) Start(ulong counter, ulong lane)
    {
        // Lane 2j makes block j and lane 2j+1 block j+4, so that unpacking low and high halves leaves the blocks in order.
        var counters = Vector512.Create(counter) + Vector512.Create(0ul, 4, 1, 5, 2, 6, 3, 7);
        return (counters, Vector512.ShiftRightLogical(counters, 32), Vector512.Create(lane), Vector512.Create(lane >> 32));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(
        ref Vector512<ulong> c0,
        ref Vector512<ulong> c1,
        ref Vector512<ulong> c2,
        ref Vector512<ulong> c3,
        Vector512<ulong> key0,
        Vector512<ulong> key1
    )
    {
        var p0 = Avx512F.Multiply(c0.AsUInt32(), Vector512.Create((ulong)Multiplier0).AsUInt32());
        var p1 = Avx512F.Multiply(c2.AsUInt32(), Vector512.Create((ulong)Multiplier1).AsUInt32());
        c0 = Vector512.ShiftRightLogical(p1, 32) ^ c1 ^ key0;
        c2 = Vector512.ShiftRightLogical(p0, 32) ^ c3 ^ key1;
        (c1, c3) = (p1, p0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Span<uint> words, Vector512<ulong> c0, Vector512<ulong> c1, Vector512<ulong> c2, Vector512<ulong> c3)
    {
        var low = Vector512.Create(0xFFFFFFFFul);
        var first = (c0 & low) | Vector512.ShiftLeft(c1, 32);
        var second = (c2 & low) | Vector512.ShiftLeft(c3, 32);
        ref var to = ref MemoryMarshal.GetReference(words);
        Avx512F.UnpackLow(first, second).AsUInt32().StoreUnsafe(ref to);
        Avx512F.UnpackHigh(first, second).AsUInt32().StoreUnsafe(ref to, 16);
    }

    private static void FourBlocks(Span<uint> words, ulong counter, ulong lane, uint key0, uint key1)
    {
        var counters = Vector256.Create(counter) + Vector256.Create(0ul, 2, 1, 3);
        var (c0, c1) = (counters, Vector256.ShiftRightLogical(counters, 32));
        var (c2, c3) = (Vector256.Create(lane), Vector256.Create(lane >> 32));
        var (multiplier0, multiplier1) = (Vector256.Create((ulong)Multiplier0).AsUInt32(), Vector256.Create((ulong)Multiplier1).AsUInt32());
        for (var round = 0; round < 10; round++)
        {
            var p0 = Avx2.Multiply(c0.AsUInt32(), multiplier0);
            var p1 = Avx2.Multiply(c2.AsUInt32(), multiplier1);
            c0 = Vector256.ShiftRightLogical(p1, 32) ^ c1 ^ Vector256.Create((ulong)key0);
            c2 = Vector256.ShiftRightLogical(p0, 32) ^ c3 ^ Vector256.Create((ulong)key1);
            (c1, c3) = (p1, p0);
            key0 += Weyl0;
            key1 += Weyl1;
        }
        var low = Vector256.Create(0xFFFFFFFFul);
        var first = (c0 & low) | Vector256.ShiftLeft(c1, 32);
        var second = (c2 & low) | Vector256.ShiftLeft(c3, 32);
        ref var to = ref MemoryMarshal.GetReference(words);
        Avx2.UnpackLow(first, second).AsUInt32().StoreUnsafe(ref to);
        Avx2.UnpackHigh(first, second).AsUInt32().StoreUnsafe(ref to, 8);
    }
}
