using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Polyseme.Activations;

/// <summary>What kind of column an Arrow field is, as far as it matters here.</summary>
internal enum ArrowKind
{
    /// <summary>Fixed-width numbers.</summary>
    Number,

    /// <summary>Lists with 32-bit offsets.</summary>
    List,

    /// <summary>Lists with 64-bit offsets.</summary>
    LargeList,

    /// <summary>Lists of one length.</summary>
    FixedSizeList,

    /// <summary>Anything else; it is stepped over.</summary>
    Other,
}

/// <summary>A field of an Arrow schema.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Type">The element type of numbers that are read, else <c>null</c>.</param>
/// <param name="ListSize">The length of lists of one length.</param>
/// <param name="Buffers">Buffers of the field itself, without its children's.</param>
/// <param name="Children">Its children.</param>
/// <param name="Extension">The metadata of an extension type, or <c>null</c>.</param>
internal sealed record ArrowField(
    string Name,
    ArrowKind Kind,
    DType? Type,
    int ListSize,
    int Buffers,
    IReadOnlyList<ArrowField> Children,
    string? Extension
);

/// <summary>A field in one record batch: how many entries, how many of them missing, and where its own buffers lie in the file.</summary>
internal sealed record ArrowColumn(
    ArrowField Field,
    long Length,
    long Missing,
    IReadOnlyList<(long Offset, long Length)> Buffers,
    IReadOnlyList<ArrowColumn> Children
);

/// <summary>An Arrow file in the stream format: a schema, then record batches. Only headers are read; the columns say where their bytes lie.</summary>
/// <remarks>
/// Apache Arrow, "Columnar Format", IPC streaming format, metadata version 5 and 4. Compressed batches and dictionaries are refused; the
/// library that writes these files uses neither.
/// </remarks>
internal sealed class ArrowStream
{
    private const int LongestHeader = 1 << 24;
    private const int MostFields = 4096;
    private const int Deepest = 16;
    private const byte SchemaMessage = 1;
    private const byte BatchMessage = 3;

    private readonly string _path;
    private int _fields;

    private ArrowStream(string path) => _path = path;

    /// <summary>The columns.</summary>
    public IReadOnlyList<ArrowField> Fields { get; private set; } = [];

    /// <summary>The batches, in order; of each its columns, in the order of <see cref="Fields"/>.</summary>
    public List<IReadOnlyList<ArrowColumn>> Batches { get; } = [];

    /// <summary>Reads the headers.</summary>
    /// <exception cref="InputException">The file is not such a stream in every detail.</exception>
    public static ArrowStream Open(string path)
    {
        var stream = new ArrowStream(path);
        using var handle = InputFile.Open(path);
        try
        {
            stream.Read(handle);
        }
        catch (InvalidDataException e)
        {
            throw new InputException(path, "has a damaged Arrow header", e.Message, inner: e);
        }
        return stream;
    }

    private void Read(SafeFileHandle handle)
    {
        var length = RandomAccess.GetLength(handle);
        Span<byte> prefix = stackalloc byte[8];
        var isFirst = true;
        for (long at = 0; at < length; )
        {
            if (length - at < 8)
                throw new InputException(_path, "ends within a message", $"{length} bytes", $"at least {at + 8} bytes", "was it cut off?");
            InputFile.Read(handle, _path, at, prefix);
            if (prefix.StartsWith("ARROW1"u8))
                throw new InputException(_path, "is an Arrow file, not a stream", "the file format", "the stream format");
            var continuation = BinaryPrimitives.ReadUInt32LittleEndian(prefix);
            var headerLength = BinaryPrimitives.ReadInt32LittleEndian(prefix[4..]);
            if (continuation != uint.MaxValue)
                throw new InputException(
                    _path,
                    "is not an Arrow stream",
                    $"{continuation:x8} at byte {at}",
                    "ffffffff, which begins a message"
                );
            if (headerLength == 0)
            {
                if (at + 8 != length)
                    throw new InputException(_path, "goes on after its end", $"{length - at - 8} more bytes");
                break;
            }
            if (headerLength < 0 || headerLength > LongestHeader || headerLength > length - at - 8)
                throw new InputException(
                    _path,
                    "has a header length that cannot be",
                    $"{headerLength} bytes at byte {at}",
                    $"up to {Math.Min(LongestHeader, length - at - 8)} bytes"
                );
            var header = new byte[headerLength];
            InputFile.Read(handle, _path, at + 8, header);
            var message = FlatTable.Root(header);
            var bodyLength = message.Int64(3);
            var body = at + 8 + headerLength;
            if (bodyLength < 0 || bodyLength > length - body)
                throw new InputException(
                    _path,
                    "ends within a batch",
                    $"{length - body} bytes",
                    $"{bodyLength} bytes at byte {body}",
                    "was it cut off?"
                );
            Take(message, isFirst, body, bodyLength);
            isFirst = false;
            at = body + bodyLength;
        }
        if (isFirst)
            throw new InputException(_path, "has no schema");
    }

