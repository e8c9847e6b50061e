using System.IO.Compression;
using System.Text;
using Polyseme.Activations;

namespace Polyseme.Tests.Activations;

public sealed class NpyFileTests : IDisposable
{
    private readonly TemporaryDirectory _files = new();

    public void Dispose() => _files.Dispose();

    /// <summary>A .npy file made by hand: magic, version, length, header, data.</summary>
    public static byte[] Npy(string header, byte[] data, byte major = 1)
    {
        var text = Encoding.Latin1.GetBytes(header);
        byte[] length = major == 1 ? [(byte)text.Length, (byte)(text.Length >> 8)] : [(byte)text.Length, (byte)(text.Length >> 8), 0, 0];
        return [0x93, .. "NUMPY"u8, major, 0, .. length, .. text, .. data];
    }

    [Theory]
    [InlineData("little-f2")]
    [InlineData("little-f4")]
    [InlineData("little-f8")]
    [InlineData("big-f2")]
    [InlineData("big-f4")]
    [InlineData("big-f8")]
    [InlineData("little-f2-fortran")]
    [InlineData("little-f4-fortran")]
    [InlineData("little-f8-fortran")]
    [InlineData("big-f2-fortran")]
    [InlineData("big-f4-fortran")]
    [InlineData("big-f8-fortran")]
    [InlineData("version2")]
    [InlineData("version3")]
    public void Every_kind_that_numpy_writes_is_read(string name) =>
        AssertGolden(ActivationFile.Open(RepositoryFile.Golden($"{name}.npy")));

    [Theory]
    [InlineData("stored")]
    [InlineData("deflated")]
    public void Archives_are_read_with_their_row_identities(string name)
    {
        var source = ActivationFile.Open(RepositoryFile.Golden($"{name}.npz"));
        AssertGolden(source);
        Assert.Equal([0L, 0, 1, 1, 2], source.Rows.Item!);
        Assert.Equal([7L, 7, 7, 8, 8], source.Rows.Document!);
        Assert.Equal([0L, 1, 2, 3, 4], source.Rows.Position!);
        Assert.Null(source.Rows.TokenId);
    }

    [Fact]
    public void A_deflated_array_in_columns_is_read_and_its_temporary_file_goes()
    {
        var before = Directory.GetFiles(Path.GetTempPath(), "polyseme-*.tmp").Length;
        AssertGolden(ActivationFile.Open(RepositoryFile.Golden("deflated-fortran.npz")));
        Assert.Equal(before, Directory.GetFiles(Path.GetTempPath(), "polyseme-*.tmp").Length);
    }

    public static TheoryData<string, string> BadHeaders { get; } =
        new()
        {
            { "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), 'x': 1}", "found 'x'; expected the keys" },
            { "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), 'shape': (1, 1)}", "found 'shape'" },
            { "{'descr': '<f4', 'fortran_order': False}", "found a key missing" },
            { "{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 1)}", "expected True or False" },
            { "{'descr': '<f4', 'fortran_order': False, 'shape': (1, -1)}", "expected a size" },
            { "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 99999999999999999999)}", "expected a size" },
            { "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", "fewer than 2^63 bytes" },
            { "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", "expected a tuple" },
            { "{'descr': '<f4', 'fortran_order': False, 'shape': [1, 1]}", "expected '('" },
            { "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", "expected ',' or ')'" },
            { "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)} + 1", "expected the end of the header" },
            { "{'descr': '<f4', 'fortran_order': False, 'shape': (1, __import__('os'))}", "expected a size" },
            { "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (1, 1)}", "expected plain characters" },
            { "{'descr': '<f4, 'fortran_order': False, 'shape': (1, 1)", "does not follow the format" },
            { "", "expected '{'" },
            { "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}", "found 4 bytes of data; expected 8 bytes for F32 [1, 2]" },
            { "{'descr': '<f2', 'fortran_order': False, 'shape': (1, 1)}", "found 4 bytes of data; expected 2 bytes" },
            { "{'descr': '|O', 'fortran_order': False, 'shape': (1, 1)}", "Python objects" },
            { "{'descr': '<U1', 'fortran_order': False, 'shape': (1, 1)}", "found descr '<U1'" },
            { "{'descr': '<c8', 'fortran_order': False, 'shape': (1, 1)}", "found descr '<c8'" },
            { "{'descr': '|f4', 'fortran_order': False, 'shape': (1, 1)}", "found descr '|f4'" },
            { "{'descr': '<i4', 'fortran_order': False, 'shape': (1, 1)}", "does not hold floating-point numbers; found I32" },
        };

    [Theory]
    [MemberData(nameof(BadHeaders))]
    public void A_header_outside_of_the_grammar_is_refused(string header, string message) =>
        AssertRefused(_files.Write("x.npy", Npy(header, [0, 0, 0, 0])), message);

