using System.Runtime.InteropServices;

namespace Polyseme.Activations;

/// <summary>Activations that are one 2-D array of one file.</summary>
internal sealed class ArraySource : ActivationSource
{
    /// <summary>The widest layer accepted: a row and its conversion buffer stay small beside the file.</summary>
    public const int MostNeurons = 1 << 20;

    private readonly ArrayFile _file;
    private readonly ArrayInfo _array;

    private ArraySource(ArrayFile file, ArrayInfo array, RowIdentities rows)
        : base(file.Path, array.Shape[0], (int)array.Shape[1], array.Type!.Value, rows) => (_file, _array) = (file, array);

    /// <summary>Chooses the array and checks it, and reads the row identities beside it.</summary>
    /// <param name="file">The file.</param>
    /// <param name="tensor">The name the user asked for; <c>null</c> takes <c>activations</c>, else the only 2-D array.</param>
    public static ArraySource Open(ArrayFile file, string? tensor)
    {
        var array = Choose(file, tensor);
        var where = file.Where(array);
        if (array.Shape.Length != 2)
            throw new InputException(
                where,
                $"is {array.Shape.Length}-D",
                $"shape {array.ShapeText}",
                "[n_samples, n_neurons]",
                array.Shape.Length == 3 ? "reshape batch and position into one dimension" : null
            );
        if (array.Shape[0] == 0 || array.Shape[1] == 0)
            throw new InputException(where, "is empty", $"shape {array.ShapeText}", "at least one row and one column");
        var type = file.ReadableType(array);
        if (!type.IsFloat())
            throw new InputException(where, "does not hold floating-point numbers", type.Name(), "F32, F16, BF16 or F64");
        if (array.Shape[1] > MostNeurons)
            throw new InputException(
                where,
                "is too wide",
                $"{array.Shape[1]} columns",
                $"at most {MostNeurons}",
                "rows are samples, columns are neurons"
            );
        if (array.Shape[0] > Array.MaxLength)
            throw new InputException(where, "has too many rows", $"{array.Shape[0]}", $"at most {Array.MaxLength}");
        return new ArraySource(file, array, IdentityArrays.Read(file, array.Shape[0]));
    }

    internal override RowReader OpenRows() =>
        _array.ColumnMajor && _array.Shape.All(size => size > 1)
            ? new ColumnMajorReader(_array, _file.OpenData(_array, anyOrder: true))
            : new RowMajorReader(_array, _file.OpenData(_array, anyOrder: false));

    private static ArrayInfo Choose(ArrayFile file, string? tensor)
    {
        if (tensor is not null)
            return file.Find(tensor)
                ?? throw new InputException(
                    file.Path,
                    $"has no tensor {InputException.Quote(tensor)}",
                    Names(file.Arrays),
                    hint: "see --tensor"
                );
        if (file.Find("activations") is { } named)
            return named;
        var candidates = file.Arrays.Where(array => array.Shape.Length == 2).ToArray();
        return candidates.Length == 1
            ? candidates[0]
            : throw new InputException(
                file.Path,
                candidates.Length == 0 ? "has no 2-D tensor" : "has several 2-D tensors and none called 'activations'",
                Names(candidates.Length == 0 ? file.Arrays : candidates),
                "a 2-D tensor 'activations' [n_samples, n_neurons]",
                candidates.Length == 0 ? null : "choose one with --tensor NAME"
            );
    }

    private static string Names(IReadOnlyList<ArrayInfo> arrays) =>
        arrays.Count == 0
            ? "no tensors"
            : string.Join(", ", arrays.Take(8).Select(array => $"{InputException.Quote(array.Name)} {array.ShapeText}"))
                + (arrays.Count > 8 ? $" and {arrays.Count - 8} more" : "");

    private sealed class RowMajorReader(ArrayInfo array, ArrayData data) : RowReader
    {
        private readonly byte[] _raw = array is { Type: DType.F32 } ? [] : new byte[Math.Min(array.Bytes, 1 << 18)];

        public override bool AnyOrder => data.AnyOrder;

        public override void Read(long firstRow, Span<float> destination)
        {
            var type = array.Type!.Value;
            var size = type.Size();
            var offset = firstRow * array.Shape[1] * size;
            if (type == DType.F32)
            {
                // No conversion: straight into place, in parts that a span of bytes can hold.
                const int part = 1 << 28;
                for (var i = 0; i < destination.Length; i += part)
                {
                    var bytes = MemoryMarshal.AsBytes(destination.Slice(i, Math.Min(part, destination.Length - i)));
                    data.Read(offset + (4L * i), bytes);
                    if (array.BigEndian)
                        ElementConversion.ReverseBytes(bytes, size);
                }
                return;
            }
            var perPart = _raw.Length / size;
            for (var i = 0; i < destination.Length; i += perPart)
            {
                var values = destination.Slice(i, Math.Min(perPart, destination.Length - i));
                var bytes = _raw.AsSpan(0, values.Length * size);
                data.Read(offset + ((long)i * size), bytes);
                if (array.BigEndian)
                    ElementConversion.ReverseBytes(bytes, size);
                ElementConversion.ToSingle(bytes, type, values);
            }
        }

        public override void Dispose() => data.Dispose();
    }

    /// <summary>Columns one after the other (Fortran order): a block gathers its piece of every column.</summary>
    private sealed class ColumnMajorReader(ArrayInfo array, ArrayData data) : RowReader
    {
        private byte[] _raw = [];
        private float[] _column = [];

        public override bool AnyOrder => data.AnyOrder;

        public override bool CheapRows => false;

        public override void Read(long firstRow, Span<float> destination)
        {
            var type = array.Type!.Value;
            var size = type.Size();
            var columns = (int)array.Shape[1];
            var rows = destination.Length / columns;
            if (_column.Length < rows)
                (_raw, _column) = (new byte[rows * size], new float[rows]);
            var bytes = _raw.AsSpan(0, rows * size);
            var column = _column.AsSpan(0, rows);
            for (var j = 0; j < columns; j++)
            {
                data.Read(((j * array.Shape[0]) + firstRow) * size, bytes);
                if (array.BigEndian)
                    ElementConversion.ReverseBytes(bytes, size);
                ElementConversion.ToSingle(bytes, type, column);
                for (var i = 0; i < rows; i++)
                    destination[(i * columns) + j] = column[i];
            }
        }

        public override void Dispose() => data.Dispose();
    }
}

/// <summary>The row identities that lie as 1-D tensors beside the activations or the concepts.</summary>
internal static class IdentityArrays
{
    /// <summary>Whether a name is one of the contract's identities rather than a concept.</summary>
    public static bool IsIdentity(string name) => name is "item" or "document" or "sentence" or "position" or "token_id";

    /// <summary>Reads those that are there.</summary>
    /// <exception cref="InputException">One has another length than <paramref name="rows"/>, another rank than 1, or is not of integers.</exception>
    public static RowIdentities Read(ArrayFile file, long rows)
    {
        long[]? Of(string name)
        {
            if (file.Find(name) is not { } array)
                return null;
            if (array.Shape.Length != 1 || array.Shape[0] != rows)
                throw new InputException(file.Where(array), "does not fit the rows", $"shape {array.ShapeText}", $"[{rows}]");
            return file.ReadIntegers(array);
        }
        return new RowIdentities
        {
            Item = Of("item"),
            Document = Of("document") ?? Of("sentence"),
            Position = Of("position"),
            TokenId = Of("token_id"),
        };
    }
}
