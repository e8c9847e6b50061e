using System.Globalization;

namespace Polyseme.Reports.Markup;

/// <summary>How every number of a report is spelt: three significant digits, whole numbers whole, the same on every machine.</summary>
internal static class NumberText
{
    /// <summary>Stands where a number is undefined.</summary>
    public const string Undefined = "—";

    private const string Superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

    /// <summary>Three significant digits: <c>0.0123</c>, <c>12,300</c>, <c>1.23×10⁻⁵</c>; whole numbers below a million in full; undefined as a dash.</summary>
    public static string Of(double? number)
    {
        if (number is not { } value || !double.IsFinite(value))
            return Undefined;
        var size = Math.Abs(value);
        string digits;
        if (size < 1e6 && size == Math.Floor(size))
            digits = size.ToString("#,0", CultureInfo.InvariantCulture);
        else if (size is >= 1e6 or < 1e-3)
            digits = Scientific(size);
        else
        {
            // Rounded first: 0.9996 has its first digit one place further left than it seems.
            var unit = Math.Pow(10, 2 - Math.Floor(Math.Log10(size)));
            var rounded = Math.Round(size * unit) / unit;
            var decimals = Math.Max(0, 2 - (int)Math.Floor(Math.Log10(rounded)));
            digits = rounded.ToString(decimals == 0 ? "#,0" : "0." + new string('0', decimals), CultureInfo.InvariantCulture);
        }
        return value < 0 ? "−" + digits : digits;
    }

    /// <summary>A number at an axis tick, where trailing zeros only take room: <c>0.2</c>, <c>10⁻⁴</c>.</summary>
    public static string Tick(double value)
    {
        var text = Of(value);
        var exponent = text.IndexOf('×', StringComparison.Ordinal);
        string digits = exponent < 0 ? text : text[..exponent],
            rest = exponent < 0 ? "" : text[exponent..];
        if (digits.Contains('.', StringComparison.Ordinal))
            digits = digits.TrimEnd('0').TrimEnd('.');
        return rest.Length > 0 && digits is "1" or "−1" ? digits[..^1] + rest[1..] : digits + rest;
    }

    /// <summary>A signed number: <c>+3.20</c>, <c>−0.500</c>.</summary>
    public static string Signed(double value) => value > 0 ? "+" + Of(value) : Of(value);

    /// <summary>A count, with thousands set apart.</summary>
    public static string Count(long count) => count.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>A count that may not have been estimated: a dash then.</summary>
    public static string Estimate(int? count) => count is { } known ? Count(known) : Undefined;

    /// <summary>A count with its noun: <c>1 neuron</c>, <c>12 neurons</c>.</summary>
    public static string Count(long count, string one, string? many = null) => $"{Count(count)} {(count == 1 ? one : many ?? one + "s")}";

    /// <summary>A fraction as a percentage: <c>27.1 %</c>.</summary>
    public static string Percent(double fraction) => Of(Math.Round(100 * fraction, 6)) + " %";

    /// <summary>A coordinate for SVG: at most two decimals, no exponent, no negative zero.</summary>
    public static string Coordinate(double value)
    {
        var rounded = Math.Round(value, 2);
        return (rounded == 0 ? 0 : rounded).ToString("0.##", CultureInfo.InvariantCulture);
    }

    private static string Scientific(double size)
    {
        var parts = size.ToString("0.00e0", CultureInfo.InvariantCulture).Split('e');
        var exponent = string.Concat(parts[1].Select(c => c == '-' ? '⁻' : Superscripts[c - '0']));
        return $"{parts[0]}×10{exponent}";
    }
}
