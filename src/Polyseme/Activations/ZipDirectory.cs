using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Polyseme.Activations;

/// <summary>One member of a zip archive.</summary>
/// <param name="Name">Its name, checked: relative, no parent directories, no control characters.</param>
/// <param name="DataOffset">Where its bytes start in the file.</param>
/// <param name="StoredBytes">Bytes in the file.</param>
/// <param name="Bytes">Bytes when inflated.</param>
/// <param name="Deflated">Whether it is deflated, or stored as it is.</param>
/// <param name="Crc32">The checksum of the inflated bytes.</param>
internal sealed record ZipMember(string Name, long DataOffset, long StoredBytes, long Bytes, bool Deflated, uint Crc32);

/// <summary>
/// The directory of a zip archive, read strictly: every member is stored or deflated, not encrypted, lies within the file and overlaps no
/// other, and claims no more bytes than deflate can hold. So no archive can make its reader unpack more than it shows.
/// </summary>
/// <remarks>PKWARE, "APPNOTE.TXT, .ZIP File Format Specification" 6.3.10, sections 4.3 to 4.5. Overlapping members: Fifield 2019, "A better zip bomb".</remarks>
internal sealed class ZipDirectory
{
    /// <summary>Deflate spends at least one bit for 258 bytes, about 1032 to one.</summary>
    private const long LargestDeflateRatio = 1032;

    private const int EndLength = 22;
    private const int MemberLength = 46;
    private const int LocalLength = 30;

    private readonly SafeFileHandle _handle;
    private readonly string _path;
    private readonly long _length;

    private ZipDirectory(SafeFileHandle handle, string path) => (_handle, _path, _length) = (handle, path, RandomAccess.GetLength(handle));

    /// <summary>The members of the archive, in the order of its directory. Names are unique.</summary>
    /// <exception cref="InputException">The file cannot be read or is not such an archive.</exception>
    public static List<ZipMember> Read(string path)
    {
        using var handle = InputFile.Open(path);
        return new ZipDirectory(handle, path).Read();
    }

    private List<ZipMember> Read()
    {
        var (count, size, offset) = FindEnd();
        // Each member needs its fixed part, so the count cannot promise more than the directory has bytes for.
        if (count > size / MemberLength || size > Array.MaxLength)
            throw Bad("claims more members than its directory holds", $"{count} members in {size} bytes");
        var directory = ReadBytes(offset, (int)size);
        var members = new List<ZipMember>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var at = 0;
        for (long i = 0; i < count; i++)
        {
            var member = ReadMember(directory, ref at);
            if (!names.Add(member.Name))
                throw Bad($"has the member {InputException.Quote(member.Name)} twice", expected: "unique names");
            members.Add(member);
        }
        var end = 0L;
        foreach (var member in members.OrderBy(member => member.DataOffset))
        {
            if (member.DataOffset - LocalLength < end)
                throw Bad($"has the member {InputException.Quote(member.Name)} inside another", expected: "members that do not overlap");
            end = member.DataOffset + member.StoredBytes;
        }
        if (end > offset)
            throw Bad("has members inside its directory", $"data to byte {end}", $"at most to byte {offset}");
        return members;
    }

    private (long Count, long Size, long Offset) FindEnd()
    {
        if (_length < EndLength)
            throw Bad("is too short for a zip archive", $"{_length} bytes", $"at least {EndLength} bytes");
        var tail = ReadBytes(Math.Max(0, _length - EndLength - ushort.MaxValue), (int)Math.Min(_length, EndLength + ushort.MaxValue));
        for (var i = tail.Length - EndLength; i >= 0; i--)
        {
            var end = tail.AsSpan(i);
            if (U32(end, 0) != 0x06054B50 || U16(end, 20) != end.Length - EndLength)
                continue;
            long count = U16(end, 10),
                size = U32(end, 12),
                offset = U32(end, 16);
            var at = _length - tail.Length + i;
            if (count == ushort.MaxValue || size == uint.MaxValue || offset == uint.MaxValue)
                (count, size, offset, at) = ReadEnd64(at);
            if (count < 0 || size < 0 || offset < 0 || offset > at || size > at - offset)
                throw Bad("has a directory outside of the file", $"{size} bytes from byte {offset}", $"within {at} bytes");
            return (count, size, offset);
        }
        throw Bad("has no zip directory at its end", hint: "was it cut off while it was copied or written?");
    }

