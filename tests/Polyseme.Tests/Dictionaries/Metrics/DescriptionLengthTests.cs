using Polyseme.Dictionaries.Metrics;

namespace Polyseme.Tests.Dictionaries.Metrics;

public sealed class DescriptionLengthTests
{
    private static readonly DescriptionLengthConfig s_config = new() { BitsPerValue = 8, Precision = 0.1 };

    [Fact]
    public void The_parts_follow_their_formulas()
    {
        // σ² = .01; errors of .04 and .16 cost ½·log₂ 4 and ½·log₂ 16; one below σ² costs nothing.
        var length = DescriptionLength.Of(2, 16, [0.04, 0.16, 0.001], 1, 100, s_config);
        Assert.Equal(2 * (8 + 4), length.Latents, 1e-12);
        Assert.Equal(16 * 3 * 8 / 100.0, length.Dictionary, 1e-12);
        Assert.Equal(1 + 2, length.Residual, 1e-12);
        Assert.Equal(length.Latents + length.Dictionary + length.Residual, length.Total, 1e-12);
    }

    [Fact]
    public void Leaving_everything_out_is_not_free()
    {
        // No latents at all: every column costs the whole ½·log₂(1/σ²).
        var nothing = DescriptionLength.Of(0, 16, [1, 1], 1, 100, s_config);
        Assert.Equal(0, nothing.Latents);
        Assert.Equal(2 * Math.Log2(10), nothing.Residual, 1e-9);
    }

    [Fact]
    public void The_unit_of_the_rows_does_not_matter()
    {
        var metres = DescriptionLength.Of(2, 16, [0.04], 1, 100, s_config);
        var millimetres = DescriptionLength.Of(2, 16, [0.04e6], 1e6, 100, s_config);
        Assert.Equal(metres.Total, millimetres.Total, 1e-9);
    }

    [Fact]
    public void What_is_out_of_range_is_refused()
    {
        Assert.Throws<ArgumentException>(() => DescriptionLength.Of(17, 16, [1], 1, 100, s_config));
        Assert.Throws<ArgumentException>(() => DescriptionLength.Of(1, 16, [1], 0, 100, s_config));
        Assert.Throws<ArgumentException>(() => new DescriptionLengthConfig { Precision = 1 });
        Assert.Throws<ArgumentException>(() => new DescriptionLengthConfig { BitsPerValue = 0 });
    }
}
