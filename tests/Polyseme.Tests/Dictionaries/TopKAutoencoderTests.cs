using Polyseme.Dictionaries;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Dictionaries;

public sealed class TopKAutoencoderTests
{
    [Fact]
    public void At_most_k_latents_fire_and_none_below_zero()
    {
        var rows = PlantedLayers.Gaussian(200, 6);
        var result = Fit(rows, 12, 3, steps: 30);
        var latents = result.Encode(rows);
        for (var i = 0; i < latents.Rows; i++)
        {
            var row = latents.Row(i).ToArray();
            Assert.All(row, value => Assert.True(value >= 0));
            Assert.InRange(row.Count(value => value > 0), 0, 3);
        }
    }

    [Fact]
    public void Directions_have_unit_length()
    {
        var decoder = Fit(PlantedLayers.Gaussian(200, 6), 12, 3, steps: 30).Decoder;
        for (var latent = 0; latent < 12; latent++)
            Assert.Equal(1, decoder.Row(latent).ToArray().Sum(value => value * value), 1e-5); // single precision
    }

    [Fact]
    public void Decoding_adds_directions_to_the_origin()
    {
        var result = new TopKResult(
            new TopKConfig { NLatents = 2, K = 1 },
            Matrix.Identity(2),
            new Matrix(1, 2),
            Matrix.Identity(2),
            Matrix.FromRows([10, 20])
        );
        Assert.Equal([13.0, 20, 10, 24], result.Decode(Matrix.FromRows([3, 0], [0, 4])).Data);
        Assert.Equal([3.0, 0, 0, 4, 0, 0], result.Encode(Matrix.FromRows([13, 22], [11, 24], [9, 19])).Data);
    }

    [Fact]
    public void Planted_directions_are_learned()
    {
        var directions = PlantedLayers.Directions(8, 6, 70);
        var random = new RandomStream(70, "planted");
        var rows = new Matrix(1_500, 6);
        for (var i = 0; i < rows.Rows; i++)
        {
            var (feature, size) = (random.NextInt(8), 0.5 + random.NextDouble());
            for (var k = 0; k < 6; k++)
                rows[i, k] = size * directions[feature, k];
        }
        var result = Fit(rows, 24, 1, steps: 800);
        Assert.True(SparseDirections.Fvu(rows, result.Decode(result.Encode(rows))) < 0.05);
        var cosines = LinearAlgebra.MultiplyTranspose(directions, result.Decoder);
        for (var feature = 0; feature < 8; feature++)
            Assert.True(cosines.Row(feature).ToArray().Max() > 0.98, $"feature {feature}");
    }

    [Fact]
    public void The_same_stream_gives_the_same_dictionary()
    {
        var rows = PlantedLayers.Rotated(300, 4);
        Assert.Equal(Fit(rows, 8, 2, 50).Decoder.Data, Fit(rows, 8, 2, 50).Decoder.Data);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void A_k_outside_the_dictionary_is_refused(int k) =>
        Assert.Contains($"{k}", Assert.Throws<ArgumentException>(() => Fit(new Matrix(10, 2), 4, k, 1)).Message, StringComparison.Ordinal);

    [Fact]
    public void Rows_of_zeros_leave_finite_weights() =>
        Assert.All(Fit(new Matrix(50, 3), 6, 2, 20).Decoder.Data, value => Assert.True(double.IsFinite(value)));

    private static TopKResult Fit(Matrix rows, int nLatents, int k, int steps) =>
        TopKAutoencoder.Fit(
            rows,
            new TopKConfig
            {
                NLatents = nLatents,
                K = k,
                Steps = steps,
            },
            new RandomStream(71, "topk"),
            TestContext.Current.CancellationToken
        );
}
