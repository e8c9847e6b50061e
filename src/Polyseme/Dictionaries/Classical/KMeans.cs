using System.Numerics.Tensors;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Classical;

/// <summary>k-means: each row is one of k points, plus what is left.</summary>
/// <remarks>
/// Lloyd 1982 from starts by Arthur and Vassilvitskii 2007 (k-means++), the best of several. Latents are 1 at the nearest centre; directions are the
/// centres less the mean of all rows. Written here because the distances are one matrix product and the rest is counting.
/// </remarks>
public sealed record KMeans : ClassicalMethod
{
    /// <summary>Centres.</summary>
    public int Latents
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 16;

    /// <summary>Most iterations of a start.</summary>
    public int MaxIterations
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 300;

    /// <summary>Starts, of which the one of least squared distance is kept.</summary>
    public int Starts
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 4;

    /// <inheritdoc/>
    public override string Name => "kmeans";

    /// <inheritdoc/>
    public override string Summary => "clusters: one latent in each row";

    /// <inheritdoc/>
    public override string Source => "Lloyd 1982; Arthur and Vassilvitskii 2007";

    /// <inheritdoc/>
    public override ClassicalFit Fit(FloatMatrix rows, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        CheckRows(rows, Latents);
        var mean = RowStatistics.Mean(rows);
        var x = RowStatistics.Centred(rows, mean);
        (Matrix Centres, List<double> Curve, bool Converged)? best = null;
        for (var start = 0; start < Starts; start++)
        {
            var run = Lloyd(x, Spread(x, Random($"start/{start}")), cancellation);
            if (best is not { } kept || run.Curve[^1] < kept.Curve[^1])
                best = run;
            progress?.Report((start + 1.0) / Starts);
        }
        var (centres, curve, converged) = best!.Value;
        return new ClassicalFit(
            new SparseCodeDictionary(RowStatistics.ToSingle(centres), RowStatistics.ToSingle(mean), new CodeMethod.Nearest()),
            curve.Count,
            converged,
            curve
        );
    }

    /// <summary>k-means++: each next centre is a row, drawn by its squared distance from those before.</summary>
    private Matrix Spread(Matrix x, RandomStream random)
    {
        var centres = new Matrix(Latents, x.Columns);
        x.Row(random.NextInt(x.Rows)).CopyTo(centres.Row(0));
        var nearest = new double[x.Rows];
        Array.Fill(nearest, double.PositiveInfinity);
        for (var k = 1; k < Latents; k++)
        {
            var total = 0.0;
            for (var i = 0; i < x.Rows; i++)
            {
                var distance = TensorPrimitives.Distance<double>(x.Row(i), centres.Row(k - 1));
                nearest[i] = Math.Min(nearest[i], distance * distance);
                total += nearest[i];
            }
            var draw = random.NextDouble() * total;
            var chosen = 0;
            while (chosen < x.Rows - 1 && draw >= nearest[chosen])
                draw -= nearest[chosen++];
            x.Row(chosen).CopyTo(centres.Row(k));
        }
        return centres;
    }

    /// <summary>The curve is the mean squared distance from the nearest centre.</summary>
    private (Matrix Centres, List<double> Curve, bool Converged) Lloyd(Matrix x, Matrix centres, CancellationToken cancellation)
    {
        var square = TensorPrimitives.SumOfSquares<double>(x.Data);
        var curve = new List<double>();
        var owner = new int[x.Rows];
        Array.Fill(owner, -1);
        for (var iteration = 0; iteration < MaxIterations; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            var products = LinearAlgebra.MultiplyTranspose(x, centres);
            var norms = Enumerable.Range(0, Latents).Select(k => TensorPrimitives.SumOfSquares<double>(centres.Row(k))).ToArray();
            var (changed, total) = (false, square);
            var (farthest, most) = (0, double.NegativeInfinity);
            for (var i = 0; i < x.Rows; i++)
            {
                var (best, least) = (0, double.PositiveInfinity);
                var row = products.Row(i);
                for (var k = 0; k < Latents; k++)
                {
                    if (norms[k] - (2 * row[k]) is var distance && distance < least)
                        (best, least) = (k, distance);
                }
                changed |= owner[i] != best;
                owner[i] = best;
                total += least;
                var away = least + TensorPrimitives.SumOfSquares<double>(x.Row(i));
                if (away > most)
                    (farthest, most) = (i, away);
            }
            curve.Add(Math.Max(0, total / x.Rows));
            if (!changed)
                return (centres, curve, true);
            centres = Means(x, owner, farthest);
        }
        return (centres, curve, false);
    }

    /// <summary>Means of the rows of each centre; an empty one moves to the row that is farthest from its own.</summary>
    private Matrix Means(Matrix x, int[] owner, int farthest)
    {
        var centres = new Matrix(Latents, x.Columns);
        var counts = new int[Latents];
        for (var i = 0; i < x.Rows; i++)
        {
            counts[owner[i]]++;
            TensorPrimitives.Add<double>(centres.Row(owner[i]), x.Row(i), centres.Row(owner[i]));
        }
        for (var k = 0; k < Latents; k++)
        {
            if (counts[k] > 0)
                TensorPrimitives.Divide(centres.Row(k), counts[k], centres.Row(k));
            else
                x.Row(farthest).CopyTo(centres.Row(k));
        }
        return centres;
    }
}
