using DuckDB.NET.Data;
using Polyseme.Activations;

namespace Polyseme.Tests.Activations;

public sealed class ConceptFileTests : IDisposable
{
    private readonly TemporaryDirectory _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void A_table_gives_each_column_its_kind()
    {
        var path = _files.Write(
            "c.csv",
            "flag,two,many,text,real,\"a, \"\"b\"\"\",item\ntrue,3,1,dog,0.5,1,9\nfalse,9,2,,1e3,,9\n,3,5,cat,-2,0,8\nfalse,9,5,dog,,1,8\n"
        );
        var (table, rows) = ConceptFile.Read(path, 4);
        Assert.Equal(4, table.NSamples);
        Assert.Equal(["flag", "two", "many", "text", "real", "a, \"b\""], table.Concepts.Select(concept => concept.Name));
        AssertConcept(table.Concepts[0], ConceptKind.Binary, [1, 0, double.NaN, 0]);
        AssertConcept(table.Concepts[1], ConceptKind.Binary, [0, 1, 0, 1]);
        AssertConcept(table.Concepts[2], ConceptKind.Categorical, [0, 1, 2, 2], "1", "2", "5");
        AssertConcept(table.Concepts[3], ConceptKind.Categorical, [1, double.NaN, 0, 1], "cat", "dog");
        AssertConcept(table.Concepts[4], ConceptKind.Numeric, [0.5, 1000, -2, double.NaN]);
        AssertConcept(table.Concepts[5], ConceptKind.Binary, [1, double.NaN, 0, 1]);
        Assert.Equal([9L, 9, 8, 8], rows.Item!);
        Assert.Null(rows.Document);
    }

    [Fact]
    public void Tabs_separate_and_a_byte_order_mark_is_no_part_of_a_name()
    {
        var (table, rows) = ConceptFile.Read(_files.Write("c.tsv", "\uFEFFx\tsentence\n1,5\t7\n2,5\t8\n"), 2);
        AssertConcept(Assert.Single(table.Concepts), ConceptKind.Categorical, [0, 1], "1,5", "2,5");
        Assert.Equal("x", table.Concepts[0].Name);
        Assert.Equal([7L, 8], rows.Document!);
    }

    [Fact]
    public void Fifty_values_are_categories_and_fifty_one_are_not()
    {
        string Column(int distinct, string prefix) =>
            "c\n" + string.Join('\n', Enumerable.Range(0, 60).Select(i => $"{prefix}{i % distinct}")) + "\n";
        Assert.Equal(ConceptKind.Categorical, ConceptFile.Read(_files.Write("a.csv", Column(50, "")), 60).Concepts.Concepts[0].Kind);
        Assert.Equal(ConceptKind.Numeric, ConceptFile.Read(_files.Write("b.csv", Column(51, "")), 60).Concepts.Concepts[0].Kind);
        Assert.Equal(50, ConceptFile.Read(_files.Write("c.csv", Column(50, "w")), 60).Concepts.Concepts[0].Categories!.Length);
        AssertRefused("d.csv", Column(51, "w"), 60, "column 'c': is text with more than 50 values");
    }

    [Theory]
    [InlineData("0", ConceptKind.Binary, 0)]
    [InlineData("1", ConceptKind.Binary, 1)]
    [InlineData("7", ConceptKind.Categorical, 0)]
    public void Constant_concepts_are_kept(string cell, ConceptKind kind, double value)
    {
        var (table, _) = ConceptFile.Read(_files.Write("c.csv", $"c,d\n{cell},1.5\n{cell},2.5\n"), 2);
        Assert.Equal(kind, table.Concepts[0].Kind);
        Assert.Equal([value, value], table.Concepts[0].Values);
    }

    [Fact]
    public void Arrays_that_numpy_wrote_give_the_same_kinds()
    {
        var (table, rows) = ConceptFile.Read(RepositoryFile.Golden("concepts.npz"), 5);
        Assert.Equal(["flag", "two", "three", "real"], table.Concepts.Select(concept => concept.Name));
        AssertConcept(table.Concepts[0], ConceptKind.Binary, [1, 0, 1, 0, 1]);
        AssertConcept(table.Concepts[1], ConceptKind.Binary, [0, 1, 0, 1, 1]);
        AssertConcept(table.Concepts[2], ConceptKind.Categorical, [0, 1, 2, 2, 0], "-1", "0", "4");
        AssertConcept(table.Concepts[3], ConceptKind.Numeric, [0.5, double.NaN, -2, 0, 1]);
        Assert.Equal([1L, 1, 2, 2, 3], rows.Item!);
    }

