namespace Polyseme.Dictionaries.Metrics;

/// <summary>
/// How well rows come back, under every definition that tools use, each by its own name. Of the explained variances
/// <see cref="ExplainedVariance"/> is the right one; the others are there to compare with numbers that other tools print, each only with its own kind.
/// </summary>
/// <remarks>x is a target row, x̂ its reconstruction, e = x − x̂, E the mean over rows. What has no value (constant targets) is <c>null</c>.</remarks>
public sealed record Reconstruction
{
    /// <summary>Rows measured.</summary>
    public required long NRows { get; init; }

    /// <summary>Rows of each batch of the two variants that depend on batches.</summary>
    public required int BatchRows { get; init; }

    /// <summary>E‖e‖² / (E‖x‖² − ‖E x‖²): the fraction of variance unexplained, ≥ 0, lower is better. 1 − this is <see cref="ExplainedVariance"/>.</summary>
    public required double? Fvu { get; init; }

    /// <summary>The right one: 1 − E‖e‖² / (E‖x‖² − ‖E x‖²), at most 1. SAELens from 6.45.1 on.</summary>
    public required double? ExplainedVariance { get; init; }

    /// <summary>
    /// 1 − E‖e‖² / (E‖x‖² − (mean_d E[x_d²])²): SAELens 6 up to 6.45 and SAEBench 0.6.0. Subtracts the square of a mean square, over the wrong axis;
    /// its value changes with the unit of x.
    /// </summary>
    public required double? ExplainedVarianceSaeBench060 { get; init; }

    /// <summary>E over rows of 1 − ‖e‖²/‖x − x̄_batch‖²: SAELens's "legacy", in the paper of SAEBench. A row near the mean of its batch dominates. Rows at their mean are left out.</summary>
    public required double? ExplainedVarianceLegacy { get; init; }

    /// <summary>1 − Σ_d Var(e_d) / Σ_d Var(x_d): dictionary_learning. An error that is the same in every row costs nothing.</summary>
    public required double? ExplainedVarianceDictionaryLearning { get; init; }

    /// <summary>1 − Σ e² / Σ (x − the mean of all entries of x)²: overcomplete's r2. What neurons' means differ by counts as explained.</summary>
    public required double? R2Overcomplete { get; init; }

    /// <summary>Mean over batches of Σ‖e‖² / Σ‖x − x̄_batch‖²: sparsify's FVU. Batches of few rows understate the variance.</summary>
    public required double? FvuSparsify { get; init; }

    /// <summary>E[‖e‖²/‖x‖²]: OpenAI's normalised mean squared error, not centred: a common offset makes it small. Zero rows are left out.</summary>
    public required double? NormalisedErrorOpenAi { get; init; }

    /// <summary>E‖e‖², summed over columns.</summary>
    public required double SquaredError { get; init; }

    /// <summary>E‖e‖² / d: the mean squared error of one entry.</summary>
    public required double MeanSquaredError { get; init; }

    /// <summary>E[cos(x, x̂)], in [−1, 1]; rows where either is zero are left out.</summary>
    public required double? Cosine { get; init; }

    /// <summary>E[‖x̂‖/‖x‖], ≥ 0; 1 is right. Zero rows are left out.</summary>
    public required double? L2Ratio { get; init; }

    /// <summary>
    /// γ = E‖x̂‖² / E[x·x̂]: 1 is unbiased, below 1 the reconstruction is shrunk. Rajamanoharan et al. 2024 (arXiv 2404.16014), relative reconstruction
    /// bias; also called shrinkage.
    /// </summary>
    public required double? RelativeReconstructionBias { get; init; }
}

/// <summary>Adds up, block by block and in double precision, what <see cref="Reconstruction"/> needs. Memory: one batch and a few rows.</summary>
public sealed class ReconstructionSums
{
    private readonly int _width;
    private readonly int _batchRows;
    private readonly double[] _shift; // the first row; sums are of x − shift, so that a common offset costs no digits
    private readonly double[] _sum; // Σ (x − shift)
    private readonly double[] _sumSquare; // Σ x², not shifted
    private readonly double[] _errorSum;
    private readonly double[] _batchMean;
    private readonly float[] _batch; // [batch_rows, width]
    private readonly double[] _batchError; // ‖e‖² of each row of the batch
    private int _inBatch;
    private long _rows;
    private double _shiftedSquare; // Σ‖x − shift‖²
    private double _square; // Σ‖x‖²
    private double _error; // Σ‖e‖²
    private double _inner; // Σ x·x̂
    private double _backSquare; // Σ‖x̂‖²
    private double _cosine;
    private long _cosines;
    private double _ratio;
    private double _relativeError;
    private long _nonZero;
    private double _legacy;
    private long _legacyRows;
    private double _sparsify;
    private long _sparsifyBatches;

