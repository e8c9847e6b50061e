using Polyseme.Evidence;

namespace Polyseme.Tests.Evidence;

public sealed class ReconstructionGapTests
{
    [Theory]
    [InlineData(0.01, 1.2, 1.19, true)]
    [InlineData(0.01, 0.01, 0, false)]
    [InlineData(0.5, 1.2, 0.7, false)] // gives nothing back well
    [InlineData(0.01, 0.5, 0.49, false)] // knows something of items it never saw
    public void A_memory_gives_back_what_it_saw_and_nothing_else(double seen, double fresh, double gap, bool memory)
    {
        var reconstruction = new Reconstruction(seen, fresh, 50);
        Assert.Equal(gap, ReconstructionGap.Of(reconstruction), 1e-12);
        Assert.Equal(memory, ReconstructionGap.IsMemory(reconstruction));
    }
}
