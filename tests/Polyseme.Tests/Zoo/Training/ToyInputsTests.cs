using CsCheck;
using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Tests.Zoo.Training;

public sealed class ToyInputsTests
{
    private const int Rows = 40_000;

    public static TheoryData<string> Laws { get; } =
        new("equal", "power", "certain and rare", "pairs of unequal density", "dense and unequal", "all certain");

    [Theory]
    [MemberData(nameof(Laws))]
    public void Each_group_is_active_as_often_as_its_own_density_says(string law)
    {
        var fresh = Law(law);
        var groups = fresh.Densities!.Count;
        var x = Draw(fresh, groups * fresh.GroupSize);
        for (var i = 0; i < x.Columns; i++)
        {
            var density = fresh.Densities[i / fresh.GroupSize];
            var active = x.Column(i).Count(value => value != 0);
            // Five standard errors, and a uniform of exactly zero.
            Assert.Equal(density, (double)active / Rows, (5 * Math.Sqrt(density * (1 - density) / Rows)) + 1e-4);
        }
    }

    [Fact]
    public void Groups_of_unequal_density_switch_independently_within_a_row_and_between_rows()
    {
        double[] densities = [0.5, 0.1, 0.8, 0.3];
        var x = Draw(new ToyInputs.Fresh(densities), 4);
        double Both(int i, int j, int later) =>
            Enumerable.Range(0, Rows - later).Count(row => x[row, i] != 0 && x[row + later, j] != 0) / (double)(Rows - later);
        for (var i = 0; i < 4; i++)
        for (var j = 0; j < 4; j++)
        for (var later = i == j ? 1 : 0; later <= 1; later++)
        {
            var expected = densities[i] * densities[j];
            Assert.Equal(expected, Both(i, j, later), 5 * Math.Sqrt(expected * (1 - expected) / Rows));
        }
    }

    [Fact]
    public void Any_densities_come_out_as_asked() =>
        // Bounds of six standard errors: some thousand shares are looked at.
        Gen.Double[1e-3, 1]
            .Array[1, 40]
            .Sample(
                densities =>
                {
                    var x = Draw(new ToyInputs.Fresh(densities), densities.Length, 4000);
                    return Enumerable
                        .Range(0, densities.Length)
                        .All(i =>
                            Math.Abs((x.Column(i).Count(value => value != 0) / 4000.0) - densities[i])
                            <= (6 * Math.Sqrt(densities[i] * (1 - densities[i]) / 4000)) + 1e-3
                        );
                },
                iter: 60
            );

    [Theory]
    [InlineData(0.3, 2)]
    [InlineData(0.05, 3)]
    [InlineData(1.0, 2)]
    [InlineData(1.0, 1)]
    [InlineData(0.9, 1)]
    public void Of_an_anticorrelated_group_exactly_one_member_is_active_and_each_equally_often(double density, int groupSize)
    {
        const int groups = 4;
        var x = Draw(new ToyInputs.Fresh(density, groupSize) { Rule = GroupRule.OneAtATime, Low = 0.5f }, groups * groupSize);
        for (var group = 0; group < groups; group++)
        {
            var active = Enumerable
                .Range(0, Rows)
                .Select(row => Enumerable.Range(0, groupSize).Count(member => x[row, (group * groupSize) + member] != 0))
                .ToArray();
            Assert.All(active, count => Assert.InRange(count, 0, 1));
            Assert.Equal(density, active.Average(), (5 * Math.Sqrt(density * (1 - density) / Rows)) + 1e-9);
        }
        var share = density / groupSize;
        for (var i = 0; i < x.Columns; i++)
            Assert.Equal(share, x.Column(i).Count(value => value != 0) / (double)Rows, (5 * Math.Sqrt(share * (1 - share) / Rows)) + 1e-9);
    }

    [Fact]
    public void Anticorrelated_groups_may_differ_in_density()
    {
        double[] densities = [0.6, 0.05];
        var x = Draw(
            new ToyInputs.Fresh(densities, 3)
            {
                Rule = GroupRule.OneAtATime,
                Low = 1,
                High = 2,
            },
            6
        );
        for (var i = 0; i < 6; i++)
        {
            var share = densities[i / 3] / 3;
            Assert.Equal(share, x.Column(i).Count(value => value != 0) / (double)Rows, 5 * Math.Sqrt(share * (1 - share) / Rows));
        }
        for (var row = 0; row < Rows; row++)
        {
            Assert.InRange(Enumerable.Range(0, 3).Count(i => x[row, i] != 0), 0, 1);
            Assert.InRange(Enumerable.Range(3, 3).Count(i => x[row, i] != 0), 0, 1);
        }
    }

