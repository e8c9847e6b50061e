using Polyseme.Numerics;
using Polyseme.Zoo;

namespace Polyseme.Tests.Zoo;

public sealed class BitExtractionTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(20)]
    public void Every_input_is_read_exactly_in_single_precision(int bits) => Assert.Equal(0, BitBlocks.WrongShare(bits, 1));

    [Fact]
    public void Twenty_four_bits_are_one_too_many() =>
        // Centres of 2^24 bins round to a float's 24 bits: nearly every item loses its last bit.
        Assert.InRange(BitBlocks.WrongShare(24, 101), 0.9, 1);

    [Fact]
    public void The_network_counts()
    {
        var network = new BitBlocks(10);
        var inputs = new Matrix(1 << 10, 1);
        for (var v = 0; v < inputs.Rows; v++)
            inputs[v, 0] = BitBlocks.Input(v, 10);
        var trace = network.Run(inputs, ["hook_bits"]);
        for (var v = 0; v < inputs.Rows; v++)
        {
            Assert.Equal(v / 1024.0, trace.Output[v, 0], 1e-12);
            for (var k = 0; k < 10; k++)
                Assert.Equal((v >> (9 - k)) & 1, trace.Recorded["hook_bits"][v, k]);
        }
    }

    [Fact]
    public void The_input_orders_the_first_bit_only()
    {
        // A linear probe from one number ranks by that number. Over all items the AUC of bit k (from 0) is ½ + 2^−(k+1): 1, ¾, .625, …
        var items = Enumerable.Range(0, 1 << 12).ToArray();
        for (var k = 0; k < 12; k++)
        {
            double Auc()
            {
                long below = 0,
                    pairs = 0;
                var zeros = 0;
                foreach (var v in items)
                {
                    if (((v >> (11 - k)) & 1) == 0)
                        zeros++;
                    else
                        (below, pairs) = (below + zeros, pairs + (items.Length / 2));
                }
                return (double)below / pairs;
            }
            Assert.Equal(0.5 + Math.ScaleB(1, -(k + 1)), Auc(), 1e-9);
        }
    }
}
