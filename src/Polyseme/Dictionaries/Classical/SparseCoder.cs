using System.Numerics.Tensors;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Classical;

/// <summary>
/// Finds codes of rows for fixed directions. All methods work on the products of rows and directions and on the directions' Gram matrix, so that a row costs
/// nothing of its width. Rows are coded in parallel, each by itself: the result does not depend on how.
/// </summary>
internal sealed class SparseCoder
{
    private const int MaxSweeps = 1000;
    private const double Negligible = 1e-7; // largest change of a coordinate, in units of the row's largest product
    private readonly int _n;
    private readonly int _d;
    private readonly double[] _directions; // [n_latents, d]
    private readonly double[] _gram; // [n_latents, n_latents]
    private readonly CodeMethod _method;

    public SparseCoder(Matrix directions, CodeMethod method)
    {
        (_n, _d, _directions, _method) = (directions.Rows, directions.Columns, directions.Data, method);
        _gram = LinearAlgebra.MultiplyTranspose(directions, directions).Data;
    }

    /// <summary>Codes. Shape: <c>[rows.Rows, n_latents]</c>.</summary>
    /// <param name="rows">Already centred. Shape: <c>[n_rows, d]</c>.</param>
    /// <param name="start">Codes to start from, of methods that go step by step to an optimum; else ignored.</param>
    public Matrix Code(Matrix rows, Matrix? start = null)
    {
        if (rows.Columns != _d)
            throw new ArgumentException($"rows have {rows.Columns} columns, but directions {_d}", nameof(rows));
        var products = LinearAlgebra.MultiplyTranspose(rows, new Matrix(_n, _d, _directions)); // x·d_k
        var codes = start?.Copy() ?? new Matrix(rows.Rows, _n);
        Parallel.For(
            0,
            rows.Rows,
            () => new Scratch(_n, _method),
            (i, _, scratch) =>
            {
                CodeRow(rows.Row(i), products.Row(i), codes.Row(i), scratch);
                return scratch;
            },
            _ => { }
        );
        return codes;
    }

    private void CodeRow(ReadOnlySpan<double> row, Span<double> product, Span<double> code, Scratch scratch)
    {
        switch (_method)
        {
            case CodeMethod.Omp omp:
                code.Clear();
                OrthogonalMatchingPursuit(row, product, code, omp.K, scratch);
                break;
            case CodeMethod.MatchingPursuit pursuit:
                code.Clear();
                for (var step = 0; step < pursuit.K; step++)
                    TakeOut(product, code);
                break;
            case CodeMethod.Lasso lasso:
                CoordinateDescent(product, code, lasso.Lambda, lasso.NonNegative, scratch);
                break;
            case CodeMethod.NonNegativeLeastSquares:
                CoordinateDescent(product, code, 0, nonNegative: true, scratch);
                break;
            case CodeMethod.Nearest:
                code.Clear();
                var (best, least) = (0, double.PositiveInfinity);
                for (var k = 0; k < _n; k++)
                {
                    var distance = _gram[Index(k, k)] - (2 * product[k]); // ‖x − d_k‖² − ‖x‖²
                    if (distance < least)
                        (best, least) = (k, distance);
                }
                code[best] = 1;
                break;
            default:
                throw new ArgumentException($"{_method} is not a way to find codes");
        }
    }

    private int Index(int row, int column) => (row * _n) + column;

    /// <summary>One step of matching pursuit. <paramref name="product"/> holds residual·d_k and is kept so.</summary>
    private void TakeOut(Span<double> product, Span<double> code)
    {
        var (best, gain) = (-1, 1e-24);
        for (var k = 0; k < _n; k++)
        {
            var norm = _gram[Index(k, k)];
            if (norm > 0 && product[k] * product[k] / norm > gain)
                (best, gain) = (k, product[k] * product[k] / norm);
        }
        if (best < 0)
            return;
        var amount = product[best] / _gram[Index(best, best)];
        code[best] += amount;
        TensorPrimitives.MultiplyAdd(_gram.AsSpan(best * _n, _n), -amount, product, product);
    }

