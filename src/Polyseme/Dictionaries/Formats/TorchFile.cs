using System.Text;
using Polyseme.Activations;

namespace Polyseme.Dictionaries.Formats;

/// <summary>A file that torch.save wrote (a zip archive, since torch 1.6) with a dictionary of tensors. Nothing in it is run.</summary>
internal sealed class TorchFile : ArrayFile
{
    /// <summary>Under this key a trainer's backup keeps the state dict.</summary>
    private const string Nested = "ae";

    private const string PickleName = "/data.pkl";

    private readonly Dictionary<string, PickleTensor> _tensors;
    private readonly Dictionary<string, ZipMember> _members;
    private readonly string _folder;

    private TorchFile(
        string path,
        IReadOnlyList<ArrayInfo> arrays,
        Dictionary<string, PickleTensor> tensors,
        Dictionary<string, ZipMember> members,
        string folder,
        IReadOnlyDictionary<string, object?> root
    )
        : base(path, arrays) => (_tensors, _members, _folder, Root) = (tensors, members, folder, root);

    /// <summary>The dictionary that was saved, tensors as <see cref="PickleTensor"/>.</summary>
    public IReadOnlyDictionary<string, object?> Root { get; }

    /// <summary>Whether the file may be one: by its ending.</summary>
    public static bool IsTorchFile(string path) => System.IO.Path.GetExtension(path).ToLowerInvariant() is ".pt" or ".pth";

    /// <summary>Reads the archive's directory and the pickle, and checks every tensor against the bytes there are.</summary>
    /// <exception cref="InputException">It is not such a file, or its pickle asks for anything but tensors and plain values.</exception>
    public static TorchFile Open(string path)
    {
        CheckIsZip(path);
        var members = new Dictionary<string, ZipMember>(StringComparer.Ordinal);
        foreach (var member in ZipDirectory.Read(path))
            members.Add(member.Name, member);
        var pickles = members
            .Keys.Where(name =>
                name.IndexOf('/', StringComparison.Ordinal) == name.Length - PickleName.Length
                && name.EndsWith(PickleName, StringComparison.Ordinal)
            )
            .ToArray();
        if (pickles.Length != 1)
            throw new InputException(path, "is not a file that torch.save wrote", $"{pickles.Length} members NAME/data.pkl", "one");
        var folder = pickles[0][..^PickleName.Length];
        if (members.TryGetValue($"{folder}/byteorder", out var order) && Text(path, order) != "little")
            throw new InputException(
                path,
                "holds numbers in an order that is not read",
                InputException.Quote(Text(path, order)),
                "'little'"
            );
        var where = $"{path}, member {InputException.Quote(pickles[0])}";
        if (Unpickler.Read(where, Bytes(path, members[pickles[0]], Unpickler.Longest)) is not PickleDictionary root)
            throw new InputException(where, "does not hold a dictionary", expected: "a state dict");
        var tensors = new Dictionary<string, PickleTensor>(StringComparer.Ordinal);
        var arrays = new List<ArrayInfo>();
        void Add(string prefix, PickleDictionary dictionary)
        {
            foreach (var (name, value) in dictionary.Values)
                if (value is PickleTensor tensor && tensors.TryAdd(prefix + name, tensor))
                    arrays.Add(Check(path, prefix + name, tensor, members.GetValueOrDefault($"{folder}/data/{tensor.Storage.Key}")));
        }
        Add("", root);
        if (root.Values.GetValueOrDefault(Nested) is PickleDictionary nested)
            Add($"{Nested}.", nested);
        return new TorchFile(path, arrays, tensors, members, folder, root.Values);
    }

    internal override ArrayData OpenData(ArrayInfo array, bool anyOrder)
    {
        var tensor = _tensors[array.Name];
        var member = _members[$"{_folder}/data/{tensor.Storage.Key}"];
        var data = new ZipMemberData(Path, Where(array), member);
        var size = tensor.Storage.Type.Size();
        return IsRowMajor(tensor) && !anyOrder ? new ShiftedData(data, tensor.Offset * size) : Gather(data, member, tensor, size);
    }

    private static void CheckIsZip(string path)
    {
        using var handle = InputFile.Open(path);
        Span<byte> start = stackalloc byte[(int)Math.Min(4, RandomAccess.GetLength(handle))];
        InputFile.Read(handle, path, 0, start);
        if (!start.SequenceEqual("PK\u0003\u0004"u8))
            throw new InputException(
                path,
                "is not a file that torch.save wrote",
                "content that is no zip archive",
                "a zip archive, as torch writes since version 1.6",
                "an older file can be loaded and saved again by a newer torch"
            );
    }