    private (long Count, long Size, long Offset, long At) ReadEnd64(long end)
    {
        var locator = end >= 20 ? ReadBytes(end - 20, 20) : [];
        if (locator.Length == 0 || U32(locator, 0) != 0x07064B50)
            throw Bad("lacks the zip64 directory that it refers to");
        var at = (long)U64(locator, 8);
        if (at < 0 || at > end - 20 - 56)
            throw Bad("has a zip64 directory outside of the file", $"byte {at}");
        var record = ReadBytes(at, 56);
        if (U32(record, 0) != 0x06064B50)
            throw Bad("lacks the zip64 directory that it refers to");
        return ((long)U64(record, 32), (long)U64(record, 40), (long)U64(record, 48), at);
    }

    private ZipMember ReadMember(byte[] directory, ref int at)
    {
        if (directory.Length - at < MemberLength || U32(directory, at) != 0x02014B50)
            throw Bad("has a damaged directory", $"no member at byte {at} of it");
        var entry = directory.AsSpan(at);
        int flags = U16(entry, 8),
            method = U16(entry, 10),
            nameLength = U16(entry, 28),
            extraLength = U16(entry, 30),
            commentLength = U16(entry, 32);
        long stored = U32(entry, 20),
            bytes = U32(entry, 24),
            local = U32(entry, 42);
        var crc = U32(entry, 16);
        if (entry.Length < MemberLength + nameLength + extraLength + commentLength)
            throw Bad("has a damaged directory", $"a member longer than it at byte {at}");
        at += MemberLength + nameLength + extraLength + commentLength;
        var nameBytes = entry.Slice(MemberLength, nameLength);
        var name = Encoding.UTF8.GetString(nameBytes);
        CheckName(name);
        var member = $"member {InputException.Quote(name)}";
        ReadExtra64(entry.Slice(MemberLength + nameLength, extraLength), ref bytes, ref stored, ref local, member);
        if ((flags & 0x2041) != 0)
            throw Bad($"has an encrypted {member}", expected: "members that are not encrypted");
        if (method is not (0 or 8))
            throw Bad($"has a {member} compressed by method {method}", expected: "stored (0) or deflated (8)");
        if (bytes < 0 || stored < 0 || local < 0 || local > _length - LocalLength)
            throw Bad($"has a {member} outside of the file", $"byte {local}", $"within {_length} bytes");
        if (method == 0 ? bytes != stored : bytes / LargestDeflateRatio > stored)
            throw Bad($"has a {member} with a size that cannot be", $"{bytes} bytes from {stored}", hint: "a damaged file, or a zip bomb");

        var header = ReadBytes(local, LocalLength);
        if (U32(header, 0) != 0x04034B50 || U16(header, 8) != method || U16(header, 26) != nameLength)
            throw Bad($"has a {member} whose own header does not agree with the directory");
        var data = local + LocalLength + nameLength + U16(header, 28);
        if (data > _length || stored > _length - data || !ReadBytes(local + LocalLength, nameLength).AsSpan().SequenceEqual(nameBytes))
            throw Bad($"has a {member} whose own header does not agree with the directory");
        return new ZipMember(name, data, stored, bytes, method == 8, crc);
    }

    /// <summary>Extra field 1: 64-bit values of those among size, stored size and offset that are all ones, in this order.</summary>
    private void ReadExtra64(ReadOnlySpan<byte> extra, ref long bytes, ref long stored, ref long local, string member)
    {
        while (extra.Length >= 4)
        {
            int id = U16(extra, 0),
                length = U16(extra, 2);
            if (length > extra.Length - 4)
                break;
            var field = extra.Slice(4, length);
            extra = extra[(4 + length)..];
            if (id != 1)
                continue;
            foreach (var which in (ReadOnlySpan<int>)[0, 1, 2])
            {
                ref var value = ref bytes;
                if (which == 1)
                    value = ref stored;
                else if (which == 2)
                    value = ref local;
                if (value != uint.MaxValue)
                    continue;
                if (field.Length < 8)
                    throw Bad($"has a {member} that lacks its zip64 sizes");
                value = (long)U64(field, 0);
                field = field[8..];
            }
        }
    }

    private void CheckName(string name)
    {
        if (
            name.Length == 0
            || name[0] == '/'
            || name.Any(c => char.IsControl(c) || c is '\\' or '\uFFFD')
            || name.Split('/').Any(part => part is ".." or ".")
        )
            throw Bad("has a member with a name that is not allowed", InputException.Quote(name), "a plain relative name");
    }

    private byte[] ReadBytes(long offset, int count)
    {
        var bytes = new byte[count];
        InputFile.Read(_handle, _path, offset, bytes);
        return bytes;
    }

    private InputException Bad(string problem, string? found = null, string? expected = null, string? hint = null) =>
        new(_path, problem, found, expected, hint);

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
}

