using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Polyseme.Activations;

/// <summary>
/// The activations that SAELens caches: a directory of a Hugging Face data set with <c>state.json</c> and Arrow streams. Each entry is the
/// activations of one context, <c>[context, d]</c>; here they are rows, one a token, with the context as their document.
/// </summary>
internal sealed class ArrowCache : ActivationSource
{
    private const string StateName = "state.json";
    private const string TokenColumn = "token_ids";
    private const int LongestState = 1 << 24;

    private readonly IReadOnlyList<Piece> _pieces;

    private ArrowCache(
        string path,
        IReadOnlyList<Piece> pieces,
        int width,
        DType type,
        RowIdentities rows,
        IReadOnlyList<(string Name, string? Sha256)> files
    )
        : base(path, pieces[^1].FirstRow + pieces[^1].Rows, width, type, rows) => (_pieces, Files) = (pieces, files);

    /// <summary>The rows of one record batch: consecutive in a file.</summary>
    private sealed record Piece(string File, long FirstRow, long Rows, long Offset);

    internal override IReadOnlyList<(string Name, string? Sha256)> Files { get; }

    /// <summary>Reads the headers, checks that every context has the same length and width, and reads the token ids.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="column">The column of activations, named after its hook; <c>null</c> takes the only one there is.</param>
    public static ArrowCache Open(string path, string? column)
    {
        var names = DataFiles(path);
        var pieces = new List<Piece>();
        var tokens = new List<long[]>();
        (string Name, int Context, int Width, DType Type)? layout = null;
        long rows = 0;
        var hasTokens = true;
        foreach (var name in names)
        {
            var file = System.IO.Path.Combine(path, name);
            var stream = ArrowStream.Open(file);
            using var handle = InputFile.Open(file);
            foreach (var batch in stream.Batches)
            {
                var activations = Choose(file, batch, column);
                if (activations.Length == 0)
                    continue;
                var shape = new ContextShape(file, handle, activations);
                layout ??= (activations.Field.Name, shape.Context, shape.Width, shape.Type);
                if (layout != (activations.Field.Name, shape.Context, shape.Width, shape.Type))
                    throw new InputException(
                        file,
                        "does not fit the first batch",
                        $"{InputException.Quote(activations.Field.Name)} of {shape.Type.Name()} [{shape.Context}, {shape.Width}]",
                        $"{InputException.Quote(layout.Value.Name)} of {layout.Value.Type.Name()} [{layout.Value.Context}, {layout.Value.Width}]"
                    );
                var count = activations.Length * shape.Context;
                pieces.Add(new Piece(file, rows, count, shape.Offset));
                rows += count;
                if (rows > Array.MaxLength)
                    throw new InputException(path, "has too many rows", $"more than {Array.MaxLength}", $"at most {Array.MaxLength}");
                hasTokens = hasTokens && batch.Any(other => other.Field.Name == TokenColumn);
                if (hasTokens)
                    tokens.Add(
                        Tokens(file, handle, batch.First(other => other.Field.Name == TokenColumn), activations.Length, shape.Context)
                    );
            }
        }
        if (layout is not { } found)
            throw new InputException(path, "holds no activations", "no rows", "at least one context");
        return new ArrowCache(
            path,
            pieces,
            found.Width,
            found.Type,
            Identities(rows, found.Context, hasTokens ? tokens : null),
            [.. names.Select(name => (name, (string?)null)), (StateName, null)]
        );
    }

    internal override RowReader OpenRows() => new Reader(this);

