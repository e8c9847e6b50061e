using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using TorchSharp;

namespace Polyseme.Numerics;

/// <summary>
/// Mean and covariance of rows that come in blocks. Each block is centred before its products are taken, in float32 at the speed of a
/// matrix product, and joined to the rest in double, so that a common offset costs no digits.
/// </summary>
/// <remarks>
/// Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", eq. 2.1: joining two samples adds
/// (n_a·n_b/n)·ΔΔᵀ. A block is centred at its mean rounded to float32, which makes the subtraction exact for values near it; the
/// rounding is put right in double. Error of a covariance, in units of the two standard deviations: about 2^-24 times the square root of the rows in a block.
/// </remarks>
public sealed class RunningMoments : IDisposable
{
    private readonly int _columns;
    private readonly double[] _mean;
    private readonly double[]? _products; // Σ (x − mean)(x − mean)ᵀ, lower and upper half
    private readonly double[] _blockMean;
    private readonly double[] _shift; // mean of the block, less what was subtracted
    private torch.Tensor? _centred; // [rows of the largest block, columns], allocated by libtorch and so aligned alike in every run

    /// <summary>Starts without rows.</summary>
    /// <param name="columns">d, at least 1.</param>
    /// <param name="withCovariance">Whether to keep the products: d² doubles.</param>
    public RunningMoments(int columns, bool withCovariance)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        _columns = columns;
        _mean = new double[columns];
        _blockMean = new double[columns];
        _shift = new double[columns];
        _products = withCovariance ? new double[(long)columns * columns] : null;
    }

    /// <summary>Rows so far.</summary>
    public long Count { get; private set; }

    /// <summary>The mean of the rows so far, copied. Shape: <c>[columns]</c>.</summary>
    public double[] Mean() => [.. _mean];

    /// <summary>The covariance of the rows so far, divided by n − 1. Shape: <c>[columns, columns]</c>. <c>null</c> below two rows, or when it is not kept.</summary>
    public Matrix? Covariance()
    {
        if (_products is null || Count < 2)
            return null;
        var covariance = new Matrix(_columns, _columns);
        for (var i = 0; i < _columns; i++)
        for (var j = 0; j <= i; j++)
            covariance[i, j] = covariance[j, i] = _products[((long)i * _columns) + j] / (Count - 1);
        return covariance;
    }

    /// <summary>Adds a block of finite rows.</summary>
    /// <param name="values">Row-major. Shape: <c>[rows, columns]</c>.</param>
    public void Add(ReadOnlySpan<float> values)
    {
        if (values.Length % _columns != 0)
            throw new ArgumentException($"{values.Length} values are not rows of {_columns}", nameof(values));
        var rows = values.Length / _columns;
        if (rows == 0)
            return;
        SumColumns(values, _blockMean);
        for (var j = 0; j < _columns; j++)
        {
            _blockMean[j] /= rows;
            _shift[j] = _blockMean[j] - (float)_blockMean[j];
        }
        var total = Count + rows;
        if (_products is not null)
            AddProducts(values, rows, (double)Count * rows / total);
        for (var j = 0; j < _columns; j++)
            _mean[j] += (_blockMean[j] - _mean[j]) * rows / total;
        Count = total;
    }

    /// <inheritdoc/>
    public void Dispose() => _centred?.Dispose();

    /// <summary>Column sums in double. Shape of <paramref name="sums"/>: <c>[columns]</c>.</summary>
    private static void SumColumns(ReadOnlySpan<float> values, double[] sums)
    {
        Array.Clear(sums);
        for (var row = 0; row < values.Length; row += sums.Length)
        {
            ref var x = ref MemoryMarshal.GetReference(values.Slice(row, sums.Length));
            ref var sum = ref MemoryMarshal.GetArrayDataReference(sums);
            var j = 0;
            for (; j <= sums.Length - Vector256<float>.Count; j += Vector256<float>.Count)
            {
                var (low, high) = Vector256.Widen(Vector256.LoadUnsafe(ref x, (nuint)j));
                (Vector256.LoadUnsafe(ref sum, (nuint)j) + low).StoreUnsafe(ref sum, (nuint)j);
                (Vector256.LoadUnsafe(ref sum, (nuint)j + 4) + high).StoreUnsafe(ref sum, (nuint)j + 4);
            }
            for (; j < sums.Length; j++)
                sums[j] += values[row + j];
        }
    }

    private void AddProducts(ReadOnlySpan<float> values, int rows, double weight)
    {
        if (_centred is null || _centred.shape[0] < rows)
        {
            _centred?.Dispose();
            _centred = torch.empty([rows, _columns], torch.float32).DetachFromDisposeScope();
        }
        Span<float> subtracted = new float[_columns];
        for (var j = 0; j < _columns; j++)
            subtracted[j] = (float)_blockMean[j];
        var centred = MemoryMarshal.Cast<byte, float>(_centred.bytes);
        for (var row = 0; row < values.Length; row += _columns)
            System.Numerics.Tensors.TensorPrimitives.Subtract(values.Slice(row, _columns), subtracted, centred.Slice(row, _columns));

        using var scope = torch.NewDisposeScope();
        var block = _centred.narrow(0, 0, rows);
        var blockProducts = MemoryMarshal.Cast<byte, float>(torch.mm(block.t(), block).bytes);
        for (var i = 0; i < _columns; i++)
        {
            // Both corrections at once, for the lower half: − n_b·δδᵀ for the rounding of the centre, + (n_a·n_b/n)·ΔΔᵀ for the joining.
            double rounding = -rows * _shift[i],
                joining = weight * (_blockMean[i] - _mean[i]);
            var sums = _products.AsSpan().Slice(checked(i * _columns), i + 1);
            var products = blockProducts.Slice(i * _columns, i + 1);
            for (var j = 0; j < sums.Length; j++)
                sums[j] += products[j] + (rounding * _shift[j]) + (joining * (_blockMean[j] - _mean[j]));
        }
    }
}
