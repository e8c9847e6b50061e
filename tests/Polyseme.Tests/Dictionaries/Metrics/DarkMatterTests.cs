using Polyseme.Dictionaries.Metrics;
using Polyseme.Numerics;

namespace Polyseme.Tests.Dictionaries.Metrics;

public sealed class DarkMatterTests
{
    [Fact]
    public void A_shrunken_reconstruction_leaves_an_error_that_the_input_foretells()
    {
        var result = Measure(40_000, offset: 0, (x, _) => 0.7 * x);
        Assert.Equal(1, result.ErrorR2!.Value, 1e-6);
        Assert.Equal(0, result.ErrorNormR2!.Value, 0.01); // ‖x‖² is no linear function of a symmetric x
    }

    [Fact]
    public void An_offset_changes_nothing_and_fresh_noise_is_not_foretold()
    {
        Assert.Equal(1, Measure(4_000, offset: 100, (x, _) => 0.7 * x).ErrorR2!.Value, 1e-4);
        var noise = Measure(20_000, offset: 0, (x, random) => x + random.NextNormal());
        Assert.Equal(0, noise.ErrorR2!.Value, 0.01);
        Assert.Equal(0, noise.ErrorNormR2!.Value, 0.01);
    }

    [Fact]
    public void Half_of_the_error_foretold_is_one_half()
    {
        // e = 0.5·x + 0.5·noise.
        var result = Measure(40_000, offset: 0, (x, random) => (0.5 * x) + (0.5 * random.NextNormal()));
        Assert.Equal(0.5, result.ErrorR2!.Value, 0.02);
    }

    [Fact]
    public void Without_error_there_is_nothing_to_foretell_and_with_few_rows_no_answer()
    {
        Assert.Null(Measure(2_000, offset: 0, (x, _) => x).ErrorR2);
        var sums = new DarkMatterSums(5, 5);
        sums.Add(new float[50], new float[50], new float[50]);
        Assert.Null(sums.Result());
    }

    private static DarkMatter Measure(int rows, double offset, Func<double, RandomStream, double> reconstruct)
    {
        const int width = 4;
        var random = new RandomStream(11, "dark");
        var sums = new DarkMatterSums(width, width);
        for (var block = 0; block < 10; block++)
        {
            var (x, back) = (new float[rows / 10 * width], new float[rows / 10 * width]);
            for (var i = 0; i < x.Length; i++)
            {
                var value = (float)(offset + random.NextNormal());
                (x[i], back[i]) = (value, (float)reconstruct(value, random));
            }
            sums.Add(x, x, back);
        }
        return sums.Result()!;
    }
}
