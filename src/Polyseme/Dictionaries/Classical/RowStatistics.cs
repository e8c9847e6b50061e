using System.Numerics.Tensors;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Classical;

/// <summary>Means and principal axes of rows in memory.</summary>
internal static class RowStatistics
{
    private const int BlockRows = 4096;

    /// <summary>
    /// Mean, and eigenvalues (largest first) and unit eigenvectors (as rows) of the covariance. In double precision throughout: small variances beside large
    /// ones are whitened, too.
    /// </summary>
    public static (double[] Mean, double[] Variances, Matrix Axes) PrincipalAxes(FloatMatrix rows)
    {
        using var scope = torch.NewDisposeScope();
        var all = torch.frombuffer(rows.Data, torch.float32).reshape(rows.Rows, rows.Columns);
        var mean = Mean(rows);
        var offset = torch.tensor(mean);
        var products = BlockSums.Over(
            rows.Rows,
            (first, count) =>
            {
                var centred = all.narrow(0, first, count).to(torch.float64) - offset;
                return torch.mm(centred.t(), centred);
            }
        );
        var (values, vectors) = LinearAlgebra.SymmetricEigen(LinearAlgebra.ToMatrix(products / (rows.Rows - 1)));
        return (mean, Array.ConvertAll(values, value => Math.Max(value, 0)), vectors.Transpose());
    }

    /// <summary>Mean of each column. Shape: <c>[d]</c>.</summary>
    public static double[] Mean(FloatMatrix rows)
    {
        using var moments = new RunningMoments(rows.Columns, withCovariance: false);
        for (var first = 0; first < rows.Rows; first += BlockRows)
            moments.Add(rows.Data.AsSpan(first * rows.Columns, Math.Min(BlockRows, rows.Rows - first) * rows.Columns));
        return moments.Mean();
    }

    /// <summary>Rows less a vector, in double precision. Shape: <c>[n_samples, d]</c>.</summary>
    public static Matrix Centred(FloatMatrix rows, double[] mean)
    {
        var centred = new Matrix(rows.Rows, rows.Columns);
        for (var i = 0; i < rows.Rows; i++)
        {
            var from = rows.Row(i);
            var to = centred.Row(i);
            for (var j = 0; j < to.Length; j++)
                to[j] = from[j] - mean[j];
        }
        return centred;
    }

    /// <summary>The leading axes that carry variance: those above rounding, at most <paramref name="wanted"/>, all of them for 0.</summary>
    public static int Dimensions(double[] variances, int wanted)
    {
        var carrying = variances.Count(variance => variance > 1e-10 * variances[0]);
        if (wanted > carrying)
            throw new ArgumentException($"{wanted} components are asked for, but the rows vary in {carrying} dimensions", nameof(wanted));
        return wanted == 0 ? carrying : wanted;
    }

    /// <summary>(x − mean) times each axis over its standard deviation, float32, in memory of libtorch. Shape: <c>[n_samples, dimensions]</c>.</summary>
    public static torch.Tensor Whitened(FloatMatrix rows, double[] mean, double[] variances, Matrix axes, int dimensions)
    {
        using var scope = torch.NewDisposeScope();
        var scaled = new float[dimensions * rows.Columns];
        for (var c = 0; c < dimensions; c++)
        for (var j = 0; j < rows.Columns; j++)
            scaled[(c * rows.Columns) + j] = (float)(axes[c, j] / Math.Sqrt(variances[c]));
        var map = torch.tensor(scaled, [dimensions, rows.Columns]).t();
        var offset = torch.tensor(ToSingle(mean));
        var all = torch.frombuffer(rows.Data, torch.float32).reshape(rows.Rows, rows.Columns);
        var whitened = torch.empty(rows.Rows, dimensions, dtype: torch.float32);
        BlockSums.Each(
            rows.Rows,
            (first, count) => whitened.narrow(0, first, count).copy_(torch.mm(all.narrow(0, first, count) - offset, map))
        );
        return whitened.MoveToOuterDisposeScope();
    }

    /// <summary>Rounded to single precision.</summary>
    public static float[] ToSingle(double[] values) => Array.ConvertAll(values, value => (float)value);

    /// <summary>Rounded to single precision.</summary>
    public static FloatMatrix ToSingle(Matrix values) => new(values.Rows, values.Columns, ToSingle(values.Data));

    /// <summary>A matrix of random rows of <paramref name="centred"/> at unit length, random directions where a row is zero. Shape: <c>[count, d]</c>.</summary>
    public static Matrix UnitRows(Matrix centred, int count, RandomStream random)
    {
        var chosen = centred.SelectRows([.. random.Permutation(centred.Rows).Take(count)]);
        for (var k = 0; k < count; k++)
        {
            var row = chosen.Row(k);
            if (!row.ContainsAnyExcept(0.0))
            {
                for (var j = 0; j < row.Length; j++)
                    row[j] = random.NextNormal();
            }
            Normalise(row);
        }
        return chosen;
    }

    /// <summary>Scales to unit length and returns the length before; a zero row stays.</summary>
    public static double Normalise(Span<double> row)
    {
        var norm = Math.Sqrt(TensorPrimitives.SumOfSquares<double>(row));
        if (norm > 0)
            TensorPrimitives.Divide(row, norm, row);
        return norm;
    }
}
