using System.Buffers.Binary;
using System.Text;

namespace Polyseme.Activations;

/// <summary>A table of a FlatBuffers message, as Arrow's headers are written. Every access is held against the bytes there are.</summary>
/// <remarks>
/// FlatBuffers, "Internals": a table starts with the signed distance back to its vtable, which lists where each field lies, 0 for a field
/// that is left out. Damage throws <see cref="InvalidDataException"/>, which the reader of the file turns into its own error.
/// </remarks>
internal readonly struct FlatTable
{
    private readonly byte[] _bytes;
    private readonly int _at;
    private readonly int _vtable;
    private readonly int _vtableLength;

    private FlatTable(byte[] bytes, int at)
    {
        (_bytes, _at) = (bytes, at);
        _vtable = Checked((long)at - Int32(at), 4);
        _vtableLength = UInt16(_vtable);
        Checked(_vtable, _vtableLength);
    }

    /// <summary>The table that a message begins with.</summary>
    public static FlatTable Root(byte[] bytes)
    {
        if (bytes.Length < 4)
            throw new InvalidDataException("a header of fewer than 4 bytes");
        return new FlatTable(bytes, Target(bytes, 0));
    }

    /// <summary>A field of one byte; 0 where it is left out.</summary>
    public byte Byte(int field) => Place(field) is { } at ? _bytes[Checked(at, 1)] : (byte)0;

    /// <summary>A field of two bytes.</summary>
    public short Int16(int field) => Place(field) is { } at ? (short)UInt16(at) : (short)0;

    /// <summary>A field of four bytes.</summary>
    public int Int32Field(int field) => Place(field) is { } at ? Int32(at) : 0;

    /// <summary>A field of eight bytes.</summary>
    public long Int64(int field) => Place(field) is { } at ? BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan(Checked(at, 8), 8)) : 0;

    /// <summary>A field that is a table, or <c>null</c>.</summary>
    public FlatTable? Table(int field) => Place(field) is { } at ? new FlatTable(_bytes, Target(_bytes, at)) : null;

    /// <summary>A field that is a text; empty where it is left out.</summary>
    public string Text(int field)
    {
        if (Place(field) is not { } at)
            return "";
        var (start, length) = Vector(at, 1);
        return Encoding.UTF8.GetString(_bytes, start, length);
    }

    /// <summary>The number of tables in a field that is a list of them.</summary>
    public int Count(int field) => Place(field) is { } at ? Vector(at, 4).Length : 0;

    /// <summary>One table of a list.</summary>
    public FlatTable Item(int field, int index)
    {
        var (start, length) = Vector(Place(field) ?? throw new InvalidDataException("a list that is left out"), 4);
        return index < length
            ? new FlatTable(_bytes, Target(_bytes, start + (4 * index)))
            : throw new InvalidDataException("an entry beyond the end of a list");
    }

    /// <summary>A field that is a list of pairs of 64-bit numbers.</summary>
    public (long First, long Second)[] Pairs(int field)
    {
        if (Place(field) is not { } at)
            return [];
        var (start, length) = Vector(at, 16);
        var pairs = new (long, long)[length];
        for (var i = 0; i < length; i++)
            pairs[i] = (
                BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan(start + (16 * i))),
                BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan(start + (16 * i) + 8))
            );
        return pairs;
    }

    private int? Place(int field)
    {
        var slot = 4 + (2 * field);
        if (slot + 2 > _vtableLength)
            return null;
        var offset = UInt16(_vtable + slot);
        return offset == 0 ? null : _at + offset;
    }

    private (int Start, int Length) Vector(int at, int itemSize)
    {
        var start = Target(_bytes, at);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(start, 4));
        Checked(start + 4, (long)length * itemSize);
        return (start + 4, (int)length);
    }

    private static int Target(byte[] bytes, int at)
    {
        if (at < 0 || at > bytes.Length - 4)
            throw new InvalidDataException($"an offset outside of the header, at byte {at}");
        var target = at + (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at, 4));
        return target <= bytes.Length - 4 ? (int)target : throw new InvalidDataException($"an offset to byte {target} of {bytes.Length}");
    }

    private int Int32(int at) => BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(Checked(at, 4), 4));

    private ushort UInt16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(Checked(at, 2), 2));

    private int Checked(long at, long length) =>
        at >= 0 && length >= 0 && at <= _bytes.Length - length
            ? (int)at
            : throw new InvalidDataException($"{length} bytes at byte {at} of a header of {_bytes.Length}");
}
