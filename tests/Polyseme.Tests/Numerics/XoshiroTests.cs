using Polyseme.Numerics;

namespace Polyseme.Tests.Numerics;

public sealed class XoshiroTests
{
    [Fact]
    public void The_first_words_are_those_of_the_published_program()
    {
        // Blackman and Vigna's C program from the states {1, 2, 3, 4} and {964D4A0C, D40AB895, AD7FDECB, 3006F0F0}.
        var counting = new Xoshiro128(1, 2, 3, 4);
        foreach (
            var expected in (uint[])
                [641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295, 495546011, 621204420]
        )
            Assert.Equal(expected, counting.Next());
        var random = new Xoshiro128(0x964D4A0C, 0xD40AB895, 0xAD7FDECB, 0x3006F0F0);
        foreach (var expected in (uint[])[0xC06AC86F, 0xB459C753, 0xAA04C486, 0xB3FB785A])
            Assert.Equal(expected, random.Next());
    }

    [Fact]
    public void A_state_of_zeros_is_refused() => Assert.Throws<ArgumentException>(() => new Xoshiro128(0, 0, 0, 0));

    [Theory]
    [InlineData(16)]
    [InlineData(160)]
    [InlineData(23)]
    public void Lanes_are_single_streams_side_by_side(int count)
    {
        var lanes = XoshiroLanes.Of(7, 8, 9);
        var single = Enumerable.Range(0, XoshiroLanes.Count).Select(lane => lanes.Lane(lane)).ToArray();
        var words = new uint[count];
        lanes.Fill(words);
        for (var i = 0; i < count; i++)
            Assert.Equal(single[i % XoshiroLanes.Count].Next(), words[i]);
        // The rest of the last sixteen is thrown away, so that the next words begin at lane 0 again.
        for (var lane = count % XoshiroLanes.Count; lane is > 0 and < XoshiroLanes.Count; lane++)
            single[lane].Next();
        var values = new float[count];
        lanes.Fill(values);
        for (var i = 0; i < count; i++)
            Assert.Equal((single[i % XoshiroLanes.Count].Next() >> 8) / (float)(1 << 24), values[i]);
    }

    [Fact]
    public void Lanes_start_from_philox_blocks_of_their_seed_stream_and_part()
    {
        uint First(ulong seed, ulong stream, uint part) => XoshiroLanes.Of(seed, stream, part).Lane(0).Next();
        uint Word(int i)
        {
            var (w0, w1, w2, w3) = RandomStream.Block((9ul << 32) + ((ulong)i / 4), 8, 7, 0);
            return new[] { w0, w1, w2, w3 }[i % 4];
        }
        var expected = new Xoshiro128(Word(0), Word(16), Word(32), Word(48));
        Assert.Equal(expected.Next(), First(7, 8, 9));
        Assert.Equal(4, new[] { First(7, 8, 9), First(6, 8, 9), First(7, 9, 9), First(7, 8, 8) }.Distinct().Count());
    }
}
