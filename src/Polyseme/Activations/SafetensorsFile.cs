using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Polyseme.Runs;

namespace Polyseme.Activations;

/// <summary>
/// A safetensors file: 8 bytes of header length, a JSON header, raw little-endian row-major data. The header is read by a strict
/// grammar; whatever it claims is checked against the file before anything is allocated for it.
/// </summary>
public sealed class SafetensorsFile : ArrayFile
{
    /// <summary>The longest header accepted, the limit of the reference implementation.</summary>
    public const int LongestHeader = 100_000_000;

    private const string MetadataKey = "__metadata__";

    private SafetensorsFile(string path, IReadOnlyList<ArrayInfo> arrays, IReadOnlyDictionary<string, string> metadata)
        : base(path, arrays) => Metadata = metadata;

    /// <summary>The header's <c>__metadata__</c>; empty when it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads and checks the header.</summary>
    /// <exception cref="InputException">The file cannot be read or is not a safetensors file in every detail.</exception>
    public static SafetensorsFile Open(string path)
    {
        using var handle = InputFile.Open(path);
        var fileLength = RandomAccess.GetLength(handle);
        if (fileLength < 10)
            throw new InputException(path, "is too short for a safetensors header", $"{fileLength} bytes", "at least 10 bytes");
        Span<byte> prefix = stackalloc byte[8];
        InputFile.Read(handle, path, 0, prefix);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > (ulong)Math.Min(LongestHeader, fileLength - 8))
            throw new InputException(
                path,
                "has a safetensors header length that cannot be",
                $"{headerLength} bytes",
                $"2 to {Math.Min(LongestHeader, fileLength - 8)} bytes",
                "the file is cut off or not a safetensors file"
            );
        var header = new byte[headerLength];
        InputFile.Read(handle, path, 8, header);
        var (arrays, metadata) = new HeaderParser(path).Parse(header, fileLength - 8 - (long)headerLength);
        var dataStart = 8 + (long)headerLength;
        return new SafetensorsFile(path, [.. arrays.Select(array => array with { DataOffset = dataStart + array.DataOffset })], metadata);
    }

    internal override ArrayData OpenData(ArrayInfo array, bool anyOrder) => new PlainArrayData(Path, array.DataOffset);

    /// <summary>Writes a file in the reference implementation's byte order: types by descending alignment, then names in byte order.</summary>
    /// <param name="path">Where to. The data goes to a temporary file beside it, which is renamed when complete; a failure leaves nothing behind.</param>
    /// <param name="tensors">What to write. Names are unique.</param>
    /// <param name="metadata">For <c>__metadata__</c>, in this order; <c>null</c> or empty writes none.</param>
    /// <param name="alignment">Data starts at a multiple of this many bytes: 8 as the reference does, 64 in stores.</param>
    /// <exception cref="ArgumentException">A name is taken twice or reserved, or the alignment is not a power of two in [8, 4096].</exception>
    /// <exception cref="IOException">The file cannot be written; the message starts with the path.</exception>
    public static void Write(
        string path,
        IReadOnlyList<SafetensorsTensor> tensors,
        IReadOnlyList<KeyValuePair<string, string>>? metadata = null,
        int alignment = 8
    )
    {
        if (alignment is < 8 or > 4096 || !int.IsPow2(alignment))
            throw new ArgumentOutOfRangeException(nameof(alignment), alignment, "a power of two in [8, 4096]");
        if (tensors.Select(tensor => tensor.Name).Distinct(StringComparer.Ordinal).Count() != tensors.Count)
            throw new ArgumentException("two tensors have the same name", nameof(tensors));
        if (tensors.Any(tensor => tensor.Name == MetadataKey))
            throw new ArgumentException($"{MetadataKey} is reserved", nameof(tensors));
        // The reference sorts by its enumeration of types, whose order DType has, and compares names as UTF-8 bytes.
        var ordered = tensors
            .OrderByDescending(tensor => tensor.Type)
            .ThenBy(tensor => Encoding.UTF8.GetBytes(tensor.Name), Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)))
            .ToArray();
        var header = Header(ordered, metadata ?? [], alignment);
        AtomicFile.Write(
            path,
            stream =>
            {
                Span<byte> prefix = stackalloc byte[8];
                BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
                stream.Write(prefix);
                stream.Write(header);
                var end = stream.Position;
                foreach (var tensor in ordered)
                {
                    tensor.WriteData(stream);
                    end += tensor.Bytes;
                    if (stream.Position != end)
                        throw new InvalidOperationException(
                            $"tensor '{tensor.Name}' wrote {stream.Position - end + tensor.Bytes} bytes where its shape holds {tensor.Bytes}"
                        );
                }
            }
        );
    }

    private static byte[] Header(SafetensorsTensor[] ordered, IReadOnlyList<KeyValuePair<string, string>> metadata, int alignment)
    {
        var json = new StringBuilder("{");
        if (metadata.Count > 0)
        {
            Append(json, MetadataKey).Append(":{");
            for (var i = 0; i < metadata.Count; i++)
            {
                Append(json.Append(i == 0 ? "" : ","), metadata[i].Key).Append(':');
                Append(json, metadata[i].Value);
            }
            json.Append('}');
        }
        long offset = 0;
        foreach (var tensor in ordered)
        {
            Append(json.Append(json.Length > 1 ? "," : ""), tensor.Name);
            json.Append(
                CultureInfo.InvariantCulture,
                $$""":{"dtype":"{{tensor.Type.Name()}}","shape":[{{string.Join(',', tensor.Shape)}}],"data_offsets":[{{offset}},{{offset + tensor.Bytes}}]}"""
            );
            offset += tensor.Bytes;
        }
        var bytes = Encoding.UTF8.GetBytes(json.Append('}').ToString());
        var padded = new byte[((8 + bytes.Length + alignment - 1) / alignment * alignment) - 8];
        padded.AsSpan().Fill((byte)' ');
        bytes.CopyTo(padded, 0);
        return padded;
    }

    /// <summary>A JSON string as the reference writes it: only quotes, backslashes and control characters are escaped.</summary>
    private static StringBuilder Append(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (var c in text)
            json.Append(
                c switch
                {
                    '"' => "\\\"",
                    '\\' => "\\\\",
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    '\b' => "\\b",
                    '\f' => "\\f",
                    < ' ' => $"\\u{(int)c:x4}",
                    _ => c.ToString(),
                }
            );
        return json.Append('"');
    }

    /// <summary>The header's grammar.</summary>
    private sealed class HeaderParser(string path)
    {
        public (List<ArrayInfo> Arrays, Dictionary<string, string> Metadata) Parse(ReadOnlySpan<byte> header, long dataLength)
        {
            if (header.Length == 0 || header[0] != (byte)'{')
                throw Bad("does not start with {", hint: "is it a safetensors file?");
            if (!Utf8.IsValid(header))
                throw Bad("is not valid UTF-8");
            var arrays = new List<ArrayInfo>();
            var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
            try
            {
                // Without the padding, so that what follows the object is an error of the reader's.
                var reader = new Utf8JsonReader(header.TrimEnd((byte)' '), new JsonReaderOptions { MaxDepth = 8 });
                Expect(ref reader, JsonTokenType.StartObject, "an object");
                var names = new HashSet<string>(StringComparer.Ordinal);
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var name = reader.GetString()!;
                    if (!names.Add(name))
                        throw Bad($"names {InputException.Quote(name)} twice", expected: "unique names");
                    if (name == MetadataKey)
                        ReadMetadata(ref reader, metadata);
                    else
                        arrays.Add(ReadTensor(ref reader, name, dataLength));
                }
                if (reader.Read())
                    throw Bad("goes on after its object");
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                // InvalidOperationException: an escape that is half of a surrogate pair.
                throw Bad("is not valid JSON", e.Message, inner: e);
            }
            CheckThatDataIsCovered(arrays, dataLength);
            return (arrays, metadata);
        }

        private void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata)
        {
            Expect(ref reader, JsonTokenType.StartObject, $"{MetadataKey} to be an object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var key = reader.GetString()!;
                Expect(ref reader, JsonTokenType.String, $"a string as {MetadataKey} {InputException.Quote(key)}");
                if (!metadata.TryAdd(key, reader.GetString()!))
                    throw Bad($"has {InputException.Quote(key)} twice in {MetadataKey}", expected: "unique keys");
            }
        }

        private ArrayInfo ReadTensor(ref Utf8JsonReader reader, string name, long dataLength)
        {
            var where = $"{path}, tensor {InputException.Quote(name)}";
            Expect(ref reader, JsonTokenType.StartObject, $"an object for tensor {InputException.Quote(name)}");
            string? dtype = null;
            long[]? shape = null,
                offsets = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var key = reader.GetString()!;
                switch (key)
                {
                    case "dtype" when dtype is null:
                        Expect(ref reader, JsonTokenType.String, "a string as dtype");
                        dtype = reader.GetString()!;
                        break;
                    case "shape" when shape is null:
                        shape = ReadIntegers(ref reader, where, "shape");
                        break;
                    case "data_offsets" when offsets is null:
                        offsets = ReadIntegers(ref reader, where, "data_offsets");
                        break;
                    default:
                        throw new InputException(
                            where,
                            "has a key that is unknown or given twice",
                            InputException.Quote(key),
                            "dtype, shape and data_offsets, once each"
                        );
                }
            }
            if (dtype is null || shape is null || offsets is null)
                throw new InputException(where, "is not described completely", expected: "dtype, shape and data_offsets");
            var type =
                DTypes.Parse(dtype) ?? throw new InputException(where, "has an unknown dtype", InputException.Quote(dtype), DTypes.Known);
            if (offsets.Length != 2 || offsets[0] > offsets[1] || offsets[1] > dataLength)
                throw new InputException(
                    where,
                    "has data_offsets out of range",
                    $"[{string.Join(", ", offsets.Take(4))}]",
                    $"begin ≤ end ≤ {dataLength}, the bytes of data in the file",
                    "the file is cut off or its header is wrong"
                );
            var bytes = ArrayInfo.ByteCount(shape, type.Size());
            if (bytes != offsets[1] - offsets[0])
                throw new InputException(
                    where,
                    "has data_offsets that do not fit its shape",
                    $"{offsets[1] - offsets[0]} bytes",
                    $"{(bytes is null ? "fewer than 2^63" : bytes)} bytes for {type.Name()} [{string.Join(", ", shape.Take(8))}]"
                );
            return new ArrayInfo
            {
                Name = name,
                Type = type,
                Shape = shape,
                Bytes = bytes.Value,
                DataOffset = offsets[0],
            };
        }

        private long[] ReadIntegers(ref Utf8JsonReader reader, string where, string what)
        {
            Expect(ref reader, JsonTokenType.StartArray, $"an array as {what}");
            var values = new List<long>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var value) || value < 0)
                    throw new InputException(
                        where,
                        $"has a {what} entry that is not a size",
                        InputException.Quote(Encoding.UTF8.GetString(reader.ValueSpan)),
                        "integers from 0 to 2^63 - 1"
                    );
                values.Add(value);
            }
            return [.. values];
        }

        private void CheckThatDataIsCovered(List<ArrayInfo> arrays, long dataLength)
        {
            long end = 0;
            ArrayInfo? before = null;
            foreach (var array in arrays.OrderBy(array => array.DataOffset).ThenBy(array => array.Bytes))
            {
                if (array.DataOffset != end)
                    throw new InputException(
                        $"{path}, tensor {InputException.Quote(array.Name)}",
                        array.DataOffset < end ? $"overlaps tensor {InputException.Quote(before!.Name)}" : "leaves a gap before it",
                        $"data from byte {array.DataOffset}",
                        $"data from byte {end}"
                    );
                end += array.Bytes;
                before = array;
            }
            if (end != dataLength)
                throw new InputException(
                    path,
                    "has data that no tensor describes",
                    $"{dataLength} bytes of data",
                    $"{end} bytes, the sum of its tensors"
                );
        }

        private void Expect(ref Utf8JsonReader reader, JsonTokenType type, string what)
        {
            if (!reader.Read() || reader.TokenType != type)
                throw Bad("does not follow the format", $"{reader.TokenType} at byte {8 + reader.TokenStartIndex}", what);
        }

        private InputException Bad(
            string problem,
            string? found = null,
            string? expected = null,
            string? hint = null,
            Exception? inner = null
        ) => new(path, $"has a safetensors header that {problem}", found, expected, hint, inner);
    }
}

