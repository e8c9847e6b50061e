using System.Numerics;
using System.Runtime.InteropServices;

namespace Polyseme.Numerics;

/// <summary>xoshiro128++: a small and fast stream of 32-bit words with period 2¹²⁸ − 1.</summary>
/// <remarks>Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators". Not for secrets.</remarks>
[StructLayout(LayoutKind.Auto)]
public struct Xoshiro128
{
    private uint _s0,
        _s1,
        _s2,
        _s3;

    /// <summary>The stream from a state.</summary>
    /// <exception cref="ArgumentException">All four words are zero: that state never changes.</exception>
    public Xoshiro128(uint s0, uint s1, uint s2, uint s3)
    {
        if ((s0 | s1 | s2 | s3) == 0)
            throw new ArgumentException("the state is all zero; at least one word differs from zero", nameof(s0));
        (_s0, _s1, _s2, _s3) = (s0, s1, s2, s3);
    }

    /// <summary>The next 32 bits.</summary>
    public uint Next()
    {
        var word = BitOperations.RotateLeft(_s0 + _s3, 7) + _s0;
        var shifted = _s1 << 9;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= shifted;
        _s3 = BitOperations.RotateLeft(_s3, 11);
        return word;
    }
}