/// <summary>
/// The bytes of a member, inflated as they are read and only as far as the directory says. Reads go forward; a gap is inflated and
/// dropped. When the last byte has been read, the checksum is compared.
/// </summary>
internal sealed class ZipMemberData : ArrayData
{
    private readonly string _where;
    private readonly ZipMember _member;
    private readonly Stream _stream;
    private readonly Crc32 _crc = new();
    private long _at;

    public ZipMemberData(string path, string where, ZipMember member)
    {
        (_where, _member) = (where, member);
        var file = new MemberStream(path, member);
        _stream = member.Deflated ? new DeflateStream(file, CompressionMode.Decompress) : file;
    }

    public override void Read(long offset, Span<byte> destination)
    {
        if (offset < _at)
            throw new InvalidOperationException($"a member is read forward: byte {offset} after byte {_at}");
        if (offset > _at)
        {
            var dropped = new byte[Math.Min(offset - _at, 1 << 16)];
            while (_at < offset)
                ReadNext(dropped.AsSpan(0, (int)Math.Min(dropped.Length, offset - _at)));
        }
        ReadNext(destination);
    }

    public override void Dispose() => _stream.Dispose();

    private void ReadNext(Span<byte> destination)
    {
        if (destination.Length > _member.Bytes - _at)
            throw Damaged($"{_member.Bytes} bytes", $"at least {_at + destination.Length} bytes");
        try
        {
            var n = _stream.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);
            if (n < destination.Length)
                throw Damaged($"{_at + n} bytes", $"{_member.Bytes} bytes");
        }
        catch (InvalidDataException e)
        {
            throw Damaged("data that is not deflated", "deflated data", e);
        }
        _crc.Add(destination);
        _at += destination.Length;
        if (_at == _member.Bytes && _crc.Value != _member.Crc32)
            throw Damaged($"checksum {_crc.Value:x8}", $"{_member.Crc32:x8}");
    }

    private InputException Damaged(string found, string expected, Exception? inner = null) =>
        new(_where, "is damaged", found, expected, "copy or write the file again", inner);

    /// <summary>The stored bytes of a member as a stream.</summary>
    private sealed class MemberStream(string path, ZipMember member) : Stream
    {
        private readonly SafeFileHandle _handle = InputFile.Open(path);
        private long _at;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => member.StoredBytes;
        public override long Position
        {
            get => _at;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            var n = (int)Math.Min(buffer.Length, member.StoredBytes - _at);
            InputFile.Read(_handle, path, member.DataOffset + _at, buffer[..n]);
            _at += n;
            return n;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _handle.Dispose();
            base.Dispose(disposing);
        }
    }
}

/// <summary>CRC-32 as zip uses it (polynomial 0xEDB88320, reflected), eight bytes at a step.</summary>
/// <remarks>Kounavis and Berry 2005, "A systematic approach to building high performance, software-based, CRC generators" (slicing by 8).</remarks>
internal sealed class Crc32
{
    private static readonly uint[][] Tables = MakeTables();
    private uint _state = uint.MaxValue;

    /// <summary>The checksum of what was added.</summary>
    public uint Value => ~_state;

    /// <summary>Adds bytes.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        var crc = _state;
        uint[] t0 = Tables[0],
            t1 = Tables[1],
            t2 = Tables[2],
            t3 = Tables[3],
            t4 = Tables[4],
            t5 = Tables[5],
            t6 = Tables[6],
            t7 = Tables[7];
        while (bytes.Length >= 8)
        {
            var low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ crc;
            var high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            crc =
                t7[(byte)low]
                ^ t6[(byte)(low >> 8)]
                ^ t5[(byte)(low >> 16)]
                ^ t4[low >> 24]
                ^ t3[(byte)high]
                ^ t2[(byte)(high >> 8)]
                ^ t1[(byte)(high >> 16)]
                ^ t0[high >> 24];
            bytes = bytes[8..];
        }
        foreach (var b in bytes)
            crc = t0[(byte)(crc ^ b)] ^ (crc >> 8);
        _state = crc;
    }

    private static uint[][] MakeTables()
    {
        var tables = new uint[8][];
        for (var t = 0; t < 8; t++)
        {
            tables[t] = new uint[256];
            for (var i = 0; i < 256; i++)
            {
                var crc = t == 0 ? (uint)i : tables[t - 1][i];
                if (t == 0)
                    for (var bit = 0; bit < 8; bit++)
                        crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
                tables[t][i] = t == 0 ? crc : tables[0][(byte)crc] ^ (crc >> 8);
            }
        }
        return tables;
    }
}
