using Polyseme.Numerics;

namespace Polyseme.Evidence;

/// <summary>Data with nothing to find, matched to the data at hand in everything but what a measure looks for.</summary>
public static class NullData
{
    /// <summary>The elliptical null: every row keeps its norm in whitened coordinates and loses its direction.</summary>
    /// <param name="whitened">Whitened rows. Shape: <c>[n_samples, dimensions]</c>.</param>
    /// <param name="random">Draws the directions.</param>
    /// <remarks>
    /// Elliptical laws have no privileged directions, but they do have heavy tails and dependent components, which a Gaussian null lacks:
    /// against a Gaussian, Student noise would look like a cause.
    /// </remarks>
    public static Matrix Elliptical(Matrix whitened, RandomStream random)
    {
        var matched = new Matrix(whitened.Rows, whitened.Columns);
        for (var i = 0; i < whitened.Rows; i++)
        {
            double norm = 0,
                drawn = 0;
            var row = matched.Row(i);
            foreach (var value in whitened.Row(i))
                norm += value * value;
            for (var k = 0; k < row.Length; k++)
            {
                row[k] = random.NextNormal();
                drawn += row[k] * row[k];
            }
            var scale = Math.Sqrt(norm / drawn);
            for (var k = 0; k < row.Length; k++)
                row[k] *= scale;
        }
        return matched;
    }

    /// <summary>The elliptical null for rows that repeat items: one direction per group, turned the same way for all its rows.</summary>
    /// <param name="whitened">Whitened rows. Shape: <c>[n_samples, dimensions]</c>.</param>
    /// <param name="groups">The group of each row. Shape: <c>[n_samples]</c>.</param>
    /// <param name="random">Draws the directions.</param>
    /// <remarks>
    /// Each group is reflected as a whole by a Householder map that takes its mean direction to a random one, so that the spread within an item is
    /// what it was and only the relation between items is destroyed.
    /// </remarks>
    public static Matrix EllipticalByGroup(Matrix whitened, IReadOnlyList<int> groups, RandomStream random)
    {
        var count = groups.Count == 0 ? 0 : groups.Max() + 1;
        var mean = new Matrix(count, whitened.Columns);
        for (var i = 0; i < whitened.Rows; i++)
        {
            var row = whitened.Row(i);
            var sum = mean.Row(groups[i]);
            for (var k = 0; k < row.Length; k++)
                sum[k] += row[k];
        }
        var mirror = new Matrix(count, whitened.Columns); // Householder vectors, unit norm
        for (var g = 0; g < count; g++)
        {
            var from = mean.Row(g);
            var v = mirror.Row(g);
            var to = new double[v.Length];
            for (var k = 0; k < to.Length; k++)
                to[k] = random.NextNormal();
            double fromNorm = Norm(from),
                toNorm = Norm(to);
            for (var k = 0; k < v.Length; k++)
                v[k] = (fromNorm > 0 ? from[k] / fromNorm : 0) - (to[k] / toNorm);
            var norm = Norm(v);
            for (var k = 0; k < v.Length; k++)
                v[k] /= Math.Max(norm, 1e-12);
        }
        var matched = new Matrix(whitened.Rows, whitened.Columns);
        for (var i = 0; i < whitened.Rows; i++)
        {
            var row = whitened.Row(i);
            var v = mirror.Row(groups[i]);
            var turned = matched.Row(i);
            var along = 0.0;
            for (var k = 0; k < row.Length; k++)
                along += row[k] * v[k];
            for (var k = 0; k < row.Length; k++)
                turned[k] = row[k] - (2 * along * v[k]);
        }
        return matched;
    }

    /// <summary>The independence null: every column keeps its values and loses their order, so columns are independent.</summary>
    /// <param name="columns">Shape: <c>[n_samples, n_columns]</c>.</param>
    /// <param name="random">Draws one permutation per column.</param>
    public static Matrix ShuffledColumns(Matrix columns, RandomStream random)
    {
        var matched = new Matrix(columns.Rows, columns.Columns);
        for (var j = 0; j < columns.Columns; j++)
        {
            var order = random.Permutation(columns.Rows);
            for (var i = 0; i < columns.Rows; i++)
                matched[i, j] = columns[order[i], j];
        }
        return matched;
    }

    /// <summary>A random rotation, uniform over the orthogonal group (Haar). Shape: <c>[size, size]</c>.</summary>
    /// <remarks>Stewart 1980: the Q of a Gaussian matrix with the signs of R's diagonal moved into it; here by Gram and Schmidt, twice.</remarks>
    public static Matrix Rotation(int size, RandomStream random)
    {
        var rotation = random.NormalMatrix(size, size);
        for (var i = 0; i < size; i++)
        {
            var row = rotation.Row(i);
            for (var pass = 0; pass < 2; pass++)
            {
                for (var j = 0; j < i; j++)
                {
                    var other = rotation.Row(j);
                    var along = 0.0;
                    for (var k = 0; k < size; k++)
                        along += row[k] * other[k];
                    for (var k = 0; k < size; k++)
                        row[k] -= along * other[k];
                }
            }
            var norm = Norm(row);
            for (var k = 0; k < size; k++)
                row[k] /= norm;
        }
        return rotation;
    }

    private static double Norm(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value * value;
        return Math.Sqrt(sum);
    }
}
