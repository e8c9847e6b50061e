using System.IO.Compression;
using System.Text;
using Polyseme.Activations;
using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Formats;
using static Polyseme.Tests.Dictionaries.Formats.GoldenDictionary;

namespace Polyseme.Tests.Dictionaries.Formats;

/// <summary>Files that torch 1.13 wrote (Golden/make_torch.py), and pickles made by hand to do harm.</summary>
public sealed class TorchFileTests : IDisposable
{
    private static readonly float[] Rows = [1.5f, 1.5f, 0, -1, 1, -0.5f, 0.5f, 0.5f];
    private static readonly DictionaryLearningFormat DictionaryLearning = new();
    private static readonly OpenAiFormat OpenAi = new();

    private readonly TemporaryFolder _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void Views_strides_and_types_are_read_in_the_order_of_their_indices()
    {
        var file = TorchFile.Open(Torch("views.pt"));
        double[] Of(string name) => file.ReadDoubles(file.Find(name)!);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (double)i), Of("whole"));
        Assert.Equal([4, 3], file.Find("transposed")!.Shape);
        Assert.Equal([0.0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11], Of("transposed"));
        Assert.Equal([1.0, 4, 7, 10], Of("strided"));
        Assert.Equal([2.0, 6, 10], Of("column"));
        Assert.Equal([1.5, -2], Of("half"));
        Assert.Equal([1.5, -2], Of("bfloat16"));
        Assert.Equal([0.1, -2], Of("double"));
        Assert.Equal([1L, -(1L << 40)], file.ReadIntegers(file.Find("long")!));
        Assert.Equal([-3.0], Of("short"));
        Assert.Equal([7.0, 200], Of("bytes"));
        Assert.Equal([1.0, 0], Of("bools"));
        Assert.Equal([0, 3], file.Find("empty")!.Shape);
        Assert.Equal((3L, "é"), (file.Root["number"], file.Root["text"]));
        var nested = (List<object?>)((PickleDictionary)file.Root["nested"]!).Values["list"]!;
        Assert.Equal([1L, 2.5, null, true], nested[..4]);
        Assert.Equal([1L, 2L], (object?[])nested[4]!);
    }

    [Theory]
    [InlineData("topk", new[] { 2.5f, 0, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0 })]
    [InlineData("batchtopk", new[] { 2.5f, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0 })] // strictly above .75
    [InlineData("standard", new[] { 2.5f, 1, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0.5f })]
    [InlineData("matryoshka", new[] { 2.5f, 1, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0 })] // strictly above .5
    public void Dictionary_learning_is_read_by_its_class(string name, float[] expected)
    {
        var dictionary = DictionaryLearning.Read(Torch(name));
        Assert.True(dictionary.SubtractDecoderBias);
        Equal(expected, Encode(dictionary, Rows));
        Assert.Equal("tiny", dictionary.Metadata["model_name"]!.GetValue<string>());
        Assert.Equal("resid_post_layer_3", dictionary.Metadata["hook_name"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("new")]
    [InlineData("jumprelu")]
    public void Two_of_its_classes_subtract_nothing(string name)
    {
        var dictionary = DictionaryLearning.Read(Torch(name));
        Assert.False(dictionary.SubtractDecoderBias);
        // (1, 2) is what row 0 is after the others have subtracted.
        Equal([2.5f, 1, 0], Encode(dictionary, 1, 2));
        Equal([5.5f, 0.5f], Reconstruct(dictionary, 1, 2));
    }

    [Fact]
    public void Its_gated_class_has_the_gates_bias_and_the_magnitudes_scale()
    {
        var dictionary = DictionaryLearning.Read(Torch("gated"));
        Equal([2.25f, (2 * MathF.Exp(0.5f)) - 0.5f, 0], Encode(dictionary, 1.5f, 1.5f), 1e-6f);
        Equal([0, 0, 1.375f], Encode(dictionary, 0, -1), 1e-6f);
    }

    [Fact]
    public void A_backup_is_read_beside_its_optimiser_and_its_biases_are_scaled_as_a_save_would()
    {
        var dictionary = DictionaryLearning.Read(Torch("backup"));
        Assert.Equal(new LatentActivation.Relu(), dictionary.Activation);
        Assert.Equal([1f, -2, 0.5f], dictionary.EncoderBias);
        Assert.Equal([1f, -1], dictionary.DecoderBias);
        Assert.Equal(Tiny.Decoder().Data, dictionary.Decoder.Data);
    }

    [Fact]
    public void The_weights_alone_are_enough_where_they_tell_the_class()
    {
        File.Copy(Torch("standard/ae.pt"), _files.File("ae_1000.pt"));
        Equal([2.5f, 1, 0], Encode(DictionaryLearning.Read(_files.File("ae_1000.pt")), 1.5f, 1.5f));
        File.Copy(Torch("topk/ae.pt"), _files.File("topk.pt"));
        var refused = Assert.Throws<InputException>(() => DictionaryLearning.Read(_files.File("topk.pt")));
        Assert.Contains("AutoEncoderTopK or BatchTopKSAE", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"dict_size\": 3", "\"dict_size\": 4", "dict_size")]
    [InlineData("\"activation_dim\": 2", "\"activation_dim\": 9", "activation_dim")]
    [InlineData("AutoEncoderTopK", "GatedAutoEncoder", "tensors of AutoEncoderTopK")]
    public void A_configuration_that_disagrees_with_the_weights_is_refused(string find, string replace, string mention)
    {
        var copy = Copy(Torch("topk"), _files);
        var config = Path.Combine(copy, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace(find, replace, StringComparison.Ordinal));
        Assert.Contains(mention, Assert.Throws<InputException>(() => DictionaryLearning.Read(copy)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenAIs_TopK_normalises_rows_and_its_ReLU_does_not()
    {
        var topk = OpenAi.Read(Torch("openai-topk.pt"));
        Assert.Equal(new LatentActivation.TopK(2), topk.Activation);
        Assert.Equal(RowNormalisation.LayerNorm, topk.Normalisation);
        // (1, 3): mean 2, deviation √2; normalised (−s, s).
        double sd = Math.Sqrt(2),
            s = 1 / (sd + 1e-5),
            c0 = -s - 0.5,
            c1 = s + 0.5;
        double[] z = [c0 + (0.5 * c1) + 0.5, c1 - 1, -c0 + (0.25 * c1) + 0.25];
        Equal([0, (float)z[1], (float)z[2]], Encode(topk, 1, 3), 1e-6f);
        Equal([(float)((((3 * z[2]) + 0.5) * sd) + 2), (float)(((z[1] + (4 * z[2]) - 0.5) * sd) + 2)], Reconstruct(topk, 1, 3), 1e-5f);
        var relu = OpenAi.Read(Torch("openai-relu.pt"));
        Assert.Equal(RowNormalisation.None, relu.Normalisation);
        Equal([2.5f, 1, 0, 0, 0, 0.625f, 1, 0, 0, 1, 0, 0.5f], Encode(relu, Rows));
    }

    [Theory]
    [InlineData("os", "system")]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("torch", "load")]
    [InlineData("torch._utils", "_rebuild_tensor")]
    [InlineData("collections", "deque")]
    public void A_foreign_global_is_named_and_never_called(string module, string name)
    {
        var message = Refused(Pickle($"c{module}\n{name}\n", "X\u0002\0\0\0hi", "\x85R."));
        Assert.Contains($"'{module}.{name}'", message, StringComparison.Ordinal);
        Assert.Contains("data.pkl", message, StringComparison.Ordinal);
        // Named by texts on the stack, as newer pickles do, and only named, not called.
        var stacked = Latin($"\x8c{(char)module.Length}{module}\x8c{(char)name.Length}{name}\x93.");
        Assert.Contains($"'{module}.{name}'", Refused([0x80, 4, .. stacked]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no stop", "}")]
    [InlineData("two objects", "}}.")]
    [InlineData("empty stack", "0.")]
    [InlineData("no mark", "t.")]
    [InlineData("unknown memo", "h\u0007.")]
    [InlineData("a text beyond the end", "X\u00ff\u00ff\u00ff\u007fhi.")]
    [InlineData("a text of 2^63 bytes", "\x8d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ffhi.")]
    [InlineData("a list, not a dictionary", "].")]
    [InlineData("a key without a value", "}(K\u0001u.")]
    [InlineData("a list with a key", "]K\u0001K\u0002s.")]
    [InlineData("INST, which calls", "(ios\nsystem\n.")]
    [InlineData("attributes of a list", "]}b.")]
    [InlineData("a call of a number", "K\u0001)R.")]
    [InlineData("a call without a tuple", "ccollections\nOrderedDict\n]R.")]
    [InlineData("a storage that is none", "K\u0001Q.")]
    [InlineData("a name without an end", "cos")]
    public void A_pickle_that_torch_did_not_write_is_one_line(string _, string opcodes)
    {
        var message = Refused([0x80, 2, .. Latin(opcodes)]);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_dictionary_that_holds_itself_is_read_once()
    {
        // d = {}; d["a"] = d; d["ae"] = d
        var path = Zip([0x80, 2, .. Latin("}q\0X\u0001\0\0\0ah\0sX\u0002\0\0\0aeh\0s.")]);
        Assert.Empty(TorchFile.Open(path).Arrays);
    }

    [Theory]
    // Count, then offset, sizes and strides of a tensor on a storage of 4 floats.
    [InlineData(4, 0, new byte[] { 200, 200 }, new byte[] { 0, 0 }, "does not lie in its storage")]
    [InlineData(4, 1, new byte[] { 4 }, new byte[] { 1 }, "does not lie in its storage")]
    [InlineData(4, 0, new byte[] { 2 }, new byte[] { 5 }, "does not lie in its storage")]
    [InlineData(9, 0, new byte[] { 4 }, new byte[] { 1 }, "another size")]
    [InlineData(4, 0, new byte[] { 4 }, new byte[] { 1, 1 }, "sizes and strides")]
    public void A_tensor_that_is_larger_than_its_bytes_is_refused(byte count, byte offset, byte[] sizes, byte[] strides, string mention)
    {
        static string Tuple(byte[] values) => "(" + string.Concat(values.Select(value => $"K{(char)value}")) + "t";
        var storage = $"(X\u0007\0\0\0storagectorch\nFloatStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuK{(char)count}tQ";
        var tensor =
            $"ctorch._utils\n_rebuild_tensor_v2\n({storage}K{(char)offset}{Tuple(sizes)}{Tuple(strides)}\u0089ccollections\nOrderedDict\n)RtR";
        var message = Refused([0x80, 2, .. Latin($"}}X\u0001\0\0\0w{tensor}s.")]);
        Assert.Contains(mention, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_made_by_hand_is_read()
    {
        var storage = "(X\u0007\0\0\0storagectorch\nFloatStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuK\u0004tQ";
        var tensor = $"ctorch._utils\n_rebuild_tensor_v2\n({storage}K\u0001(K\u0003t(K\u0001t\u0089ccollections\nOrderedDict\n)RtR";
        var file = TorchFile.Open(Zip([0x80, 2, .. Latin($"}}X\u0001\0\0\0w{tensor}s.")]));
        Assert.Equal([2f, 3, 4], file.ReadSingles(file.Find("w")!));
    }

    [Fact]
    public void Files_that_are_no_such_archive_say_what_they_are()
    {
        Assert.Contains("since version 1.6", Message(Torch("old.pt")), StringComparison.Ordinal);
        File.WriteAllBytes(_files.File("short.pt"), File.ReadAllBytes(Torch("views.pt"))[..500]);
        Assert.Contains("cut off", Message(_files.File("short.pt")), StringComparison.Ordinal);
        Assert.Contains("data.pkl", Message(Zip([], pickleName: "other/thing")), StringComparison.Ordinal);
        Assert.Contains("'little'", Message(Zip([0x80, 2, (byte)'}', (byte)'.'], order: "big")), StringComparison.Ordinal);
        Assert.Contains("at most 1048576 bytes", Message(Zip(new byte[Unpickler.Longest + 1])), StringComparison.Ordinal);
    }

    private static string Message(string path) => Assert.Throws<InputException>(() => TorchFile.Open(path)).Message;

    private string Refused(byte[] pickle) => Message(Zip(pickle));

    private static byte[] Pickle(params string[] opcodes) => [0x80, 2, .. Latin(string.Concat(opcodes))];

    private static byte[] Latin(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>An archive as torch lays it out, with one storage of the floats 1 to 4.</summary>
    private string Zip(byte[] pickle, string pickleName = "archive/data.pkl", string order = "little")
    {
        var path = _files.File($"{Guid.NewGuid():N}.pt");
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        void Add(string name, byte[] bytes)
        {
            using var entry = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
            entry.Write(bytes);
        }
        Add(pickleName, pickle);
        Add("archive/byteorder", Latin(order));
        Add("archive/data/0", [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40]);
        return path;
    }
}
