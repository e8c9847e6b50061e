using Polyseme.Numerics;
using Polyseme.Zoo;

namespace Polyseme.Tests.Zoo;

/// <summary>What is true of directions whose arrangement is known.</summary>
public sealed class ToyTruthTests
{
    private static readonly ToyModelsConfig s_plane = new() { Features = 5, Hidden = 2 };

    private static Matrix Directions(params double[] degrees) =>
        Matrix.FromRows([.. degrees.Select(angle => new[] { Math.Cos(angle * Math.PI / 180), Math.Sin(angle * Math.PI / 180) })]);

    [Fact]
    public void A_pentagon_is_superposition()
    {
        var truth = ToyTruth.Of(s_plane, Directions(0, 72, 144, 216, 288));
        Assert.Equal((Cause.Superposition, 5, 5), (truth.Cause, truth.NLine, truth.NRay));
        Assert.Equal(["superposition"], truth.AcceptedAt(AccessLevel.A));
    }

    [Fact]
    public void Two_antipodal_pairs_are_more_features_than_dimensions_on_no_more_lines()
    {
        var truth = ToyTruth.Of(s_plane with { Features = 4 }, Directions(10, 190, 100, 280));
        Assert.Equal((Cause.Superposition, 2, 4), (truth.Cause, truth.NLine, truth.NRay));
        Assert.Contains("rotated", truth.AcceptedAt(AccessLevel.C));
        Assert.Contains("undetermined", truth.AcceptedAt(AccessLevel.A));
    }

    [Fact]
    public void Two_features_in_two_dimensions_are_only_rotated()
    {
        var truth = ToyTruth.Of(s_plane, Directions(20, 110));
        Assert.Equal(Cause.Rotated, truth.Cause);
        Assert.DoesNotContain("superposition", truth.AcceptedAt(AccessLevel.T));
    }

    [Fact]
    public void Groups_that_switch_together_need_not_be_seen_in_activations_alone() =>
        Assert.Contains(
            "undetermined",
            ToyTruth.Of(s_plane with { GroupSize = 5 }, Directions(0, 72, 144, 216, 288)).AcceptedAt(AccessLevel.A)
        );

    [Fact]
    public void Features_of_a_linear_model_count_by_its_own_longest()
    {
        var directions = Directions(0, 72, 144, 216, 288);
        for (var i = 0; i < directions.Data.Length; i++)
            directions.Data[i] *= 0.5;
        Assert.Equal(Cause.Superposition, ToyTruth.Of(s_plane with { OutputRelu = false }, directions).Cause);
    }
}
