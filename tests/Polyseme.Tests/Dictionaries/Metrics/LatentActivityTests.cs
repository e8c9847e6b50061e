using Polyseme.Dictionaries.Metrics;
using Polyseme.Numerics;

namespace Polyseme.Tests.Dictionaries.Metrics;

public sealed class LatentActivityTests
{
    [Fact]
    public void Three_latents_in_ten_rows_by_hand()
    {
        var counter = new LatentActivityCounter(3);
        for (var row = 0; row < 10; row++)
            counter.Add([2, row == 0 ? -1 : 0, 0]); // always, once, never
        var activity = counter.Result();
        Assert.Equal([1, 0.1, 0], activity.Density);
        Assert.Equal((1.1, 2.1), (activity.L0, activity.L1));
        Assert.Equal((1, 2.0 / 3, true), (activity.Dead, activity.AliveShare, activity.BothSigns));
        Assert.Equal([(-1.0, 1), (-0.5, 1)], activity.DensityHistogram.Select(bar => (bar.From, bar.Latents)));
    }

    [Fact]
    public void A_latent_that_is_no_number_is_refused_by_its_place() =>
        Assert.Contains(
            "latent 1 of row 0 is NaN",
            Assert.Throws<ArgumentException>(() => new LatentActivityCounter(2).Add([0, float.NaN])).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Reading_along_what_is_written_has_cosine_one_and_a_zero_row_none()
    {
        var encoder = new FloatMatrix(3, 2, [1, 1, 0, 1, 0, 0]);
        var decoder = new FloatMatrix(3, 2, [2, 2, 1, 0, 1, 0]);
        var cosines = EncoderDecoderCosine.PerLatent(encoder, decoder);
        Assert.Equal(1, cosines[0]!.Value, 1e-12);
        Assert.Equal(0, cosines[1]!.Value, 1e-12);
        Assert.Null(cosines[2]);
        Assert.Throws<ArgumentException>(() => EncoderDecoderCosine.PerLatent(encoder, new FloatMatrix(2, 3, new float[6])));
    }

    [Fact]
    public void Neurons_are_aligned_with_themselves_and_random_directions_are_not()
    {
        var axes = BasisAlignment.Measure(Matrix.Identity(30), new RandomStream(1, "alignment"));
        Assert.Equal((1.0, 1.0), (axes.Mean!.Value, axes.AlignedShare));
        Assert.True(axes.MeanOfRandomDirections < 0.6);
        var random = BasisAlignment.Measure(new RandomStream(2, "directions").NormalMatrix(200, 30), new RandomStream(1, "alignment"));
        Assert.Equal(random.MeanOfRandomDirections, random.Mean!.Value, 0.03);
        Assert.Equal(0, random.AlignedShare);
    }
}
