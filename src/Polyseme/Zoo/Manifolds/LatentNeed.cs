using Polyseme.Dictionaries;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Manifolds;

/// <summary>How many of its latents a dictionary uses, and how many of them it needs.</summary>
/// <remarks>
/// Latents of a row are found by orthogonal matching pursuit with the dictionary's k directions, so that the directions are judged, and not how well one
/// matrix of an encoder can tell them apart.
/// </remarks>
/// <param name="Size">Latents in the dictionary.</param>
/// <param name="Used">Latents that fire on at least one held-out row in a thousand.</param>
/// <param name="Needed">
/// The smallest number of latents, taken in the order of their energy Σz² on held-out rows, that reconstruct them with FVU below the limit when all others
/// are set to zero; <c>null</c> where even all of them do not.
/// </param>
/// <param name="Unexplained">FVU of the whole dictionary on held-out rows.</param>
internal sealed record LatentNeed(int Size, int Used, int? Needed, double Unexplained)
{
    /// <summary>Measures a trained dictionary.</summary>
    /// <param name="dictionary">Unit-norm directions, so that energies compare.</param>
    /// <param name="rows">Held-out rows. Shape: <c>[n_rows, d_in]</c>.</param>
    /// <param name="limit">The FVU to get below.</param>
    public static LatentNeed Of(TopKResult dictionary, Matrix rows, double limit = 0.05)
    {
        var latents = Pursue(dictionary, rows);
        var (fired, energy) = (new int[latents.Columns], new double[latents.Columns]);
        var active = new List<(int Row, double Value)>[latents.Columns];
        for (var latent = 0; latent < latents.Columns; latent++)
            active[latent] = [];
        for (var row = 0; row < latents.Rows; row++)
        {
            for (var latent = 0; latent < latents.Columns; latent++)
            {
                var value = latents[row, latent];
                if (value == 0)
                    continue;
                fired[latent]++;
                energy[latent] += value * value;
                active[latent].Add((row, value));
            }
        }
        var variance = Readouts.Less(rows, Readouts.Means(rows)).Data.Sum(value => value * value);
        // x − b_dec; every latent that is let in takes its part away.
        var residual = Readouts.Less(rows, dictionary.DecoderBias.Row(0).ToArray());
        var left = residual.Data.Sum(value => value * value);
        int? needed = null;
        var count = 0;
        foreach (var latent in Enumerable.Range(0, latents.Columns).OrderByDescending(latent => energy[latent]))
        {
            if (fired[latent] == 0)
                break;
            var direction = dictionary.Decoder.Row(latent);
            foreach (var (row, value) in active[latent])
            {
                var rest = residual.Row(row);
                for (var k = 0; k < rest.Length; k++)
                {
                    left -= rest[k] * rest[k];
                    rest[k] -= value * direction[k];
                    left += rest[k] * rest[k];
                }
            }
            count++;
            if (left < limit * variance)
                needed ??= count;
        }
        return new LatentNeed(dictionary.Config.NLatents, fired.Count(times => times * 1000 >= rows.Rows), needed, left / variance);
    }

    /// <summary>
    /// Explained variance of a circle about the origin by m latents of which one fires: the rows are projected on the nearest of m directions evenly around,
    /// ½ + sin(2π/m)/(4π/m).
    /// </summary>
    /// <remarks>Derived: E cos²δ for δ uniform in ±π/m.</remarks>
    public static double ExplainedByArcs(int latents) => 0.5 + (Math.Sin(2 * Math.PI / latents) / (4 * Math.PI / latents));

    /// <summary>
    /// k times: the direction that the rest of the row has the largest positive product with joins, and the values of all that joined are fitted by least squares.
    /// Shape: <c>[n_rows, n_latents]</c>.
    /// </summary>
    /// <remarks>Pati, Rezaiifar and Krishnaprasad 1993.</remarks>
    internal static Matrix Pursue(TopKResult dictionary, Matrix rows)
    {
        var directions = dictionary.Decoder;
        var targets = Readouts.Less(rows, dictionary.DecoderBias.Row(0).ToArray());
        var products = LinearAlgebra.MultiplyTranspose(targets, directions); // [n_rows, n_latents]
        var gram = LinearAlgebra.MultiplyTranspose(directions, directions);
        var latents = new Matrix(rows.Rows, directions.Rows);
        var chosen = new List<int>();
        for (var row = 0; row < rows.Rows; row++)
        {
            chosen.Clear();
            double[] values = [];
            for (var step = 0; step < dictionary.Config.K; step++)
            {
                var (best, largest) = (-1, 1e-9);
                for (var latent = 0; latent < directions.Rows; latent++)
                {
                    var product = products[row, latent];
                    for (var i = 0; i < chosen.Count; i++)
                        product -= values[i] * gram[chosen[i], latent];
                    if (product > largest && !chosen.Contains(latent))
                        (best, largest) = (latent, product);
                }
                if (best < 0)
                    break;
                chosen.Add(best);
                values = Fitted(gram, products.Row(row), chosen);
            }
            for (var i = 0; i < chosen.Count; i++)
                latents[row, chosen[i]] = values[i];
        }
        return latents;
    }

    /// <summary>Solves the normal equations of the chosen directions by elimination; a ridge of 1e-9 keeps twins apart.</summary>
    private static double[] Fitted(Matrix gram, ReadOnlySpan<double> products, List<int> chosen)
    {
        var count = chosen.Count;
        var system = new double[count, count + 1];
        for (var i = 0; i < count; i++)
        {
            for (var j = 0; j < count; j++)
                system[i, j] = gram[chosen[i], chosen[j]] + (i == j ? 1e-9 : 0);
            system[i, count] = products[chosen[i]];
        }
        for (var pivot = 0; pivot < count; pivot++)
        {
            for (var i = pivot + 1; i < count; i++)
            {
                var factor = system[i, pivot] / system[pivot, pivot];
                for (var j = pivot; j <= count; j++)
                    system[i, j] -= factor * system[pivot, j];
            }
        }
        var values = new double[count];
        for (var i = count - 1; i >= 0; i--)
        {
            values[i] = system[i, count];
            for (var j = i + 1; j < count; j++)
                values[i] -= system[i, j] * values[j];
            values[i] /= system[i, i];
        }
        return values;
    }
}