    /// <summary>A tensor must lie in its storage, its storage in its member, and it may not be larger than what it is a view of.</summary>
    private static ArrayInfo Check(string path, string name, PickleTensor tensor, ZipMember? member)
    {
        var where = $"{path}, tensor {InputException.Quote(name)}";
        var size = tensor.Storage.Type.Size();
        if (member is null)
            throw new InputException(where, "has no data", expected: $"a member data/{InputException.Quote(tensor.Storage.Key)}");
        if ((Int128)tensor.Storage.Count * size != member.Bytes)
            throw new InputException(
                where,
                "has a storage of another size than it says",
                $"{member.Bytes} bytes",
                $"{tensor.Storage.Count} elements of {size} bytes"
            );
        var bytes = ArrayInfo.ByteCount(tensor.Sizes, size);
        Int128 last = tensor.Offset;
        for (var i = 0; i < tensor.Sizes.Length; i++)
            last += (Int128)Math.Max(tensor.Sizes[i] - 1, 0) * tensor.Strides[i];
        // A view with repeats could make a few bytes look like terabytes.
        if (bytes is null || bytes > member.Bytes || (bytes > 0 && last >= tensor.Storage.Count))
            throw new InputException(
                where,
                "does not lie in its storage",
                $"shape [{string.Join(", ", tensor.Sizes)}], strides [{string.Join(", ", tensor.Strides)}], offset {tensor.Offset}",
                $"within {tensor.Storage.Count} elements"
            );
        return new ArrayInfo
        {
            Name = name,
            Type = tensor.Storage.Type,
            Shape = tensor.Sizes,
            Bytes = bytes.Value,
        };
    }

    private static bool IsRowMajor(PickleTensor tensor)
    {
        long expected = 1;
        for (var i = tensor.Sizes.Length - 1; i >= 0; i--)
        {
            if (tensor.Sizes[i] > 1 && tensor.Strides[i] != expected)
                return false;
            expected *= Math.Max(tensor.Sizes[i], 1);
        }
        return true;
    }

    /// <summary>The elements of a view in the order of its indices.</summary>
    private GatheredData Gather(ZipMemberData data, ZipMember member, PickleTensor tensor, int size)
    {
        using (data)
        {
            if (member.Bytes > Array.MaxLength)
                throw new InputException(Path, "has a view of a storage that is too large to be gathered", $"{member.Bytes} bytes");
            var storage = new byte[member.Bytes];
            data.Read(0, storage);
            var count = tensor.Sizes.Aggregate(1L, (product, next) => product * next);
            var gathered = new byte[count * size];
            var index = new long[tensor.Sizes.Length];
            var at = tensor.Offset;
            for (long element = 0; element < count; element++)
            {
                storage.AsSpan((int)(at * size), size).CopyTo(gathered.AsSpan((int)(element * size)));
                for (var i = index.Length - 1; i >= 0; i--)
                {
                    at += tensor.Strides[i];
                    if (++index[i] < tensor.Sizes[i])
                        break;
                    at -= index[i] * tensor.Strides[i];
                    index[i] = 0;
                }
            }
            return new GatheredData(gathered);
        }
    }

    private static string Text(string path, ZipMember member) => Encoding.UTF8.GetString(Bytes(path, member, 64));

    private static byte[] Bytes(string path, ZipMember member, int most)
    {
        var where = $"{path}, member {InputException.Quote(member.Name)}";
        if (member.Bytes > most)
            throw new InputException(where, "is too long", $"{member.Bytes} bytes", $"at most {most} bytes");
        var bytes = new byte[member.Bytes];
        using var data = new ZipMemberData(path, where, member);
        data.Read(0, bytes);
        return bytes;
    }

    private sealed class ShiftedData(ZipMemberData member, long start) : ArrayData
    {
        public override void Read(long offset, Span<byte> destination) => member.Read(start + offset, destination);

        public override void Dispose() => member.Dispose();
    }

    private sealed class GatheredData(byte[] bytes) : ArrayData
    {
        public override void Read(long offset, Span<byte> destination) => bytes.AsSpan((int)offset, destination.Length).CopyTo(destination);

        public override void Dispose() { }
    }
}