    /// <summary>The files that state.json lists, in its order.</summary>
    private static List<string> DataFiles(string path)
    {
        var state = System.IO.Path.Combine(path, StateName);
        try
        {
            using var json = JsonDocument.Parse(
                InputFile.ReadAll(state, LongestState),
                new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false }
            );
            var names = new List<string>();
            foreach (var file in json.RootElement.GetProperty("_data_files").EnumerateArray())
            {
                var name = file.GetProperty("filename").GetString() ?? "";
                if (name.Length == 0 || name[0] == '.' || name.Any(c => c is '/' or '\\' or ':' || char.IsControl(c)))
                    throw new InputException(
                        state,
                        "names a file outside of its directory",
                        InputException.Quote(name),
                        "a plain file name"
                    );
                if (names.Contains(name, StringComparer.Ordinal))
                    throw new InputException(state, "names a file twice", InputException.Quote(name));
                names.Add(name);
            }
            return names.Count > 0 ? names : throw new InputException(state, "names no files", "[]", "at least one");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InputException(state, "is not the state of a data set", e.Message, "an object with '_data_files'", inner: e);
        }
    }

    private static ArrowColumn Choose(string file, IReadOnlyList<ArrowColumn> batch, string? name)
    {
        if (name is not null)
            return batch.FirstOrDefault(column => column.Field.Name == name)
                ?? throw new InputException(file, $"has no column {InputException.Quote(name)}", Names(batch), hint: "see --tensor");
        var candidates = batch.Where(column => ContextShape.Fits(column.Field)).ToArray();
        return candidates.Length == 1
            ? candidates[0]
            : throw new InputException(
                file,
                candidates.Length == 0 ? "has no column of activations" : "has several columns of activations",
                Names(batch),
                "one column of lists of lists of floating-point numbers",
                candidates.Length == 0 ? null : "choose one with --tensor NAME"
            );
    }

    private static string Names(IReadOnlyList<ArrowColumn> batch) =>
        batch.Count == 0 ? "no columns" : string.Join(", ", batch.Take(8).Select(column => InputException.Quote(column.Field.Name)));

    private static long[] Tokens(string file, SafeFileHandle handle, ArrowColumn column, long contexts, int context)
    {
        var where = $"{file}, column {InputException.Quote(column.Field.Name)}";
        if (!ListLayout.IsList(column.Field) || column.Field.Children is not [{ Kind: ArrowKind.Number, Type: { } type }] || type.IsFloat())
            throw new InputException(where, "does not hold lists of whole numbers");
        if (column.Length != contexts)
            throw new InputException(where, "does not fit the activations", $"{column.Length} contexts", $"{contexts}");
        var (length, first) = ListLayout.Read(where, handle, column, column.Length);
        if (length != context)
            throw new InputException(where, "does not fit the activations", $"{length} tokens a context", $"{context}");
        var values = new long[checked((int)(contexts * context))];
        var raw = new byte[ListLayout.Chunk];
        var offset = ListLayout.Values(where, column.Children[0], type, first, values.Length);
        for (var done = 0; done < values.Length; )
        {
            var part = Math.Min(values.Length - done, raw.Length / type.Size());
            InputFile.Read(handle, file, offset + ((long)done * type.Size()), raw.AsSpan(0, part * type.Size()));
            if (!ElementConversion.ToInt64(raw.AsSpan(0, part * type.Size()), type, values.AsSpan(done, part)))
                throw new InputException(where, "holds an integer of more than 63 bits");
            done += part;
        }
        return values;
    }

    private static RowIdentities Identities(long rows, int context, List<long[]>? tokens)
    {
        var document = new long[rows];
        var position = new long[rows];
        for (long i = 0; i < rows; i++)
            (document[i], position[i]) = (i / context, i % context);
        return new RowIdentities
        {
            Document = document,
            Position = position,
            TokenId = tokens is null ? null : [.. tokens.SelectMany(part => part)],
        };
    }

    /// <summary>The activations of a batch as rows: where the first value lies, and that there are no gaps.</summary>
    private sealed class ContextShape
    {
        public ContextShape(string file, SafeFileHandle handle, ArrowColumn column)
        {
            var where = $"{file}, column {InputException.Quote(column.Field.Name)}";
            if (!Fits(column.Field))
                throw new InputException(where, "does not hold activations", expected: "lists of lists of floating-point numbers");
            var inner = column.Children[0];
            Type = inner.Field.Children[0].Type!.Value;
            (var context, var first) = ListLayout.Read(where, handle, column, column.Length);
            if (context is < 1 or > int.MaxValue || column.Length > Array.MaxLength / context)
                throw new InputException(
                    where,
                    "has contexts of a length that is not read",
                    $"{context}",
                    $"1 to {Array.MaxLength} rows in all"
                );
            var rows = column.Length * context;
            if (first != 0 || inner.Length != rows)
                throw new InputException(where, "has rows that belong to no context", $"{inner.Length} rows", $"{rows}");
            (var width, first) = ListLayout.Read(where, handle, inner, rows);
            if (width is < 1 or > ArraySource.MostNeurons)
                throw new InputException(where, "has rows of a width that is not read", $"{width}", $"1 to {ArraySource.MostNeurons}");
            CheckExtension(where, column.Field.Extension, context, width);
            (Context, Width) = ((int)context, (int)width);
            Offset = ListLayout.Values(where, inner.Children[0], Type, first, rows * width);
        }

        public int Context { get; }

        public int Width { get; }

        public DType Type { get; }

        public long Offset { get; }

        public static bool Fits(ArrowField field) =>
            ListLayout.IsList(field)
            && field.Children is [var inner]
            && ListLayout.IsList(inner)
            && inner.Children is [{ Kind: ArrowKind.Number, Type: { } type }]
            && type.IsFloat();

        /// <summary>The extension's own word on the shape: <c>[[128, 512], "float32"]</c>.</summary>
        private static void CheckExtension(string where, string? metadata, long context, long width)
        {
            if (string.IsNullOrEmpty(metadata))
                return;
            try
            {
                using var json = JsonDocument.Parse(metadata);
                var shape = json.RootElement[0].EnumerateArray().Select(size => size.GetInt64()).ToArray();
                if (shape is not [var declaredContext, var declaredWidth] || (declaredContext, declaredWidth) != (context, width))
                    throw new InputException(
                        where,
                        "is not of the shape that it declares",
                        $"[{context}, {width}]",
                        $"[{string.Join(", ", shape)}]"
                    );
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or IndexOutOfRangeException)
            {
                throw new InputException(
                    where,
                    "has a shape that cannot be understood",
                    InputException.Quote(metadata),
                    "[[context, d], type]",
                    inner: e
                );
            }
        }
    }

    private sealed class Reader(ArrowCache source) : RowReader
    {
        private readonly byte[] _raw = source.DType == DType.F32 ? [] : new byte[ListLayout.Chunk];
        private int _piece;
        private string? _file;
        private SafeFileHandle? _handle;

        public override bool AnyOrder => true;

        public override void Read(long firstRow, Span<float> destination)
        {
            while (source._pieces[_piece].FirstRow > firstRow)
                _piece--;
            while (destination.Length > 0)
            {
                while (source._pieces[_piece].FirstRow + source._pieces[_piece].Rows <= firstRow)
                    _piece++;
                var piece = source._pieces[_piece];
                if (_file != piece.File)
                {
                    _handle?.Dispose();
                    (_file, _handle) = (piece.File, InputFile.Open(piece.File));
                }
                var rows = (int)Math.Min(destination.Length / source.NNeurons, piece.FirstRow + piece.Rows - firstRow);
                var offset = piece.Offset + ((firstRow - piece.FirstRow) * source.NNeurons * source.DType.Size());
                Fill(offset, destination[..(rows * source.NNeurons)]);
                destination = destination[(rows * source.NNeurons)..];
                firstRow += rows;
            }
        }

        public override void Dispose() => _handle?.Dispose();

        private void Fill(long offset, Span<float> values)
        {
            var size = source.DType.Size();
            // Single precision goes straight into place, in parts that a span of bytes can hold.
            var part = size == 4 ? 1 << 28 : _raw.Length / size;
            for (var i = 0; i < values.Length; i += part)
            {
                var some = values.Slice(i, Math.Min(part, values.Length - i));
                var bytes = source.DType == DType.F32 ? MemoryMarshal.AsBytes(some) : _raw.AsSpan(0, some.Length * size);
                InputFile.Read(_handle!, _file!, offset + ((long)i * size), bytes);
                if (source.DType != DType.F32)
                    ElementConversion.ToSingle(bytes, source.DType, some);
            }
        }
    }
}

