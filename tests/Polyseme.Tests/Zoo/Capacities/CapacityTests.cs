using CsCheck;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Zoo.Capacities;

namespace Polyseme.Tests.Zoo.Capacities;

public sealed class CapacityTests
{
    private static readonly double[] s_importance = Capacity.Importance(8, 0.8);

    [Theory]
    [InlineData(2, 0.38785, "1 1 1 1 0 0 0 0")]
    [InlineData(4, 1.13837, "1 1 1 .778 .222 0 0 0")]
    [InlineData(10, 2.23711, "1 .980 .727 .524 .362 .233 .129 .046")]
    [InlineData(30, 2.90181, "1 .816 .638 .496 .382 .291 .218 .159")]
    public void The_closed_form_gives_the_reference_table(double kurtosis, double loss, string capacities)
    {
        var solved = CapacityAllocation.Solve(s_importance, kurtosis, 4);
        // The table has three decimals and five.
        Assert.Equal(loss, solved.Loss, 6e-6);
        Assert.All(capacities.Split(' ').Zip(solved.Capacity), pair => Assert.Equal(double.Parse(pair.First), pair.Second, 6e-4));
    }

    [Fact]
    public void No_other_allocation_is_better()
    {
        // Moving capacity from one feature to another never lowers the loss.
        Gen.Select(Gen.Double[0.05, 2].Array[5], Gen.Double[1.5, 40], Gen.Int[1, 4], Gen.Int[0, 4], Gen.Int[0, 4])
            .Sample(
                (importance, kurtosis, dimensions, from, to) =>
                {
                    var solved = CapacityAllocation.Solve(importance, kurtosis, dimensions);
                    Assert.Equal(dimensions, solved.Capacity.Sum(), 1e-6);
                    var moved = Math.Min(Math.Min(solved.Capacity[from], 1 - solved.Capacity[to]), 0.05);
                    if (from == to || moved <= 0)
                        return;
                    var other = (double[])solved.Capacity.Clone();
                    other[from] -= moved;
                    other[to] += moved;
                    var loss = importance.Zip(other, (v, c) => CapacityAllocation.FeatureLoss(v, kurtosis, c)).Sum();
                    Assert.True(loss >= solved.Loss - 1e-9, $"{loss} is below {solved.Loss}");
                },
                iter: 300
            );
    }

    [Theory]
    [InlineData(6, 0.39, 0)]
    [InlineData(6, 2.51, 1)]
    public void The_phase_boundary_is_half_of_kurtosis_less_one(double kurtosis, double ratio, double expected)
    {
        Assert.Equal(2.5, CapacityAllocation.PhaseRatio(kurtosis));
        Assert.Equal(expected, CapacityAllocation.Solve([1, ratio], kurtosis, 1).Capacity[1], 1e-9);
        Assert.InRange(CapacityAllocation.Solve([1, 1.5], kurtosis, 1).Capacity[1], 0.55, 0.95);
    }

    [Fact]
    public void Training_on_the_exact_loss_finds_the_closed_form()
    {
        var trained = CapacityTraining.Train(s_importance, 10, 4, 4, 2000, 1e-2, 3, TestContext.Current.CancellationToken);
        var solved = CapacityAllocation.Solve(s_importance, 10, 4);
        Assert.Equal(solved.Loss, trained.Loss, 1e-3);
        Assert.All(solved.Capacity.Zip(trained.Capacity), pair => Assert.Equal(pair.First, pair.Second, 5e-3));
        Assert.All(SemiOrthogonalBlocks.Find(trained.W), block => Assert.InRange(block.Defect, 0, 1e-2));
    }

    [Fact]
    public void The_exact_loss_is_the_error_of_the_network()
    {
        var run = new Capacity().Run(
            new CapacityConfig
            {
                Kurtosis = 10,
                Samples = 200_000,
                Seeds = 2,
                Steps = 1500,
            },
            null,
            TestContext.Current.CancellationToken
        );
        var inputs = new Matrix(run.Features.NSamples, 8);
        for (var i = 0; i < 8; i++)
        {
            for (var row = 0; row < inputs.Rows; row++)
                inputs[row, i] = run.Features.Concepts[i].Values[row];
        }
        var output = run.Network.Run(inputs).Output;
        var error = 0.0;
        for (var row = 0; row < inputs.Rows; row++)
        {
            var y = Enumerable.Range(0, 8).Sum(i => s_importance[i] * inputs[row, i] * inputs[row, i]);
            error += Math.Pow(y - output[row, 0], 2) / inputs.Rows;
        }
        // Eighth moments of x at kurtosis 10 leave 2 % of noise at this many rows.
        Assert.Equal(1, error / run.SeedLosses.Min(), 0.08);
        Assert.Equal(Cause.Superposition, run.Truth.Cause);
    }

    [Fact]
    public void Random_directions_are_no_semi_orthogonal_blocks() =>
        Assert.Contains(SemiOrthogonalBlocks.Find(new RandomStream(1, "blocks").NormalMatrix(8, 4)), block => block.Defect > 0.1);

    [Fact]
    public void Blocks_that_do_not_meet_are_told_apart()
    {
        var third = Math.PI * 2 / 3;
        var w = Matrix.FromRows([1, 0, 0], [Math.Cos(third), Math.Sin(third), 0], [Math.Cos(2 * third), Math.Sin(2 * third), 0], [0, 0, 2]);
        var blocks = SemiOrthogonalBlocks.Find(w);
        Assert.Equal([3, 1], blocks.Select(block => block.Features.Count));
        Assert.Equal([2, 1], blocks.Select(block => block.Rank));
        Assert.All(blocks, block => Assert.Equal(0, block.Defect, 1e-12));
        Assert.Equal(3, Dimensionality.Total(w), 1e-12);
    }

    [Fact]
    public void Impossible_values_are_refused()
    {
        Assert.Contains("0.5", Assert.Throws<ArgumentException>(() => CapacityAllocation.Solve([1, 1], 0.5, 1)).Message);
        Assert.Contains("-1", Assert.Throws<ArgumentException>(() => CapacityAllocation.Solve([1, -1], 5, 1)).Message);
        Assert.Contains("3", Assert.Throws<ArgumentException>(() => CapacityAllocation.Solve([1, 1], 5, 3)).Message);
    }
}