/// <summary>A tensor to be written: its name, type and shape, and a function that writes its bytes, row-major and little-endian.</summary>
/// <param name="Name">Unique in its file.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">Outermost first.</param>
/// <param name="WriteData">Writes exactly the bytes that type and shape ask for.</param>
public sealed record SafetensorsTensor(string Name, DType Type, IReadOnlyList<long> Shape, Action<Stream> WriteData)
{
    /// <summary>Bytes of data.</summary>
    public long Bytes { get; } =
        ArrayInfo.ByteCount([.. Shape], Type.Size())
        ?? throw new ArgumentException($"[{string.Join(", ", Shape)}] is not a shape of fewer than 2^63 bytes", nameof(Shape));

    /// <summary>A tensor of values in memory: <c>float</c>, <c>double</c>, <c>Half</c>, <c>long</c>, <c>int</c>, <c>byte</c>, <c>bool</c> or another element type.</summary>
    /// <exception cref="ArgumentException">The type has no counterpart, or the values do not fill the shape.</exception>
    public static SafetensorsTensor Of<T>(string name, T[] values, params IReadOnlyList<long> shape)
        where T : unmanaged
    {
        var type = TypeOf<T>();
        var tensor = new SafetensorsTensor(name, type, shape.Count == 0 ? [values.LongLength] : shape, stream => WriteAll(stream, values));
        return tensor.Bytes == values.LongLength * type.Size()
            ? tensor
            : throw new ArgumentException($"{values.LongLength} values do not fill [{string.Join(", ", shape)}]", nameof(values));
    }

    private static void WriteAll<T>(Stream stream, T[] values)
        where T : unmanaged
    {
        // In parts, because a span of bytes cannot be longer than 2^31.
        const int part = 1 << 20;
        for (var i = 0; i < values.Length; i += part)
            stream.Write(MemoryMarshal.AsBytes(values.AsSpan(i, Math.Min(part, values.Length - i))));
    }

    private static DType TypeOf<T>() =>
        default(T) switch
        {
            bool => DType.Bool,
            byte => DType.U8,
            sbyte => DType.I8,
            short => DType.I16,
            ushort => DType.U16,
            Half => DType.F16,
            int => DType.I32,
            uint => DType.U32,
            float => DType.F32,
            double => DType.F64,
            long => DType.I64,
            ulong => DType.U64,
            _ => throw new ArgumentException($"safetensors has no type for {typeof(T).Name}"),
        };
}