/// <summary>Lists that all have one length, whichever way Arrow keeps them.</summary>
internal static class ListLayout
{
    /// <summary>Bytes read at a time.</summary>
    public const int Chunk = 1 << 16;

    public static bool IsList(ArrowField field) => field.Kind is ArrowKind.List or ArrowKind.LargeList or ArrowKind.FixedSizeList;

    /// <summary>Holds the offsets against one another.</summary>
    /// <returns>The length that every list has, and the entry of the child that the first one starts at.</returns>
    public static (long Length, long First) Read(string where, SafeFileHandle handle, ArrowColumn column, long lists)
    {
        if (column.Missing != 0 || column.Length < lists)
            throw new InputException(where, "has missing entries", $"{column.Missing} of {column.Length}", "none");
        if (column.Field.Kind == ArrowKind.FixedSizeList)
            return column.Children[0].Length >= lists * column.Field.ListSize && column.Field.ListSize > 0
                ? (column.Field.ListSize, 0)
                : throw new InputException(where, "has fewer entries than its lists", $"{column.Children[0].Length}");
        var size = column.Field.Kind == ArrowKind.List ? 4 : 8;
        var (offset, bytes) = column.Buffers[1];
        if (lists >= bytes / size)
            throw new InputException(where, "has fewer offsets than lists", $"{bytes / size}", $"{lists + 1}");
        var raw = new byte[Math.Min(Chunk, (lists + 1) * size)];
        long first = 0,
            length = 0,
            last = 0;
        for (long i = 0; i <= lists; )
        {
            var count = (int)Math.Min(raw.Length / size, lists + 1 - i);
            InputFile.Read(handle, where, offset + (i * size), raw.AsSpan(0, count * size));
            for (var k = 0; k < count; k++, i++)
            {
                var at =
                    size == 4
                        ? BinaryPrimitives.ReadInt32LittleEndian(raw.AsSpan(4 * k))
                        : BinaryPrimitives.ReadInt64LittleEndian(raw.AsSpan(8 * k));
                if (i == 0)
                    first = at;
                else if (i == 1)
                    length = at - first;
                if (at < 0 || (i > 0 && at - last != length))
                    throw new InputException(where, "has lists of different lengths", $"{at - last} at list {i - 1}", $"{length}");
                last = at;
            }
        }
        return last <= column.Children[0].Length
            ? (length, first)
            : throw new InputException(where, "has offsets beyond its entries", $"{last}", $"at most {column.Children[0].Length}");
    }

    /// <summary>Where in the file the values from an entry on lie.</summary>
    public static long Values(string where, ArrowColumn numbers, DType type, long first, long count)
    {
        if (numbers.Missing != 0)
            throw new InputException(where, "has missing numbers", $"{numbers.Missing} of {numbers.Length}", "none");
        var (offset, bytes) = numbers.Buffers[1];
        return (Int128)(first + count) * type.Size() <= bytes
            ? offset + (first * type.Size())
            : throw new InputException(where, "has fewer numbers than its rows", $"{bytes / type.Size()}", $"{first + count}");
    }
}
