using System.Numerics.Tensors;
using Polyseme.Numerics;
using Polyseme.Zoo.Gates;

namespace Polyseme.Tests.Zoo.Gates;

public sealed class SuperposedGatesTests
{
    /// <summary>Orthonormal rows. Shape: <c>[m, d₀]</c>, m ≤ d₀.</summary>
    private static Matrix Orthonormal(int features, int dimensions)
    {
        var (u, _, vt) = LinearAlgebra.Svd(new RandomStream(1, "orthonormal").NormalMatrix(features, dimensions));
        return LinearAlgebra.Multiply(u, vt);
    }

    private static Matrix Random(int features, int dimensions) =>
        SuperposedGates.RandomCode(features, dimensions, new RandomStream(1, "code"));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Orthonormal_columns_give_the_universal_construction(bool inverse)
    {
        var code = Orthonormal(30, 40);
        var gates = new AndGates(30, 500, 8, 2);
        var superposed = new SuperposedGates(gates, code, inverse ? SuperposedGates.InverseReaders(code) : code);
        foreach (var active in new int[][] { [], [4], [1, 9, 17, 29] })
        {
            var expected = gates.Counts(active);
            var found = superposed.PreActivations(active);
            for (var neuron = 0; neuron < gates.Neurons; neuron++)
                Assert.Equal(expected[neuron], found[neuron], 1e-12);
        }
        var errors = superposed.Measure(4, 200, 3);
        Assert.InRange(errors.Largest, 0, 1e-12);
        Assert.Equal(0, errors.Misfires);
        Assert.All(errors.Quiet, read => Assert.Equal(0, read.Read));
    }

    [Fact]
    public void Columns_that_are_not_orthogonal_are_read_exactly_by_the_inverse_only()
    {
        var code = Random(30, 40);
        var gates = new AndGates(30, 500, 8, 2);
        Assert.InRange(new SuperposedGates(gates, code, SuperposedGates.InverseReaders(code)).Measure(4, 100, 3).Largest, 0, 1e-10);
        Assert.InRange(new SuperposedGates(gates, code, code).Measure(4, 100, 3).Largest, 0.1, 10);
    }

    [Fact]
    public void Interference_is_the_cosines_of_the_bits_read_with_the_active_ones()
    {
        const int features = 50;
        var code = Random(features, 10);
        var gates = new AndGates(features, 300, 8, 2);
        int[] active = [3, 20, 41];
        double[] found = new SuperposedGates(gates, code, code).PreActivations(active),
            counts = gates.Counts(active);
        for (var neuron = 0; neuron < gates.Neurons; neuron++)
        {
            var expected = counts[neuron];
            foreach (var bit in Enumerable.Range(0, features).Where(bit => gates.Readers(bit).Contains(neuron)))
                expected += active.Where(other => other != bit).Sum(other => TensorPrimitives.Dot<double>(code.Row(bit), code.Row(other)));
            Assert.Equal(expected, found[neuron], 1e-12);
        }
    }

    [Fact]
    public void The_inverse_reads_each_bit_as_one_and_its_projection_has_the_rank_of_the_code()
    {
        const int features = 60,
            dimensions = 12;
        var code = Random(features, dimensions);
        var read = LinearAlgebra.MultiplyTranspose(SuperposedGates.InverseReaders(code), code);
        var trace = 0.0;
        for (var i = 0; i < features; i++)
        {
            Assert.Equal(1, read[i, i], 1e-12);
            // Row i is P_i/P_ii with |P_i|² = P_ii.
            trace += 1 / TensorPrimitives.SumOfSquares<double>(read.Row(i));
        }
        Assert.Equal(dimensions, trace, 1e-9);
    }

    [Fact]
    public void Interference_below_the_threshold_is_rounded_away_and_above_it_is_not()
    {
        var code = Random(60, 40);
        var errors = new SuperposedGates(new AndGates(60, 400, 8, 2), code, code).Measure(2, 400, 3);
        var below = errors.Quiet.Where(read => read.Interference < 1).ToArray();
        Assert.NotEmpty(below);
        Assert.All(below, read => Assert.Equal(0, read.Read));
        Assert.Contains(below, read => read.Linear is > 0.1 or < -0.1);
        Assert.Contains(errors.Quiet, read => read.Interference > 1 && read.Read > 0);
        Assert.InRange(errors.Misfires, 0.01, 1);
    }

    [Fact]
    public void A_code_of_other_bits_is_refused()
    {
        var code = Random(5, 4);
        var refused = Assert.Throws<ArgumentException>(() => new SuperposedGates(new AndGates(6, 50, 8, 0), code, code));
        Assert.Contains("6 bits", refused.Message, StringComparison.Ordinal);
    }
}
