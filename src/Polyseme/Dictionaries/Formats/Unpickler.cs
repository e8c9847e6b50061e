using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Polyseme.Activations;

namespace Polyseme.Dictionaries.Formats;

/// <summary>A Python dictionary. Entries whose key is not a text are dropped.</summary>
internal sealed class PickleDictionary
{
    private Dictionary<string, object?>? _values;

    /// <summary>The entries; a later one replaces an earlier one of the same key, as in Python.</summary>
    public IReadOnlyDictionary<string, object?> Values => _values ?? s_none;

    private static readonly Dictionary<string, object?> s_none = [];

    public void Set(object? key, object? value)
    {
        if (key is string name)
            (_values ??= new Dictionary<string, object?>(StringComparer.Ordinal))[name] = value;
    }
}

/// <summary>A storage that a pickle refers to: its element type, the member of the archive that holds it, and how many elements it claims.</summary>
internal sealed record PickleStorage(DType Type, string Key, long Count);

/// <summary>A tensor: a view of a storage. Sizes, strides and the offset count elements.</summary>
internal sealed record PickleTensor(PickleStorage Storage, long Offset, long[] Sizes, long[] Strides);

/// <summary>
/// Reads the pickles that torch.save writes, and nothing that runs code: the only globals it knows are torch's storages, its function that
/// rebuilds a tensor, and OrderedDict. Any other is an error that names it, called or not.
/// </summary>
/// <remarks>
/// Python's Lib/pickletools.py documents the opcodes. Values become <c>null</c>, bool, long, BigInteger, double, string, byte[],
/// List&lt;object?&gt;, object?[] (tuples), <see cref="PickleDictionary"/>, <see cref="PickleStorage"/> and <see cref="PickleTensor"/>. Nothing is
/// allocated that the pickle has no bytes for.
/// </remarks>
internal sealed class Unpickler
{
    /// <summary>The longest pickle read. It holds names and shapes; the numbers lie outside.</summary>
    public const int Longest = 1 << 20;

    private const int MostDimensions = 16;

    private static readonly object s_mark = new();

    private readonly string _where;
    private readonly byte[] _bytes;
    private readonly List<object?> _stack = [];
    private readonly Dictionary<long, object?> _memo = [];
    private int _at;

    private Unpickler(string where, byte[] bytes) => (_where, _bytes) = (where, bytes);

    /// <summary>The object in a pickle.</summary>
    /// <param name="where">The file and member, for messages.</param>
    /// <param name="bytes">The pickle, at most <see cref="Longest"/> bytes.</param>
    /// <exception cref="InputException">It is damaged, or asks for anything but tensors in plain containers.</exception>
    public static object? Read(string where, byte[] bytes) => new Unpickler(where, bytes).Run();

    /// <summary>The globals that are known.</summary>
    private enum Known
    {
        RebuildTensor,
        OrderedDict,
    }

