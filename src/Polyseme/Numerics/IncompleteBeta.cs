namespace Polyseme.Numerics;

/// <summary>The regularised incomplete beta function I_x(a, b), the distribution function of a beta variable.</summary>
/// <remarks>The continued fraction by Lentz's method, and Lanczos' series for the gamma function (g = 7, nine terms): relative error below 1e-12 for a, b up to some hundreds.</remarks>
public static class IncompleteBeta
{
    private static readonly double[] s_lanczos =
    [
        0.99999999999980993,
        676.5203681218851,
        -1259.1392167224028,
        771.32342877765313,
        -176.61502916214059,
        12.507343278686905,
        -0.13857109526572012,
        9.9843695780195716e-6,
        1.5056327351493116e-7,
    ];

    /// <summary>I_x(a, b).</summary>
    /// <param name="x">In [0, 1].</param>
    /// <param name="a">Above 0.</param>
    /// <param name="b">Above 0.</param>
    /// <returns>In [0, 1].</returns>
    public static double Regularised(double x, double a, double b)
    {
        if (!(x is >= 0 and <= 1))
            throw new ArgumentException($"x is {x}; it ranges from 0 to 1", nameof(x));
        if (!(a > 0) || !(b > 0))
            throw new ArgumentException($"a is {a} and b is {b}; both are above 0", nameof(a));
        if (x is 0 or 1)
            return x;
        // The fraction converges fast on this side of the mean only.
        if (x > (a + 1) / (a + b + 2))
            return 1 - Regularised(1 - x, b, a);
        var front = Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + (a * Math.Log(x)) + (b * Math.Log(1 - x)));
        return front * Fraction(x, a, b) / a;
    }

    /// <summary>ln Γ(z) for z above 0.</summary>
    internal static double LogGamma(double z)
    {
        // Γ(z) = π / (sin(πz)·Γ(1 − z)): the series holds from one half on.
        if (z < 0.5)
            return Math.Log(Math.PI / Math.Sin(Math.PI * z)) - LogGamma(1 - z);
        z -= 1;
        var sum = s_lanczos[0];
        for (var i = 1; i < s_lanczos.Length; i++)
            sum += s_lanczos[i] / (z + i);
        var t = z + 7.5;
        return (0.5 * Math.Log(2 * Math.PI)) + ((z + 0.5) * Math.Log(t)) - t + Math.Log(sum);
    }

    private static double Fraction(double x, double a, double b)
    {
        const double tiny = 1e-300;
        static double Away(double value) => Math.Abs(value) < tiny ? tiny : value;
        var c = 1.0;
        var d = 1 / Away(1 - ((a + b) * x / (a + 1)));
        var fraction = d;
        for (var m = 1; m <= 500; m++)
        {
            var even = m * (b - m) * x / ((a + (2 * m) - 1) * (a + (2 * m)));
            d = 1 / Away(1 + (even * d));
            c = Away(1 + (even / c));
            fraction *= d * c;
            var odd = -(a + m) * (a + b + m) * x / ((a + (2 * m)) * (a + (2 * m) + 1));
            d = 1 / Away(1 + (odd * d));
            c = Away(1 + (odd / c));
            var change = d * c;
            fraction *= change;
            if (Math.Abs(change - 1) < 1e-15)
                break;
        }
        return fraction;
    }
}