    [Fact]
    public void Safetensors_hold_concepts_too()
    {
        SafetensorsFile.Write(
            _files["c.safetensors"],
            [
                SafetensorsTensor.Of("u", new byte[] { 0, 1, 1 }),
                SafetensorsTensor.Of("token_id", new[] { 4, 5, 6 }),
                SafetensorsTensor.Of("f", new[] { 0f, 1f, 1f }),
            ]
        );
        var (table, rows) = ConceptFile.Read(_files["c.safetensors"], 3);
        AssertConcept(table.Concepts.Single(concept => concept.Name == "u"), ConceptKind.Binary, [0, 1, 1]);
        AssertConcept(table.Concepts.Single(concept => concept.Name == "f"), ConceptKind.Numeric, [0, 1, 1]);
        Assert.Equal([4L, 5, 6], rows.TokenId!);
    }

    [Fact]
    public void Parquet_gives_the_same_table()
    {
        var path = Parquet(
            "c.parquet",
            "SELECT * FROM (VALUES (true, 3::TINYINT, 'dog', 0.5::FLOAT, 1.25::DECIMAL(9, 2), 9), (false, 9, NULL, 1, 2, 9), (NULL, 3, 'cat', NULL, 3, 8)) t(flag, two, \"text\", \"real\", dec, item)"
        );
        var (table, rows) = ConceptFile.Read(path, 3);
        AssertConcept(table.Concepts[0], ConceptKind.Binary, [1, 0, double.NaN]);
        AssertConcept(table.Concepts[1], ConceptKind.Binary, [0, 1, 0]);
        AssertConcept(table.Concepts[2], ConceptKind.Categorical, [1, double.NaN, 0], "cat", "dog");
        AssertConcept(table.Concepts[3], ConceptKind.Numeric, [0.5, 1, double.NaN]);
        AssertConcept(table.Concepts[4], ConceptKind.Numeric, [1.25, 2, 3]);
        Assert.Equal([9L, 9, 8], rows.Item!);
    }

    [Theory]
    [InlineData("it's.csv")]
    [InlineData("*.csv")]
    [InlineData("concepts[1].csv")]
    [InlineData("k=v, \"x\".csv")]
    public void A_path_is_never_a_pattern_or_a_piece_of_sql(string name)
    {
        _files.Write("other.csv", "c\n5\n6\n");
        var (table, _) = ConceptFile.Read(_files.Write(name, "c\n0\n1\n"), 2);
        AssertConcept(Assert.Single(table.Concepts), ConceptKind.Binary, [0, 1]);
    }

    [Fact]
    public void A_folder_named_like_a_partition_adds_no_column()
    {
        Directory.CreateDirectory(_files["k=v"]);
        Assert.Single(ConceptFile.Read(_files.Write("k=v/c.csv", "c\n0\n1\n"), 2).Concepts.Concepts);
    }

    [Theory]
    [InlineData("a,b\n1,2\n", 2, "another length than the activations; found 1 rows; expected 2")]
    [InlineData("a,b\n1,2\n3,4\n5,6\n", 2, "found 3 rows; expected 2")]
    [InlineData("a,a\n1,2\n3,4\n", 2, "column 'a': is there twice")]
    [InlineData("a,\n1,2\n3,4\n", 2, "no name for column 2")]
    [InlineData("a,b\n1,2\n3,4,5\n", 2, "cannot be read as a .csv table")]
    [InlineData("a,b\n1,inf\n3,4.5\n", 2, "column 'b': holds infinity; found at row 0")]
    [InlineData("a,item\n1,x\n3,y\n", 2, "column 'item': is a row identity without integers; found VARCHAR")]
    [InlineData("a,item\n1,1\n3,\n", 2, "column 'item': lacks a row identity; found an empty cell at row 1")]
    [InlineData("item\n1\n3\n", 2, "holds no concepts")]
    [InlineData("a\0b\n1\n3\n", 2, "is not what its ending says; found binary data")]
    public void A_table_that_does_not_fit_is_refused_with_the_reason(string text, int rows, string message) =>
        AssertRefused("c.csv", text, rows, message);

