using Polyseme.Numerics;
using Polyseme.Zoo;

namespace Polyseme.Tests.Zoo;

public sealed class TentMapTests
{
    [Fact]
    public void Every_input_of_twelve_bits_gives_its_Gray_code()
    {
        var network = new TentBlocks(12);
        var inputs = new Matrix(1 << 12, 1);
        for (var v = 0; v < inputs.Rows; v++)
            inputs[v, 0] = BitBlocks.Input(v, 12);
        var bits = network.Run(inputs, ["hook_gray"]).Recorded["hook_gray"];
        for (var v = 0; v < inputs.Rows; v++)
        {
            var read = 0;
            for (var k = 0; k < 12; k++)
                read = (2 * read) + (int)bits[v, k];
            Assert.Equal(v ^ (v >> 1), read);
        }
        Assert.Equal(0, TentBlocks.WrongShare(12));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(5, 32)]
    [InlineData(10, 1024)]
    public void Pieces_double_with_every_tent(int depth, long pieces) => Assert.Equal(pieces, TentBlocks.LinearPieces(depth));

    [Fact]
    public void Neighbouring_items_differ_in_one_bit()
    {
        for (var v = 1; v < 256; v++)
            Assert.Equal(1, Enumerable.Range(0, 8).Count(k => TentBlocks.Gray(v, k, 8) != TentBlocks.Gray(v - 1, k, 8)));
    }
}
