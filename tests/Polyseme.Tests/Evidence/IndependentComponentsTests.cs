using CsCheck;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Evidence;

public sealed class IndependentComponentsTests
{
    [Fact]
    public void A_Gaussian_has_no_negentropy()
    {
        var normal = new RandomStream(1, "normal").NormalMatrix(200_000, 1);
        // E|s| of 200 000 normals errs by .0013; squared, times k₂ = 11, five deviations are .0005.
        Assert.InRange(IndependentComponents.NegentropyOf(normal.Data), 0, 5e-4);
    }

    [Fact]
    public void Two_levels_have_their_closed_form()
    {
        var even = 1 - Math.Sqrt(2 / Math.PI);
        Assert.Equal(even * even / (2 - (6 / Math.PI)), IndependentComponents.NegentropyOf([1, -1, -1, 1]), 1e-12);
    }

    [Fact]
    public void Negentropy_is_never_negative_and_blind_to_sign() =>
        Gen.Double[-4, 4]
            .Array[1, 50]
            .Sample(values =>
            {
                var negentropy = IndependentComponents.NegentropyOf(values);
                var mirrored = IndependentComponents.NegentropyOf(Array.ConvertAll(values, value => -value));
                return negentropy >= 0 && Math.Abs(negentropy - mirrored) <= 1e-12 * (1 + negentropy);
            });

    [Fact]
    public void Rotated_features_come_back_in_both_halves_and_are_independent()
    {
        var components = MeasuredLayer.Rotated.Measures.Components!;
        Assert.All(components.Stability, stability => Assert.InRange(stability, 0.9, 1 + 1e-9));
        Assert.True(components.MeanNegentropy > 3 * components.NegentropyNull.Mean);
        Assert.InRange(components.MedianEnergyCorrelation, -0.05, 0.05); // 3000 rows: standard deviation .018
        // Each component is one planted feature.
        var features = PlantedLayers.Monosemantic(3_000, 8);
        for (var c = 0; c < components.Count; c++)
            Assert.True(Enumerable.Range(0, 8).Max(f => Math.Abs(Correlation(components.Values.Column(c), features.Column(f)))) > 0.97);
    }

    [Fact]
    public void Noise_is_no_less_Gaussian_than_its_null()
    {
        foreach (var components in new[] { MeasuredLayer.Gaussian, MeasuredLayer.Student }.Select(layer => layer.Measures.Components!))
            Assert.True(
                components.MeanNegentropy < 1.5 * components.NegentropyNull.Mean,
                $"{components.MeanNegentropy} against {components.NegentropyNull.Mean}"
            );
    }

    private static double Correlation(double[] a, double[] b)
    {
        double meanA = a.Average(),
            meanB = b.Average();
        var together = a.Zip(b, (x, y) => (x - meanA) * (y - meanB)).Sum();
        return together / Math.Sqrt(a.Sum(x => (x - meanA) * (x - meanA)) * b.Sum(y => (y - meanB) * (y - meanB)));
    }
}
