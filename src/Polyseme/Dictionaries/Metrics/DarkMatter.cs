using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Metrics;

/// <summary>How much of a dictionary's error a linear map of the input foretells: what it misses systematically.</summary>
/// <param name="ErrorR2">R² of the error vector from x, all columns together, on rows that the map was not fitted on; at most 1. <c>null</c> without any error.</param>
/// <param name="ErrorNormR2">R² of ‖e‖² from x, likewise; <c>null</c> when ‖e‖² is constant.</param>
/// <param name="FitRows">Rows that the maps were fitted on.</param>
/// <param name="TestRows">Rows that they were tested on.</param>
/// <remarks>
/// Engels, Riggs and Tegmark 2024, "Decomposing the dark matter of sparse autoencoders" (arXiv 2410.14670): about half of the error's variance and over
/// nine tenths of its norm's were linearly predictable in language models.
/// </remarks>
public sealed record DarkMatter(double? ErrorR2, double? ErrorNormR2, long FitRows, long TestRows);

/// <summary>
/// Moments of inputs and errors, block by block in double precision. Runs of 64 rows go to fitting and to testing in turn, so that neighbours in a
/// document are mostly on one side. Memory: about four d × d matrices.
/// </summary>
public sealed class DarkMatterSums
{
    /// <summary>Consecutive rows that stay on one side.</summary>
    public const int Run = 64;

    private readonly int _dIn;
    private readonly int _dOut;
    private readonly Side _fit;
    private readonly Side _test;
    private double[]? _origin; // the first row, so that a common offset costs no digits
    private long _rows;

    /// <summary>Starts without rows.</summary>
    /// <param name="dIn">Columns of the inputs.</param>
    /// <param name="dOut">Columns of the errors.</param>
    public DarkMatterSums(int dIn, int dOut)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dIn, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(dOut, 1);
        (_dIn, _dOut) = (dIn, dOut);
        (_fit, _test) = (new Side(dIn + 1, dOut + 1), new Side(dIn + 1, dOut + 1));
    }

    /// <summary>Adds rows.</summary>
    /// <param name="inputs">x. Shape: <c>[rows, d_in]</c>.</param>
    /// <param name="targets">What should come out. Shape: <c>[rows, d_out]</c>.</param>
    /// <param name="reconstructions">What comes out. Shape: <c>[rows, d_out]</c>.</param>
    /// <exception cref="ArgumentException">The blocks differ in rows.</exception>
    public void Add(ReadOnlySpan<float> inputs, ReadOnlySpan<float> targets, ReadOnlySpan<float> reconstructions)
    {
        var rows = inputs.Length / _dIn;
        if (inputs.Length != rows * _dIn || targets.Length != rows * _dOut || reconstructions.Length != targets.Length)
            throw new ArgumentException(
                $"{inputs.Length} inputs, {targets.Length} targets and {reconstructions.Length} reconstructions are not the same number of rows",
                nameof(inputs)
            );
        if (rows == 0)
            return;
        if (_origin is null)
        {
            _origin = new double[_dIn];
            for (var j = 0; j < _dIn; j++)
                _origin[j] = inputs[j];
        }
        foreach (var (side, parity) in new[] { (_fit, 0), (_test, 1) })
        {
            var chosen = new List<int>();
            for (var row = 0; row < rows; row++)
            {
                if ((_rows + row) / Run % 2 == parity)
                    chosen.Add(row);
            }
            if (chosen.Count == 0)
                continue;
            var x = new Matrix(chosen.Count, _dIn + 1);
            var y = new Matrix(chosen.Count, _dOut + 1);
            for (var i = 0; i < chosen.Count; i++)
            {
                for (var j = 0; j < _dIn; j++)
                    x[i, j] = inputs[(chosen[i] * _dIn) + j] - _origin[j];
                x[i, _dIn] = 1;
                var square = 0.0;
                for (var j = 0; j < _dOut; j++)
                {
                    var error = (double)targets[(chosen[i] * _dOut) + j] - reconstructions[(chosen[i] * _dOut) + j];
                    y[i, j] = error;
                    square += error * error;
                }
                y[i, _dOut] = square;
            }
            side.Add(x, y);
        }
        _rows += rows;
    }

    /// <summary>The shares of all rows so far; <c>null</c> when there are too few rows to fit and to test: each side needs more than d_in + 1.</summary>
    public DarkMatter? Result()
    {
        if (Math.Min(_fit.Rows, _test.Rows) <= _dIn + 1)
            return null;
        using var scope = torch.NewDisposeScope();
        var gram = LinearAlgebra.ToTensor(_fit.Gram);
        var ridge = 1e-9 * (gram.trace().item<double>() / (_dIn + 1));
        var factor = torch.linalg.cholesky(gram + (ridge * torch.eye(_dIn + 1, dtype: torch.float64)));
        var map = LinearAlgebra.ToMatrix(torch.cholesky_solve(LinearAlgebra.ToTensor(_fit.Cross), factor)); // [d_in + 1, d_out + 1]
        var through = LinearAlgebra.Multiply(_test.Gram, map);
        double errors = 0,
            total = 0;
        double? norm = null;
        for (var t = 0; t <= _dOut; t++)
        {
            double left = _test.Square[t];
            for (var j = 0; j <= _dIn; j++)
                left += map[j, t] * (through[j, t] - (2 * _test.Cross[j, t]));
            var around = _test.Square[t] - (_test.Cross[_dIn, t] * _test.Cross[_dIn, t] / _test.Rows);
            if (t == _dOut)
                norm = around > 1e-12 * _test.Square[t] ? 1 - (left / around) : null;
            else
                (errors, total) = (errors + left, total + around);
        }
        return new DarkMatter(total > 0 ? 1 - (errors / total) : null, norm, _fit.Rows, _test.Rows);
    }

    private sealed class Side(int inputs, int outputs)
    {
        public Matrix Gram { get; } = new(inputs, inputs);

        public Matrix Cross { get; } = new(inputs, outputs);

        public double[] Square { get; } = new double[outputs];

        public long Rows { get; private set; }

        public void Add(Matrix x, Matrix y)
        {
            using var scope = torch.NewDisposeScope();
            var (inputs, outputs) = (LinearAlgebra.ToTensor(x), LinearAlgebra.ToTensor(y));
            LinearAlgebra.ToTensor(Gram).add_(torch.mm(inputs.t(), inputs));
            LinearAlgebra.ToTensor(Cross).add_(torch.mm(inputs.t(), outputs));
            var squares = outputs.square().sum(dim: 0).data<double>().ToArray();
            for (var t = 0; t < squares.Length; t++)
                Square[t] += squares[t];
            Rows += x.Rows;
        }
    }
}
