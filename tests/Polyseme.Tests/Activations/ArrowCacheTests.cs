using Polyseme.Activations;

namespace Polyseme.Tests.Activations;

/// <summary>Caches that an independent Arrow library wrote (Golden/make_arrow.mjs): 5 contexts of 2 tokens, 3 wide, in two files.</summary>
public sealed class ArrowCacheTests : IDisposable
{
    private const string Hook = "blocks.0.hook_mlp_out";

    private readonly TemporaryDirectory _files = new();

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("saelens-cache", DType.F32)]
    [InlineData("saelens-cache-f16", DType.F16)]
    public void Each_token_is_a_row_and_its_context_a_document(string name, DType type)
    {
        var source = ActivationFile.Open(RepositoryFile.Golden(name));
        Assert.Equal((10, 3, type), (source.NSamples, source.NNeurons, source.DType));
        for (var rowsPerBlock = 1; rowsPerBlock <= 11; rowsPerBlock++)
        {
            var found = source
                .ReadBlocks(rowsPerBlock, TestContext.Current.CancellationToken)
                .SelectMany(block => block.Values.ToArray())
                .ToArray();
            Assert.Equal(Enumerable.Range(0, 30).Select(i => (i / 3) + (i % 3 / 8f)), found);
        }
        Assert.Equal([2f, 2.125f, 2.25f, 7, 7.125f, 7.25f], source.ReadRows([2, 7], TestContext.Current.CancellationToken));
        Assert.Equal(Enumerable.Range(100, 10).Select(i => (long)i), source.Rows.TokenId!);
        Assert.Equal([0L, 0, 1, 1, 2, 2, 3, 3, 4, 4], source.Rows.Document!);
        Assert.Equal([0L, 1, 0, 1, 0, 1, 0, 1, 0, 1], source.Rows.Position!);
        Assert.Null(source.Rows.Item);
        Assert.Equal(64, source.ComputeSha256(TestContext.Current.CancellationToken).Length);
    }

    [Fact]
    public void A_hook_can_be_named() => Assert.Equal(10, ActivationFile.Open(RepositoryFile.Golden("saelens-cache"), Hook).NSamples);

    [Theory]
    [InlineData("blocks.1.hook_mlp_out", "has no column 'blocks.1.hook_mlp_out'")]
    [InlineData("token_ids", "does not hold activations")]
    public void Another_column_is_refused(string name, string message) =>
        AssertRefused(RepositoryFile.Golden("saelens-cache"), message, name);

    [Theory]
    [InlineData("{}", "is not the state of a data set")]
    [InlineData("{\"_data_files\": []}", "names no files")]
    [InlineData("{\"_data_files\": [{\"filename\": \"../x.arrow\"}]}", "outside of its directory")]
    [InlineData(
        "{\"_data_files\": [{\"filename\": \"data-00000-of-00002.arrow\"}, {\"filename\": \"data-00000-of-00002.arrow\"}]}",
        "twice"
    )]
    [InlineData("{\"_data_files\": [{\"filename\": \"gone.arrow\"}]}", "does not exist")]
    [InlineData("{\"_data_files\": [{\"filename\": \"dataset_info.json\"}]}", "is not an Arrow stream")]
    public void A_state_that_cannot_be_meant_is_refused(string state, string message)
    {
        Copy("saelens-cache");
        _files.Write("state.json", state);
        AssertRefused(_files.Path, message);
    }

    [Fact]
    public void The_files_come_in_the_order_that_the_state_lists()
    {
        Copy("saelens-cache");
        _files.Write(
            "state.json",
            """{"_data_files": [{"filename": "data-00001-of-00002.arrow"}, {"filename": "data-00000-of-00002.arrow"}]}"""
        );
        var source = ActivationFile.Open(_files.Path);
        Assert.Equal([6f, 6.125f, 6.25f], source.ReadRows([0], TestContext.Current.CancellationToken));
        Assert.Equal([106L, 107, 108, 109, 100, 101, 102, 103, 104, 105], source.Rows.TokenId!);
    }

    [Theory]
    [InlineData("[[2, 3], \"float32\"]", "[[2, 4], \"float32\"]", "is not of the shape that it declares")]
    [InlineData("[[2, 3], \"float32\"]", "[[2, 3, \"float32\"]", "cannot be understood")]
    [InlineData("token_ids", "token_idz", null)]
    public void What_the_schema_says_is_held_against_the_data(string find, string replace, string? message)
    {
        Copy("saelens-cache");
        foreach (var name in (string[])["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"])
        {
            var bytes = File.ReadAllBytes(_files[name]);
            var text = System.Text.Encoding.Latin1.GetString(bytes);
            Assert.Contains(find, text, StringComparison.Ordinal);
            // The same length, so that the header's offsets still hold.
            replace = replace.PadRight(find.Length);
            _files.Write(name, System.Text.Encoding.Latin1.GetBytes(text.Replace(find, replace, StringComparison.Ordinal)));
        }
        if (message is null)
            Assert.Null(ActivationFile.Open(_files.Path).Rows.TokenId);
        else
            AssertRefused(_files.Path, message);
    }

    [Fact]
    public void Streams_that_are_cut_off_are_refused_wherever_they_are_cut()
    {
        Copy("saelens-cache");
        var whole = File.ReadAllBytes(_files["data-00001-of-00002.arrow"]);
        // The last 8 bytes say that it ends; without them it is complete all the same, as pyarrow reads it too.
        for (var length = 1; length < whole.Length - 8; length++)
        {
            _files.Write("data-00001-of-00002.arrow", whole.AsSpan(0, length));
            try
            {
                // Cut between the schema and the first batch, it is a stream without rows.
                Assert.Equal(6, ActivationFile.Open(_files.Path).NSamples);
            }
            catch (InputException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    private void Copy(string golden)
    {
        foreach (var file in Directory.GetFiles(RepositoryFile.Golden(golden)))
            File.Copy(file, _files[Path.GetFileName(file)]);
    }

    private static void AssertRefused(string path, string message, string? tensor = null)
    {
        var refused = Assert.Throws<InputException>(() => ActivationFile.Open(path, tensor));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }
}
