namespace Polyseme.Activations;

/// <summary>A <c>.npz</c> file: a zip archive of <c>.npy</c> members, stored or deflated. A member's name without <c>.npy</c> names its array.</summary>
public sealed class NpzFile : ArrayFile
{
    private readonly Dictionary<string, ZipMember> _members;

    private NpzFile(string path, IReadOnlyList<ArrayInfo> arrays, Dictionary<string, ZipMember> members)
        : base(path, arrays) => _members = members;

    /// <summary>Reads and checks the archive's directory and the headers of its arrays.</summary>
    /// <exception cref="InputException">The file cannot be read or is not a <c>.npz</c> file in every detail.</exception>
    public static NpzFile Open(string path)
    {
        var arrays = new List<ArrayInfo>();
        var members = new Dictionary<string, ZipMember>(StringComparer.Ordinal);
        foreach (var member in ZipDirectory.Read(path))
        {
            var where = $"{path}, member {InputException.Quote(member.Name)}";
            if (!member.Name.EndsWith(".npy", StringComparison.Ordinal) || member.Name.Length == 4)
                throw new InputException(where, "is not a .npy array", expected: "members NAME.npy only", hint: "is it an .npz file?");
            var name = member.Name[..^4];
            using var data = new ZipMemberData(path, where, member);
            arrays.Add(NpyHeader.Read(where, name, member.Bytes, data.Read));
            members.Add(name, member);
        }
        return arrays.Count > 0
            ? new NpzFile(path, arrays, members)
            : throw new InputException(path, "is an archive without members", expected: "NAME.npy members");
    }

    internal override ArrayData OpenData(ArrayInfo array, bool anyOrder)
    {
        var member = _members[array.Name];
        if (!member.Deflated && anyOrder)
            return new PlainArrayData(Path, member.DataOffset + array.DataOffset);
        var data = new MemberArrayData(new ZipMemberData(Path, Where(array), member), array.DataOffset);
        return anyOrder ? new UnpackedArrayData(data, array.Bytes) : data;
    }

    /// <summary>The array within its member, behind the header.</summary>
    private sealed class MemberArrayData(ZipMemberData member, long start) : ArrayData
    {
        public override void Read(long offset, Span<byte> destination) => member.Read(start + offset, destination);

        public override void Dispose() => member.Dispose();
    }

    /// <summary>A deflated array that is read in any order: inflated once, to a temporary file that goes when it is closed.</summary>
    private sealed class UnpackedArrayData : ArrayData
    {
        private readonly FileStream _file = new(
            System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"polyseme-{Guid.NewGuid():N}.tmp"),
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            FileShare.None,
            bufferSize: 1,
            FileOptions.DeleteOnClose
        );

        public UnpackedArrayData(MemberArrayData data, long bytes)
        {
            try
            {
                using (data)
                {
                    var buffer = new byte[Math.Min(bytes, 1 << 18)];
                    for (long offset = 0; offset < bytes; offset += buffer.Length)
                    {
                        var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, bytes - offset));
                        data.Read(offset, part);
                        _file.Write(part);
                    }
                    _file.Flush();
                }
            }
            catch
            {
                _file.Dispose();
                throw;
            }
        }

        public override void Read(long offset, Span<byte> destination) =>
            InputFile.Read(_file.SafeFileHandle, _file.Name, offset, destination);

        public override void Dispose() => _file.Dispose();
    }
}