    [Theory]
    [InlineData("objects.npy", "Python objects (descr '|O')")]
    [InlineData("structured.npy", "descr '[(")]
    public void Arrays_of_objects_and_structures_that_numpy_wrote_are_refused(string name, string message)
    {
        var path = RepositoryFile.Golden(name);
        var e = Assert.Throws<InputException>(() => NpyFile.Open(path) is var file ? file.ReadDoubles(file.Arrays[0]) : null);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_versions_and_cut_files_are_refused()
    {
        const string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }\n";
        AssertRefused(_files.Write("a.npy", Npy(header, [0, 0, 0, 0], major: 4)), "unknown .npy version; found 4.0");
        AssertRefused(_files.Write("b.npy", Npy(header, [0, 0, 0, 0]).AsSpan(0, 30)), "header length that cannot be; found 60 bytes");
        AssertRefused(_files.Write("c.npy", Npy(header, [0, 0, 0, 0]).AsSpan(0, 9)), "too short for a .npy header");
    }

    private static readonly byte[] Valid = Npy(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n",
        [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]
    );

    private string Zip(string name, params (string Name, byte[] Bytes)[] members)
    {
        using (var archive = ZipFile.Open(_files[name], ZipArchiveMode.Create))
            foreach (var (member, bytes) in members)
                using (var stream = archive.CreateEntry(member).Open())
                    stream.Write(bytes);
        return _files[name];
    }

    [Theory]
    [InlineData("../x.npy", "a name that is not allowed; found '../x.npy'")]
    [InlineData("/x.npy", "a name that is not allowed")]
    [InlineData("a\\x.npy", "a name that is not allowed")]
    [InlineData("a\nx.npy", "a name that is not allowed; found 'a\\u000ax.npy'")]
    [InlineData("readme.txt", "member 'readme.txt': is not a .npy array")]
    public void Members_with_odd_names_are_refused(string member, string message) => AssertRefused(Zip("x.npz", (member, Valid)), message);

    [Fact]
    public void Duplicate_and_missing_members_are_refused()
    {
        AssertRefused(Zip("a.npz", ("x.npy", Valid), ("x.npy", Valid)), "the member 'x.npy' twice");
        AssertRefused(Zip("b.npz"), "archive without members");
    }

    [Fact]
    public void A_member_that_unpacks_to_another_size_than_its_header_says_is_refused()
    {
        AssertRefused(Zip("x.npz", ("x.npy", [.. Valid, 0])), "found 9 bytes of data; expected 8 bytes");
        // A bomb: 64 MiB of zeros behind a header that announces eight bytes of data. Nothing of it is inflated.
        using (var archive = ZipFile.Open(_files["bomb.npz"], ZipArchiveMode.Create))
        using (var stream = archive.CreateEntry("x.npy", CompressionLevel.Fastest).Open())
        {
            stream.Write(Valid);
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 64; i++)
                stream.Write(zeros);
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        AssertRefused(_files["bomb.npz"], "found 67108872 bytes of data; expected 8 bytes");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 * new FileInfo(_files["bomb.npz"]).Length);
    }

    [Fact]
    public void A_member_that_claims_more_than_deflate_can_hold_is_refused()
    {
        var path = Zip("x.npz", ("x.npy", Valid));
        var bytes = File.ReadAllBytes(path);
        var directory = bytes.AsSpan().LastIndexOf("PK\u0001\u0002"u8);
        bytes[directory + 27] = 0x7F; // the highest byte of the inflated size
        AssertRefused(_files.Write("y.npz", bytes), "with a size that cannot be");
    }

    [Fact]
    public void A_damaged_member_fails_its_checksum()
    {
        var path = RepositoryFile.Golden("stored.npz");
        var bytes = File.ReadAllBytes(path);
        // The first value, −0.75f: 00 00 40 BF.
        bytes[bytes.AsSpan().IndexOf(new byte[] { 0, 0, 0x40, 0xBF }) + 1] ^= 1;
        var source = ActivationFile.Open(_files.Write("x.npz", bytes));
        var e = Assert.Throws<InputException>(() => source.ReadBlocks(10, TestContext.Current.CancellationToken).Count());
        Assert.Contains("tensor 'activations': is damaged; found checksum", e.Message, StringComparison.Ordinal);
    }

    private static void AssertRefused(string path, string message)
    {
        var e = Assert.Throws<InputException>(() => ActivationFile.Open(path));
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private static void AssertGolden(ActivationSource source)
    {
        Assert.Equal((5L, 3), (source.NSamples, source.NNeurons));
        foreach (var rowsPerBlock in (int[])[1, 2, 5, 100])
        {
            var next = 0;
            foreach (var block in source.ReadBlocks(rowsPerBlock, TestContext.Current.CancellationToken))
            {
                Assert.Equal(next, block.FirstRow);
                for (var i = 0; i < block.Rows; i++)
                for (var j = 0; j < 3; j++)
                    Assert.Equal(((next + i - 1) * 0.75f) + (j * 0.125f), block.Row(i)[j]);
                next += block.Rows;
            }
            Assert.Equal(5, next);
        }
        Assert.Equal([-0.75f, -0.625f, -0.5f, 1.5f, 1.625f, 1.75f], source.ReadRows([0, 3], TestContext.Current.CancellationToken));
    }
}
