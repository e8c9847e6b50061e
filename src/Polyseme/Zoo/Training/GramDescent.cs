using System.Numerics.Tensors;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>A loss that depends on the directions through their inner products only.</summary>
internal abstract class GramLoss
{
    /// <summary>The loss and its derivatives.</summary>
    /// <param name="gram">G = W·Wᵀ. Shape: <c>[n, n]</c>.</param>
    /// <param name="derivative">Filled with ∂L/∂G, every ordered pair an entry of its own; symmetric. Shape: <c>[n, n]</c>.</param>
    /// <param name="n">Number of directions.</param>
    public abstract double Evaluate(ReadOnlySpan<double> gram, Span<double> derivative, int n);
}

/// <summary>Descends the directions W of a loss of their Gram matrix by Adam, in double precision.</summary>
internal sealed class GramDescent
{
    private readonly int _n,
        _m;
    private readonly bool _unit;

    /// <summary>Wᵀ, so that the inner loops run along directions. Shape: <c>[m, n]</c>.</summary>
    private readonly double[] _directions;
    private readonly double[] _gradient;
    private readonly double[] _gram;
    private readonly double[] _derivative;
    private readonly double[] _row;
    private readonly AdamState<double> _adam;

    /// <param name="start">The directions to start from, as rows; copied. Shape: <c>[n, m]</c>.</param>
    /// <param name="unitNorm">Whether rows stay on the unit sphere.</param>
    public GramDescent(Matrix start, bool unitNorm = false)
    {
        (_n, _m, _unit) = (start.Rows, start.Columns, unitNorm);
        _directions = start.Transpose().Data;
        _gradient = new double[_n * _m];
        _gram = new double[_n * _n];
        _derivative = new double[_n * _n];
        _row = new double[_n];
        _adam = new AdamState<double>(_n * _m);
        if (_unit)
            Normalise();
    }

    /// <summary>The directions as rows, copied. Shape: <c>[n, m]</c>.</summary>
    public Matrix Directions => new Matrix(_m, _n, (double[])_directions.Clone()).Transpose();

    /// <summary>The loss where it stands.</summary>
    public double Loss(GramLoss loss)
    {
        MakeGram();
        return loss.Evaluate(_gram, _derivative, _n);
    }

    /// <summary>Loss and gradient by the directions; what the tests compare with autograd. On the unit sphere, its tangent part.</summary>
    public (double Loss, Matrix Gradient) Gradient(GramLoss loss)
    {
        var value = MakeGradient(loss);
        return (value, new Matrix(_m, _n, (double[])_gradient.Clone()).Transpose());
    }

    /// <summary>One step.</summary>
    /// <returns>The loss before it.</returns>
    public double Step(GramLoss loss, double rate)
    {
        var value = MakeGradient(loss);
        _adam.Step(_directions, _gradient, rate);
        if (_unit)
            Normalise();
        return value;
    }

    private double MakeGradient(GramLoss loss)
    {
        MakeGram();
        var value = loss.Evaluate(_gram, _derivative, _n);
        // dL/dW = (F + Fᵀ)·W = 2·F·W
        for (var k = 0; k < _m; k++)
        {
            var gradient = _gradient.AsSpan(k * _n, _n);
            gradient.Clear();
            for (var j = 0; j < _n; j++)
                TensorPrimitives.MultiplyAdd(_derivative.AsSpan(j * _n, _n), 2 * _directions[(k * _n) + j], gradient, gradient);
        }
        if (_unit)
        {
            // The part along a direction would only change its norm.
            _row.AsSpan().Clear();
            for (var k = 0; k < _m; k++)
                TensorPrimitives.MultiplyAdd(Along(_gradient, k), Along(_directions, k), _row, _row);
            for (var k = 0; k < _m; k++)
            {
                for (var i = 0; i < _n; i++)
                    _gradient[(k * _n) + i] -= _row[i] * _directions[(k * _n) + i];
            }
        }
        return value;
    }

    private void MakeGram()
    {
        for (var i = 0; i < _n; i++)
        {
            var row = _gram.AsSpan(i * _n, _n);
            row.Clear();
            for (var k = 0; k < _m; k++)
                TensorPrimitives.MultiplyAdd(Along(_directions, k), _directions[(k * _n) + i], row, row);
        }
    }

    private void Normalise()
    {
        _row.AsSpan().Clear();
        for (var k = 0; k < _m; k++)
            TensorPrimitives.MultiplyAdd(Along(_directions, k), Along(_directions, k), _row, _row);
        TensorPrimitives.Sqrt(_row, _row);
        for (var k = 0; k < _m; k++)
            TensorPrimitives.Divide(Along(_directions, k), _row, Along(_directions, k));
    }

    private Span<double> Along(double[] values, int k) => values.AsSpan(k * _n, _n);
}
