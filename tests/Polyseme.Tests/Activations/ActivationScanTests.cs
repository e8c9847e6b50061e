using System.Security.Cryptography;
using CsCheck;
using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Tests.Activations;

public sealed class ActivationScanTests : IDisposable
{
    private readonly TemporaryDirectory _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void A_small_file_comes_whole_with_its_moments()
    {
        // Columns 1 3 5 and 2 2 8: means 3 and 4, variances 4 and 12, covariance (−2·−2 + 0 + 2·4) / 2 = 6.
        var result = Scan(
            Safetensors.Layer(
                new float[,]
                {
                    { 1, 2, 7 },
                    { 3, 2, 7 },
                    { 5, 8, 7 },
                }
            )
        );
        Assert.Equal((3, 0, true, true), (result.NSamples, result.NDropped, result.SampleIsComplete, result.SampleHasWholeGroups));
        Assert.Equal([3.0, 4, 7], result.Mean);
        Assert.Equal([4.0, 6, 0, 6, 12, 0, 0, 0, 0], result.Covariance!.Data);
        Assert.Equal([2], result.ConstantNeurons);
        Assert.Equal([1f, 2, 7, 3, 2, 7, 5, 8, 7], result.Sample.Values);
        Assert.Equal([0, 1, 2], result.SampleRows);
        Assert.Equal(("row", 3), (result.Groups.Name, result.Groups.Count));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_files["a.safetensors"]))), result.Sha256);
    }

    [Fact]
    public void A_single_row_has_no_covariance_and_only_constant_neurons()
    {
        var result = Scan(
            Safetensors.Layer(
                new float[,]
                {
                    { 1, 2 },
                }
            )
        );
        Assert.Null(result.Covariance);
        Assert.Equal([0, 1], result.ConstantNeurons);
    }

    [Fact]
    public void A_value_that_is_not_finite_is_an_error_that_says_where_and_how_many()
    {
        var bytes = Safetensors.Layer(
            new float[,]
            {
                { 1, 2 },
                { 3, float.NegativeInfinity },
                { float.NaN, float.NaN },
            }
        );
        var e = Assert.Throws<InputException>(() => Scan(bytes));
        Assert.Contains(
            "a.safetensors: holds 3 values that are not finite, in 2 of 3 rows; found -infinity first at row 1, column 1; expected finite values (--allow-nan drops these rows)",
            e.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Doubles_beyond_single_precision_are_not_finite()
    {
        SafetensorsFile.Write(_files["d.safetensors"], [SafetensorsTensor.Of("activations", new[] { 1.0, 1e300 }, 2, 1)]);
        var e = Assert.Throws<InputException>(() => Run(_files["d.safetensors"]));
        Assert.Contains("infinity first at row 1, column 0 (or beyond single precision)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_that_are_not_finite_are_dropped_and_counted_when_asked_for()
    {
        var bytes = Safetensors.Layer(
            new float[,]
            {
                { float.NaN, 0 },
                { 1, 2 },
                { 0, float.NaN },
                { 0, float.PositiveInfinity },
                { 3, 4 },
                { 3, 8 },
                { 0, float.NaN },
            },
            ("item", [10, 11, 12, 13, 14, 11, 16])
        );
        var result = Scan(bytes, new ActivationScanConfig { AllowNan = true });
        Assert.Equal([0, 2, 3, 6], result.DroppedRows);
        Assert.Equal([1f, 2, 3, 4, 3, 8], result.Sample.Values);
        Assert.Equal([1, 4, 5], result.SampleRows);
        Assert.Equal([1, 4, 5], Enumerable.Range(0, 3).Select(result.SourceRow));
        Assert.Equal([11L, 14, 11], result.Sample.Rows.Item!);
        Assert.Equal([0, 1, 0], result.Groups.Ids);
        Assert.Equal([7.0 / 3, 14.0 / 3], result.Mean);
        Assert.Contains(
            "has no row left; found 1 rows",
            Assert
                .Throws<InputException>(() =>
                    Scan(
                        Safetensors.Layer(
                            new float[,]
                            {
                                { float.NaN },
                            }
                        ),
                        new ActivationScanConfig { AllowNan = true }
                    )
                )
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_unit_of_groups_is_item_then_document_then_duplicates_unless_named()
    {
        var values = new float[,]
        {
            { 0f, 1 },
            { -0f, 1 },
            { 2, 1 },
            { 0, 1 },
        };
        string Unit(string? asked, params (string, long[])[] rows)
        {
            var groups = Scan(Safetensors.Layer(values, rows), new ActivationScanConfig { Groups = asked }).Groups;
            return $"{groups.Name} {string.Join(' ', groups.Ids)}";
        }
        (string, long[]) item = ("item", [5, 6, 5, 5]),
            document = ("sentence", [1, 1, 2, 2]),
            position = ("position", [3, 2, 3, 1]);
        Assert.Equal("item 0 1 0 0", Unit(null, document, item));
        Assert.Equal("document 0 0 1 1", Unit(null, document, position));
        Assert.Equal("duplicates 0 0 1 0", Unit(null, position));
        Assert.Equal("position 0 1 0 2", Unit("position", position, item));
        Assert.Equal("document 0 0 1 1", Unit("sentence", document, item));
        Assert.Equal("duplicates 0 0 1 0", Unit("duplicates", item));
        var e = Assert.Throws<InputException>(() => Unit("items", item, document));
        Assert.Contains(
            "has no row identity 'items' to group by; found item, document; expected one of item, document, duplicates (see --groups)",
            e.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Identities_of_a_concept_file_fill_in_what_the_activations_lack()
    {
        var path = _files.Write(
            "a.safetensors",
            Safetensors.Layer(
                new float[,]
                {
                    { 1 },
                    { 2 },
                    { 3 },
                },
                ("position", [4, 5, 6])
            )
        );
        var source = ActivationFile.Open(path);
        var rows = source.Rows.Or(new RowIdentities { Item = [8, 8, 9], Position = [0, 0, 0] });
        var result = ActivationScan.Run(source, new ActivationScanConfig(), null, TestContext.Current.CancellationToken, rows);
        Assert.Equal("item", result.Groups.Name);
        Assert.Equal([0, 0, 1], result.SampleGroups.Ids);
        Assert.Equal([4L, 5, 6], result.Sample.Rows.Position!);
    }

    [Fact]
    public void Where_hashes_collide_the_rows_decide()
    {
        // Rows 0, 1 and 3 share a hash, but row 1 is another row.
        var groups = RowGroups.ByDuplicates([7, 7, 8, 7], asked: false, rows => [.. rows.Select(row => row == 1 ? (UInt128)100 : 200)]);
        Assert.Equal([0, 1, 2, 0], groups.Ids);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_sample_takes_whole_groups_and_says_which_rows(int rowsPerGroup)
    {
        var (values, items) = Planted(600, rowsPerGroup);
        var bytes = Safetensors.Layer(values, ("item", items));
        var config = new ActivationScanConfig { MaxSampleRows = 100, Seed = 3 };
        var result = Scan(bytes, config);
        Assert.InRange(result.Sample.NSamples, 98, 100);
        Assert.True(result is { SampleHasWholeGroups: true, SampleIsComplete: false, NSamples: 600 });
        for (var i = 0; i < result.Sample.NSamples; i++)
        {
            Assert.Equal(values[result.SampleRows[i], 0], result.Sample.Row(i)[0]);
            Assert.Equal(items[result.SampleRows[i]], result.Sample.Rows.Item![i]);
        }
        Assert.All(result.SampleRows.GroupBy(row => items[row]), group => Assert.Equal(rowsPerGroup, group.Count()));
        Assert.Equal(result.SampleRows.Order(), result.SampleRows);
        Assert.Equal(result.SampleRows, Scan(bytes, config).SampleRows);
        Assert.NotEqual(result.SampleRows, Scan(bytes, config with { Seed = 4 }).SampleRows);
    }

    [Fact]
    public void Groups_larger_than_the_sample_are_cut()
    {
        var (values, items) = Planted(600, rowsPerGroup: 300);
        var result = Scan(Safetensors.Layer(values, ("item", items)), new ActivationScanConfig { MaxSampleRows = 100 });
        Assert.Equal((100, false, 2), (result.Sample.NSamples, result.SampleHasWholeGroups, result.SampleGroups.Count));
    }

    [Fact]
    public void A_wide_layer_gets_fewer_rows_and_no_covariance_above_its_limit()
    {
        var (values, _) = Planted(600, 1);
        var result = Scan(Safetensors.Layer(values), new ActivationScanConfig { MaxSampleValues = 10, MaxCovarianceNeurons = 1 });
        Assert.Equal(5, result.Sample.NSamples);
        Assert.Null(result.Covariance);
    }

    [Fact]
    public void Duplicates_are_found_in_a_file_larger_than_the_sample()
    {
        var values = new float[90, 2];
        for (var i = 0; i < 90; i++)
            (values[i, 0], values[i, 1]) = (i % 30, 1);
        var result = Scan(Safetensors.Layer(values), new ActivationScanConfig { MaxSampleRows = 20 });
        Assert.Equal(("duplicates", 30), (result.Groups.Name, result.Groups.Count));
        Assert.Equal(Enumerable.Range(0, 90).Select(i => i % 30), result.Groups.Ids);
        Assert.Equal((18, 6), (result.Sample.NSamples, result.SampleGroups.Count));
    }

    [Fact]
    public void The_same_bytes_give_the_same_result_and_a_set_in_memory_the_same_groups()
    {
        var random = new RandomStream(1, "scan");
        var values = new float[700, 33];
        for (var i = 0; i < 700; i++)
        for (var j = 0; j < 33; j++)
            values[i, j] = (float)random.NextNormal();
        var bytes = Safetensors.Layer(values);
        var (a, b) = (Scan(bytes), Scan(bytes));
        Assert.Equal(a.Covariance!.Data, b.Covariance!.Data);
        Assert.Equal(a.Mean, b.Mean);
        Assert.Equal(a.Sha256, b.Sha256);
        Assert.Equal(a.Groups.Ids, RowGroups.Of(a.Sample).Ids);
    }

    [Fact]
    public void Cancellation_and_progress_are_heard()
    {
        _files.Write(
            "a.safetensors",
            Safetensors.Layer(
                new float[,]
                {
                    { 1, 2 },
                }
            )
        );
        var steps = new List<Step>();
        ActivationScan.Run(
            ActivationFile.Open(_files["a.safetensors"]),
            new ActivationScanConfig(),
            new Listener(steps),
            TestContext.Current.CancellationToken
        );
        Assert.Equal([new Step("reading activations", 1, 1)], steps);
        Assert.ThrowsAny<OperationCanceledException>(() =>
            ActivationScan.Run(ActivationFile.Open(_files["a.safetensors"]), new ActivationScanConfig(), null, new CancellationToken(true))
        );
    }

    [Fact]
    public void Every_type_and_order_gives_the_values_that_were_stored() =>
        (
            from rows in Gen.Int[1, 9]
            from columns in Gen.Int[1, 5]
            from bits in Gen.UShort.Array[rows * columns]
            select (rows, columns, bits)
        ).Sample(
            sample =>
            {
                using var files = new TemporaryDirectory();
                long[] shape = [sample.rows, sample.columns];
                var halves = sample
                    .bits.Select(bits => (bits & 0x7C00) == 0x7C00 ? (Half)0 : BitConverter.UInt16BitsToHalf(bits))
                    .ToArray();
                var bfloats = sample.bits.Select(bits => (bits & 0x7F80) == 0x7F80 ? (ushort)0 : bits).ToArray();
                SafetensorsFile.Write(files["h.safetensors"], [SafetensorsTensor.Of("x", halves, shape)]);
                SafetensorsFile.Write(
                    files["b.safetensors"],
                    [
                        new SafetensorsTensor(
                            "x",
                            DType.BF16,
                            shape,
                            stream => stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(bfloats.AsSpan()))
                        ),
                    ]
                );
                Assert.Equal(halves.Select(half => (float)half), Run(files["h.safetensors"]).Sample.Values);
                // A bfloat16 is the upper half of a float.
                Assert.Equal(bfloats.Select(bits => BitConverter.Int32BitsToSingle(bits << 16)), Run(files["b.safetensors"]).Sample.Values);
            },
            iter: 100
        );

    private static (float[,] Values, long[] Items) Planted(int rows, int rowsPerGroup)
    {
        var values = new float[rows, 2];
        var items = new long[rows];
        for (var i = 0; i < rows; i++)
            (values[i, 0], values[i, 1], items[i]) = (i, 1, 1000 - (i % (rows / rowsPerGroup)));
        return (values, items);
    }

    private ActivationScanResult Scan(byte[] bytes, ActivationScanConfig? config = null) =>
        Run(_files.Write("a.safetensors", bytes), config);

    private static ActivationScanResult Run(string path, ActivationScanConfig? config = null) =>
        ActivationScan.Run(ActivationFile.Open(path), config ?? new ActivationScanConfig(), null, TestContext.Current.CancellationToken);

    private sealed class Listener(List<Step> steps) : IProgress<Step>
    {
        public void Report(Step value) => steps.Add(value);
    }
}
