using System.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>Adam for a few parameters in one array; the population trainer has its own, fused into its kernel.</summary>
/// <typeparam name="T">float or double.</typeparam>
/// <param name="size">Number of parameters.</param>
/// <remarks>Kingma and Ba 2015, with β₁ = .9, β₂ = .999, ε = 1e-8.</remarks>
internal sealed class AdamState<T>(int size)
    where T : struct, IFloatingPointIeee754<T>
{
    private static readonly T s_beta1 = T.CreateChecked(0.9),
        s_beta2 = T.CreateChecked(0.999),
        s_epsilon = T.CreateChecked(1e-8);

    private readonly T[] _first = new T[size];
    private readonly T[] _second = new T[size];
    private double _power1 = 1,
        _power2 = 1;

    /// <summary>One step down the gradient.</summary>
    /// <param name="parameters">Changed in place. Shape: <c>[size]</c>.</param>
    /// <param name="gradient">Shape: <c>[size]</c>.</param>
    /// <param name="rate">Learning rate of this step.</param>
    public void Step(Span<T> parameters, ReadOnlySpan<T> gradient, double rate)
    {
        if (parameters.Length != _first.Length || gradient.Length != _first.Length)
            throw new ArgumentException(
                $"{parameters.Length} parameters and {gradient.Length} gradients for {_first.Length}",
                nameof(parameters)
            );
        _power1 *= 0.9;
        _power2 *= 0.999;
        var (scale, unbias) = (T.CreateChecked(rate / (1 - _power1)), T.CreateChecked(1 / (1 - _power2)));
        var i = 0;
        for (; i <= parameters.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            var g = new Vector<T>(gradient[i..]);
            var first = (s_beta1 * new Vector<T>(_first, i)) + ((T.One - s_beta1) * g);
            var second = (s_beta2 * new Vector<T>(_second, i)) + ((T.One - s_beta2) * g * g);
            first.CopyTo(_first, i);
            second.CopyTo(_second, i);
            var change = scale * first / (Vector.SquareRoot(unbias * second) + new Vector<T>(s_epsilon));
            (new Vector<T>(parameters[i..]) - change).CopyTo(parameters[i..]);
        }
        for (; i < parameters.Length; i++)
        {
            _first[i] = (s_beta1 * _first[i]) + ((T.One - s_beta1) * gradient[i]);
            _second[i] = (s_beta2 * _second[i]) + ((T.One - s_beta2) * gradient[i] * gradient[i]);
            parameters[i] -= scale * _first[i] / (T.Sqrt(unbias * _second[i]) + s_epsilon);
        }
    }
}