    [Theory]
    [InlineData(-1, 1, 0.2)]
    [InlineData(-1, 1, 1)]
    [InlineData(0, 2, 0.2)]
    [InlineData(0, 2, 0.7)]
    [InlineData(0.1, 0.3, 1)]
    public void Values_are_uniform_in_their_range(float low, float high, double density)
    {
        var x = Draw(new ToyInputs.Fresh(density) { Low = low, High = high }, 4);
        double width = high - low;
        for (var i = 0; i < 4; i++)
        {
            var active = x.Column(i).Where(value => value != 0).ToArray();
            Assert.All(active, value => Assert.True(value >= low && value < high, $"{value}"));
            var error = width / Math.Sqrt(12.0 * active.Length);
            Assert.Equal((low + high) / 2.0, active.Average(), 5 * error);
            // Kolmogorov's distance to the uniform law; 2.4/√n is exceeded once in 50,000.
            Array.Sort(active);
            var distance = active.Select((value, k) => Math.Abs(((value - low) / width) - ((k + 0.5) / active.Length))).Max();
            Assert.True(distance < 2.4 / Math.Sqrt(active.Length), $"distance {distance}");
        }
    }

    [Fact]
    public void A_batch_does_not_depend_on_what_was_made_before_it()
    {
        foreach (var name in Laws)
        {
            var fresh = Law(name.Data);
            var features = fresh.Densities!.Count * fresh.GroupSize;
            ToyBatch New() => new(fresh, features, 100, 3, 8);
            var used = New();
            used.Make(9);
            Assert.Equal<double>(New().ToMatrix(2).Data, used.ToMatrix(2).Data);
            Assert.NotEqual<double>(New().ToMatrix(2).Data, used.ToMatrix(3).Data);
        }
    }

    public static TheoryData<string> Impossible { get; } =
        new(
            "density is 0; it ranges from 1E-05 to 1",
            "density is 1.5; it ranges",
            "density is NaN",
            "density is 1E-06",
            "density is 2; it ranges from 1E-07",
            "there are 3 densities, but 12 groups of 1",
            "there are 12 densities, but 6 groups of 2",
            "density 1 is 0; it ranges from 1E-07 to the highest, 0.5",
            "density 0 is 0.5; it ranges from 1E-07 to the highest, 0.4",
            "values range from 1 to 1",
            "values range from 0 to NaN",
            "12 features do not fall into groups of 5",
            "12 features do not fall into groups of 0",
            "rule is 7"
        );

    [Theory]
    [MemberData(nameof(Impossible))]
    public void Impossible_inputs_are_refused_with_value_and_range(string said)
    {
        ToyInputs.Fresh Twelve(double first, double second) => new([first, second, .. Enumerable.Repeat(0.3, 10)]);
        var fresh = said switch
        {
            "density is 0; it ranges from 1E-05 to 1" => new ToyInputs.Fresh(0),
            "density is 1.5; it ranges" => new ToyInputs.Fresh(1.5),
            "density is NaN" => new ToyInputs.Fresh(double.NaN),
            "density is 1E-06" => new ToyInputs.Fresh(1e-6),
            "density is 2; it ranges from 1E-07" => Twelve(2, 1),
            "there are 3 densities, but 12 groups of 1" => new ToyInputs.Fresh([0.1, 0.2, 0.3]),
            "there are 12 densities, but 6 groups of 2" => Twelve(0.1, 0.2) with { GroupSize = 2 },
            "density 1 is 0; it ranges from 1E-07 to the highest, 0.5" => Twelve(0.5, 0),
            "density 0 is 0.5; it ranges from 1E-07 to the highest, 0.4" => Twelve(0.5, 0.2) with { Density = 0.4 },
            "values range from 1 to 1" => new ToyInputs.Fresh(0.1) { Low = 1 },
            "values range from 0 to NaN" => new ToyInputs.Fresh(0.1) { High = float.NaN },
            "12 features do not fall into groups of 5" => new ToyInputs.Fresh(0.1, 5),
            "12 features do not fall into groups of 0" => new ToyInputs.Fresh(0.1, 0),
            "rule is 7" => new ToyInputs.Fresh(0.1) { Rule = (GroupRule)7 },
            _ => throw new ArgumentOutOfRangeException(nameof(said), said, "no such case"),
        };
        Assert.Contains(said, Assert.Throws<ArgumentException>(() => new ToyBatch(fresh, 12, 10, 0, 0)).Message, StringComparison.Ordinal);
    }

    private static ToyInputs.Fresh Law(string law) =>
        law switch
        {
            "equal" => new ToyInputs.Fresh([.. Enumerable.Repeat(0.1, 7)]),
            "power" => new ToyInputs.Fresh([.. Enumerable.Range(1, 60).Select(i => 0.9 * Math.Pow(i, -1.2))]),
            "certain and rare" => new ToyInputs.Fresh([1, 0.001, 0.001, 1, 0.002]),
            "pairs of unequal density" => new ToyInputs.Fresh([0.3, 0.02, 0.1], 2),
            "dense and unequal" => new ToyInputs.Fresh([0.9, 0.5, 0.7]),
            "all certain" => new ToyInputs.Fresh([1, 1]),
            _ => throw new ArgumentOutOfRangeException(nameof(law), law, "no such law"),
        };

    private static Matrix Draw(ToyInputs.Fresh fresh, int features, int rows = Rows) =>
        new ToyBatch(fresh, features, rows, 11, 8).ToMatrix(5);
}
