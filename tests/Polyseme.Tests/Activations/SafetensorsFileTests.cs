using System.Text;
using CsCheck;
using Polyseme.Activations;
using Polyseme.Runs;

namespace Polyseme.Tests.Activations;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryDirectory _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void A_file_made_by_hand_is_read()
    {
        // 1.0f = 00 00 80 3F; half 1.5 = 00 3E; bfloat16 −2 = 00 C0.
        var path = _files.Write(
            "a.safetensors",
            Safetensors.Bytes(
                """{"f":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"__metadata__":{"k":"v\n"},"h":{"dtype":"F16","shape":[1],"data_offsets":[8,10]},"b":{"dtype":"BF16","shape":[],"data_offsets":[10,12]},"i":{"dtype":"I16","shape":[2],"data_offsets":[12,16]},"e":{"dtype":"U64","shape":[0,7],"data_offsets":[16,16]}}   """,
                [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0, 0x3E, 0, 0xC0, 0xFF, 0xFF, 2, 1]
            )
        );
        var file = SafetensorsFile.Open(path);
        Assert.Equal(["f", "h", "b", "i", "e"], file.Arrays.Select(array => array.Name));
        Assert.Equal("v\n", file.Metadata["k"]);
        Assert.Equal([1f, -2f], file.ReadSingles(file.Find("f")!));
        Assert.Equal([1.5f], file.ReadSingles(file.Find("h")!));
        Assert.Equal([-2.0], file.ReadDoubles(file.Find("b")!));
        Assert.Equal([-1L, 258L], file.ReadIntegers(file.Find("i")!));
        Assert.Equal([0L, 7L], file.Find("e")!.Shape);
        Assert.Empty(file.ReadIntegers(file.Find("e")!));
    }

    [Fact]
    public void The_writer_follows_the_reference_byte_by_byte()
    {
        // The reference orders by type (U64 I64 F64 F32 U32 I32 BF16 F16 U16 I16 I8 U8 BOOL), then by name, and pads the header to a multiple of 8.
        SafetensorsFile.Write(
            _files["w.safetensors"],
            [
                SafetensorsTensor.Of("b", new[] { true }),
                SafetensorsTensor.Of("a\"é", new byte[] { 7 }),
                SafetensorsTensor.Of("z", new[] { 1f, 2f }, 2, 1),
                SafetensorsTensor.Of("B", new[] { 5L }),
                SafetensorsTensor.Of("A", new[] { 0.5f }, []),
            ],
            [new("m", "1")]
        );
        var header =
            """{"__metadata__":{"m":"1"},"B":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"A":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"z":{"dtype":"F32","shape":[2,1],"data_offsets":[12,20]},"a\"é":{"dtype":"U8","shape":[1],"data_offsets":[20,21]},"b":{"dtype":"BOOL","shape":[1],"data_offsets":[21,22]}}""";
        header += new string(' ', (8 - (Encoding.UTF8.GetByteCount(header) % 8)) % 8);
        var expected = Safetensors.Bytes(header, [5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3F, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 7, 1]);
        Assert.Equal(expected, File.ReadAllBytes(_files["w.safetensors"]));
        Assert.Single(Directory.GetFiles(_files.Path));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(64)]
    public void Data_starts_at_the_alignment_asked_for(int alignment)
    {
        SafetensorsFile.Write(_files["w.safetensors"], [SafetensorsTensor.Of("activations", new[] { 3f }, 1, 1)], alignment: alignment);
        var bytes = File.ReadAllBytes(_files["w.safetensors"]);
        Assert.Equal(0, (bytes.Length - 4) % alignment);
        Assert.Equal([3f], ActivationFile.Open(_files["w.safetensors"]).ReadRows([0], TestContext.Current.CancellationToken));
    }

    [Fact]
    public void What_is_written_is_read_back() =>
        (
            from floats in Gen.Single.Array[0, 30]
            from longs in Gen.Long.Array[0, 30]
            from halves in Gen.UShort.Select(bits => BitConverter.UInt16BitsToHalf(bits)).Array[0, 30]
            from name in Gen.String
            select (floats, longs, halves, name)
        ).Sample(
            sample =>
            {
                // Strings of half surrogates are no text, so UTF-8 cannot hold them.
                var name = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(sample.name)) + "?";
                using var files = new TemporaryDirectory();
                SafetensorsFile.Write(
                    files["r.safetensors"],
                    [
                        SafetensorsTensor.Of("1", sample.floats),
                        SafetensorsTensor.Of("2" + name, sample.longs),
                        SafetensorsTensor.Of("3", sample.halves),
                    ],
                    [new(name, name)]
                );
                var file = SafetensorsFile.Open(files["r.safetensors"]);
                Assert.Equal(sample.floats, file.ReadSingles(file.Find("1")!));
                Assert.Equal(sample.longs, file.ReadIntegers(file.Find("2" + name)!));
                Assert.Equal(sample.halves.Select(half => (float)half), file.ReadSingles(file.Find("3")!));
                Assert.Equal(name, file.Metadata[name]);
            },
            iter: 200
        );

    [Fact]
    public void A_failed_write_leaves_nothing_behind()
    {
        var broken = new SafetensorsTensor("x", DType.F32, [2], stream => stream.Write([1, 2, 3]));
        Assert.Throws<InvalidOperationException>(() => SafetensorsFile.Write(_files["x.safetensors"], [broken]));
        Assert.Empty(Directory.GetFileSystemEntries(_files.Path));
    }

    [Fact]
    public void An_unwritable_output_is_named()
    {
        var path = Path.Combine(_files.Path, "no", "such", "x.safetensors");
        var e = Assert.Throws<OutputException>(() => SafetensorsFile.Write(path, [SafetensorsTensor.Of("x", new[] { 1f })]));
        Assert.StartsWith($"{path}: cannot be written", e.Message, StringComparison.Ordinal);
        Directory.CreateDirectory(_files["taken"]);
        Assert.Throws<OutputException>(() => SafetensorsFile.Write(_files["taken"], [SafetensorsTensor.Of("x", new[] { 1f })]));
        Assert.Equal([_files["taken"]], Directory.GetFileSystemEntries(_files.Path));
    }

    public static TheoryData<string, string> BadHeaders { get; } =
        new()
        {
            { "[]", "does not start with {" },
            { """{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", "not valid JSON" },
            { """{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} {}""", "not valid JSON" },
            { """{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}""", "not valid JSON" },
            {
                """{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""",
                "names 'x' twice"
            },
            {
                """{"x":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}""",
                "tensor 'x': has a key that is unknown or given twice; found 'shape'"
            },
            { """{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}""", "found 'more'" },
            { """{"x":{"dtype":"F32","shape":[1]}}""", "is not described completely" },
            {
                """{"x":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}""",
                "tensor 'x': has an unknown dtype; found 'F33'; expected BOOL U8"
            },
            { """{"x":{"dtype":1,"shape":[1],"data_offsets":[0,4]}}""", "expected a string as dtype" },
            { """{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "shape entry that is not a size; found '-1'" },
            { """{"x":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}""", "shape entry that is not a size; found '1.0'" },
            { """{"x":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}""", "shape entry that is not a size" },
            { """{"x":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}""", "shape entry that is not a size" },
            { """{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}""", "fewer than 2^63 bytes" },
            {
                """{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""",
                "tensor 'x': has data_offsets that do not fit its shape; found 4 bytes; expected 8 bytes"
            },
            { """{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", "data_offsets out of range; found [4, 0]" },
            {
                """{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
                "data_offsets out of range; found [0, 8]; expected begin ≤ end ≤ 4"
            },
            { """{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}""", "data_offsets out of range" },
            {
                """{"x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"y":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""",
                "tensor 'y': overlaps tensor 'x'"
            },
            {
                """{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"y":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""",
                "tensor 'y': leaves a gap before it; found data from byte 2; expected data from byte 1"
            },
            {
                """{"x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""",
                "data that no tensor describes; found 4 bytes of data; expected 3"
            },
            { """{"__metadata__":{"a":1},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "a string as __metadata__ 'a'" },
            { """{"__metadata__":{"a":"1","a":"2"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "'a' twice in __metadata__" },
            { """{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "not valid JSON" },
            { """{"x":[[[[[[[[[[[[1]]]]]]]]]]]]}""", "expected an object for tensor 'x'" },
        };

    [Theory]
    [MemberData(nameof(BadHeaders))]
    public void A_lying_header_is_refused_with_the_reason(string header, string message)
    {
        var path = _files.Write("x.safetensors", Safetensors.Bytes(header, 1, 2, 3, 4));
        var e = Assert.Throws<InputException>(() => SafetensorsFile.Open(path));
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 3 }, "too short for a safetensors header; found 3 bytes")]
    [InlineData(
        new byte[] { 200, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}' },
        "header length that cannot be; found 200 bytes; expected 2 to 2 bytes"
    )]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, (byte)'{', (byte)'}' }, "found 18446744073709551615 bytes")]
    [InlineData(new byte[] { 3, 0, 0, 0, 0, 0, 0, 0, (byte)'{', 0xFF, (byte)'}' }, "not valid UTF-8")]
    public void A_header_that_does_not_fit_the_file_is_refused(byte[] bytes, string message)
    {
        var e = Assert.Throws<InputException>(() => SafetensorsFile.Open(_files.Write("x.safetensors", bytes)));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }
}
