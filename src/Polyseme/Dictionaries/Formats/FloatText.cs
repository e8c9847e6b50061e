using System.Globalization;
using System.Text;

namespace Polyseme.Dictionaries.Formats;

/// <summary>Which program's way of writing JSON is followed, to the byte.</summary>
public enum JsonDialect
{
    /// <summary>Python's <c>json.dumps</c>: ", " and ": ", non-ASCII characters escaped, floats as <c>repr</c> writes them: <c>1e-05</c>.</summary>
    Python,

    /// <summary><c>orjson.dumps</c>: no spaces, UTF-8, floats as the Rust crate ryu writes them: <c>1e-6</c>.</summary>
    Orjson,
}

/// <summary>Floating-point numbers as other tools write them: the shortest digits that read back as the same number, and each tool's own exponents.</summary>
public static class FloatText
{
    /// <summary>The number as text.</summary>
    /// <exception cref="ArgumentException">It is NaN or infinite: JSON has no such numbers.</exception>
    public static string Of(double value, JsonDialect dialect)
    {
        if (!double.IsFinite(value))
            throw new ArgumentException($"{value} is not a number that JSON can hold", nameof(value));
        var (digits, point) = ShortestDigits(value);
        var text = new StringBuilder(double.IsNegative(value) ? "-" : "");
        // Below 10⁻⁴ and from 10¹⁶ Python turns to exponents; ryu goes one place further down.
        var smallest = dialect == JsonDialect.Python ? -3 : -4;
        if (point < smallest || point > 16)
            return Scientific(text, digits, point - 1, dialect);
        if (point <= 0)
            return text.Append("0.").Append('0', -point).Append(digits).ToString();
        if (point >= digits.Length)
            return text.Append(digits).Append('0', point - digits.Length).Append(".0").ToString();
        return text.Append(digits, 0, point).Append('.').Append(digits, point, digits.Length - point).ToString();
    }

    private static string Scientific(StringBuilder text, string digits, int exponent, JsonDialect dialect)
    {
        text.Append(digits[0]);
        if (digits.Length > 1)
            text.Append('.').Append(digits, 1, digits.Length - 1);
        text.Append('e');
        if (dialect == JsonDialect.Python)
            text.Append(exponent < 0 ? '-' : '+').Append(Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture));
        else
            text.Append(exponent);
        return text.ToString();
    }

    /// <summary>|value| = 0.DIGITS · 10^point, with the fewest digits that read back as it. Zero is 0 · 10^1.</summary>
    private static (string Digits, int Point) ShortestDigits(double value)
    {
        if (value == 0)
            return ("0", 1);
        var text = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var e = text.IndexOf('E', StringComparison.Ordinal);
        var exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = e < 0 ? text : text[..e];
        var dot = mantissa.IndexOf('.', StringComparison.Ordinal);
        var point = (dot < 0 ? mantissa.Length : dot) + exponent;
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var leading = digits.Length - digits.TrimStart('0').Length;
        return (digits.Trim('0'), point - leading);
    }
}
