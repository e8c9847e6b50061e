using DuckDB.NET.Data;
using Microsoft.Win32.SafeHandles;

namespace Polyseme.Activations;

/// <summary>
/// Reads a CSV, TSV or Parquet table of concepts through an embedded DuckDB that may touch this one file and nothing else: no extension
/// is loaded, no URL opened, no setting changed again.
/// </summary>
internal sealed class ConceptQuery : IDisposable
{
    private const long BaseMemory = 256L << 20;
    private const long MostMemory = 4L << 30;

    private static readonly System.Buffers.SearchValues<char> GlobCharacters = System.Buffers.SearchValues.Create("*?[]{}");

    private readonly string _path;
    private readonly int _rows;
    private readonly DuckDBConnection _connection = new("DataSource=:memory:");

    private ConceptQuery(string path, int rows) => (_path, _rows) = (path, rows);

    private enum Storage
    {
        Booleans,
        Integers,
        Numbers,
        Text,
    }

    private sealed record Column(string Name, string Sql, Storage Storage)
    {
        public bool[]? Missing { get; set; }
        public long[] Integers { get; set; } = [];
        public double[] Numbers { get; set; } = [];
        public string[] Categories { get; set; } = [];
    }

    /// <summary>Reads the table.</summary>
    /// <param name="path">The file.</param>
    /// <param name="ending"><c>.csv</c>, <c>.tsv</c> or <c>.parquet</c>.</param>
    /// <param name="rows">Rows it must have.</param>
    public static (List<Concept> Concepts, RowIdentities Rows) Read(string path, string ending, int rows)
    {
        CheckContent(path, ending);
        using var copy = PlainlyNamed(path, ending);
        using var query = new ConceptQuery(path, rows);
        try
        {
            return query.Read(Path.GetFullPath(copy?.Path ?? path), ending);
        }
        catch (Exception e) when (e is DuckDBException or InvalidCastException or OverflowException or FormatException)
        {
            throw new InputException(
                path,
                $"cannot be read as a {ending} table",
                OneLine(e.Message),
                $"a {ending} table with a header",
                inner: e
            );
        }
    }

    public void Dispose() => _connection.Dispose();

    private (List<Concept> Concepts, RowIdentities Rows) Read(string file, string ending)
    {
        _connection.Open();
        LockDown(_connection, file);
        var literal = Literal(file);
        var csv =
            $"delim={(ending == ".tsv" ? "'\t'" : "','")}, quote='\"', escape='\"', comment='', skip=0, nullstr='', compression='none', strict_mode=true";
        var plain = "filename=false, hive_partitioning=false, union_by_name=false";
        var source =
            ending == ".parquet"
                ? $"read_parquet({literal}, {plain})"
                : $"read_csv({literal}, header=true, {csv}, {plain}, sample_size=-1, auto_type_candidates=['BOOLEAN', 'BIGINT', 'DOUBLE', 'VARCHAR'])";
        // DuckDB renames a column that comes twice, so the names are read as the file spells them.
        var names =
            ending == ".parquet"
                ? ParquetNames(literal)
                : HeaderNames($"read_csv({literal}, header=false, {csv}, {plain}, all_varchar=true)");
        Execute($"CREATE TEMP VIEW concepts AS SELECT * FROM {source}");
        var columns = Describe(names);
        foreach (var column in columns.Where(column => column.Storage == Storage.Text))
            FindCategories(column);
        ReadValues(columns);
        return Assemble(columns);
    }

    /// <summary>From here on the connection reads this file and nothing else, for good.</summary>
    internal static void LockDown(DuckDBConnection connection, string file)
    {
        var memory = Math.Min(MostMemory, BaseMemory + (16 * new FileInfo(file).Length));
        string[] settings =
        [
            "autoinstall_known_extensions=false",
            "autoload_known_extensions=false",
            "allow_community_extensions=false",
            "temp_directory=''",
            $"memory_limit='{memory >> 20}MiB'",
            "threads=2",
            "preserve_insertion_order=true",
            $"allowed_paths=[{Literal(file)}]",
            "enable_external_access=false",
            "lock_configuration=true",
        ];
        foreach (var setting in settings)
        {
            using var command = connection.CreateCommand();
            command.CommandText = $"SET {setting}";
            command.ExecuteNonQuery();
        }
    }

    private List<string> HeaderNames(string source)
    {
        using var command = Command($"SELECT * FROM {source} LIMIT 1");
        using var reader = command.ExecuteReader();
        if (!reader.Read())
            throw new InputException(_path, "is a table without a header");
        var names = new List<string>();
        for (var i = 0; i < reader.FieldCount; i++)
            names.Add(reader.IsDBNull(i) ? "" : reader.GetString(i));
        // The first name of a file that starts with a byte order mark.
        names[0] = names[0].TrimStart('\uFEFF');
        return names;
    }