    /// <summary>Starts without rows.</summary>
    /// <param name="width">Columns of the targets.</param>
    /// <param name="batchRows">Rows of a batch, for the variants that average over batches.</param>
    public ReconstructionSums(int width, int batchRows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchRows, 1);
        (_width, _batchRows) = (width, batchRows);
        _shift = new double[width];
        _sum = new double[width];
        _sumSquare = new double[width];
        _errorSum = new double[width];
        _batchMean = new double[width];
        _batch = new float[checked(batchRows * width)];
        _batchError = new double[batchRows];
    }

    /// <summary>Adds rows.</summary>
    /// <param name="targets">x. Shape: <c>[rows, width]</c>.</param>
    /// <param name="reconstructions">x̂. Shape: <c>[rows, width]</c>.</param>
    /// <exception cref="ArgumentException">The blocks differ in size or are not whole rows.</exception>
    public void Add(ReadOnlySpan<float> targets, ReadOnlySpan<float> reconstructions)
    {
        if (targets.Length != reconstructions.Length || targets.Length % _width != 0)
            throw new ArgumentException(
                $"{targets.Length} target and {reconstructions.Length} reconstructed values are not the same number of rows of {_width}",
                nameof(reconstructions)
            );
        for (var start = 0; start < targets.Length; start += _width)
            AddRow(targets.Slice(start, _width), reconstructions.Slice(start, _width));
    }

    /// <summary>The measures of all rows so far.</summary>
    /// <exception cref="InvalidOperationException">No rows were added.</exception>
    public Reconstruction Result()
    {
        if (_rows == 0)
            throw new InvalidOperationException("no rows were added");
        var n = (double)_rows;
        var meanSquared = _sum.Sum(sum => sum / n * (sum / n));
        var variance = (_shiftedSquare / n) - meanSquared; // E‖x‖² − ‖E x‖²
        var errorVariance = (_error / n) - _errorSum.Sum(sum => sum / n * (sum / n));
        var meanOfMeanSquares = _sumSquare.Average() / n;
        var saeBench = (_square / n) - (meanOfMeanSquares * meanOfMeanSquares);
        // Mean of all entries, from the shifted sums.
        var grand = _shift.Select((shift, j) => shift + (_sum[j] / n)).Average();
        var aroundGrand = variance + _shift.Select((shift, j) => Math.Pow(shift + (_sum[j] / n) - grand, 2)).Sum();
        var (legacy, legacyRows, sparsify, batches) = (_legacy, _legacyRows, _sparsify, _sparsifyBatches);
        if (_inBatch > 0)
            EndBatch(ref legacy, ref legacyRows, ref sparsify, ref batches);
        // A variance that is only rounding of the squares it is the difference of is none.
        double? Share(double error, double of) => Math.Abs(of) > 1e-12 * Math.Max(_shiftedSquare / n, double.Epsilon) ? error / of : null;
        var fvu = Share(_error / n, variance);
        return new Reconstruction
        {
            NRows = _rows,
            BatchRows = _batchRows,
            Fvu = fvu,
            ExplainedVariance = 1 - fvu,
            ExplainedVarianceSaeBench060 = 1 - Share(_error / n, saeBench),
            ExplainedVarianceLegacy = legacyRows == 0 ? null : legacy / legacyRows,
            ExplainedVarianceDictionaryLearning = 1 - Share(errorVariance, variance),
            R2Overcomplete = 1 - Share(_error / n, aroundGrand),
            FvuSparsify = batches == 0 ? null : sparsify / batches,
            NormalisedErrorOpenAi = _nonZero == 0 ? null : _relativeError / _nonZero,
            SquaredError = _error / n,
            MeanSquaredError = _error / n / _width,
            Cosine = _cosines == 0 ? null : _cosine / _cosines,
            L2Ratio = _nonZero == 0 ? null : _ratio / _nonZero,
            RelativeReconstructionBias = _inner == 0 ? null : _backSquare / _inner,
        };
    }

    private void AddRow(ReadOnlySpan<float> target, ReadOnlySpan<float> back)
    {
        if (_rows == 0)
        {
            for (var j = 0; j < _width; j++)
                _shift[j] = target[j];
        }
        double square = 0,
            error = 0,
            inner = 0,
            backSquare = 0;
        for (var j = 0; j < _width; j++)
        {
            double x = target[j],
                y = back[j],
                shifted = x - _shift[j];
            square += x * x;
            error += (x - y) * (x - y);
            inner += x * y;
            backSquare += y * y;
            _sum[j] += shifted;
            _shiftedSquare += shifted * shifted;
            _sumSquare[j] += x * x;
            _errorSum[j] += x - y;
        }
        _rows++;
        _square += square;
        _error += error;
        _inner += inner;
        _backSquare += backSquare;
        if (square > 0)
        {
            _nonZero++;
            _ratio += Math.Sqrt(backSquare / square);
            _relativeError += error / square;
            if (backSquare > 0)
            {
                _cosines++;
                _cosine += inner / Math.Sqrt(square * backSquare);
            }
        }
        target.CopyTo(_batch.AsSpan(_inBatch * _width, _width));
        _batchError[_inBatch++] = error;
        if (_inBatch == _batchRows)
        {
            EndBatch(ref _legacy, ref _legacyRows, ref _sparsify, ref _sparsifyBatches);
            _inBatch = 0;
        }
    }

    private void EndBatch(ref double legacy, ref long legacyRows, ref double sparsify, ref long batches)
    {
        Array.Clear(_batchMean);
        for (var i = 0; i < _inBatch; i++)
        for (var j = 0; j < _width; j++)
            _batchMean[j] += _batch[(i * _width) + j] / (double)_inBatch;
        double total = 0,
            errors = 0;
        for (var i = 0; i < _inBatch; i++)
        {
            var around = 0.0;
            for (var j = 0; j < _width; j++)
            {
                var difference = _batch[(i * _width) + j] - _batchMean[j];
                around += difference * difference;
            }
            total += around;
            errors += _batchError[i];
            if (around > 0)
            {
                legacy += 1 - (_batchError[i] / around);
                legacyRows++;
            }
        }
        if (total > 0)
        {
            sparsify += errors / total;
            batches++;
        }
    }
}
