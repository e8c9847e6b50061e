using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.Evidence;

/// <summary>How the signal subspace is found.</summary>
public sealed record SignalSubspaceConfig
{
    /// <summary>An eigenvalue of the correlation matrix below this share of the largest is rounding, not signal.</summary>
    public double RoundingFloor { get; init; } = 1e-6;

    /// <summary>The spectrum must drop by at least this factor for what lies below the drop to be called noise.</summary>
    public double NoiseGap { get; init; } = 4;

    /// <summary>Samples wanted per dimension for measures that rotate or whiten; below it they work on the leading principal subspace.</summary>
    public int SamplesPerDimension { get; init; } = 50;

    /// <summary>Most dimensions that such measures work in.</summary>
    public int MaxDimensions { get; init; } = 128;
}

/// <summary>
/// The layer in the coordinates that every later measure works in: live neurons centred and scaled to unit variance, the rank of
/// the signal above the noise floor, and the whitened principal subspace.
/// </summary>
/// <remarks>
/// Standardising is an invertible map of the live neurons, so lines stay lines and independent components stay what they are;
/// it keeps one loud neuron from being the whole spectrum.
/// </remarks>
public sealed record SignalSubspace
{
    /// <summary>The configuration it was found with.</summary>
    public required SignalSubspaceConfig Config { get; init; }

    /// <summary>Neurons whose activation varies; the rest are dead. Shape: <c>[n_live]</c>.</summary>
    public required int[] Live { get; init; }

    /// <summary>Number of neurons, d.</summary>
    public required int NNeurons { get; init; }

    /// <summary>Mean of each live neuron. Shape: <c>[n_live]</c>.</summary>
    public required double[] Mean { get; init; }

    /// <summary>Standard deviation of each live neuron. Shape: <c>[n_live]</c>.</summary>
    public required double[] Scale { get; init; }

    /// <summary>Eigenvalues of the live neurons' correlation matrix, largest first. Shape: <c>[n_live]</c>.</summary>
    public required double[] Spectrum { get; init; }

    /// <summary>r: the rank of the signal above the noise floor.</summary>
    public required int Rank { get; init; }

    /// <summary>The factor by which the spectrum drops just below r; 1 when r is the full numerical rank.</summary>
    public required double Gap { get; init; }

    /// <summary>Dimensions of the working subspace: r, or fewer where the samples do not allow r.</summary>
    public int Dimensions => Loadings.Columns;

    /// <summary>Share of the standardised variance that the working subspace holds, in [0, 1].</summary>
    public required double Captured { get; init; }

    /// <summary>Standardised neuron = loadings · whitened row. Shape: <c>[n_live, dimensions]</c>.</summary>
    public required Matrix Loadings { get; init; }

    /// <summary>Whitened rows: mean zero, identity covariance. Shape: <c>[n_samples, dimensions]</c>.</summary>
    public required Matrix Whitened { get; init; }

    /// <summary>Participation ratio (Σλ)² / Σλ² of the raw covariance spectrum; between 1 and d.</summary>
    public required double ParticipationRatio { get; init; }

    /// <summary>Rows in principal coordinates, scaled so that the mean squared row norm is 1. Shape: <c>[n_samples, dimensions]</c>.</summary>
    public Matrix PrincipalRows()
    {
        var rows = Whitened.Copy();
        var scale = PrincipalScale();
        for (var i = 0; i < rows.Rows; i++)
        for (var k = 0; k < rows.Columns; k++)
            rows[i, k] *= scale[k];
        return rows;
    }

    /// <summary>What a whitened coordinate is multiplied by to become a principal one. Shape: <c>[dimensions]</c>.</summary>
    public double[] PrincipalScale()
    {
        var total = Spectrum.Take(Dimensions).Sum();
        return [.. Spectrum.Take(Dimensions).Select(value => Math.Sqrt(value / total))];
    }

    /// <summary>Finds the signal subspace of a layer.</summary>
    /// <param name="activations">Shape: <c>[n_samples, n_neurons]</c>.</param>
    /// <param name="config">Floors and limits.</param>
    /// <param name="mean">Mean over more rows than the sample holds, or <c>null</c>.</param>
    /// <param name="covariance">Covariance over those rows, or <c>null</c>.</param>
    /// <returns><c>null</c> when no neuron varies or there are fewer than two rows.</returns>
    public static SignalSubspace? Find(
        ActivationSet activations,
        SignalSubspaceConfig config,
        double[]? mean = null,
        Matrix? covariance = null
    )
    {
        if (activations.NSamples < 2)
            return null;
        var rows = activations.ToMatrix();
        mean ??= ColumnMeans(rows);
        var live = LiveNeurons(rows, mean, covariance);
        if (live.Length == 0)
            return null;
        var centred = Centre(rows, live, mean);
        var raw = covariance is null ? Covariance(centred) : Select(covariance, live);
        var liveMean = Array.ConvertAll(live, j => mean[j]);
        var scale = new double[live.Length];
        for (var j = 0; j < live.Length; j++)
            scale[j] = Math.Sqrt(raw[j, j]);
        var participation = Participation(raw);
        var (spectrum, vectors) = LinearAlgebra.SymmetricEigen(Correlation(raw, scale));
        var (rank, gap) = RankAboveNoise(spectrum, centred.Rows, config);
        var dimensions = Math.Max(1, Math.Min(rank, Math.Min(config.MaxDimensions, centred.Rows / config.SamplesPerDimension)));
        if (rank <= 4)
            dimensions = rank; // too small to cut: with few rows the measures themselves say that they cannot decide
        var (loadings, whitening) = Bases(spectrum, vectors, dimensions);
        for (var i = 0; i < centred.Rows; i++)
        for (var j = 0; j < live.Length; j++)
            centred[i, j] /= scale[j];
        return new SignalSubspace
        {
            Config = config,
            Live = live,
            NNeurons = activations.NNeurons,
            Mean = liveMean,
            Scale = scale,
            Spectrum = spectrum,
            Rank = rank,
            Gap = gap,
            Captured = Math.Min(1, spectrum.Take(dimensions).Sum() / spectrum.Sum()),
            Loadings = loadings,
            Whitened = LinearAlgebra.Multiply(centred, whitening),
            ParticipationRatio = participation,
        };
    }

