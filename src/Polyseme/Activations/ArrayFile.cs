using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Polyseme.Activations;

/// <summary>One array of a file: its name, type and shape, and how its bytes lie.</summary>
public sealed record ArrayInfo
{
    /// <summary>The name within the file; of a single-array file, <c>activations</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The element type; <c>null</c> where this version cannot read the array, see <see cref="Refusal"/>.</summary>
    public required DType? Type { get; init; }

    /// <summary>Outermost first; empty for a single number.</summary>
    public required long[] Shape { get; init; }

    /// <summary>Why the array cannot be read, for messages; <c>null</c> when it can.</summary>
    public string? Refusal { get; init; }

    /// <summary>Whether the bytes of an element are in the order opposite to this machine's usual (little-endian) one.</summary>
    public bool BigEndian { get; init; }

    /// <summary>Whether the first index runs fastest.</summary>
    public bool ColumnMajor { get; init; }

    /// <summary>Bytes of data.</summary>
    public required long Bytes { get; init; }

    /// <summary>Where the data starts: in the file, or in the member once it is inflated.</summary>
    internal long DataOffset { get; init; }

    /// <summary>The shape as people write it: <c>[3, 4]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    /// <summary>The number of elements.</summary>
    public long Count => Type is { } type ? Bytes / type.Size() : 0;

    /// <summary>Multiplies a shape by an element size; <c>null</c> when the product exceeds 63 bits or a dimension is negative.</summary>
    internal static long? ByteCount(long[] shape, int elementSize)
    {
        Int128 bytes = elementSize;
        var empty = false;
        foreach (var size in shape)
        {
            if (size < 0)
                return null;
            empty |= size == 0;
            if (size > 0)
                bytes *= size;
            if (bytes > long.MaxValue)
                return null;
        }
        return empty ? 0 : (long)bytes;
    }
}

/// <summary>A file of named arrays: safetensors, <c>.npy</c> or <c>.npz</c>. Opening reads and checks the headers; data is read when asked for.</summary>
public abstract class ArrayFile
{
    private protected ArrayFile(string path, IReadOnlyList<ArrayInfo> arrays) => (Path, Arrays) = (path, arrays);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its arrays, in the order of the file's own table. Names are unique.</summary>
    public IReadOnlyList<ArrayInfo> Arrays { get; }

    /// <summary>The array called <paramref name="name"/>, or <c>null</c>.</summary>
    public ArrayInfo? Find(string name) => Arrays.FirstOrDefault(array => string.Equals(array.Name, name, StringComparison.Ordinal));

    /// <summary>Opens an array's bytes for reading.</summary>
    /// <param name="array">One of <see cref="Arrays"/>.</param>
    /// <param name="anyOrder">Whether reads may go backwards; deflated members are then unpacked to a temporary file first.</param>
    internal abstract ArrayData OpenData(ArrayInfo array, bool anyOrder);

    /// <summary>How messages name an array of this file.</summary>
    internal string Where(ArrayInfo array) => Where(array.Name);

    /// <summary>How messages name an array of this file.</summary>
    internal string Where(string name) => $"{Path}, tensor {InputException.Quote(name)}";

    /// <summary>The array as 64-bit integers.</summary>
    /// <exception cref="InputException">The array does not hold integers or booleans, or a value exceeds 63 bits.</exception>
    public long[] ReadIntegers(ArrayInfo array)
    {
        var type = ReadableType(array);
        if (type.IsFloat())
            throw new InputException(Where(array), "does not hold integers", type.Name(), "an integer or BOOL type");
        var values = new long[array.Count];
        ReadInChunks(
            array,
            type,
            (raw, first) =>
            {
                if (!ElementConversion.ToInt64(raw, type, values.AsSpan(first, raw.Length / type.Size())))
                    throw new InputException(
                        Where(array),
                        "holds an integer of more than 63 bits",
                        expected: "at most 9223372036854775807"
                    );
            }
        );
        return values;
    }

