using Polyseme.Numerics;

namespace Polyseme.Tests.Numerics;

public sealed class RandomStreamTests
{
    [Theory]
    // The known-answer vectors of Random123 1.14, "philox4x32 10".
    [InlineData(0ul, 0ul, 0u, 0u, new uint[] { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 })]
    [InlineData(
        ulong.MaxValue,
        ulong.MaxValue,
        uint.MaxValue,
        uint.MaxValue,
        new uint[] { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd }
    )]
    [InlineData(
        0x85a308d3243f6a88ul,
        0x0370734413198a2eul,
        0xa4093822u,
        0x299f31d0u,
        new uint[] { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 }
    )]
    public void Philox_gives_its_published_answers(ulong counter, ulong lane, uint key0, uint key1, uint[] expected)
    {
        var (w0, w1, w2, w3) = RandomStream.Block(counter, lane, key0, key1);
        Assert.Equal<uint>(expected, new[] { w0, w1, w2, w3 });
    }

    [Fact]
    public void Streams_of_one_seed_differ_and_each_repeats_itself()
    {
        ulong[] Draw(string name)
        {
            var stream = new RandomStream(7, name);
            return [.. Enumerable.Range(0, 8).Select(_ => stream.NextUInt64())];
        }
        Assert.Equal<ulong>(Draw("a"), Draw("a"));
        Assert.Empty(Draw("a").Intersect(Draw("b")));
    }

    [Fact]
    public void A_permutation_holds_each_number_once()
    {
        var order = new RandomStream(1, "p").Permutation(1000);
        Assert.Equal(Enumerable.Range(0, 1000), order.Order());
        Assert.NotEqual(Enumerable.Range(0, 1000), order);
    }

    [Fact]
    public void Normals_have_mean_zero_and_unit_variance()
    {
        var values = new RandomStream(3, "n").NormalMatrix(1, 100_000).Data;
        // Standard errors at N = 100,000: .0032 for the mean, .0045 for the variance; five of each.
        Assert.Equal(0, values.Average(), 0.016);
        Assert.Equal(1, values.Sum(v => v * v) / values.Length, 0.023);
    }
}