    [Fact]
    public void Arrays_that_do_not_fit_are_refused_with_the_reason()
    {
        SafetensorsFile.Write(_files["a.safetensors"], [SafetensorsTensor.Of("c", new byte[] { 0, 1, 1 })]);
        AssertMessage(_files["a.safetensors"], 4, "tensor 'c': has another length than the activations; found 3 values; expected 4");
        SafetensorsFile.Write(_files["b.safetensors"], [SafetensorsTensor.Of("c", new float[6], 3, 2)]);
        AssertMessage(_files["b.safetensors"], 3, "tensor 'c': is 2-D, not a concept; found shape [3, 2]; expected [3]");
        SafetensorsFile.Write(
            _files["c.safetensors"],
            [SafetensorsTensor.Of("item", new[] { 1, 2 }), SafetensorsTensor.Of("c", new[] { 1, 2, 3 })]
        );
        AssertMessage(_files["c.safetensors"], 3, "tensor 'item': does not fit the rows; found shape [2]; expected [3]");
        SafetensorsFile.Write(_files["d.safetensors"], [SafetensorsTensor.Of("c", new[] { ulong.MaxValue })]);
        AssertMessage(_files["d.safetensors"], 1, "tensor 'c': holds an integer of more than 63 bits");
    }

    [Fact]
    public void Parquet_that_does_not_fit_is_refused_with_the_reason()
    {
        AssertMessage(Parquet("a.parquet", "SELECT 1 AS x"), 2, "another length than the activations; found 1 rows; expected 2");
        AssertMessage(Parquet("b.parquet", "SELECT [1, 2] AS x"), 1, "column 'x': is nested");
        AssertMessage(Parquet("c.parquet", "SELECT DATE '2020-01-01' AS x"), 1, "column 'x': has a type that is no concept; found DATE");
        AssertMessage(_files.Write("d.parquet", "x,y\n1,2\n"), 1, "is not what its ending says");
        AssertMessage(
            _files.Write("e.parquet", File.ReadAllBytes(Parquet("f.parquet", "SELECT 1 AS x")).AsSpan()[..^3]),
            1,
            "ends early or is damaged"
        );
        AssertMessage(_files["missing.csv"], 1, "does not exist");
        AssertMessage(
            _files.Write("g.csv", File.ReadAllBytes(_files["f.parquet"])),
            1,
            "is not what its ending says; found a Parquet file"
        );
    }

    [Theory]
    [InlineData("SELECT * FROM read_csv('{0}')", true)]
    [InlineData("SELECT * FROM read_csv('{1}')", false)]
    [InlineData("SELECT * FROM read_text('{1}')", false)]
    [InlineData("SELECT * FROM glob('{2}/*')", false)]
    [InlineData("SELECT * FROM 'https://example.invalid/c.csv'", false)]
    [InlineData("COPY (SELECT 1) TO '{2}/out.csv'", false)]
    [InlineData("ATTACH '{2}/x.db'", false)]
    [InlineData("INSTALL httpfs", false)]
    [InlineData("LOAD httpfs", false)]
    [InlineData("SET enable_external_access=true", false)]
    [InlineData("SET allowed_paths=['{1}']", false)]
    [InlineData("RESET autoload_known_extensions", false)]
    public void The_embedded_database_reads_the_one_file_and_nothing_else(string sql, bool allowed)
    {
        var (mine, other) = (_files.Write("mine.csv", "c\n1\n"), _files.Write("other.csv", "c\n1\n"));
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        ConceptQuery.LockDown(connection, mine);
        using var command = connection.CreateCommand();
        command.CommandText = string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, mine, other, _files.Path);
        if (allowed)
            Assert.Equal(1, Convert.ToInt32(command.ExecuteScalar()));
        else
            Assert.Throws<DuckDBException>(() => command.ExecuteScalar());
        Assert.Equal(2, Directory.GetFiles(_files.Path).Length);
    }

    private string Parquet(string name, string select)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"COPY ({select}) TO '{_files[name]}' (FORMAT parquet)";
        command.ExecuteNonQuery();
        return _files[name];
    }

    private void AssertRefused(string name, string text, int rows, string message) =>
        AssertMessage(_files.Write(name, text), rows, message);

    private static void AssertMessage(string path, int rows, string message)
    {
        var e = Assert.Throws<InputException>(() => ConceptFile.Read(path, rows));
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private static void AssertConcept(Concept concept, ConceptKind kind, double[] values, params string[] categories)
    {
        Assert.Equal(kind, concept.Kind);
        Assert.Equal(values, concept.Values);
        Assert.Equal(categories.Length == 0 ? null : categories, concept.Categories);
    }
}