    private object? Run()
    {
        while (true)
        {
            var start = _at;
            var opcode = Take(1)[0];
            switch ((char)opcode)
            {
                case '.': // STOP
                    return _stack.Count == 1 ? _stack[0] : throw Bad("ends with other than one object", start, $"{_stack.Count} objects");
                case '\x80': // PROTO
                    var protocol = Take(1)[0];
                    if (protocol is < 2 or > 5)
                        throw Bad("has an unknown protocol", start, $"{protocol}", "2 to 5");
                    break;
                case '\x95': // FRAME: the length of what follows, which is bounded by the bytes there are
                    Take(8);
                    break;
                case '(': // MARK
                    _stack.Add(s_mark);
                    break;
                case 'N': // NONE
                    _stack.Add(null);
                    break;
                case '\x88': // NEWTRUE
                    _stack.Add(true);
                    break;
                case '\x89': // NEWFALSE
                    _stack.Add(false);
                    break;
                case 'K': // BININT1
                    _stack.Add((long)Take(1)[0]);
                    break;
                case 'M': // BININT2
                    _stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                    break;
                case 'J': // BININT
                    _stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                    break;
                case '\x8a': // LONG1
                    var whole = new BigInteger(Take(Take(1)[0]));
                    _stack.Add(whole >= long.MinValue && whole <= long.MaxValue ? (long)whole : whole);
                    break;
                case 'G': // BINFLOAT
                    _stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                    break;
                case 'X': // BINUNICODE
                    PushText(start, BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));
                    break;
                case '\x8c': // SHORT_BINUNICODE
                    PushText(start, Take(1)[0]);
                    break;
                case '\x8d': // BINUNICODE8
                    PushText(start, BinaryPrimitives.ReadUInt64LittleEndian(Take(8)));
                    break;
                case 'U': // SHORT_BINSTRING
                case 'C': // SHORT_BINBYTES
                    _stack.Add(Take(Take(1)[0]).ToArray());
                    break;
                case '}': // EMPTY_DICT
                    _stack.Add(new PickleDictionary());
                    break;
                case ']': // EMPTY_LIST
                    _stack.Add(new List<object?>());
                    break;
                case ')': // EMPTY_TUPLE
                    _stack.Add(Array.Empty<object?>());
                    break;
                case 't': // TUPLE
                    _stack.Add(PopToMark(start));
                    break;
                case '\x85': // TUPLE1
                    PushTuple(start, 1);
                    break;
                case '\x86': // TUPLE2
                    PushTuple(start, 2);
                    break;
                case '\x87': // TUPLE3
                    PushTuple(start, 3);
                    break;
                case 's': // SETITEM
                    var value = Pop(start);
                    var key = Pop(start);
                    Top<PickleDictionary>(start, "a dictionary").Set(key, value);
                    break;
                case 'u': // SETITEMS
                    var pairs = PopToMark(start);
                    if (pairs.Length % 2 != 0)
                        throw Bad("sets a key without a value", start);
                    var dictionary = Top<PickleDictionary>(start, "a dictionary");
                    for (var i = 0; i < pairs.Length; i += 2)
                        dictionary.Set(pairs[i], pairs[i + 1]);
                    break;
                case 'a': // APPEND
                    var item = Pop(start);
                    Top<List<object?>>(start, "a list").Add(item);
                    break;
                case 'e': // APPENDS
                    var items = PopToMark(start);
                    Top<List<object?>>(start, "a list").AddRange(items);
                    break;
                case 'q': // BINPUT
                    _memo[Take(1)[0]] = Peek(start);
                    break;
                case 'r': // LONG_BINPUT
                    _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek(start);
                    break;
                case '\x94': // MEMOIZE
                    _memo[_memo.Count] = Peek(start);
                    break;
                case 'h': // BINGET
                    PushMemo(start, Take(1)[0]);
                    break;
                case 'j': // LONG_BINGET
                    PushMemo(start, BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));
                    break;
                case 'c': // GLOBAL
                    var module = Line(start);
                    _stack.Add(Global(start, module, Line(start)));
                    break;
                case '\x93': // STACK_GLOBAL
                    var name = Pop(start);
                    _stack.Add(Global(start, Pop(start) as string ?? "?", name as string ?? "?"));
                    break;
                case 'Q': // BINPERSID
                    _stack.Add(Storage(start, Pop(start)));
                    break;
                case 'R': // REDUCE
                    var arguments = Pop(start) as object?[] ?? throw Bad("calls something without a tuple of arguments", start);
                    _stack.Add(Call(start, Pop(start), arguments));
                    break;
                case 'b': // BUILD: attributes, such as the _metadata of a state dict
                    Pop(start);
                    Top<PickleDictionary>(start, "an OrderedDict, the only object that may have attributes");
                    break;
                default:
                    throw Bad("has an instruction that torch.save does not write", start, $"opcode 0x{opcode:x2}");
            }
        }
    }

    private object Global(int start, string module, string name)
    {
        if (module == "torch._utils" && name == "_rebuild_tensor_v2")
            return Known.RebuildTensor;
        if (module == "collections" && name == "OrderedDict")
            return Known.OrderedDict;
        if (module == "torch" && StorageType(name) is { } type)
            return type;
        throw new InputException(
            _where,
            "asks for a Python object that is not allowed",
            InputException.Quote($"{module}.{name}") + $" at byte {start}",
            "tensors, numbers and texts in dictionaries, lists and tuples only",
            "a pickle can run any program when Python loads it; this one is not loaded"
        );
    }

    private static DType? StorageType(string name) =>
        name switch
        {
            "FloatStorage" => DType.F32,
            "DoubleStorage" => DType.F64,
            "HalfStorage" => DType.F16,
            "BFloat16Storage" => DType.BF16,
            "LongStorage" => DType.I64,
            "IntStorage" => DType.I32,
            "ShortStorage" => DType.I16,
            "CharStorage" => DType.I8,
            "ByteStorage" => DType.U8,
            "BoolStorage" => DType.Bool,
            _ => null,
        };

    /// <summary>('storage', type, key, device, elements): the bytes of a tensor, kept in a member of their own.</summary>
    private PickleStorage Storage(int start, object? id) =>
        id is object?[] { Length: 5 } parts && parts is ["storage", DType type, string key, string, long and >= 0 and var count]
            ? new PickleStorage(type, key, count)
            : throw Bad("refers to something that is not a storage", start);

    private object Call(int start, object? callee, object?[] arguments)
    {
        switch (callee)
        {
            case Known.OrderedDict when arguments.Length == 0:
                return new PickleDictionary();
            // storage, offset, sizes, strides, requires_grad, hooks, and in newer versions metadata
            case Known.RebuildTensor
                when arguments.Length is 6 or 7
                    && arguments[0] is PickleStorage storage
                    && arguments[1] is long offset
                    && arguments[2] is object?[] sizes
                    && arguments[3] is object?[] strides:
                if (sizes.Length != strides.Length || sizes.Length > MostDimensions || offset < 0)
                    throw Bad("has a tensor whose sizes and strides do not fit", start);
                return new PickleTensor(storage, offset, Whole(start, sizes), Whole(start, strides));
            default:
                throw Bad("calls something with arguments that torch.save does not write", start);
        }
    }

    private long[] Whole(int start, object?[] values) =>
        [.. values.Select(value => value is long and >= 0 and var size ? size : throw Bad("has a tensor with a size that is none", start))];

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _at)
            throw Bad("ends early", _at, $"{_bytes.Length - _at} more bytes", $"{count}");
        _at += count;
        return _bytes.AsSpan(_at - count, count);
    }

    private void PushText(int start, ulong length)
    {
        if (length > (ulong)(_bytes.Length - _at))
            throw Bad("ends within a text", start, $"{_bytes.Length - _at} more bytes", $"{length}");
        _stack.Add(Encoding.UTF8.GetString(Take((int)length)));
    }

    private string Line(int start)
    {
        var length = _bytes.AsSpan(_at).IndexOf((byte)'\n');
        if (length is < 0 or > 256)
            throw Bad("has a name without an end", start);
        var line = Encoding.UTF8.GetString(Take(length));
        Take(1);
        return line;
    }

    private object? Peek(int start) =>
        _stack.Count > 0 && !ReferenceEquals(_stack[^1], s_mark) ? _stack[^1] : throw Bad("takes from an empty stack", start);

    private object? Pop(int start)
    {
        var value = Peek(start);
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private T Top<T>(int start, string expected)
        where T : class => Peek(start) as T ?? throw Bad("changes an object of another kind", start, expected: expected);

    private object?[] PopToMark(int start)
    {
        var mark = _stack.FindLastIndex(value => ReferenceEquals(value, s_mark));
        if (mark < 0)
            throw Bad("closes what it did not open", start);
        var values = _stack.GetRange(mark + 1, _stack.Count - mark - 1).ToArray();
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    private void PushTuple(int start, int count)
    {
        var values = new object?[count];
        for (var i = count - 1; i >= 0; i--)
            values[i] = Pop(start);
        _stack.Add(values);
    }

    private void PushMemo(int start, long index) =>
        _stack.Add(_memo.TryGetValue(index, out var value) ? value : throw Bad("recalls what it did not keep", start, $"entry {index}"));

    private InputException Bad(string problem, int at, string? found = null, string? expected = null) =>
        new(_where, $"is a pickle that {problem} at byte {at}", found, expected, "is it a file that torch.save wrote?");
}
