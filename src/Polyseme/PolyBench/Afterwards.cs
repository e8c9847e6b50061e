using Polyseme.Numerics;

namespace Polyseme.PolyBench;

/// <summary>What happens to every layer, whatever its cause, so that none of it gives a cause away: noise, offsets, scales.</summary>
internal static class Afterwards
{
    /// <summary>A ReLU with a bias for each neuron that leaves a share of the rows above it.</summary>
    /// <param name="rows">Pre-activations, changed.</param>
    /// <param name="above">Mean share of rows that pass.</param>
    /// <param name="random">Draws each neuron's share around the mean.</param>
    public static void Rectify(Matrix rows, double above, RandomStream random)
    {
        for (var j = 0; j < rows.Columns; j++)
        {
            var sorted = rows.Column(j);
            Array.Sort(sorted);
            var share = Math.Clamp(above + (0.1 * random.NextNormal()), 0.05, 0.98);
            var bias = sorted[(int)((1 - share) * (sorted.Length - 1))];
            for (var i = 0; i < rows.Rows; i++)
                rows[i, j] = Math.Max(0, rows[i, j] - bias);
        }
    }

    /// <summary>Noise on every entry, then a scale and an offset for each neuron, each in some of the cases.</summary>
    public static Matrix Finish(Matrix rows, CaseDraw draw)
    {
        var random = draw.Random;
        var square = rows.Data.Average(value => value * value) - Math.Pow(rows.Data.Average(), 2);
        var noise = draw.Happens("noisy", 0.7) ? draw.LogUniform("noise", 1e-3, 0.1) * Math.Sqrt(Math.Max(square, 0)) : 0;
        double spread = draw.Happens("scaled", 0.5) ? 0.5 : 0,
            shift = draw.Happens("offset", 0.5) ? draw.LogUniform("offset_size", 0.1, 10) * Math.Sqrt(Math.Max(square, 0)) : 0;
        for (var j = 0; j < rows.Columns; j++)
        {
            var (scale, offset) = (Math.Exp(spread * random.NextNormal()), shift * random.NextNormal());
            for (var i = 0; i < rows.Rows; i++)
                rows[i, j] = offset + (scale * (rows[i, j] + (noise * random.NextNormal())));
        }
        return rows;
    }

    /// <summary>Each row times a random number of its own: what all neurons share makes independent features look dependent.</summary>
    public static void Gain(Matrix rows, double deviation, RandomStream random)
    {
        for (var i = 0; i < rows.Rows; i++)
        {
            var gain = Math.Exp(deviation * random.NextNormal());
            foreach (ref var value in rows.Row(i))
                value *= gain;
        }
    }
}
