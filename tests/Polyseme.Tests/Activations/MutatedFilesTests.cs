using CsCheck;
using DuckDB.NET.Data;
using Polyseme.Activations;
using Polyseme.Dictionaries.Formats;
using Polyseme.Tests.Dictionaries.Formats;

namespace Polyseme.Tests.Activations;

/// <summary>Valid files with bytes flipped, cut, inserted and spliced: they are read, or refused in one line, and cost no more than their size.</summary>
public sealed class MutatedFilesTests
{
    /// <summary>
    /// Managed bytes that a reader may allocate for a file of so many bytes: a fixed part (buffers of 64 to 256 KiB, an exception's stack trace,
    /// the database's statements), and a multiple for what is parsed. Deflate may unpack 1032 to one, so archives are measured by what they unpack to.
    /// </summary>
    private static long Allowed(long fileBytes) => (4 << 20) + (64 * fileBytes);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly string[] Pieces =
    [
        "{",
        "}",
        "\"",
        ",",
        "0",
        "9",
        "-1",
        "99999999999999999999",
        "(",
        "'",
        "\n",
        "[",
        "True",
        "|O",
        "\0",
        "\uFFFF",
        "PK",
    ];

    /// <summary>One change: where, as a share of the file; which; and bytes to use.</summary>
    private static readonly Gen<(double At, int Kind, byte[] Bytes)[]> Changes = Gen.Select(
        Gen.Double[0, 1],
        Gen.Int[0, 5],
        Gen.OneOf(
            Gen.Byte.Array[1, 8],
            // What headers are made of, so that the grammar's corners are met more often than by chance.
            Gen.Int[0, Pieces.Length - 1].Select(piece => System.Text.Encoding.UTF8.GetBytes(Pieces[piece]))
        )
    ).Array[1, 4];

    [Fact]
    public void Safetensors() =>
        Check(
            "x.safetensors",
            Tests.Activations.Safetensors.Layer(
                new float[,]
                {
                    { 1, 2, 3 },
                    { 4, 5, 6 },
                },
                ("item", [1, 2]),
                ("document", [3, 4])
            ),
            ReadActivations,
            iterations: 1000
        );

    [Theory]
    [InlineData("little-f2.npy")]
    [InlineData("big-f8-fortran.npy")]
    [InlineData("version3.npy")]
    [InlineData("stored.npz")]
    [InlineData("deflated.npz")]
    [InlineData("deflated-fortran.npz")]
    public void Arrays_that_numpy_wrote(string name) =>
        Check(name, File.ReadAllBytes(RepositoryFile.Golden(name)), ReadActivations, iterations: 300);

    [Fact]
    public void Concepts_as_arrays() =>
        Check("x.npz", File.ReadAllBytes(RepositoryFile.Golden("concepts.npz")), path => ConceptFile.Read(path, 5), iterations: 300);

    [Fact]
    public void Concepts_as_text() =>
        Check(
            "x.csv",
            "flag,text,real,item\ntrue,dog,0.5,9\nfalse,\"c,at\",1e3,9\n,,,8\n"u8.ToArray(),
            path => ConceptFile.Read(path, 3),
            iterations: 40
        );

