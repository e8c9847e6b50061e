namespace Polyseme.Reports.Charts;

/// <summary>A chart axis: from numbers to view-box units, linear or logarithmic, with ends and ticks at round numbers.</summary>
internal sealed class Axis
{
    private readonly double pixelLow,
        pixelHigh;
    private readonly bool logarithmic;

    private Axis(double low, double high, double pixelLow, double pixelHigh, bool logarithmic, IReadOnlyList<double> ticks)
    {
        (Low, High, this.pixelLow, this.pixelHigh, this.logarithmic, Ticks) = (low, high, pixelLow, pixelHigh, logarithmic, ticks);
    }

    /// <summary>The number at the low end.</summary>
    public double Low { get; }

    /// <summary>The number at the high end.</summary>
    public double High { get; }

    /// <summary>Round numbers from the low end to the high end, both included.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>Where a number lies; numbers off the axis are drawn at its end.</summary>
    public double At(double value)
    {
        var position = logarithmic
            ? (Math.Log10(Math.Max(value, Low)) - Math.Log10(Low)) / (Math.Log10(High) - Math.Log10(Low))
            : (value - Low) / (High - Low);
        return pixelLow + (Math.Clamp(position, 0, 1) * (pixelHigh - pixelLow));
    }

    /// <summary>A linear axis over all of <paramref name="values"/>, in about <paramref name="steps"/> round steps. A single value gets room on both sides.</summary>
    public static Axis Linear(IEnumerable<double> values, double pixelLow, double pixelHigh, int steps = 4)
    {
        var (low, high) = Range(values, _ => true);
        if (high - low <= 1e-12 * Math.Max(Math.Abs(low), Math.Abs(high)))
        {
            var room = low == 0 ? 1 : Math.Abs(low) / 10;
            (low, high) = (low - room, high + room);
        }
        var step = RoundStep((high - low) / steps);
        double first = Math.Floor((low / step) + 1e-9),
            last = Math.Ceiling((high / step) - 1e-9);
        // Multiples of the step, rather than sums of it, so that zero is zero.
        double[] ticks = [.. Enumerable.Range(0, (int)(last - first) + 1).Select(k => Clean((first + k) * step))];
        return new Axis(ticks[0], ticks[^1], pixelLow, pixelHigh, logarithmic: false, ticks);
    }

    /// <summary>A logarithmic axis over the positive <paramref name="values"/>, ending at powers of ten.</summary>
    public static Axis Logarithmic(IEnumerable<double> values, double pixelLow, double pixelHigh)
    {
        var (low, high) = Range(values, value => value > 0);
        if (low <= 0)
            (low, high) = (0.1, 1);
        int first = (int)Math.Floor(Math.Log10(low) + 1e-9),
            last = (int)Math.Ceiling(Math.Log10(high) - 1e-9);
        last = Math.Max(last, first + 1);
        var stride = Math.Max(1, (int)Math.Ceiling((last - first) / 5.0));
        double[] ticks = [.. Enumerable.Range(0, last - first + 1).Where(k => k % stride == 0).Select(k => Clean(Math.Pow(10, first + k)))];
        return new Axis(Math.Pow(10, first), Math.Pow(10, last), pixelLow, pixelHigh, logarithmic: true, ticks);
    }

    private static (double Low, double High) Range(IEnumerable<double> values, Func<double, bool> counts)
    {
        double low = double.PositiveInfinity,
            high = double.NegativeInfinity;
        foreach (var value in values)
        {
            if (double.IsFinite(value) && counts(value))
                (low, high) = (Math.Min(low, value), Math.Max(high, value));
        }
        return low > high ? (0, 0) : (low, high);
    }

    private static double RoundStep(double step)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(step)));
        return (step / power) switch
        {
            <= 1.0001 => power,
            <= 2.0001 => 2 * power,
            <= 5.0001 => 5 * power,
            _ => 10 * power,
        };
    }

    private static double Clean(double value) => double.Parse(value.ToString("G12"));
}
