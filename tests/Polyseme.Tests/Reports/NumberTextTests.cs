using CsCheck;
using Polyseme.Reports.Charts;
using Polyseme.Reports.Markup;

namespace Polyseme.Tests.Reports;

public sealed class NumberTextTests
{
    [Theory]
    [InlineData(0.0, "0")]
    [InlineData(1.0, "1")]
    [InlineData(0.5, "0.500")]
    [InlineData(0.12345, "0.123")]
    [InlineData(-0.012345, "−0.0123")]
    [InlineData(0.99999, "1.00")]
    [InlineData(12.345, "12.3")]
    [InlineData(1234.5, "1,230")]
    [InlineData(20_000.0, "20,000")]
    [InlineData(1.2345e-5, "1.23×10⁻⁵")]
    [InlineData(-9.876e12, "−9.88×10¹²")]
    [InlineData(double.NaN, "—")]
    [InlineData(double.NegativeInfinity, "—")]
    public void Numbers_have_three_significant_digits(double value, string expected) => Assert.Equal(expected, NumberText.Of(value));

    [Theory]
    [InlineData(0.2, "0.2")]
    [InlineData(1e-4, "10⁻⁴")]
    [InlineData(2e-5, "2×10⁻⁵")]
    [InlineData(-1e7, "−10⁷")]
    [InlineData(100.0, "100")]
    public void Ticks_drop_trailing_zeros(double value, string expected) => Assert.Equal(expected, NumberText.Tick(value));

    [Fact]
    public void A_shown_number_is_within_half_a_unit_of_its_third_digit() =>
        Gen.Double[1e-3, 1e5]
            .Sample(value =>
            {
                var shown = double.Parse(NumberText.Of(value));
                Assert.Equal(value, shown, 0.0051 * value);
            });

    [Fact]
    public void An_axis_covers_its_values_with_round_ends() =>
        Gen.Select(Gen.Double[-1e6, 1e6], Gen.Double[-1e6, 1e6])
            .Sample(
                (a, b) =>
                {
                    var axis = Axis.Linear([a, b], 10, 110);
                    // A value within a billionth of a step of a tick counts as on it; ticks are rounded to twelve digits.
                    var slack = 1e-8 * (Math.Abs(a - b) + Math.Max(Math.Abs(a), Math.Abs(b)));
                    Assert.True(axis.Low <= Math.Min(a, b) + slack && axis.High >= Math.Max(a, b) - slack);
                    Assert.InRange(axis.Ticks.Count, 2, 8);
                    Assert.InRange(axis.At(a), 10, 110);
                    Assert.Equal(10, axis.At(axis.Low));
                    Assert.Equal(110, axis.At(axis.High));
                }
            );

    [Fact]
    public void A_logarithmic_axis_ends_at_powers_of_ten_and_survives_no_positive_value()
    {
        var axis = Axis.Logarithmic([0.02, 30], 0, 100);
        Assert.Equal([0.01, 0.1, 1, 10, 100], axis.Ticks);
        Assert.Equal(50, axis.At(1), 1e-9);
        Assert.True(double.IsFinite(Axis.Logarithmic([0, -1], 0, 100).At(5)));
    }
}
