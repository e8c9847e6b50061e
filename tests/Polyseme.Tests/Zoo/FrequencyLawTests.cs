using CsCheck;
using Polyseme.Zoo;

namespace Polyseme.Tests.Zoo;

public sealed class FrequencyLawTests
{
    [Fact]
    public void Densities_add_up_and_descend_within_bounds() =>
        Gen.Select(Gen.Enum<FrequencyLaw>(), Gen.Int[1, 200], Gen.Double[0.001, 1])
            .Sample(
                (law, features, share) =>
                {
                    var active = share * features;
                    var densities = FrequencyLaws.Densities(law, features, active);
                    Assert.Equal(active, densities.Sum(), 1e-9 * features);
                    Assert.All(densities, density => Assert.InRange(density, double.Epsilon, 1));
                    Assert.Equal(densities.OrderDescending(), densities);
                },
                iter: 300
            );

    [Fact]
    public void A_law_holds_among_features_that_are_not_always_active()
    {
        var densities = FrequencyLaws.Densities(FrequencyLaw.Power, 60, 6);
        Assert.Equal(1, densities[0]);
        Assert.True(densities[5] < 1);
        Assert.Equal(Math.Pow(2, -1.2), densities[39] / densities[19], 1e-12);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(10.5)]
    [InlineData(double.NaN)]
    public void Impossible_numbers_of_active_features_are_refused(double active)
    {
        var refused = Assert.Throws<ArgumentException>(() => FrequencyLaws.Densities(FrequencyLaw.Linear, 10, active));
        Assert.Contains("10", refused.Message);
    }
}
