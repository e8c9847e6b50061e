using Polyseme.Zoo;

namespace Polyseme.Tests.Zoo;

public sealed class TrainingDynamicsTests
{
    /// <summary>A loss with steps by a factor of 10 at point 20 and 2 at point 60; feature 0 jumps with the first, nothing with the second.</summary>
    private static readonly TrainingDynamics s_planted = new(
        [.. Enumerable.Range(0, 101).Select(k => 10 * k)],
        [
            .. Enumerable
                .Range(0, 101)
                .Select(k =>
                    (
                        k < 20 ? 20.0
                        : k < 60 ? 2
                        : 1
                    ) - (0.001 * k)
                ),
        ],
        [.. Enumerable.Range(0, 101).Select(k => new[] { k >= 21 ? 0.5 : 1.0, 0.25 })]
    );

    [Fact]
    public void Planted_drops_are_found_largest_first_and_once()
    {
        var drops = s_planted.LargestDrops(2, halfWidth: 3, first: 1);
        Assert.Equal(2, drops.Length);
        Assert.InRange(drops[0], 17, 23);
        Assert.InRange(drops[1], 57, 63);
    }

    [Fact]
    public void A_drop_before_the_first_point_that_counts_is_not_found() =>
        Assert.InRange(s_planted.LargestDrops(1, halfWidth: 3, first: 30).Single(), 57, 63);

    [Fact]
    public void A_jump_is_seen_beside_it_and_not_elsewhere()
    {
        Assert.Equal(0.5, s_planted.LargestJump(19, halfWidth: 3, first: 0));
        Assert.Equal(0, s_planted.LargestJump(60, halfWidth: 3, first: 0));
        // The jump lies before what counts.
        Assert.Equal(0, s_planted.LargestJump(22, halfWidth: 3, first: 21));
    }

    [Fact]
    public void A_loss_that_rises_has_no_drops() =>
        Assert.Empty(
            new TrainingDynamics([0, 1, 2, 3], [1, 2, 3, 4], [.. Enumerable.Range(0, 4).Select(_ => new[] { 1.0 })]).LargestDrops(3, 1, 0)
        );
}
