using Polyseme.Activations;
using Polyseme.Dictionaries.Training;
using Polyseme.Runs;

namespace Polyseme.Tests.Activations;

public sealed class StoreShuffleTests : IDisposable
{
    private const int Width = 6;
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(40)]
    public void A_copy_has_every_row_once_whole_and_as_a_store(int parts)
    {
        const int rows = 3000;
        var values = Copied(Numbered("all", rows), parts, seed: 5, out var copy);
        Assert.Equal((rows, Width, DType.F32), (copy.NSamples, copy.NNeurons, copy.DType));
        Assert.Equal(Enumerable.Range(0, rows).Select(row => (float)(row * Width)), First(values).Order());
        for (var i = 0; i < rows; i++)
            Assert.Equal(Enumerable.Range((int)values[i * Width], Width).Select(v => (float)v), values[(i * Width)..((i + 1) * Width)]);
        // The store's own hashes hold, and nothing of the first pass is left.
        Assert.Equal(64, copy.ComputeSha256(Token).Length);
        Assert.Empty(Directory.GetFiles(copy.Path, ".part-*", new EnumerationOptions { AttributesToSkip = FileAttributes.None }));
    }

    [Fact]
    public void The_order_is_random_over_all_rows_and_that_of_its_seed()
    {
        const int rows = 4000;
        var source = Numbered("all", rows);
        var order = First(Copied(source, 4, seed: 1, out _)).Select(value => value / Width).ToArray();
        // The first quarter of a random order holds a quarter of each half of the rows: 500 ± 5 standard deviations of 19.4.
        Assert.InRange(order.Take(rows / 4).Count(row => row < rows / 2), 403, 597);
        // Neighbours in a random order are a third of the length apart: ± 5 standard errors of about 15.
        Assert.InRange(order.Zip(order.Skip(1), (a, b) => Math.Abs(a - b)).Average(), (rows / 3f) - 75, (rows / 3f) + 75);
        Assert.Equal(order, First(Copied(source, 4, seed: 1, out _)).Select(value => value / Width));
        Assert.NotEqual(order, First(Copied(source, 4, seed: 2, out _)).Select(value => value / Width));
    }

    [Fact]
    public void Every_order_of_four_rows_is_equally_likely()
    {
        var source = Numbered("four", 4);
        var counts = Enumerable
            .Range(0, 1200)
            .Select(seed => string.Join(' ', First(Copied(source, 2, (ulong)seed, out _))))
            .CountBy(order => order)
            .ToArray();
        Assert.Equal(24, counts.Length);
        // χ² of 23 degrees of freedom: above 58 once in 15,000 times.
        Assert.InRange(counts.Sum(count => Math.Pow(count.Value - 50, 2) / 50), 0, 58);
    }

    [Fact]
    public void Sources_of_one_length_are_shuffled_alike()
    {
        var (rows, targets) = (Numbered("rows", 500), Numbered("targets", 500, width: 2));
        var inputs = Copied(rows, 3, 0, out _);
        var outputs = Copied(targets, 3, 0, out _);
        Assert.Equal(First(inputs).Select(value => value / Width), outputs.Where((_, i) => i % 2 == 0).Select(value => value / 2));
    }

    [Fact]
    public void Rows_in_order_go_round_and_are_those_of_the_copy()
    {
        const int rows = 70;
        var values = Copied(Numbered("all", rows), 2, 3, out var copy);
        var ordered = new OrderedRows(copy, null, "identity");
        foreach (var step in new long[] { 0, 1, 2, 5, 0 })
        {
            var batch = new float[100 * Width];
            ordered.Fill(step, batch, []);
            for (var i = 0; i < 100; i++)
                Assert.Equal(values[(int)((step * 100 + i) % rows) * Width], batch[i * Width]);
        }
    }

    [Fact]
    public void A_copy_is_known_by_what_it_is_a_copy_of()
    {
        var source = Numbered("all", 50);
        _ = Copied(source, 2, 3, out var copy);
        Assert.True(StoreShuffle.IsAt(copy.Path, "hash", 2, 3));
        Assert.False(StoreShuffle.IsAt(copy.Path, "another", 2, 3));
        Assert.False(StoreShuffle.IsAt(copy.Path, "hash", 3, 3));
        Assert.False(StoreShuffle.IsAt(copy.Path, "hash", 2, 4));
        File.WriteAllText(Path.Combine(copy.Path, StoreWriter.IndexName), "{\"schema\": ");
        Assert.False(StoreShuffle.IsAt(copy.Path, "hash", 2, 3));
        File.Delete(Path.Combine(copy.Path, StoreWriter.IndexName));
        Assert.False(StoreShuffle.IsAt(copy.Path, "hash", 2, 3));
    }

    [Fact]
    public void What_is_cut_off_is_no_store()
    {
        using var stop = new CancellationTokenSource();
        var directory = _folder.File("copy");
        var progress = new Stopping(stop);
        Assert.Throws<OperationCanceledException>(() =>
            StoreShuffle.Write(Numbered("all", 500), "hash", directory, 5, 0, progress, stop.Token)
        );
        Assert.True(Directory.Exists(directory));
        Assert.False(StoreShuffle.IsAt(directory, "hash", 5, 0));
    }

    private sealed class Stopping(CancellationTokenSource stop) : IProgress<Step>
    {
        public void Report(Step value)
        {
            if (value.Stage.Contains("second", StringComparison.Ordinal))
                stop.Cancel();
        }
    }

    [Fact]
    public void A_value_that_is_not_finite_is_named()
    {
        var values = Enumerable.Range(0, 30).Select(i => (float)i).ToArray();
        values[17] = float.NaN;
        var path = _folder.File("bad.safetensors");
        SafetensorsFile.Write(path, [SafetensorsTensor.Of("activations", values, 5, Width)]);
        var error = Assert.Throws<InputException>(() =>
            StoreShuffle.Write(ActivationFile.Open(path), "hash", _folder.File("copy"), 2, 0, null, Token)
        );
        Assert.Contains("in row 2, column 5", error.Message, StringComparison.Ordinal);
    }

    private float[] Copied(ActivationSource source, int parts, ulong seed, out ActivationSource copy)
    {
        var directory = _folder.File($"copy of {Path.GetFileName(source.Path)}");
        StoreShuffle.Write(source, "hash", directory, parts, seed, null, Token);
        copy = ActivationFile.Open(directory);
        return copy.ReadBlocks((int)copy.NSamples, Token).Single().Values.ToArray();
    }

    private static IEnumerable<float> First(float[] values) => values.Where((_, i) => i % Width == 0);

    /// <summary>Rows that count on.</summary>
    private ActivationSource Numbered(string name, int rows, int width = Width)
    {
        var path = _folder.File($"{name}.safetensors");
        SafetensorsFile.Write(
            path,
            [SafetensorsTensor.Of("activations", Enumerable.Range(0, rows * width).Select(i => (float)i).ToArray(), rows, width)]
        );
        return ActivationFile.Open(path);
    }
}
