using CsCheck;
using Polyseme.Activations;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Tests.Verdicts;

namespace Polyseme.Tests.Evidence;

public sealed class ProbeLadderTests
{
    private const int Features = 6;

    /// <summary>All sign patterns of six bits: as a population, independent features of equal variance exactly.</summary>
    private static readonly Matrix s_population = Population();

    [Fact]
    public void The_probe_budget_is_the_rank_and_no_feature_is_read_worse_than_its_dimensionality() =>
        Gen.Int[1, Features]
            .SelectMany(r => Gen.Double[-1, 1].Array[Features * r].Select(values => new Matrix(Features, r, values)))
            .Where(w => LinearAlgebra.Svd(w).S.Min() > 1e-2) // of full rank, far enough that the inverse is good to ten digits
            .Sample(
                w =>
                {
                    var layer = LinearAlgebra.Multiply(s_population, w);
                    var guess = LinearAlgebra.Multiply(layer, LinearAlgebra.Ridge(layer, s_population, 1e-9));
                    var (u, s, _) = LinearAlgebra.Svd(w);
                    var dimensionality = Dimensionality.PerFeature(w);
                    var budget = 0.0;
                    for (var i = 0; i < Features; i++)
                    {
                        double wrong = 0,
                            leverage = 0;
                        for (var row = 0; row < s_population.Rows; row++)
                            wrong += Math.Pow(s_population[row, i] - guess[row, i], 2) / s_population.Rows;
                        for (var k = 0; k < s.Length; k++)
                            leverage += u[i, k] * u[i, k];
                        Assert.Equal(leverage, 1 - wrong, 1e-6);
                        Assert.True((dimensionality[i] ?? 0) <= leverage + 1e-9, $"D {dimensionality[i]} against leverage {leverage}");
                        budget += 1 - wrong;
                    }
                    Assert.Equal(w.Columns, budget, 1e-6);
                },
                iter: 40,
                threads: 1
            );

    [Fact]
    public void Superposed_features_are_read_linearly_up_to_the_budget()
    {
        var random = new RandomStream(30, "probes");
        var features = new Matrix(3_000, 10);
        for (var i = 0; i < features.Data.Length; i++)
            features.Data[i] = random.NextDouble() < 0.5 ? 1 : 0;
        var rows = LinearAlgebra.Multiply(features, PlantedLayers.Directions(10, 4, 30));
        Concept[] concepts = [.. Enumerable.Range(0, 10).Select(f => PlantedLayers.Binary($"f{f}", 3_000, i => features[i, f] > 0.5))];
        var ladder = Measure(PlantedLayers.Subspace(rows).Whitened, concepts, steps: 20);
        // Ten held-out R² of 900 rows, each within about .02 of its population value.
        Assert.InRange(ladder.Readouts.Sum(readout => readout.Linear), 3.8, 4.2);
    }

    [Fact]
    public void A_direction_is_read_linearly_and_an_xor_by_the_network_alone()
    {
        var measures = MeasuredLayer.Xor.Measures;
        foreach (var readout in measures.Probes!.Readouts)
        {
            Assert.True(readout.Linear < 0.05, $"linear {readout.Linear}");
            Assert.True(readout.Mlp > 0.5, $"MLP {readout.Mlp}");
            Assert.True(readout.Mlp > readout.BestOfDirections + 0.2, $"MLP {readout.Mlp} against {readout.BestOfDirections}");
        }
        var rows = PlantedLayers.Gaussian(1_500, 4);
        var number = new Concept("first neuron", ConceptKind.Numeric, rows.Column(0));
        Assert.Equal(1, Measure(PlantedLayers.Subspace(rows).Whitened, [number], steps: 20).Readouts[0].Linear, 1e-4); // ridge of 1e-5 a row
    }

    [Fact]
    public void Labels_that_say_nothing_stay_below_the_floor()
    {
        var probes = MeasuredLayer.Gaussian.Measures.Probes!;
        Assert.All(probes.Readouts, readout => Assert.True(readout.Best <= probes.Floor, $"{readout} above {probes.Floor}"));
        Assert.True(probes.Floor >= 0.05);
    }

    private static ProbeLadder Measure(Matrix whitened, IReadOnlyList<Concept> concepts, int steps) =>
        ProbeLadder.Measure(
            whitened,
            whitened,
            whitened,
            ConceptColumns.Of(new ConceptTable(whitened.Rows, concepts)),
            PlantedLayers.RowByRow(whitened.Rows),
            new ProbeLadderConfig { Steps = steps },
            31,
            TestContext.Current.CancellationToken
        );

    private static Matrix Population()
    {
        var signs = new Matrix(1 << Features, Features);
        for (var i = 0; i < signs.Rows; i++)
        for (var j = 0; j < Features; j++)
            signs[i, j] = (i >> j & 1) == 1 ? 1 : -1;
        return signs;
    }
}