    private List<string> ParquetNames(string literal)
    {
        var names = new List<string>();
        using var command = Command($"SELECT name, num_children FROM parquet_schema({literal})");
        using var reader = command.ExecuteReader();
        for (var root = true; reader.Read(); root = false)
        {
            if (root)
                continue;
            if (!reader.IsDBNull(1) && Convert.ToInt64(reader.GetValue(1)) > 0)
                throw new InputException(
                    $"{_path}, column {InputException.Quote(reader.GetString(0))}",
                    "is nested",
                    expected: "booleans, integers, numbers or text"
                );
            names.Add(reader.GetString(0));
        }
        using var counting = Command($"SELECT num_rows FROM parquet_file_metadata({literal})");
        var rows = Convert.ToInt64(counting.ExecuteScalar());
        if (rows != _rows)
            throw WrongLength(rows);
        return names;
    }

    private List<Column> Describe(List<string> names)
    {
        var columns = new List<Column>();
        using var command = Command("DESCRIBE concepts");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            if (columns.Count == names.Count)
                throw new InputException(_path, "has more columns than names", expected: $"{names.Count} columns");
            var name = names[columns.Count];
            var where = $"{_path}, column {InputException.Quote(name)}";
            if (name.Length == 0)
                throw new InputException(
                    _path,
                    $"has no name for column {columns.Count + 1}",
                    expected: "a header with a name for each column"
                );
            if (columns.Any(column => column.Name == name))
                throw new InputException(where, "is there twice", expected: "unique column names");
            var type = reader.GetString(1);
            var (storage, cast) = type switch
            {
                "BOOLEAN" => (Storage.Booleans, "BOOLEAN"),
                "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "UTINYINT" or "USMALLINT" or "UINTEGER" or "UBIGINT" or "HUGEINT" => (
                    Storage.Integers,
                    "BIGINT"
                ),
                "FLOAT" or "DOUBLE" => (Storage.Numbers, "DOUBLE"),
                "VARCHAR" => (Storage.Text, "VARCHAR"),
                _ when type.StartsWith("DECIMAL(", StringComparison.Ordinal) => (Storage.Numbers, "DOUBLE"),
                _ when type.StartsWith("ENUM(", StringComparison.Ordinal) => (Storage.Text, "VARCHAR"),
                _ => throw new InputException(where, "has a type that is no concept", type, "booleans, integers, numbers or text"),
            };
            if (IdentityArrays.IsIdentity(name) && storage != Storage.Integers)
                throw new InputException(
                    where,
                    "is a row identity without integers",
                    type,
                    "integers in every row",
                    "or give the column another name"
                );
            columns.Add(
                new Column(name, $"CAST(\"{reader.GetString(0).Replace("\"", "\"\"", StringComparison.Ordinal)}\" AS {cast})", storage)
            );
        }
        return columns.Count == names.Count
            ? columns
            : throw new InputException(_path, "has fewer columns than names", $"{columns.Count}", $"{names.Count}");
    }

    private void FindCategories(Column column)
    {
        // One more than allowed is enough to know.
        using var command = Command(
            $"SELECT DISTINCT {column.Sql} AS value FROM concepts WHERE value IS NOT NULL LIMIT {ConceptFile.MostCategories + 1}"
        );
        using var reader = command.ExecuteReader();
        var values = new SortedSet<string>(StringComparer.Ordinal);
        while (reader.Read())
            values.Add(reader.GetString(0));
        column.Categories =
            values.Count <= ConceptFile.MostCategories
                ? [.. values]
                : throw new InputException(
                    $"{_path}, column {InputException.Quote(column.Name)}",
                    $"is text with more than {ConceptFile.MostCategories} values",
                    $"for instance {InputException.Quote(values.Min!)}",
                    "numbers, or text with at most 50 values",
                    "remove the column, or group its values; an empty cell is a missing number"
                );
    }

    private void ReadValues(List<Column> columns)
    {
        var codes = columns.ConvertAll(column =>
            column
                .Categories.Select((value, code) => (value, code))
                .ToDictionary(pair => pair.value, pair => pair.code, StringComparer.Ordinal)
        );
        using var command = Command($"SELECT {string.Join(", ", columns.Select(column => column.Sql))} FROM concepts");
        command.UseStreamingMode = true;
        using var reader = command.ExecuteReader();
        var capacity = 0;
        long row = 0;
        for (; reader.Read(); row++)
        {
            if (row >= _rows)
                continue;
            // Grown as the rows come, so that a short table never costs what a long one would.
            if (row == capacity)
                Grow(columns, capacity = (int)Math.Min(_rows, Math.Max(1024, 2L * capacity)));
            for (var j = 0; j < columns.Count; j++)
            {
                var column = columns[j];
                if (reader.IsDBNull(j))
                {
                    if (column.Storage == Storage.Integers)
                        (column.Missing ??= new bool[column.Integers.Length])[row] = true;
                    else
                        column.Numbers[row] = double.NaN;
                    continue;
                }
                switch (column.Storage)
                {
                    case Storage.Booleans:
                        column.Numbers[row] = reader.GetBoolean(j) ? 1 : 0;
                        break;
                    case Storage.Integers:
                        column.Integers[row] = reader.GetInt64(j);
                        break;
                    case Storage.Numbers:
                        column.Numbers[row] = reader.GetDouble(j);
                        break;
                    case Storage.Text:
                        column.Numbers[row] = codes[j][reader.GetString(j)];
                        break;
                    default:
                        throw new InvalidOperationException($"no such storage: {column.Storage}");
                }
            }
        }
        if (row != _rows)
            throw WrongLength(row);
    }

    private static void Grow(List<Column> columns, int capacity)
    {
        foreach (var column in columns)
        {
            if (column.Storage != Storage.Integers)
            {
                column.Numbers = Grown(column.Numbers, capacity);
                continue;
            }
            column.Integers = Grown(column.Integers, capacity);
            if (column.Missing is { } missing)
                column.Missing = Grown(missing, capacity);
        }
    }

    private static T[] Grown<T>(T[] values, int capacity)
    {
        Array.Resize(ref values, capacity);
        return values;
    }

    private (List<Concept> Concepts, RowIdentities Rows) Assemble(List<Column> columns)
    {
        var concepts = new List<Concept>();
        foreach (var column in columns.Where(column => !IdentityArrays.IsIdentity(column.Name)))
            concepts.Add(
                column.Storage switch
                {
                    Storage.Booleans => new Concept(column.Name, ConceptKind.Binary, column.Numbers),
                    Storage.Integers => ConceptColumn.OfIntegers(column.Name, column.Integers, column.Missing),
                    Storage.Text when column.Categories.Length > 0 => new Concept(
                        column.Name,
                        ConceptKind.Categorical,
                        column.Numbers,
                        column.Categories
                    ),
                    _ => ConceptColumn.OfNumbers($"{_path}, column {InputException.Quote(column.Name)}", column.Name, column.Numbers),
                }
            );
        long[]? Identity(string name)
        {
            if (columns.Find(column => column.Name == name) is not { } column)
                return null;
            var missing = column.Missing is null ? -1 : Array.IndexOf(column.Missing, true);
            return missing < 0
                ? column.Integers
                : throw new InputException(
                    $"{_path}, column {InputException.Quote(name)}",
                    "lacks a row identity",
                    $"an empty cell at row {missing}"
                );
        }
        return (
            concepts,
            new RowIdentities
            {
                Item = Identity("item"),
                Document = Identity("document") ?? Identity("sentence"),
                Position = Identity("position"),
                TokenId = Identity("token_id"),
            }
        );
    }

    private InputException WrongLength(long rows) =>
        new(
            _path,
            "has another length than the activations",
            $"{rows} rows",
            $"{_rows}",
            "one row per row of activations, in their order, below a header"
        );

    private DuckDBCommand Command(string sql)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }

    private void Execute(string sql)
    {
        using var command = Command(sql);
        command.ExecuteNonQuery();
    }

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string OneLine(string message)
    {
        var line = message.Split('\n', 2)[0].Trim();
        return line.Length <= 200 ? line : line[..200] + "…";
    }

    /// <summary>What DuckDB need not even be asked: Parquet's marks at both ends; text without NUL bytes.</summary>
    private static void CheckContent(string path, string ending)
    {
        using var handle = InputFile.Open(path);
        var length = RandomAccess.GetLength(handle);
        var start = Bytes(handle, path, 0, (int)Math.Min(length, 1 << 16));
        var isParquet = start.AsSpan().StartsWith("PAR1"u8);
        if (ending == ".parquet")
        {
            if (!isParquet || length < 12)
                throw new InputException(path, "is not what its ending says", "content of another kind", "a .parquet file");
            var end = Bytes(handle, path, length - 8, 8);
            long footer = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(end);
            if (!end.AsSpan(4).SequenceEqual("PAR1"u8) || footer > length - 12)
                throw new InputException(
                    path,
                    "ends early or is damaged",
                    "no Parquet footer",
                    "PAR1 at the end",
                    "was it cut off while it was copied?"
                );
        }
        else if (isParquet || start.AsSpan().Contains((byte)0) || start.AsSpan().StartsWith("PK\u0003\u0004"u8))
        {
            throw new InputException(
                path,
                "is not what its ending says",
                isParquet ? "a Parquet file" : "binary data",
                $"a {ending} text file"
            );
        }
    }

    private static byte[] Bytes(SafeFileHandle handle, string path, long offset, int count)
    {
        var bytes = new byte[count];
        InputFile.Read(handle, path, offset, bytes);
        return bytes;
    }

    /// <summary>DuckDB expands patterns in paths and cannot be told not to, so such a file is read from a copy with a plain name.</summary>
    private static TemporaryCopy? PlainlyNamed(string path, string ending) =>
        Path.GetFullPath(path).AsSpan().IndexOfAny(GlobCharacters) < 0 ? null : new TemporaryCopy(path, ending);

    private sealed class TemporaryCopy : IDisposable
    {
        public TemporaryCopy(string path, string ending)
        {
            Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"polyseme-{Guid.NewGuid():N}{ending}");
            try
            {
                File.Copy(path, Path);
            }
            catch (Exception e) when (InputFile.IsRefusal(e))
            {
                throw InputFile.Refused(path, e);
            }
        }

        public string Path { get; }

        public void Dispose() => File.Delete(Path);
    }
}
