using CsCheck;
using Polyseme.Numerics;
using Polyseme.Zoo.Codes;

namespace Polyseme.Tests.Zoo.Codes;

public sealed class SphericalCodeTests
{
    [Fact]
    public void Equiangular_lines_meet_Welch()
    {
        Assert.Equal(1.0 / 3, CodeBounds.Welch(7, 28), 1e-12);
        Assert.Equal(1.0 / 5, CodeBounds.Welch(23, 276), 1e-12);
        Assert.Equal(0, CodeBounds.Welch(5, 5));
    }

    [Fact]
    public void Rankin_is_the_simplex_then_zero()
    {
        Assert.Equal(-1.0 / 3, CodeBounds.Rankin(3, 4), 1e-12);
        Assert.Equal(0, CodeBounds.Rankin(3, 6));
    }

    [Theory]
    // On the circle the tail is 2·acos(ε)/π; on the sphere 1 − ε (Archimedes).
    [InlineData(2, 0.5, 2.0 / 3)]
    [InlineData(3, 0.3, 0.7)]
    public void Tails_in_two_and_three_dimensions(int dimension, double epsilon, double expected)
    {
        Assert.Equal(expected, CodeBounds.TwoSidedTail(dimension, epsilon), 1e-12);
        Assert.Equal(expected / 2, CodeBounds.Cap(dimension, epsilon), 1e-12);
    }

    [Fact]
    public void The_exact_tail_lies_below_the_bound() =>
        Gen.Select(Gen.Int[2, 400], Gen.Double[0.001, 0.999])
            .Sample((d, epsilon) => CodeBounds.TwoSidedTail(d, epsilon) <= CodeBounds.TailBound(d, epsilon) + 1e-12);

    [Theory]
    [InlineData(3, 6, false, 0)]
    [InlineData(3, 12, false, 0.4472136)]
    [InlineData(3, 8, false, 0.2612039)]
    [InlineData(3, 6, true, 0.4472136)]
    [InlineData(5, 10, true, 1.0 / 3)]
    public void Repulsion_finds_known_codes(int dimension, int count, bool lines, double cosine)
    {
        var code = SphericalCode.Optimise(dimension, count, lines, 8, 1500, 1, -1, TestContext.Current.CancellationToken);
        Assert.Equal(cosine, code.MaxCosine, 1e-4);
        Assert.Equal(code.MaxCosine, SphericalCode.Largest(code.Directions, lines), 1e-12);
    }

    [Fact]
    public void Greedy_lines_keep_their_distance_and_fill_the_sphere()
    {
        var code = SphericalCode.Greedy(10, 0.5, 5000, new RandomStream(1, "greedy"));
        Assert.InRange(code.MaxCosine, 0, 0.5);
        Assert.True(code.Directions.Rows >= 1 / CodeBounds.TwoSidedTail(10, 0.5));
    }

    [Fact]
    public void No_code_beats_Welch()
    {
        var random = SphericalCode.Random(6, 16, lines: true, new RandomStream(2, "random"));
        var optimised = SphericalCode.Optimise(6, 16, lines: true, 4, 1000, 2, 0, TestContext.Current.CancellationToken);
        Assert.True(random.MaxCosine > optimised.MaxCosine);
        Assert.InRange(optimised.MaxCosine, CodeBounds.Welch(6, 16) - 1e-9, 1.0 / 3 + 1e-3);
    }

    [Fact]
    public void The_planted_network_has_a_linear_budget_of_its_dimensions()
    {
        var run = new Packing().Run(
            new PackingConfig
            {
                Features = 24,
                Neurons = 6,
                Samples = 500,
                Steps = 300,
                Starts = 1,
            },
            null,
            TestContext.Current.CancellationToken
        );
        Assert.All(run.Acceptances, acceptance => Assert.True(acceptance.Passed, $"{acceptance.Claim}: {acceptance.Value}"));
        Assert.Equal(24, run.Truth.NLine);
        Assert.Equal(Cause.Superposition, run.Truth.Cause);
    }
}