    /// <summary>The array in double precision, whatever its type.</summary>
    public double[] ReadDoubles(ArrayInfo array)
    {
        var type = ReadableType(array);
        var values = new double[array.Count];
        ReadInChunks(array, type, (raw, first) => ElementConversion.ToDouble(raw, type, values.AsSpan(first, raw.Length / type.Size())));
        return values;
    }

    /// <summary>The array in single precision, row-major, whatever its floating-point type.</summary>
    public float[] ReadSingles(ArrayInfo array)
    {
        var type = ReadableType(array);
        if (!type.IsFloat())
            throw new InputException(Where(array), "does not hold floating-point numbers", type.Name(), "F32, F16, BF16 or F64");
        var values = new float[array.Count];
        ReadInChunks(array, type, (raw, first) => ElementConversion.ToSingle(raw, type, values.AsSpan(first, raw.Length / type.Size())));
        return values;
    }

    /// <summary>The element type, or the reason why there is none as an error.</summary>
    internal DType ReadableType(ArrayInfo array) =>
        array.Type
        ?? throw new InputException(
            Where(array),
            "cannot be read",
            array.Refusal,
            "booleans, integers or floating-point numbers",
            "save it as a plain numeric array"
        );

    private delegate void Chunk(ReadOnlySpan<byte> raw, int firstElement);

    private void ReadInChunks(ArrayInfo array, DType type, Chunk use)
    {
        if (array.Count > Array.MaxLength)
            throw new InputException(Where(array), "has too many elements", $"{array.Count}", $"at most {Array.MaxLength}");
        if (array is { ColumnMajor: true, Shape.Length: > 1 } && array.Shape.Count(size => size > 1) > 1)
            throw new InputException(
                Where(array),
                "is stored column by column",
                "fortran_order True",
                "row by row",
                "save a C-ordered copy"
            );
        var size = type.Size();
        var buffer = new byte[Math.Min(array.Bytes, 1 << 16)];
        using var data = OpenData(array, anyOrder: false);
        for (long offset = 0; offset < array.Bytes; offset += buffer.Length)
        {
            var raw = buffer.AsSpan(0, (int)Math.Min(buffer.Length, array.Bytes - offset));
            data.Read(offset, raw);
            if (array.BigEndian)
                ElementConversion.ReverseBytes(raw, size);
            use(raw, (int)(offset / size));
        }
    }
}

/// <summary>The bytes of one array.</summary>
internal abstract class ArrayData : IDisposable
{
    /// <summary>Whether offsets may go back as well as forward.</summary>
    public virtual bool AnyOrder => false;

    /// <summary>Fills <paramref name="destination"/> from <paramref name="offset"/>, counted from the first byte of the data.</summary>
    /// <exception cref="InputException">The file has fewer bytes, or bytes that cannot be unpacked.</exception>
    public abstract void Read(long offset, Span<byte> destination);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Bytes that lie in the file as they are.</summary>
internal sealed class PlainArrayData(string path, long start) : ArrayData
{
    private readonly Microsoft.Win32.SafeHandles.SafeFileHandle _handle = InputFile.Open(path);

    public override bool AnyOrder => true;

    public override void Read(long offset, Span<byte> destination) => InputFile.Read(_handle, path, start + offset, destination);