    private void Take(FlatTable message, bool isFirst, long body, long bodyLength)
    {
        var kind = message.Byte(1);
        if (isFirst != (kind == SchemaMessage) || kind is not (SchemaMessage or BatchMessage))
            throw new InputException(
                _path,
                "has a message where it may not be",
                kind == 2 ? "a dictionary" : $"message type {kind}",
                isFirst ? "a schema" : "a record batch"
            );
        var content = message.Table(2) ?? throw new InvalidDataException("a message without content");
        if (kind == SchemaMessage)
        {
            if (content.Int16(0) != 0)
                throw new InputException(_path, "holds big-endian numbers", expected: "little-endian ones");
            Fields = Children(content, 1, 0);
            return;
        }
        if (content.Table(3) is not null)
            throw new InputException(_path, "holds compressed batches", expected: "batches without compression");
        var nodes = content.Pairs(1);
        var buffers = content.Pairs(2);
        foreach (var (offset, size) in buffers)
            if (offset < 0 || size < 0 || offset > bodyLength || size > bodyLength - offset)
                throw new InvalidDataException($"a buffer of {size} bytes at byte {offset} of a body of {bodyLength}");
        int node = 0,
            buffer = 0;
        ArrowColumn Column(ArrowField field)
        {
            if (node >= nodes.Length || field.Buffers > buffers.Length - buffer)
                throw new InvalidDataException("a batch with fewer buffers than its schema asks for");
            var (length, missing) = nodes[node++];
            if (length < 0 || missing < 0 || missing > length)
                throw new InvalidDataException($"a column of {length} entries, {missing} of them missing");
            var own = buffers.AsSpan(buffer, field.Buffers).ToArray().Select(b => (b.First + body, b.Second)).ToArray();
            buffer += field.Buffers;
            return new ArrowColumn(field, length, missing, own, [.. field.Children.Select(Column)]);
        }
        Batches.Add([.. Fields.Select(Column)]);
    }

    private List<ArrowField> Children(FlatTable parent, int field, int depth)
    {
        var children = new List<ArrowField>();
        var count = parent.Count(field);
        if (depth > Deepest || (_fields += count) > MostFields)
            throw new InvalidDataException("more fields than are read");
        for (var i = 0; i < count; i++)
            children.Add(Field(parent.Item(field, i), depth + 1));
        return children;
    }

    private ArrowField Field(FlatTable field, int depth)
    {
        var name = field.Text(0);
        if (field.Table(4) is not null)
            throw new InputException(_path, $"has a dictionary-encoded column {InputException.Quote(name)}", expected: "plain columns");
        var type = field.Table(3) ?? throw new InvalidDataException("a field without a type");
        string? extension = null;
        for (var i = 0; i < field.Count(6); i++)
            if (field.Item(6, i) is var pair && pair.Text(0) == "ARROW:extension:metadata")
                extension = pair.Text(1);
        // Kinds by Arrow's Schema.fbs; the number is how many buffers a column has of its own.
        var (kind, number, listSize, buffers) = field.Byte(2) switch
        {
            1 => (ArrowKind.Other, null, 0, 0), // Null
            2 => (ArrowKind.Number, Integer(type), 0, 2),
            3 => (ArrowKind.Number, Float(type), 0, 2),
            4 or 5 or 19 or 20 => (ArrowKind.Other, (DType?)null, 0, 3), // Binary, Utf8 and their large ones
            6 or 7 or 8 or 9 or 10 or 11 or 15 or 18 => (ArrowKind.Other, null, 0, 2),
            12 => (ArrowKind.List, null, 0, 2),
            13 => (ArrowKind.Other, null, 0, 1), // Struct
            16 => (ArrowKind.FixedSizeList, null, type.Int32Field(0), 1),
            17 => (ArrowKind.Other, null, 0, 2), // Map
            21 => (ArrowKind.LargeList, null, 0, 2),
            var other => throw new InputException(
                _path,
                $"has a column {InputException.Quote(name)} of a type that is not read",
                $"type {other}"
            ),
        };
        return new ArrowField(name, kind, number, listSize, buffers, Children(field, 5, depth), extension);
    }

    private static DType? Integer(FlatTable type) =>
        (type.Int32Field(0), type.Byte(1) != 0) switch
        {
            (8, true) => DType.I8,
            (8, false) => DType.U8,
            (16, true) => DType.I16,
            (16, false) => DType.U16,
            (32, true) => DType.I32,
            (32, false) => DType.U32,
            (64, true) => DType.I64,
            (64, false) => DType.U64,
            _ => null,
        };

    private static DType? Float(FlatTable type) =>
        type.Int16(0) switch
        {
            0 => DType.F16,
            1 => DType.F32,
            2 => DType.F64,
            _ => null,
        };
}
