using System.Security.Cryptography;
using System.Text;
using Polyseme.Activations;

namespace Polyseme.Tests.Activations;

public sealed class ActivationFileTests : IDisposable
{
    private static readonly float[,] Values =
    {
        { 1, 2 },
        { 3, 4 },
        { 5, 6 },
    };

    private readonly TemporaryDirectory _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void The_only_two_dimensional_tensor_may_have_any_name()
    {
        SafetensorsFile.Write(
            _files["a.safetensors"],
            [SafetensorsTensor.Of("layer3", new double[] { 1, 2 }, 1, 2), SafetensorsTensor.Of("x", new[] { 1f })]
        );
        Assert.Equal((1L, 2, DType.F64), (Open("a.safetensors").NSamples, Open("a.safetensors").NNeurons, Open("a.safetensors").DType));
    }

    [Fact]
    public void Among_several_tensors_one_is_named_activations_or_chosen()
    {
        SafetensorsFile.Write(
            _files["a.safetensors"],
            [
                SafetensorsTensor.Of("p", new[] { 1f, 2f }, 2, 1),
                SafetensorsTensor.Of("q", new[] { 3f, 4f }, 2, 1),
                SafetensorsTensor.Of("r", new float[8], 2, 2, 2),
            ]
        );
        AssertRefused(
            "a.safetensors",
            null,
            "several 2-D tensors and none called 'activations'; found 'p' [2, 1], 'q' [2, 1]",
            "choose one with --tensor NAME"
        );
        AssertRefused("a.safetensors", "s", "has no tensor 's'; found 'p' [2, 1], 'q' [2, 1], 'r' [2, 2, 2]");
        AssertRefused("a.safetensors", "r", "tensor 'r': is 3-D; found shape [2, 2, 2]; expected [n_samples, n_neurons]");
        Assert.Equal([3f, 4f], ActivationFile.Open(_files["a.safetensors"], "q").ReadRows([0, 1], TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Shapes_and_types_that_are_no_activations_are_refused_with_the_reason()
    {
        Write("one.safetensors", SafetensorsTensor.Of("activations", new[] { 1f }));
        AssertRefused("one.safetensors", null, "tensor 'activations': is 1-D; found shape [1]");
        Write("three.safetensors", SafetensorsTensor.Of("activations", new[] { 1f }, 1, 1, 1));
        AssertRefused("three.safetensors", null, "is 3-D", "reshape batch and position");
        Write("rows.safetensors", SafetensorsTensor.Of("activations", Array.Empty<float>(), 0, 4));
        AssertRefused("rows.safetensors", null, "is empty; found shape [0, 4]; expected at least one row and one column");
        Write("columns.safetensors", SafetensorsTensor.Of("activations", Array.Empty<float>(), 4, 0));
        AssertRefused("columns.safetensors", null, "is empty; found shape [4, 0]");
        Write("ints.safetensors", SafetensorsTensor.Of("activations", new[] { 1, 2 }, 1, 2));
        AssertRefused("ints.safetensors", null, "does not hold floating-point numbers; found I32; expected F32, F16, BF16 or F64");
        Write("none.safetensors", SafetensorsTensor.Of("x", new[] { 1f }));
        AssertRefused("none.safetensors", null, "has no 2-D tensor; found 'x' [1]");
        Write("wide.safetensors", SafetensorsTensor.Of("activations", new float[(1 << 20) + 1], 1, (1 << 20) + 1));
        AssertRefused("wide.safetensors", null, "is too wide; found 1048577 columns; expected at most 1048576");
        Write("ids.safetensors", SafetensorsTensor.Of("activations", new float[4], 2, 2), SafetensorsTensor.Of("item", new[] { 1 }));
        AssertRefused("ids.safetensors", null, "tensor 'item': does not fit the rows; found shape [1]; expected [2]");
        Write(
            "float.safetensors",
            SafetensorsTensor.Of("activations", new float[4], 2, 2),
            SafetensorsTensor.Of("position", new[] { 1f, 2f })
        );
        AssertRefused("float.safetensors", null, "tensor 'position': does not hold integers; found F32");
    }

    [Fact]
    public void A_file_that_is_not_what_its_ending_says_is_refused()
    {
        var safetensors = Safetensors.Layer(Values);
        _files.Write("a.npy", safetensors);
        AssertRefused("a.npy", null, "is not what its ending says; found content of a .safetensors file; expected a .npy file");
        _files.Write("a.safetensors", File.ReadAllBytes(RepositoryFile.Golden("stored.npz")));
        AssertRefused("a.safetensors", null, "found content of a .npz file; expected a .safetensors file");
        _files.Write("b.npz", "a,b\n1,2\n");
        AssertRefused("b.npz", null, "is not what its ending says; found content of an unknown kind; expected a .npz file");
        _files.Write("c.pt", "some pickle");
        AssertRefused("c.pt", null, "is of no kind that is read", "convert it to safetensors");
        _files.Write("d.npy", "");
        AssertRefused("d.npy", null, "is empty or not a regular file");
        AssertRefused("missing.npy", null, "does not exist");
        _files.Write("layer.dat", safetensors);
        Assert.Equal(3, Open("layer.dat").NSamples);
        if (OperatingSystem.IsLinux())
            Assert.Contains(
                "is empty or not a regular file",
                Assert.Throws<InputException>(() => ActivationFile.Open("/dev/zero")).Message,
                StringComparison.Ordinal
            );
        Assert.Throws<InputException>(() => ActivationFile.Open("\0"));
    }

    [Fact]
    public void Shards_are_read_in_the_order_of_their_names()
    {
        _files.Write(
            "a10.safetensors",
            Safetensors.Layer(
                new float[,]
                {
                    { 9, 10 },
                },
                ("item", [7]),
                ("position", [1])
            )
        );
        _files.Write("a1.safetensors", Safetensors.Layer(Values, ("item", [7, 8, 9]), ("position", [1, 2, 3])));
        _files.Write(
            "B.safetensors",
            Safetensors.Layer(
                new float[,]
                {
                    { 11, 12 },
                },
                ("item", [5])
            )
        );
        _files.Write("notes.txt", "not a shard");
        var source = ActivationFile.Open(_files.Path);
        Assert.Equal((5L, 2), (source.NSamples, source.NNeurons));
        Assert.Equal([5L, 7, 8, 9, 7], source.Rows.Item!);
        Assert.Null(source.Rows.Position);
        foreach (var rowsPerBlock in (int[])[1, 2, 3, 9])
            Assert.Equal(
                [11, 12, 1, 2, 3, 4, 5, 6, 9, 10],
                source.ReadBlocks(rowsPerBlock, TestContext.Current.CancellationToken).SelectMany(block => block.Values.ToArray())
            );
        Assert.Equal([11f, 12, 5, 6], source.ReadRows([0, 3], TestContext.Current.CancellationToken));
        Assert.Equal(
            DirectoryHash("B.safetensors", "a1.safetensors", "a10.safetensors"),
            source.ComputeSha256(TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public void Directories_that_are_no_shards_are_refused_with_the_reason()
    {
        _files.Write("readme.txt", "x");
        AssertRefused(".", null, "is a directory without shards; found 1 other files");
        _files.Write("a.safetensors", Safetensors.Layer(Values));
        _files.Write(
            "b.safetensors",
            Safetensors.Layer(
                new float[,]
                {
                    { 1, 2, 3 },
                }
            )
        );
        AssertRefused(
            "./",
            null,
            "b.safetensors: does not fit the first shard; found F32 with 3 columns; expected F32 with 2 columns as in a.safetensors"
        );
        File.Delete(_files["b.safetensors"]);
        File.Copy(RepositoryFile.Golden("little-f4.npy"), _files["c.npy"]);
        AssertRefused("./", null, "mixes kinds of shards");
        _files.Write("state.json", "{}");
        _files.Write("data-00000-of-00001.arrow", "x");
        AssertRefused("./", null, "is not the state of a data set");
    }

    [Fact]
    public void A_store_is_read_and_held_against_its_index()
    {
        SafetensorsFile.Write(
            _files["shard-00000.safetensors"],
            [SafetensorsTensor.Of("activations", new[] { 1f, 2f, 3f, 4f }, 2, 2)],
            alignment: 64
        );
        SafetensorsFile.Write(
            _files["shard-00001.safetensors"],
            [SafetensorsTensor.Of("activations", new[] { 5f, 6f }, 1, 2)],
            alignment: 64
        );
        var shards = string.Join(
            ',',
            new[] { (0, 2), (1, 1) }.Select(shard =>
                $$"""{"file": "shard-0000{{shard.Item1}}.safetensors", "rows": {{shard.Item2}}, "sha256": "{{Sha256(_files[$"shard-0000{shard.Item1}.safetensors"])}}" }"""
            )
        );
        var index =
            $$"""{"schema": "polyseme.store/1", "shards": [{{shards}}], "d": 2, "dtype": "F32", "hook": "mlp", "config": {"k": 1} }""";
        _files.Write("store.json", index);
        var source = ActivationFile.Open(_files.Path);
        Assert.Equal([1f, 2, 3, 4, 5, 6], source.ReadRows([0, 1, 2], TestContext.Current.CancellationToken));
        Assert.Equal(
            DirectoryHash("shard-00000.safetensors", "shard-00001.safetensors", "store.json"),
            source.ComputeSha256(TestContext.Current.CancellationToken)
        );

        var e = Assert.Throws<InputException>(() =>
        {
            SafetensorsFile.Write(_files["shard-00001.safetensors"], [SafetensorsTensor.Of("activations", new[] { 5f, 7f }, 1, 2)]);
            return source.ComputeSha256(TestContext.Current.CancellationToken);
        });
        Assert.Contains("is not the shard that store.json names; found sha256", e.Message, StringComparison.Ordinal);

        foreach (
            var (from, to, message) in new[]
            {
                (
                    "\"rows\": 1",
                    "\"rows\": 2",
                    "shard-00001.safetensors: is not the shard that store.json names; found F32 [1, 2]; expected F32 [2, 2]"
                ),
                ("\"d\": 2", "\"d\": 3", "expected F32 [2, 3]"),
                ("\"dtype\": \"F32\"", "\"dtype\": \"F16\"", "expected F16 [2, 2]"),
                ("store/1", "store/2", "has an unknown schema; found 'polyseme.store/2'"),
                ("\"shard-00001.safetensors\"", "\"../x.safetensors\"", "names a shard outside of the store"),
                ("\"shard-00001.safetensors\"", "\"shard-00000.safetensors\"", "names a shard twice"),
                ("\"shard-00001.safetensors\"", "\"shard-00002.safetensors\"", "shard-00002.safetensors: does not exist"),
                ("\"d\": 2", "\"d\": 2.5", "'d' that is not a size"),
                ("\"d\": 2", "\"d\": \"2\"", "'d' of the wrong kind"),
                ("\"d\": 2, ", "", "lacks 'd'"),
                ("\"d\": 2", "\"d\": 2, \"d\": 2", "is not valid JSON"),
                ("}", "", "is not valid JSON"),
            }
        )
        {
            _files.Write("store.json", index.Replace(from, to, StringComparison.Ordinal));
            AssertRefused("./", null, message);
        }
    }

    [Fact]
    public void A_file_cut_off_after_it_was_opened_is_an_error_of_the_input()
    {
        var bytes = Safetensors.Layer(Values);
        _files.Write("a.safetensors", bytes);
        var source = Open("a.safetensors");
        _files.Write("a.safetensors", bytes.AsSpan(0, bytes.Length - 4));
        var e = Assert.Throws<InputException>(() => source.ReadBlocks(1, TestContext.Current.CancellationToken).Count());
        Assert.Contains($"ends early; found {bytes.Length - 4} bytes", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_real_layer_of_the_repository_is_read()
    {
        var source = ActivationFile.Open(RepositoryFile.At("data", "real", "ffn0.npz"));
        Assert.Equal((10_000L, 1536, DType.F16), (source.NSamples, source.NNeurons, source.DType));
        Assert.All([source.Rows.Document, source.Rows.Position, source.Rows.TokenId], ids => Assert.Equal(10_000, ids!.Length));
        var (concepts, _) = ConceptFile.Read(RepositoryFile.At("data", "real", "concepts.safetensors"), source.NSamples);
        Assert.Equal(27, concepts.Concepts.Count);
        Assert.All(concepts.Concepts, concept => Assert.Equal(ConceptKind.Binary, concept.Kind));
        Assert.Equal("Fulton", TokenFile.Read(RepositoryFile.At("data", "real", "tokens.json"), source.NSamples)[0]);
        var row = source.ReadRows([0], TestContext.Current.CancellationToken);
        Assert.All(row, value => Assert.True(value >= 0, "values come after a ReLU"));
        Assert.Contains(row, value => value > 0);
    }

    private ActivationSource Open(string name) => ActivationFile.Open(_files[name]);

    private void Write(string name, params SafetensorsTensor[] tensors) => SafetensorsFile.Write(_files[name], tensors);

    private void AssertRefused(string name, string? tensor, params string[] messages)
    {
        var e = Assert.Throws<InputException>(() => ActivationFile.Open(_files[name], tensor));
        Assert.StartsWith(_files.Path, e.Message, StringComparison.Ordinal);
        Assert.All(messages, message => Assert.Contains(message, e.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', e.Message);
    }

    private string DirectoryHash(params string[] names) =>
        Convert.ToHexStringLower(
            SHA256.HashData(
                Encoding.UTF8.GetBytes(
                    string.Concat(names.Select(name => $"{name} {new FileInfo(_files[name]).Length} {Sha256(_files[name])}\n"))
                )
            )
        );

    private static string Sha256(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