    public override void Dispose() => _handle.Dispose();
}

/// <summary>From the bytes of an array to numbers.</summary>
internal static class ElementConversion
{
    /// <summary>To single precision. Doubles beyond its range become infinite, which every reader reports as not finite.</summary>
    public static void ToSingle(ReadOnlySpan<byte> raw, DType type, Span<float> destination)
    {
        Check(raw, type, destination.Length);
        switch (type)
        {
            case DType.F32:
                MemoryMarshal.Cast<byte, float>(raw).CopyTo(destination);
                break;
            case DType.F16:
                System.Numerics.Tensors.TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(raw), destination);
                break;
            case DType.BF16:
                var upper = MemoryMarshal.Cast<byte, ushort>(raw);
                for (var i = 0; i < destination.Length; i++)
                    destination[i] = BitConverter.UInt32BitsToSingle((uint)upper[i] << 16);
                break;
            case DType.F64:
                var doubles = MemoryMarshal.Cast<byte, double>(raw);
                for (var i = 0; i < destination.Length; i++)
                    destination[i] = (float)doubles[i];
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "not a floating-point type");
        }
    }

    /// <summary>To double precision, from any type. 64-bit integers beyond 53 bits are rounded.</summary>
    public static void ToDouble(ReadOnlySpan<byte> raw, DType type, Span<double> destination)
    {
        Check(raw, type, destination.Length);
        switch (type)
        {
            case DType.F64:
                MemoryMarshal.Cast<byte, double>(raw).CopyTo(destination);
                break;
            case DType.U64:
                var words = MemoryMarshal.Cast<byte, ulong>(raw);
                for (var i = 0; i < destination.Length; i++)
                    destination[i] = words[i];
                break;
            case DType.F32 or DType.F16 or DType.BF16:
                Span<float> singles = stackalloc float[256];
                for (var i = 0; i < destination.Length; i += singles.Length)
                {
                    var part = singles[..Math.Min(singles.Length, destination.Length - i)];
                    ToSingle(raw.Slice(i * type.Size(), part.Length * type.Size()), type, part);
                    for (var k = 0; k < part.Length; k++)
                        destination[i + k] = part[k];
                }
                break;
            default:
                Span<long> integers = stackalloc long[256];
                for (var i = 0; i < destination.Length; i += integers.Length)
                {
                    var part = integers[..Math.Min(integers.Length, destination.Length - i)];
                    ToInt64(raw.Slice(i * type.Size(), part.Length * type.Size()), type, part);
                    for (var k = 0; k < part.Length; k++)
                        destination[i + k] = part[k];
                }
                break;
        }
    }

    /// <summary>To 64-bit integers, from booleans and integers. Any byte of a boolean that is not 0 is 1.</summary>
    /// <returns>Whether every value fits.</returns>
    public static bool ToInt64(ReadOnlySpan<byte> raw, DType type, Span<long> destination)
    {
        Check(raw, type, destination.Length);
        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = type switch
            {
                DType.Bool => raw[i] == 0 ? 0 : 1,
                DType.U8 => raw[i],
                DType.I8 => (sbyte)raw[i],
                DType.I16 => BinaryPrimitives.ReadInt16LittleEndian(raw[(2 * i)..]),
                DType.U16 => BinaryPrimitives.ReadUInt16LittleEndian(raw[(2 * i)..]),
                DType.I32 => BinaryPrimitives.ReadInt32LittleEndian(raw[(4 * i)..]),
                DType.U32 => BinaryPrimitives.ReadUInt32LittleEndian(raw[(4 * i)..]),
                DType.I64 or DType.U64 => BinaryPrimitives.ReadInt64LittleEndian(raw[(8 * i)..]),
                _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an integer type"),
            };
            if (type == DType.U64 && destination[i] < 0)
                return false;
        }
        return true;
    }

    /// <summary>Turns each element around in place.</summary>
    public static void ReverseBytes(Span<byte> raw, int elementSize)
    {
        switch (elementSize)
        {
            case 1:
                break;
            case 2:
                var shorts = MemoryMarshal.Cast<byte, ushort>(raw);
                BinaryPrimitives.ReverseEndianness(shorts, shorts);
                break;
            case 4:
                var ints = MemoryMarshal.Cast<byte, uint>(raw);
                BinaryPrimitives.ReverseEndianness(ints, ints);
                break;
            case 8:
                var longs = MemoryMarshal.Cast<byte, ulong>(raw);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(elementSize), elementSize, "1, 2, 4 or 8 bytes");
        }
    }

    private static void Check(ReadOnlySpan<byte> raw, DType type, int count)
    {
        if (raw.Length != count * type.Size())
            throw new ArgumentException($"{raw.Length} bytes are not {count} elements of {type.Name()}", nameof(raw));
    }
}
