using System.Numerics.Tensors;
using Polyseme.Numerics;
using Polyseme.PolyBench;

namespace Polyseme.Tests.PolyBench;

public sealed class BenchmarkFamilyTests
{
    public static TheoryData<string> Names => [.. BenchmarkCatalogue.Families.Select(family => family.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Cases_are_finite_labelled_by_turns_and_the_same_again(string name)
    {
        var family = BenchmarkCatalogue.Find([name]).Single();
        for (var index = 0; index < 3; index++)
        {
            var one = family.Case(index, 1);
            if (index == 1)
            {
                Assert.True(one.Activations.Values.AsSpan().SequenceEqual(family.Case(index, 1).Activations.Values));
                Assert.False(one.Activations.Values.AsSpan().SequenceEqual(family.Case(index, 2).Activations.Values));
            }
            Assert.True(TensorPrimitives.IsFiniteAll<float>(one.Activations.Values));
            Assert.InRange(one.Activations.NSamples, 500, 20_000);
            Assert.InRange(one.Activations.NNeurons, 2, 600);
            Assert.Equal(index == 0, one.Concepts is null);
            foreach (var concept in one.Concepts?.Concepts ?? [])
            {
                Assert.Equal(one.Activations.NSamples, concept.Values.Length);
                Assert.True(TensorPrimitives.IsFiniteAll<double>(concept.Values));
            }
            Assert.NotEmpty(one.Truth.Accepted);
            Assert.True(!one.Truth.Sufficient || !one.Truth.Accepted.Contains("undetermined") || one.Truth.Possible.Count == 2);
            Assert.All(one.Truth.Accepted, accepted => Assert.Contains(accepted, Verdicts));
            if (one.Truth.Budget is { } budget)
                Assert.All(Enumerable.Range(0, budget.Rows), j => Assert.Equal(1, budget.Row(j).ToArray().Sum(), 1e-9));
        }
    }

    [Fact]
    public void Every_cause_and_noise_have_families_enough()
    {
        Assert.True(BenchmarkCatalogue.Families.Count >= 60);
        Assert.Equal(
            BenchmarkCatalogue.Families.Count,
            BenchmarkCatalogue.Families.Select(family => family.Name).Distinct(StringComparer.Ordinal).Count()
        );
        foreach (var cause in Causes.All.Cast<Cause?>().Append(null))
            Assert.True(BenchmarkCatalogue.Families.Count(family => family.Cause == cause) >= 8, $"{cause}");
    }

    [Fact]
    public void Nothing_that_a_case_brings_along_gives_its_cause_away()
    {
        var cases = BenchmarkCatalogue
            .Families.SelectMany(family => Enumerable.Range(0, 3).Select(index => family.Case(index, 3)))
            .ToArray();
        string Name(Cause? cause) => cause is { } known ? Causes.Id(known) : "noise";
        foreach (var cause in new Cause?[] { Cause.Monosemantic, Cause.Rotated, Cause.Superposition, Cause.Compositional })
        {
            var own = cases.Where(one => one.Truth.Cause == cause).ToArray();
            // Labels of each kind, items, and layers without a negative number (after a ReLU) are everywhere.
            Assert.All(
                Enum.GetValues<CaseConcepts>(),
                labels => Assert.True(own.Any(one => one.Labels == labels), $"{Name(cause)} {labels}")
            );
            Assert.True(own.Any(one => one.Activations.Rows.Item is not null), Name(cause));
            Assert.True(own.Any(one => one.Activations.Rows.Item is null), Name(cause));
        }
    }

    [Fact]
    public void Two_readings_of_the_same_activations_are_both_there()
    {
        // Bits: features in one family, digits in another; without labels neither is to be decided.
        foreach (var name in new[] { "rotated-bits", "table-bits-rotated" })
            Assert.Equal(["undetermined"], BenchmarkCatalogue.Find([name]).Single().Case(0, 0).Truth.Accepted);
    }

    [Fact]
    public void Sources_have_the_densities_and_dependences_that_they_say()
    {
        const int rows = 40_000;
        var source = new FeatureSource { Features = 24, Density = 0.1 };
        foreach (var dependence in Enum.GetValues<FeatureDependence>())
        {
            var values = (source with { Dependence = dependence }).Sample(rows, new RandomStream(0, $"tests/{dependence}"));
            double Together(int a, int b) => Enumerable.Range(0, rows).Count(i => values[i, a] != 0 && values[i, b] != 0) / (double)rows;
            double On(int f) => Together(f, f);
            var expected = dependence switch
            {
                FeatureDependence.Independent => On(0) * On(1),
                FeatureDependence.Blocks => 0.9 * 0.9 * 0.1,
                FeatureDependence.Trees => On(0) * 0.5,
                _ => 0,
            };
            Assert.Equal(expected, Together(0, 1), 0.01);
            if (dependence == FeatureDependence.Independent)
                Assert.Equal(0.1, On(3), 0.01);
        }
        foreach (var law in Enum.GetValues<MagnitudeLaw>())
        {
            var random = new RandomStream(0, $"tests/{law}");
            var square = Enumerable.Range(0, rows).Average(_ => Math.Pow((source with { Magnitudes = law }).Value(random), 2));
            Assert.Equal(1, square, 0.05);
        }
    }

    private static readonly string[] s_others = ["mixed", "undetermined"];

    private static IEnumerable<string> Verdicts => Causes.All.Select(Causes.Id).Concat(s_others);
}
