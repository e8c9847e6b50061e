using System.Globalization;
using System.Text;

namespace Polyseme.Activations;

/// <summary>
/// The header of a <c>.npy</c> array, formats 1 to 3: magic, version, length, and a Python dictionary literal with exactly the keys
/// <c>descr</c>, <c>fortran_order</c> and <c>shape</c>. It is parsed by the grammar below; nothing is evaluated.
/// </summary>
/// <remarks>numpy, <c>numpy.lib.format</c>, "Format Version 1.0" to "3.0".</remarks>
internal sealed class NpyHeader
{
    /// <summary>The longest header accepted. numpy writes about 120 bytes; only structured types, which are refused, need more.</summary>
    public const int LongestHeader = 1 << 16;

    private readonly string _where;
    private readonly string _text;
    private int _at;

    private NpyHeader(string where, string text) => (_where, _text) = (where, text);

    /// <summary>The first bytes of every <c>.npy</c> file.</summary>
    public static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Reads a header.</summary>
    /// <param name="where">The file or member, for messages.</param>
    /// <param name="name">The name that the array gets.</param>
    /// <param name="totalLength">Bytes of the file or member, header included.</param>
    /// <param name="read">Fills a span from a given offset; called with growing offsets.</param>
    public static ArrayInfo Read(string where, string name, long totalLength, ReadAt read)
    {
        Span<byte> prefix = stackalloc byte[12];
        var known = (int)Math.Min(prefix.Length, totalLength);
        if (known < 10)
            throw new InputException(where, "is too short for a .npy header", $"{totalLength} bytes", "at least 10 bytes");
        read(0, prefix[..10]);
        if (!prefix.StartsWith(Magic))
            throw new InputException(where, "does not start as a .npy array does", Convert.ToHexString(prefix[..6]), "934E554D5059");
        var (major, minor) = (prefix[6], prefix[7]);
        if (major is < 1 or > 3 || minor != 0)
            throw new InputException(where, "has an unknown .npy version", $"{major}.{minor}", "1.0, 2.0 or 3.0");
        var start = major == 1 ? 10 : 12;
        if (totalLength < start)
            throw new InputException(where, "is too short for a .npy header", $"{totalLength} bytes", $"at least {start} bytes");
        if (major > 1)
            read(10, prefix[10..12]);
        long length =
            major == 1
                ? System.Buffers.Binary.BinaryPrimitives.ReadUInt16LittleEndian(prefix[8..])
                : System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(prefix[8..]);
        var longest = Math.Min(LongestHeader, totalLength - start);
        if (length > longest)
            throw new InputException(where, "has a .npy header length that cannot be", $"{length} bytes", $"at most {longest} bytes");
        var bytes = new byte[length];
        read(start, bytes);
        // Versions 1 and 2 are Latin-1, version 3 is UTF-8; everything that the grammar accepts is ASCII in both.
        var info = new NpyHeader(where, Encoding.Latin1.GetString(bytes)).Parse(name);
        var dataLength = totalLength - start - length;
        if (info.Type is not null && info.Bytes != dataLength)
            throw new InputException(
                where,
                "has a size that does not fit its .npy header",
                $"{dataLength} bytes of data",
                $"{info.Bytes} bytes for {info.Type.Value.Name()} {info.ShapeText}",
                dataLength < info.Bytes ? "was it cut off while it was copied or written?" : null
            );
        return info with { DataOffset = start + length };
    }

    /// <summary>Fills a span from an offset.</summary>
    public delegate void ReadAt(long offset, Span<byte> destination);

    // header := '{' (key ':' value ',')* [key ':' value] '}' blanks
    private ArrayInfo Parse(string name)
    {
        string? descr = null;
        bool? columnMajor = null;
        long[]? shape = null;
        Expect('{');
        while (!Take('}'))
        {
            var key = ReadString();
            Expect(':');
            switch (key)
            {
                case "descr" when descr is null:
                    descr = Peek() == '[' ? ReadStructured() : ReadString();
                    break;
                case "fortran_order" when columnMajor is null:
                    columnMajor = ReadBoolean();
                    break;
                case "shape" when shape is null:
                    shape = ReadShape();
                    break;
                default:
                    throw Bad(InputException.Quote(key), "the keys descr, fortran_order and shape, once each");
            }
            if (!Take(',') && Peek() != '}')
                throw Bad(Found(), "',' or '}'");
        }
        SkipBlanks();
        if (_at < _text.Length)
            throw Bad(Found(), "the end of the header");
        if (descr is null || columnMajor is null || shape is null)
            throw Bad("a key missing", "descr, fortran_order and shape");

        var (type, bigEndian) = ReadType(descr);
        var bytes = type is { } known ? ArrayInfo.ByteCount(shape, known.Size()) : 0;
        return new ArrayInfo
        {
            Name = name,
            Type = type,
            Shape = shape,
            Bytes = bytes ?? throw Bad($"shape [{string.Join(", ", shape)}]", "a shape of fewer than 2^63 bytes"),
            BigEndian = bigEndian,
            ColumnMajor = columnMajor.Value,
            Refusal =
                type is not null ? null
                : descr.EndsWith('O') || descr.Contains("O8", StringComparison.Ordinal)
                    ? $"Python objects (descr {InputException.Quote(descr)})"
                : $"descr {InputException.Quote(descr)}",
        };
    }

