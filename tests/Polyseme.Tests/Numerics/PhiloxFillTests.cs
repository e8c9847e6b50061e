using Polyseme.Numerics;

namespace Polyseme.Tests.Numerics;

public sealed class PhiloxFillTests
{
    [Theory]
    [InlineData(0ul, 0ul, 0ul)]
    [InlineData(0x85a308d3243f6a88ul, 0x0370734413198a2eul, 0x299f31d0a4093822ul)]
    // The counter runs over the boundary of its low word, and over its end.
    [InlineData(0xFFFFFFFDul, ulong.MaxValue, 7ul)]
    [InlineData(ulong.MaxValue - 5, 3ul, ulong.MaxValue)]
    public void Bulk_words_are_those_of_single_blocks(ulong counter, ulong lane, ulong seed)
    {
        // 103 words: registers of eight and four blocks, single blocks, and a block that is cut.
        var words = new uint[103];
        PhiloxFill.Words(words, counter, lane, seed);
        for (var i = 0; i < words.Length; i++)
        {
            var (w0, w1, w2, w3) = RandomStream.Block(counter + ((ulong)i / 4), lane, (uint)seed, (uint)(seed >> 32));
            Assert.Equal(new[] { w0, w1, w2, w3 }[i % 4], words[i]);
        }
    }

    [Fact]
    public void A_named_stream_reads_the_same_words_one_by_one_and_in_bulk()
    {
        var stream = new RandomStream(11, "toy/data/3");
        var words = new uint[64];
        PhiloxFill.Words(words, 0, RandomStream.LaneOf("toy/data/3"), 11);
        foreach (var word in words)
            Assert.Equal(stream.NextUInt32(), word);
    }
}
