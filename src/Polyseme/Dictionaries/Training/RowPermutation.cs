using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Training;

/// <summary>A permutation of 0 … count − 1 that needs no memory: every row of a store in an order that is random over the whole store.</summary>
/// <remarks>
/// A Feistel network of <see cref="Rounds"/> rounds over the smallest even number of bits that holds count, its round function Philox-4x32; values
/// past the end are sent through again until they fall inside (cycle walking, at most four times on average). Black and Rogaway 2002, "Ciphers with
/// arbitrary finite domains". An epoch is a key of its own.
/// </remarks>
public sealed class RowPermutation
{
    private const int Rounds = 6;
    private readonly int _halfBits;
    private readonly ulong _mask;
    private readonly ulong _epoch;
    private readonly uint _key0;
    private readonly uint _key1;

    /// <summary>The permutation of an epoch.</summary>
    /// <param name="count">Rows, at least 1.</param>
    /// <param name="seed">The one seed.</param>
    /// <param name="epoch">Which pass over the rows.</param>
    public RowPermutation(long count, ulong seed, long epoch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        Count = count;
        var bits = 64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)(count - 1));
        _halfBits = Math.Max(1, (bits + 1) / 2);
        _mask = (1UL << _halfBits) - 1;
        _epoch = (ulong)epoch;
        var keys = RandomStream.Block(0, RandomStream.LaneOf("dictionary/order"), (uint)seed, (uint)(seed >> 32));
        (_key0, _key1) = (keys.W0, keys.W1);
    }

    /// <summary>Rows.</summary>
    public long Count { get; }

    /// <summary>The row at a position.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The position is not in 0 … count − 1.</exception>
    public long this[long position]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(position);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position, Count);
            var value = (ulong)position;
            do value = Encrypt(value);
            while (value >= (ulong)Count);
            return (long)value;
        }
    }

    private ulong Encrypt(ulong value)
    {
        ulong left = value >> _halfBits,
            right = value & _mask;
        for (var round = 0u; round < Rounds; round++)
        {
            var word = RandomStream.Block(right, (_epoch << 3) | round, _key0, _key1);
            (left, right) = (right, left ^ ((word.W0 | ((ulong)word.W1 << 32)) & _mask));
        }
        return (left << _halfBits) | right;
    }
}