    private static (DType? Type, bool BigEndian) ReadType(string descr)
    {
        if (descr.Length != 3)
            return (null, false);
        DType? type = descr[1..] switch
        {
            "b1" => DType.Bool,
            "u1" => DType.U8,
            "i1" => DType.I8,
            "u2" => DType.U16,
            "i2" => DType.I16,
            "f2" => DType.F16,
            "u4" => DType.U32,
            "i4" => DType.I32,
            "f4" => DType.F32,
            "u8" => DType.U64,
            "i8" => DType.I64,
            "f8" => DType.F64,
            _ => null,
        };
        return descr[0] switch
        {
            '<' => (type, false),
            '>' => (type, true),
            '|' or '=' when type?.Size() == 1 => (type, false),
            _ => (null, false),
        };
    }

    private bool ReadBoolean()
    {
        SkipBlanks();
        foreach (var (word, value) in ((string, bool)[])[("True", true), ("False", false)])
        {
            if (!_text.AsSpan(_at).StartsWith(word, StringComparison.Ordinal))
                continue;
            _at += word.Length;
            return value;
        }
        throw Bad(Found(), "True or False");
    }

    private string ReadString()
    {
        SkipBlanks();
        var quote = Peek();
        if (quote is not ('\'' or '"'))
            throw Bad(Found(), "a quoted string");
        var end = _text.IndexOf(quote, _at + 1);
        if (end < 0)
            throw Bad("a string without end", "a closing quote");
        var text = _text[(_at + 1)..end];
        if (text.AsSpan().ContainsAny('\\', '\n'))
            throw Bad("an escape in a string", "plain characters");
        _at = end + 1;
        return text;
    }

    // shape := '(' ')' | '(' integer ',' ')' | '(' integer (',' integer)+ [','] ')'
    private long[] ReadShape()
    {
        Expect('(');
        var sizes = new List<long>();
        var trailingComma = true;
        while (!Take(')'))
        {
            if (!trailingComma)
                throw Bad(Found(), "',' or ')'");
            SkipBlanks();
            var start = _at;
            while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
                _at++;
            if (!long.TryParse(_text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var size))
                throw Bad(Found(), "a size from 0 to 2^63 - 1");
            // Python 2 wrote long integers as 3L.
            if (Peek() == 'L')
                _at++;
            sizes.Add(size);
            trailingComma = Take(',');
        }
        if (sizes.Count == 1 && !trailingComma)
            throw Bad("(n) as shape", "a tuple, (n,)");
        return [.. sizes];
    }

    /// <summary>A structured type: kept as text for the message that refuses it.</summary>
    private string ReadStructured()
    {
        var start = _at;
        var depth = 0;
        do
        {
            if (_at >= _text.Length)
                throw Bad("a list without end", "]");
            depth += _text[_at] switch
            {
                '[' => 1,
                ']' => -1,
                _ => 0,
            };
            _at++;
        } while (depth > 0);
        return _text[start.._at];
    }

    private void Expect(char c)
    {
        if (!Take(c))
            throw Bad(Found(), $"'{c}'");
    }

    private bool Take(char c)
    {
        if (Peek() != c)
            return false;
        _at++;
        return true;
    }

    /// <summary>The next character that is not blank, or NUL at the end.</summary>
    private char Peek()
    {
        SkipBlanks();
        return _at < _text.Length ? _text[_at] : '\0';
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\n' or '\t' or '\r')
            _at++;
    }

    private string Found() =>
        _at < _text.Length ? $"{InputException.Quote(_text[_at].ToString())} at character {_at}" : "the end of the header";

    private InputException Bad(string found, string expected) =>
        new(_where, "has a .npy header that does not follow the format", found, expected);
}

/// <summary>A <c>.npy</c> file: one array, which goes by the name <c>activations</c>.</summary>
public sealed class NpyFile : ArrayFile
{
    private NpyFile(string path, ArrayInfo array)
        : base(path, [array]) { }

    /// <summary>Reads and checks the header.</summary>
    /// <exception cref="InputException">The file cannot be read or is not a <c>.npy</c> file in every detail.</exception>
    public static NpyFile Open(string path)
    {
        using var handle = InputFile.Open(path);
        return new NpyFile(
            path,
            NpyHeader.Read(
                path,
                "activations",
                RandomAccess.GetLength(handle),
                (offset, destination) => InputFile.Read(handle, path, offset, destination)
            )
        );
    }

    internal override ArrayData OpenData(ArrayInfo array, bool anyOrder) => new PlainArrayData(Path, array.DataOffset);
}
