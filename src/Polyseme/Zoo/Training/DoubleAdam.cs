using System.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>Adam in double precision, for problems whose loss is exact: no data, few parameters, many steps.</summary>
/// <param name="size">Number of parameters.</param>
/// <remarks>Kingma and Ba 2015, with β₁ = .9, β₂ = .999, ε = 1e-8.</remarks>
internal sealed class DoubleAdam(int size)
{
    private const double Beta1 = 0.9,
        Beta2 = 0.999,
        Epsilon = 1e-8;

    private readonly double[] _first = new double[size];
    private readonly double[] _second = new double[size];
    private double _power1 = 1,
        _power2 = 1;

    /// <summary>One step down the gradient.</summary>
    /// <param name="parameters">Changed in place. Shape: <c>[size]</c>.</param>
    /// <param name="gradient">Shape: <c>[size]</c>.</param>
    /// <param name="rate">Learning rate of this step.</param>
    public void Step(Span<double> parameters, ReadOnlySpan<double> gradient, double rate)
    {
        if (parameters.Length != _first.Length || gradient.Length != _first.Length)
            throw new ArgumentException(
                $"{parameters.Length} parameters and {gradient.Length} gradients for {_first.Length}",
                nameof(parameters)
            );
        _power1 *= Beta1;
        _power2 *= Beta2;
        var (scale, unbias) = (rate / (1 - _power1), 1 / (1 - _power2));
        var i = 0;
        for (; i <= parameters.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            var g = new Vector<double>(gradient[i..]);
            var first = (Beta1 * new Vector<double>(_first, i)) + ((1 - Beta1) * g);
            var second = (Beta2 * new Vector<double>(_second, i)) + ((1 - Beta2) * g * g);
            first.CopyTo(_first, i);
            second.CopyTo(_second, i);
            var change = scale * first / (Vector.SquareRoot(unbias * second) + new Vector<double>(Epsilon));
            (new Vector<double>(parameters[i..]) - change).CopyTo(parameters[i..]);
        }
        for (; i < parameters.Length; i++)
        {
            _first[i] = (Beta1 * _first[i]) + ((1 - Beta1) * gradient[i]);
            _second[i] = (Beta2 * _second[i]) + ((1 - Beta2) * gradient[i] * gradient[i]);
            parameters[i] -= scale * _first[i] / (Math.Sqrt(unbias * _second[i]) + Epsilon);
        }
    }
}