    [Fact]
    public void Concepts_as_Parquet()
    {
        using var files = new TemporaryDirectory();
        using (var connection = new DuckDBConnection("DataSource=:memory:"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText =
                $"COPY (SELECT i % 2 = 0 AS flag, i AS number, 'w' || (i % 3) AS text, i / 2 AS real FROM range(40) t(i)) TO '{files["x.parquet"]}' (FORMAT parquet)";
            command.ExecuteNonQuery();
        }
        Check("x.parquet", File.ReadAllBytes(files["x.parquet"]), path => ConceptFile.Read(path, 40), iterations: 40);
    }

    [Fact]
    public void Tokens() =>
        Check("x.json", "[\"a\", \"\\u00e9\", \"\\ud83d\\ude00\"]"u8.ToArray(), path => TokenFile.Read(path, 3), iterations: 1000);

    [Fact]
    public void The_index_of_a_store()
    {
        var index =
            """{"schema": "polyseme.store/1", "shards": [{"file": "a.safetensors", "rows": 1, "sha256": "0000000000000000000000000000000000000000000000000000000000000000"}], "d": 2, "dtype": "F32"}"""u8.ToArray();
        var shard = Tests.Activations.Safetensors.Layer(
            new float[,]
            {
                { 1, 2 },
            }
        );
        Check(
            "store.json",
            index,
            path =>
            {
                var directory = Path.GetDirectoryName(path)!;
                File.WriteAllBytes(Path.Combine(directory, "a.safetensors"), shard);
                ActivationFile.Open(directory);
            },
            iterations: 300
        );
    }

    [Fact]
    public void Files_of_torch() =>
        Check(
            "x.pt",
            File.ReadAllBytes(GoldenDictionary.Torch("views.pt")),
            path =>
            {
                var file = TorchFile.Open(path);
                foreach (var array in file.Arrays)
                    file.ReadDoubles(array);
            },
            iterations: 500
        );

    [Fact]
    public void Pickles_of_torch()
    {
        using var archive = System.IO.Compression.ZipFile.OpenRead(GoldenDictionary.Torch("backup/ae.pt"));
        using var pickle = archive.Entries.Single(entry => entry.FullName.EndsWith("/data.pkl", StringComparison.Ordinal)).Open();
        using var bytes = new MemoryStream();
        pickle.CopyTo(bytes);
        Check("x.pkl", bytes.ToArray(), path => Unpickler.Read(path, File.ReadAllBytes(path)), iterations: 1000);
    }

    [Fact]
    public void Arrow_streams() =>
        Check(
            "data.arrow",
            File.ReadAllBytes(RepositoryFile.Golden("saelens-cache-f16/data-00000-of-00002.arrow")),
            path =>
            {
                var directory = Path.GetDirectoryName(path)!;
                File.WriteAllText(Path.Combine(directory, "state.json"), """{"_data_files": [{"filename": "data.arrow"}]}""");
                ReadActivations(directory);
            },
            iterations: 600
        );

    [Theory]
    [InlineData("saelens", "plain/gated", "cfg.json")]
    [InlineData("saelens", "plain/gated", "sae_weights.safetensors")]
    [InlineData("sparsify", "plain/sparsify", "cfg.json")]
    [InlineData("gemma-scope", "plain/gemma-scope", "params.npz")]
    [InlineData("dictionary-learning", "torch/topk", "config.json")]
    public void Dictionaries(string format, string golden, string name)
    {
        var folder = Path.Combine(GoldenDictionary.Plain(".."), golden);
        Check(
            name,
            File.ReadAllBytes(Path.Combine(folder, name)),
            path =>
            {
                var directory = Path.GetDirectoryName(path)!;
                foreach (var other in Directory.GetFiles(folder).Where(file => Path.GetFileName(file) != name))
                    File.Copy(other, Path.Combine(directory, Path.GetFileName(other)), overwrite: true);
                DictionaryFormats.Find(format)!.Read(directory);
            },
            iterations: 150
        );
    }

    private static void ReadActivations(string path) =>
        ActivationScan.Run(ActivationFile.Open(path), new ActivationScanConfig { AllowNan = true }, null, CancellationToken.None);

    private static void Check(string name, byte[] valid, Action<string> read, int iterations)
    {
        using var files = new TemporaryDirectory();
        // The first reading compiles and loads; it says too that the file is valid.
        read(files.Write(name, valid));
        var refused = 0;
        Changes.Sample(
            changes =>
            {
                var path = files.Write(name, Mutate(valid, changes));
                var before = GC.GetAllocatedBytesForCurrentThread();
                var clock = System.Diagnostics.Stopwatch.StartNew();
                try
                {
                    read(path);
                }
                catch (InputException e)
                {
                    refused++;
                    Assert.DoesNotContain('\n', e.Message);
                }
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Allowed(new FileInfo(path).Length));
                Assert.True(clock.Elapsed < Patience, "a reader hangs");
            },
            iter: iterations,
            threads: 1
        );
        Assert.InRange(refused, iterations / 10, iterations);
    }

    private static byte[] Mutate(byte[] valid, (double At, int Kind, byte[] Bytes)[] changes)
    {
        var bytes = valid.ToList();
        foreach (var (where, kind, insert) in changes)
        {
            var at = (int)(where * bytes.Count);
            switch (kind)
            {
                case 0 when at < bytes.Count:
                    bytes[at] ^= insert[0];
                    break;
                case 1:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 2:
                    bytes.InsertRange(at, insert);
                    break;
                case 3:
                    // Splice: a piece of the file over another place.
                    var piece = valid.AsSpan(insert[0] % valid.Length).ToArray().Take(insert[^1]).ToArray();
                    for (var i = 0; i < piece.Length && at + i < bytes.Count; i++)
                        bytes[at + i] = piece[i];
                    break;
                case 4:
                    bytes.RemoveRange(at, Math.Min(insert.Length, bytes.Count - at));
                    break;
                default:
                    for (var i = 0; i < insert.Length && at + i < bytes.Count; i++)
                        bytes[at + i] = insert[i];
                    break;
            }
        }
        return [.. bytes];
    }
}