    /// <summary>Batch OMP with a progressive Cholesky factor of the chosen directions' Gram matrix: Rubinstein, Zibulevsky and Elad 2008, algorithm 3.</summary>
    private void OrthogonalMatchingPursuit(
        ReadOnlySpan<double> row,
        ReadOnlySpan<double> product,
        Span<double> code,
        int k,
        Scratch scratch
    )
    {
        var energy = 0.0;
        foreach (var value in row)
            energy += value * value;
        k = Math.Min(k, Math.Min(_n, _d));
        var (chosen, factor, solution, residual) = (scratch.Chosen, scratch.Factor, scratch.Solution, scratch.Work);
        product.CopyTo(residual);
        var count = 0;
        while (count < k)
        {
            var (best, gain) = (-1, 1e-20 * energy);
            for (var j = 0; j < _n; j++)
            {
                var norm = _gram[Index(j, j)];
                if (norm > 0 && residual[j] * residual[j] / norm > gain && Array.IndexOf(chosen, j, 0, count) < 0)
                    (best, gain) = (j, residual[j] * residual[j] / norm);
            }
            if (best < 0)
                break;
            // The new row of L with L·Lᵀ = G_chosen.
            var square = _gram[Index(best, best)];
            for (var i = 0; i < count; i++)
            {
                var sum = _gram[Index(best, chosen[i])];
                for (var j = 0; j < i; j++)
                    sum -= factor[(count * k) + j] * factor[(i * k) + j];
                factor[(count * k) + i] = sum / factor[(i * k) + i];
                square -= factor[(count * k) + i] * factor[(count * k) + i];
            }
            if (square <= 1e-12 * _gram[Index(best, best)])
                break; // it lies in the span of those chosen
            factor[(count * k) + count] = Math.Sqrt(square);
            chosen[count++] = best;
            // Solve L·Lᵀ·f = product of the chosen.
            for (var i = 0; i < count; i++)
            {
                var sum = product[chosen[i]];
                for (var j = 0; j < i; j++)
                    sum -= factor[(i * k) + j] * solution[j];
                solution[i] = sum / factor[(i * k) + i];
            }
            for (var i = count - 1; i >= 0; i--)
            {
                var sum = solution[i];
                for (var j = i + 1; j < count; j++)
                    sum -= factor[(j * k) + i] * solution[j];
                solution[i] = sum / factor[(i * k) + i];
            }
            product.CopyTo(residual);
            for (var i = 0; i < count; i++)
                TensorPrimitives.MultiplyAdd(
                    _gram.AsSpan(chosen[i] * _n, _n),
                    -solution[i],
                    residual.AsSpan(0, _n),
                    residual.AsSpan(0, _n)
                );
        }
        for (var i = 0; i < count; i++)
            code[chosen[i]] = solution[i];
    }

    /// <summary>Cyclic coordinate descent; sweeps over active coordinates alone run between sweeps over all.</summary>
    private void CoordinateDescent(ReadOnlySpan<double> product, Span<double> code, double lambda, bool nonNegative, Scratch scratch)
    {
        var left = scratch.Work.AsSpan(0, _n); // product − Gram·code
        product.CopyTo(left);
        var largest = 0.0;
        for (var j = 0; j < _n; j++)
        {
            largest = Math.Max(largest, Math.Abs(product[j]));
            if (code[j] != 0)
                TensorPrimitives.MultiplyAdd(_gram.AsSpan(j * _n, _n), -code[j], left, left);
        }
        var all = true;
        for (var sweep = 0; sweep < MaxSweeps; sweep++)
        {
            var change = 0.0;
            for (var j = 0; j < _n; j++)
            {
                if (!all && code[j] == 0)
                    continue;
                var norm = _gram[Index(j, j)];
                if (norm <= 0)
                    continue;
                var target = left[j] + (norm * code[j]);
                var next =
                    target > lambda ? (target - lambda) / norm
                    : target < -lambda && !nonNegative ? (target + lambda) / norm
                    : 0;
                if (next == code[j])
                    continue;
                var difference = next - code[j];
                change = Math.Max(change, Math.Abs(difference) * norm);
                code[j] = next;
                TensorPrimitives.MultiplyAdd(_gram.AsSpan(j * _n, _n), -difference, left, left);
            }
            var still = change <= Negligible * largest;
            if (still && all)
                return;
            all = still;
        }
    }

    private sealed class Scratch
    {
        public Scratch(int n, CodeMethod method)
        {
            var k = method is CodeMethod.Omp omp ? Math.Min(omp.K, n) : 0;
            (Work, Chosen, Solution, Factor) = (new double[n], new int[k], new double[k], new double[k * k]);
        }

        public double[] Work { get; }

        public int[] Chosen { get; }

        public double[] Solution { get; }

        public double[] Factor { get; }
    }
}
