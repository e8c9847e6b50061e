using Polyseme.Dictionaries.Classical;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Dictionaries.Classical;

public sealed class FastIcaTests
{
    [Fact]
    public void The_rotation_is_orthogonal_even_where_there_is_nothing_to_find()
    {
        var whitened = PlantedLayers.Subspace(PlantedLayers.Gaussian(500, 5)).Whitened;
        var rotation = Fit(whitened).Rotation;
        var gram = LinearAlgebra.MultiplyTranspose(rotation, rotation);
        for (var a = 0; a < 5; a++)
        for (var b = 0; b < 5; b++)
            Assert.Equal(a == b ? 1 : 0, gram[a, b], 1e-9);
    }

    [Fact]
    public void Peaked_and_flat_sources_are_both_recovered()
    {
        var random = new RandomStream(60, "sources");
        var sources = new Matrix(4_000, 4);
        for (var i = 0; i < sources.Rows; i++)
        {
            (sources[i, 0], sources[i, 1]) = (random.NextDouble() * Math.Sqrt(12), random.NextDouble() < 0.5 ? 1 : -1); // flat
            (sources[i, 2], sources[i, 3]) = (Laplace(random), random.NextDouble() < 0.1 ? 3 : 0); // peaked
        }
        var subspace = PlantedLayers.Subspace(LinearAlgebra.Multiply(sources, NullData.Rotation(4, random)));
        var fit = Fit(subspace.Whitened);
        Assert.True(fit.Converged);
        var components = fit.Components(subspace.Whitened);
        for (var s = 0; s < 4; s++)
        {
            var best = Enumerable.Range(0, 4).Max(c => Math.Abs(Correlation(sources.Column(s), components.Column(c))));
            Assert.True(best > 0.98, $"source {s}: {best}");
        }
    }

    [Fact]
    public void One_dimension_needs_no_iteration()
    {
        var fit = Fit(PlantedLayers.Subspace(PlantedLayers.Gaussian(100, 1)).Whitened);
        Assert.Equal((0, true), (fit.Iterations, fit.Converged));
        Assert.Equal(1, Math.Abs(fit.Rotation[0, 0]), 1e-12);
    }

    [Fact]
    public void The_same_stream_gives_the_same_rotation()
    {
        var whitened = PlantedLayers.Subspace(PlantedLayers.Rotated(500, 4)).Whitened;
        Assert.Equal(Fit(whitened).Rotation.Data, Fit(whitened).Rotation.Data);
    }

    private static double Laplace(RandomStream random) => Math.Log(1 - random.NextDouble()) - Math.Log(1 - random.NextDouble());

    private static FastIcaResult Fit(Matrix whitened) =>
        FastIca.Fit(whitened, new FastIcaConfig(), new RandomStream(61, "ica"), TestContext.Current.CancellationToken);

    private static double Correlation(double[] a, double[] b)
    {
        double meanA = a.Average(),
            meanB = b.Average();
        var together = a.Zip(b, (x, y) => (x - meanA) * (y - meanB)).Sum();
        return together / Math.Sqrt(a.Sum(x => (x - meanA) * (x - meanA)) * b.Sum(y => (y - meanB) * (y - meanB)));
    }
}