    /// <summary>
    /// The rank above the noise floor: where the spectrum drops by <see cref="SignalSubspaceConfig.NoiseGap"/> onto a floor that is flatter than the
    /// drop; without such a floor, the numerical rank.
    /// </summary>
    /// <param name="spectrum">Eigenvalues, largest first.</param>
    /// <param name="nSamples">Rows they were estimated from.</param>
    /// <param name="config">Floors.</param>
    public static (int Rank, double Gap) RankAboveNoise(double[] spectrum, int nSamples, SignalSubspaceConfig config)
    {
        var numerical = spectrum.TakeWhile(value => value > config.RoundingFloor * spectrum[0]).Count();
        numerical = Math.Min(numerical, nSamples - 1);
        var best = (Rank: numerical, Gap: 1.0);
        for (var k = 1; k < numerical; k++)
        {
            var drop = spectrum[k - 1] / spectrum[k];
            // A sample spectrum of pure noise is spread by (1+√γ)²/(1−√γ)² (Marchenko and Pastur 1967); the floor may spread twice that.
            var ratio = Math.Sqrt(Math.Min(0.9, (double)(numerical - k) / nSamples));
            var spread = Math.Pow((1 + ratio) / (1 - ratio), 2);
            var floor = spectrum[k] / spectrum[numerical - 1];
            if (numerical - k >= 2 && drop >= config.NoiseGap && drop > best.Gap && floor <= Math.Max(2 * spread, Math.Sqrt(drop)))
                best = (k, drop);
        }
        return best;
    }

    private static double[] ColumnMeans(Matrix rows)
    {
        var mean = new double[rows.Columns];
        for (var i = 0; i < rows.Rows; i++)
        {
            var row = rows.Row(i);
            for (var j = 0; j < mean.Length; j++)
                mean[j] += row[j];
        }
        for (var j = 0; j < mean.Length; j++)
            mean[j] /= rows.Rows;
        return mean;
    }

    private static int[] LiveNeurons(Matrix rows, double[] mean, Matrix? covariance)
    {
        var variance = new double[rows.Columns];
        for (var j = 0; j < variance.Length; j++)
        {
            if (covariance is not null)
            {
                variance[j] = covariance[j, j];
                continue;
            }
            for (var i = 0; i < rows.Rows; i++)
                variance[j] += Math.Pow(rows[i, j] - mean[j], 2) / rows.Rows;
        }
        // A neuron that moves by less than single precision resolves at its offset does not move.
        return [.. Enumerable.Range(0, rows.Columns).Where(j => variance[j] > 1e-30 && Math.Sqrt(variance[j]) > 4e-7 * Math.Abs(mean[j]))];
    }

    private static Matrix Centre(Matrix rows, int[] live, double[] mean)
    {
        var centred = new Matrix(rows.Rows, live.Length);
        for (var i = 0; i < rows.Rows; i++)
        for (var j = 0; j < live.Length; j++)
            centred[i, j] = rows[i, live[j]] - mean[live[j]];
        return centred;
    }

    private static Matrix Covariance(Matrix centred)
    {
        var covariance = LinearAlgebra.TransposeMultiply(centred, centred);
        for (var i = 0; i < covariance.Data.Length; i++)
            covariance.Data[i] /= centred.Rows;
        return covariance;
    }

    private static Matrix Select(Matrix covariance, int[] live)
    {
        var selected = new Matrix(live.Length, live.Length);
        for (var i = 0; i < live.Length; i++)
        for (var j = 0; j < live.Length; j++)
            selected[i, j] = covariance[live[i], live[j]];
        return selected;
    }

    private static Matrix Correlation(Matrix covariance, double[] scale)
    {
        var correlation = covariance.Copy();
        for (var i = 0; i < scale.Length; i++)
        for (var j = 0; j < scale.Length; j++)
            correlation[i, j] /= scale[i] * scale[j];
        return correlation;
    }

    private static double Participation(Matrix covariance)
    {
        // (tr C)² / tr C², no eigenvalues needed.
        double trace = 0,
            squared = 0;
        for (var i = 0; i < covariance.Rows; i++)
            trace += covariance[i, i];
        foreach (var value in covariance.Data)
            squared += value / trace * (value / trace);
        return 1 / squared;
    }

    private static (Matrix Loadings, Matrix Whitening) Bases(double[] spectrum, Matrix vectors, int dimensions)
    {
        Matrix loadings = new(vectors.Rows, dimensions),
            whitening = new(vectors.Rows, dimensions);
        for (var j = 0; j < vectors.Rows; j++)
        for (var k = 0; k < dimensions; k++)
        {
            loadings[j, k] = vectors[j, k] * Math.Sqrt(spectrum[k]);
            whitening[j, k] = vectors[j, k] / Math.Sqrt(spectrum[k]);
        }
        return (loadings, whitening);
    }
}
