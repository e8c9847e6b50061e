using Polyseme.Activations;
using Polyseme.Dictionaries.Training;
using Polyseme.Numerics;
using Polyseme.Tests.Activations;

namespace Polyseme.Tests.Dictionaries.Training;

public sealed class StoredRowsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("one file", 1500, 2000)]
    [InlineData("shards", 1500, 2000)]
    [InlineData("deflated.npz", null, 50)]
    [InlineData("deflated-fortran.npz", null, 50)]
    [InlineData("little-f4-fortran.npy", null, 7)]
    [InlineData("big-f2.npy", null, 7)]
    [InlineData("saelens-cache-f16", null, 40)]
    public void Batches_from_disk_are_those_of_the_same_rows_in_memory(string name, int? rows, int batch)
    {
        var source = ActivationFile.Open(rows is { } made ? Made(name, made) : RepositoryFile.Golden(name));
        var all = source.ReadBlocks((int)source.NSamples, TestContext.Current.CancellationToken).Single().Values.ToArray();
        var stored = ShuffledRows.Of(source, null, 3, TestContext.Current.CancellationToken);
        var memory = ShuffledRows.Of(new FloatMatrix((int)source.NSamples, source.NNeurons, all), null, 3);
        // Batches larger than the file hold rows twice; later ones cross into other epochs; and a training may go back.
        foreach (var step in new long[] { 0, 1, 2, 9, 0 })
        {
            float[] expected = new float[batch * source.NNeurons],
                found = new float[expected.Length];
            memory.Fill(step, expected, []);
            stored.Fill(step, found, []);
            Assert.Equal(expected, found);
        }
    }

    [Fact]
    public void An_epoch_has_every_row_once_in_an_order_of_its_own()
    {
        const int rows = 3000;
        var stored = ShuffledRows.Of(ActivationFile.Open(Made("one file", rows)), null, 1, TestContext.Current.CancellationToken);
        var epochs = new List<float[]>();
        for (var epoch = 0; epoch < 2; epoch++)
        {
            var first = new float[rows / 2 * 6];
            var second = new float[rows / 2 * 6];
            stored.Fill(2 * epoch, first, []);
            stored.Fill((2 * epoch) + 1, second, []);
            var seen = first.Concat(second).Where((_, i) => i % 6 == 0).Order();
            Assert.Equal(Enumerable.Range(0, rows).Select(row => (float)(row * 6)), seen);
            epochs.Add(first);
        }
        Assert.NotEqual(epochs[0], epochs[1]);
        // Half of the rows of a random order come from each half of the file: 750 ± 5 standard deviations of 13.7.
        Assert.InRange(epochs[0].Where((value, i) => i % 6 == 0 && value < rows / 2 * 6).Count(), 680, 820);
    }

    [Fact]
    public void A_value_that_is_not_finite_is_named_from_any_part_of_a_batch()
    {
        const int rows = 2000;
        var values = Values(rows);
        values[(1700 * 6) + 4] = float.NegativeInfinity;
        var path = _folder.File("bad.safetensors");
        SafetensorsFile.Write(path, [SafetensorsTensor.Of("activations", values, rows, 6)]);
        var stored = ShuffledRows.Of(ActivationFile.Open(path), null, 1, TestContext.Current.CancellationToken);
        var error = Assert.Throws<InputException>(() => stored.Fill(0, new float[rows * 6], []));
        Assert.Contains("in row 1700, column 4", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Rows of 6 that count on: a single file, or shards of unequal lengths.</summary>
    private string Made(string name, int rows)
    {
        var values = Values(rows);
        if (name == "one file")
        {
            SafetensorsFile.Write(_folder.File("all.safetensors"), [SafetensorsTensor.Of("activations", values, rows, 6)]);
            return _folder.File("all.safetensors");
        }
        var folder = Directory.CreateDirectory(_folder.File("shards")).FullName;
        foreach (var (shard, from, to) in new[] { (0, 0, 10), (1, 10, 900), (2, 900, rows) })
            SafetensorsFile.Write(
                Path.Combine(folder, $"shard-{shard:00000}.safetensors"),
                [SafetensorsTensor.Of("activations", values[(from * 6)..(to * 6)], to - from, 6)]
            );
        return folder;
    }

    private static float[] Values(int rows) => [.. Enumerable.Range(0, rows * 6).Select(i => (float)i)];
}
