using Polyseme.Dictionaries;
using Polyseme.Numerics;
using Polyseme.Zoo.Manifolds;

namespace Polyseme.Tests.Zoo.Manifolds;

public sealed class FeatureManifoldTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(32)]
    public void Directions_evenly_around_explain_what_the_closed_form_says(int latents)
    {
        var rows = Circle(20_000);
        var need = LatentNeed.Of(Even(latents), rows);
        Assert.Equal(LatentNeed.ExplainedByArcs(latents), 1 - need.Unexplained, 1e-3);
        Assert.Equal(latents, need.Used);
    }

    [Fact]
    public void The_latents_needed_of_an_even_dictionary_grow_with_it()
    {
        var rows = Circle(5_000);
        var (few, many) = (LatentNeed.Of(Even(16), rows).Needed, LatentNeed.Of(Even(64), rows).Needed);
        Assert.InRange(few!.Value, 15, 16);
        Assert.InRange(many!.Value, 60, 63);
        Assert.Null(LatentNeed.Of(Even(4), rows).Needed);
    }

    [Fact]
    public void A_tuned_neuron_responds_within_its_window_only()
    {
        Assert.Equal(1, FeatureManifold.Tuning(0, 0.25), 1e-12);
        Assert.Equal(Math.Cos(0.4), FeatureManifold.Tuning((2 * Math.PI) - 0.1, 0.25), 1e-9);
        Assert.Equal(0, FeatureManifold.Tuning(0.4, 0.25));
    }

    private static Matrix Circle(int count) =>
        Matrix.FromRows([
            .. Enumerable
                .Range(0, count)
                .Select(i => 2 * Math.PI * (i + 0.5) / count)
                .Select(angle => new[] { Math.Cos(angle), Math.Sin(angle) }),
        ]);

    private static TopKResult Even(int latents)
    {
        var directions = Circle(latents);
        var config = new TopKConfig { NLatents = latents, K = 1 };
        return new TopKResult(config, directions, new Matrix(1, latents), directions, new Matrix(1, 2));
    }
}
