using Polyseme.Numerics;
using Polyseme.Zoo;

namespace Polyseme.Tests.Zoo.Regions;

public sealed class PlanarStackTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_gradient_is_that_of_the_loss(int kind)
    {
        var network = PlanarStack.Start((PlanarBlock)kind, 5, new RandomStream(1, "start"));
        var (points, inside) = PlanarStack.Disc(200, new RandomStream(2, "points"));
        var (_, gradient) = network.Gradient(points, inside);
        const float h = 1e-3f;
        for (var i = 0; i < gradient.Length; i++)
        {
            var slope = (network.Moved(i, h).Gradient(points, inside).Loss - network.Moved(i, -h).Gradient(points, inside).Loss) / (2 * h);
            // Single precision in the forward pass and ReLUs that switch within ±h leave an error of this size.
            Assert.Equal(slope, gradient[i], 5e-3 * (1 + Math.Abs(slope)));
        }
    }

    [Fact]
    public void The_disc_is_half_of_the_square()
    {
        var (_, inside) = PlanarStack.Disc(40_000, new RandomStream(3, "disc"));
        Assert.Equal(Math.PI * 1.44 / 9, inside.Average(value => (double)value), 0.01);
    }

    [Fact]
    public void A_width_two_network_maps_into_the_quadrant()
    {
        var network = PlanarStack.Start(PlanarBlock.WidthTwo, 3, new RandomStream(4, "start"));
        var (points, _) = PlanarStack.Disc(100, new RandomStream(5, "points"));
        Assert.All(network.Run(points, ["blocks.2.hook_resid"]).Recorded["blocks.2.hook_resid"].Data, value => Assert.True(value >= 0));
    }
}
