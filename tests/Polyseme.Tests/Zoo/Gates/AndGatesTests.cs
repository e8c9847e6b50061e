using Polyseme.Zoo.Gates;

namespace Polyseme.Tests.Zoo.Gates;

public sealed class AndGatesTests
{
    [Fact]
    public void An_and_read_by_hand_is_exact_where_nothing_interferes()
    {
        var gates = new AndGates(50, 2000, 16, 3);
        var (first, second) = (4, 9);
        var both = gates.Common(first, second);
        Assert.Equal(both, gates.Readers(first).Intersect(gates.Readers(second)));
        Assert.NotEmpty(both);
        Assert.Equal(1, gates.Read([first, second], gates.Activations([first, second], [])));
        Assert.Equal(0, gates.Read([first, second], gates.Activations([first], [])));
        // A third bit adds one in the share of these neurons that read it.
        var third = gates.Readers(20).Intersect(both).Count();
        Assert.Equal((double)third / both.Count, gates.Read([first, second], gates.Activations([first, 20], [])), 1e-12);
        // Each bit is read by √(16/2000) = 8.9 % of the neurons; five standard errors of 100,000 draws.
        Assert.Equal(0.0894, Enumerable.Range(0, 50).Average(bit => gates.Readers(bit).Count) / 2000, 0.0046);
    }

    [Fact]
    public void An_and_of_three_needs_all_three()
    {
        var gates = new AndGates(30, 3000, 16, 3, fanIn: 3);
        int[] gate = [2, 11, 23];
        var common = gates.Common(gate);
        Assert.Equal(common, gates.Readers(2).Intersect(gates.Readers(11)).Intersect(gates.Readers(23)));
        Assert.NotEmpty(common);
        Assert.Equal(1, gates.Read(gate, gates.Activations(gate, [])));
        Assert.Equal(0, gates.Read(gate, gates.Activations([2, 11], [])));
        Assert.Equal(0, gates.Read(gate, gates.Activations([23], [])));
        // A fourth bit stands in for the missing one wherever it is read, and adds one where none is missing.
        var fourth = gates.Readers(7).Intersect(common).Count() / (double)common.Count;
        Assert.Equal(fourth, gates.Read(gate, gates.Activations([2, 11, 7], [])), 1e-12);
        Assert.Equal(1 + fourth, gates.Read(gate, gates.Activations([2, 11, 23, 7], [])), 1e-12);
        // (16/3000)^⅓ = 17.5 %; five standard errors of 90,000 draws.
        Assert.Equal(0.1747, Enumerable.Range(0, 30).Average(bit => gates.Readers(bit).Count) / 3000, 0.0064);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void A_read_out_of_a_row_is_that_of_its_activations(int fanIn)
    {
        var gates = new AndGates(20, 300, 8, 5, fanIn);
        int[] active = [0, 3, 4, 11, 17];
        var activations = gates.Activations(active, []);
        for (var bit = 2; bit < 20; bit++)
        {
            int[] gate = [.. new[] { 0, 1, bit }[^fanIn..]];
            Assert.Equal(gates.Read(gate, activations), gates.Read(gate, active.AsSpan()), 1e-12);
        }
    }

    [Fact]
    public void The_derived_error_is_that_of_few_bits_by_hand()
    {
        var pairs = new AndGates(10, 200, 8, 0);
        var p = pairs.Probability;
        Assert.Equal(0.2, p, 1e-12);
        Assert.Equal(0, pairs.Expected(2, 2), 1e-12);
        Assert.Equal(p, pairs.Expected(2, 1), 1e-12);
        Assert.Equal(p * p, pairs.Expected(2, 0), 1e-12);
        Assert.Equal(2 * p, pairs.Expected(4, 2), 1e-12);
        var triples = new AndGates(10, 1000, 8, 0, fanIn: 3);
        Assert.Equal(0.2, triples.Probability, 1e-12);
        Assert.Equal(p, triples.Expected(4, 3), 1e-12);
        Assert.Equal(2 * p, triples.Expected(4, 2), 1e-12);
        Assert.Equal((3 * p * p * (1 - p)) + (2 * p * p * p), triples.Expected(4, 1), 1e-12);
        Assert.Equal((4 * p * p * p * (1 - p)) + (2 * p * p * p * p), triples.Expected(4, 0), 1e-12);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Measured_errors_are_the_derived_ones(int fanIn)
    {
        var gates = new AndGates(60, 2000, 8, 5, fanIn);
        var errors = gates.Measure(4, 12_000, 7);
        Assert.Equal(fanIn + 1, errors.ByOn.Count);
        // Four standard errors of 3,000 read-outs or more.
        Assert.Equal(1, errors.Mean / gates.Expected(4), 0.1);
        Assert.Equal(errors.ByOn.Average(), errors.Mean, 1e-12);
        Assert.InRange(errors.Misread, 1e-9, 0.1);
    }
}
