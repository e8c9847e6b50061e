using Polyseme.Numerics;
using Polyseme.Zoo.Gates;

namespace Polyseme.Tests.Zoo.Gates;

public sealed class TargetedGatesTests
{
    private static TargetedGates Gates(int features, int neurons, int perGate, params (int First, int Second)[] wanted) =>
        new(features, neurons, wanted, perGate, new RandomStream(1, "targeted"));

    [Fact]
    public void One_gate_is_exact_whatever_else_is_on()
    {
        var gates = Gates(6, 100, 8, (1, 4));
        Assert.Equal(8, gates.NeuronsOf(0).Count);
        Assert.Equal(gates.NeuronsOf(0), gates.Readers(1));
        Assert.Equal(gates.NeuronsOf(0), gates.Readers(4));
        Assert.Empty(gates.Readers(0));
        Assert.Equal(1, gates.Read(0, [0, 1, 3, 4]));
        Assert.Equal(0, gates.Read(0, [0, 1, 3, 5]));
        Assert.Equal(0, gates.Read(0, []));
        Assert.Equal(0, gates.ExpectedWhereBoth(4));
    }

    [Fact]
    public void A_bit_is_read_by_the_union_over_its_gates()
    {
        var gates = Gates(5, 60, 10, (0, 1), (0, 2), (3, 4));
        Assert.Equal(gates.NeuronsOf(0).Union(gates.NeuronsOf(1)).Order(), gates.Readers(0));
        Assert.Equal(gates.NeuronsOf(1), gates.Readers(2));
        // Bit 2 stands in for bit 1 where the sets of their gates overlap.
        var shared = gates.NeuronsOf(0).Intersect(gates.NeuronsOf(1)).Count();
        Assert.Equal(shared / 10.0, gates.Read(0, [0, 2]), 1e-12);
    }

    [Fact]
    public void The_derived_error_counts_every_bit_that_all_neurons_read()
    {
        // Sets of all neurons: a gate's neurons read every bit that has a gate, here all of them.
        Assert.Equal(2, Gates(4, 10, 10, (0, 1), (2, 3)).ExpectedWhereBoth(4), 1e-12);
        // Of bits 2 … 5 half have a gate.
        Assert.Equal(1, Gates(6, 10, 10, (0, 1), (2, 3)).ExpectedWhereBoth(4), 1e-12);
    }

    [Fact]
    public void Few_wanted_gates_beat_all_pairs_with_as_many_neurons_and_too_many_do_not()
    {
        var universal = new AndGates(60, 800, 8, 0);
        (AndErrors Targeted, AndErrors Universal) Measure(int gates) =>
            new TargetedGates(
                60,
                800,
                TargetedGates.RandomGraph(60, gates, new RandomStream(2, "graph")),
                8,
                new RandomStream(2, "sets")
            ).Measure(4, 6000, 4, universal);
        var (few, all) = (Measure(60), Measure(1770));
        Assert.InRange(few.Targeted.Mean, 0, 0.5 * few.Universal.Mean);
        Assert.InRange(all.Targeted.Mean, 1.5 * all.Universal.Mean, double.PositiveInfinity);
    }

    [Fact]
    public void The_measured_error_is_the_derived_one()
    {
        var graph = TargetedGates.RandomGraph(60, 300, new RandomStream(2, "graph"));
        var gates = new TargetedGates(60, 800, graph, 8, new RandomStream(2, "sets"));
        var (targeted, _) = gates.Measure(4, 12_000, 4, new AndGates(60, 800, 8, 0));
        // Four standard errors of 4,000 read-outs of eight neurons.
        Assert.Equal(1, targeted.ByOn[2] / gates.ExpectedWhereBoth(4), 0.1);
    }

    [Fact]
    public void A_random_graph_has_different_pairs_up_to_all_of_them()
    {
        var all = TargetedGates.RandomGraph(7, 21, new RandomStream(2, "graph"));
        Assert.Equal(21, all.Distinct().Count());
        Assert.All(all, pair => Assert.True(pair.First < pair.Second));
        Assert.Throws<ArgumentException>(() => TargetedGates.RandomGraph(7, 22, new RandomStream(2, "graph")));
    }
}
