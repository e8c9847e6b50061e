using System.Text;

namespace Polyseme.Numerics;

/// <summary>
/// A stream of random numbers addressed by a seed and a name: Philox4x32-10, a counter-based generator. The numbers of one
/// stream do not depend on which other streams exist or how far they were read.
/// </summary>
/// <remarks>Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox4x32, 10 rounds). Not for secrets.</remarks>
public sealed class RandomStream
{
    private readonly uint _key0;
    private readonly uint _key1;
    private readonly ulong _lane;
    private readonly uint[] _block = new uint[4];
    private ulong _counter;
    private int _used = 4;
    private double? _spareNormal;

    /// <summary>The stream called <paramref name="name"/> under <paramref name="seed"/>.</summary>
    /// <param name="seed">One seed per config; every consumer takes a stream of its own from it.</param>
    /// <param name="name">Who consumes it, for instance <c>"fastica/init"</c>.</param>
    public RandomStream(ulong seed, string name)
        : this(seed, LaneOf(name)) { }

    /// <summary>The stream numbered <paramref name="lane"/> under <paramref name="seed"/>.</summary>
    public RandomStream(ulong seed, ulong lane)
    {
        _key0 = (uint)seed;
        _key1 = (uint)(seed >> 32);
        _lane = lane;
    }

    /// <summary>One Philox4x32-10 block: four words from a counter and a key.</summary>
    public static (uint W0, uint W1, uint W2, uint W3) Block(ulong counter, ulong lane, uint key0, uint key1)
    {
        uint c0 = (uint)counter,
            c1 = (uint)(counter >> 32),
            c2 = (uint)lane,
            c3 = (uint)(lane >> 32);
        for (var round = 0; round < 10; round++)
        {
            var p0 = (ulong)c0 * 0xD2511F53u;
            var p1 = (ulong)c2 * 0xCD9E8D57u;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ key0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ key1, (uint)p0);
            key0 += 0x9E3779B9u;
            key1 += 0xBB67AE85u;
        }
        return (c0, c1, c2, c3);
    }

    /// <summary>The next 32 bits.</summary>
    public uint NextUInt32()
    {
        if (_used == 4)
        {
            (_block[0], _block[1], _block[2], _block[3]) = Block(_counter++, _lane, _key0, _key1);
            _used = 0;
        }
        return _block[_used++];
    }

    /// <summary>The next 64 bits.</summary>
    public ulong NextUInt64() => NextUInt32() | ((ulong)NextUInt32() << 32);

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [0, 1), 24 bits.</summary>
    public float NextSingle() => (NextUInt32() >> 8) * (1.0f / (1 << 24));

    /// <summary>Standard normal, by Box and Muller's transform (1958).</summary>
    public double NextNormal()
    {
        if (_spareNormal is { } spare)
        {
            _spareNormal = null;
            return spare;
        }
        var radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        var (sin, cos) = Math.SinCos(2 * Math.PI * NextDouble());
        _spareNormal = radius * sin;
        return radius * cos;
    }

    /// <summary>Uniform integer in [0, <paramref name="exclusive"/>), without bias.</summary>
    public int NextInt(int exclusive)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(exclusive, 1);
        // Lemire's rejection: the low word below the threshold marks the biased strip.
        var threshold = (uint)(-exclusive) % (uint)exclusive;
        while (true)
        {
            var product = (ulong)NextUInt32() * (uint)exclusive;
            if ((uint)product >= threshold)
                return (int)(product >> 32);
        }
    }

    /// <summary>The numbers 0 … count−1 in random order (Fisher and Yates).</summary>
    public int[] Permutation(int count)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
            order[i] = i;
        for (var i = count - 1; i > 0; i--)
        {
            var j = NextInt(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    /// <summary>A matrix of standard normals. Shape: <c>[rows, columns]</c>.</summary>
    public Matrix NormalMatrix(int rows, int columns)
    {
        var matrix = new Matrix(rows, columns);
        for (var i = 0; i < matrix.Data.Length; i++)
            matrix.Data[i] = NextNormal();
        return matrix;
    }

    /// <summary>The number of the stream called <paramref name="name"/>: FNV-1a of its UTF-8 bytes, 64 bits.</summary>
    public static ulong LaneOf(string name)
    {
        var hash = 0xcbf29ce484222325UL;
        foreach (var b in Encoding.UTF8.GetBytes(name))
            hash = (hash ^ b) * 0x100000001b3UL;
        return hash;
    }
}
