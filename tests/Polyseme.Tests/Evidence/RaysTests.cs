using Polyseme.Activations;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Evidence;

public sealed class RaysTests
{
    private static readonly RaysConfig s_config = new();

    [Fact]
    public void Features_that_are_active_alone_are_counted_one_by_one()
    {
        var rays = Measure(OneAtATime(PlantedLayers.Directions(10, 6, 20), 2_000));
        Assert.Equal((10, 10), (rays.NRay, rays.NLine));
        Assert.True(rays.ShareOnRays > 0.95, $"{rays.ShareOnRays}");
        // Magnitudes uniform in [.1, 1.1]: two rows differ by a factor.
        Assert.True(rays.MagnitudeSpread > 0.2, $"{rays.MagnitudeSpread}");
    }

    [Fact]
    public void Opposite_rays_are_one_line()
    {
        var half = PlantedLayers.Directions(5, 6, 21);
        var both = new Matrix(10, 6);
        for (var i = 0; i < 5; i++)
        for (var k = 0; k < 6; k++)
            (both[i, k], both[i + 5, k]) = (half[i, k], -half[i, k]);
        // Five lines span five dimensions.
        var rays = Measure(OneAtATime(both, 2_000));
        Assert.Equal((10, 5), (rays.NRay, rays.NLine));
    }

    [Fact]
    public void Noise_has_no_rays()
    {
        Assert.Equal(0, Measure(PlantedLayers.Gaussian(2_000, 6)).NRay);
        Assert.Equal(0, Measure(PlantedLayers.Student(2_000, 6)).NRay);
    }

    [Fact]
    public void Independent_columns_never_have_more_rays_than_axes()
    {
        var shuffled = NullData.ShuffledColumns(PlantedLayers.Superposed(2_000), new RandomStream(22, "shuffle"));
        Assert.InRange(Measure(shuffled).NLine, 0, 16);
    }

    [Fact]
    public void Points_that_are_shown_often_are_not_rays()
    {
        var points = PlantedLayers.Gaussian(40, 6);
        var rows = points.SelectRows([.. Enumerable.Range(0, 2_000).Select(i => i % 40)]);
        var set = ActivationSet.FromMatrix(rows);
        var rays = Rays.Measure(PlantedLayers.Subspace(rows), RowGroups.Of(set), s_config, new RandomStream(23, "rays"));
        Assert.Equal(0, rays.NRay);
        Assert.Null(rays.MagnitudeSpread);
    }

    private static Rays Measure(Matrix rows) =>
        Rays.Measure(PlantedLayers.Subspace(rows), PlantedLayers.RowByRow(rows.Rows), s_config, new RandomStream(24, "rays"));

    private static Matrix OneAtATime(Matrix directions, int nSamples)
    {
        var random = new RandomStream(25, "rays/planted");
        var rows = new Matrix(nSamples, directions.Columns);
        for (var i = 0; i < nSamples; i++)
        {
            var (feature, size) = (random.NextInt(directions.Rows), 0.1 + random.NextDouble());
            for (var k = 0; k < directions.Columns; k++)
                rows[i, k] = size * directions[feature, k];
        }
        return rows;
    }
}
