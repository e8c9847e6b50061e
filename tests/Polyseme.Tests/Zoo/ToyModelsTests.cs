using Polyseme.Zoo;

namespace Polyseme.Tests.Zoo;

public sealed class ToyModelsTests
{
    private static readonly ToyModelsConfig s_small = new()
    {
        Features = 4,
        Hidden = 2,
        Density = 0.1,
        Steps = 2000,
        Seeds = 6,
        Batch = 256,
        Samples = 500,
    };

    private static ZooRun Run(ToyModelsConfig config) => ZooCatalogue.Find("tms").Run(config, null, TestContext.Current.CancellationToken);

    [Fact]
    public void A_linear_model_keeps_its_most_important_features_and_superposes_none()
    {
        var run = Run(s_small with { Features = 6, OutputRelu = false, ImportanceDecay = 0.6 });
        Assert.Equal(Cause.Rotated, run.Truth.Cause);
        Assert.Equal([0, 1], FeatureGeometry.Represented(run.Truth.Directions!));
    }

    [Fact]
    public void Anticorrelated_pairs_end_opposite_to_each_other_and_the_truth_says_so()
    {
        var run = Run(s_small with { GroupSize = 2, GroupRule = "one-at-a-time" });
        Assert.Equal((2, 4), (run.Truth.NLine, run.Truth.NRay));
        Assert.Equal(["relu_linear"], run.Truth.Subtypes);
        Assert.True(FeatureGeometry.Cosine(run.Truth.Directions!, 0, 1) < -0.95);
    }

    [Fact]
    public void Members_of_a_correlated_group_are_active_in_the_same_rows()
    {
        var run = Run(s_small with { GroupSize = 2, Steps = 50 });
        var (first, second) = (run.Features.Concepts[0].Values, run.Features.Concepts[1].Values);
        Assert.Equal(first.Select(value => value > 0), second.Select(value => value > 0));
        Assert.NotEqual<double>(first, second);
    }

    [Fact]
    public void Frequencies_descend_in_the_sample()
    {
        var run = Run(s_small with { Features = 6, Density = 0.2, Frequencies = "power", Steps = 50, Samples = 5000 });
        var active = run.Features.Concepts.Select(concept => concept.Values.Count(value => value > 0)).ToArray();
        Assert.Equal(active.OrderDescending(), active);
        // 6 · .2 features on average; four deviations of a count of 6,000.
        Assert.InRange(active.Sum(), 6000 - 320, 6000 + 320);
        Assert.Empty(run.Acceptances);
    }

    [Fact]
    public void Groups_that_do_not_divide_the_features_are_refused() =>
        Assert.Contains(
            "GroupSize is 3",
            Assert.Throws<ArgumentException>(() => Run(s_small with { GroupSize = 3 })).Message,
            StringComparison.Ordinal
        );
}
