namespace Polyseme.Dictionaries.Metrics;

/// <summary>One bar of a density histogram.</summary>
/// <param name="From">log₁₀ of the density, inclusive.</param>
/// <param name="To">log₁₀ of the density, exclusive but for the last bar, which holds density 1.</param>
/// <param name="Latents">Latents in it.</param>
public sealed record DensityBar(double From, double To, int Latents);

/// <summary>How often and how strongly latents fire.</summary>
public sealed record LatentActivity
{
    /// <summary>Bars to a decade of density.</summary>
    public const int BarsPerDecade = 2;

    /// <summary>Rows measured.</summary>
    public required long NRows { get; init; }

    /// <summary>Mean number of latents in a row that are not zero, of either sign.</summary>
    public required double L0 { get; init; }

    /// <summary>Mean sum of |latent| in a row.</summary>
    public required double L1 { get; init; }

    /// <summary>Share of rows in which each latent fires, in [0, 1]. Shape: <c>[n_latents]</c>.</summary>
    public required double[] Density { get; init; }

    /// <summary>Latents that never fire in these rows.</summary>
    public required int Dead { get; init; }

    /// <summary>Share of latents that fire at least once, in [0, 1].</summary>
    public required double AliveShare { get; init; }

    /// <summary>Whether any latent was negative: then directions mean nothing beyond their line.</summary>
    public required bool BothSigns { get; init; }

    /// <summary>Live latents by log₁₀ density, from the least dense possible in these rows up to 1.</summary>
    public required IReadOnlyList<DensityBar> DensityHistogram { get; init; }
}

/// <summary>Counts, block by block, what <see cref="LatentActivity"/> needs.</summary>
/// <param name="nLatents">Latents in a row.</param>
public sealed class LatentActivityCounter(int nLatents)
{
    private readonly long[] _fires = new long[nLatents];
    private long _rows;
    private double _sum;
    private bool _negative;

    /// <summary>Adds rows.</summary>
    /// <param name="latents">Shape: <c>[rows, n_latents]</c>.</param>
    /// <exception cref="ArgumentException">A latent is not finite, or these are not whole rows.</exception>
    public void Add(ReadOnlySpan<float> latents)
    {
        if (latents.Length % nLatents != 0)
            throw new ArgumentException($"{latents.Length} values are not rows of {nLatents} latents", nameof(latents));
        for (var start = 0; start < latents.Length; start += nLatents, _rows++)
        {
            var row = latents.Slice(start, nLatents);
            for (var k = 0; k < row.Length; k++)
            {
                var value = row[k];
                if (value == 0)
                    continue;
                if (!float.IsFinite(value))
                    throw new ArgumentException($"latent {k} of row {_rows} is {value}, but must be finite", nameof(latents));
                _fires[k]++;
                _sum += Math.Abs(value);
                _negative |= value < 0;
            }
        }
    }

    /// <summary>The measures of all rows so far.</summary>
    /// <exception cref="InvalidOperationException">No rows were added.</exception>
    public LatentActivity Result()
    {
        if (_rows == 0)
            throw new InvalidOperationException("no rows were added");
        var dead = _fires.Count(fires => fires == 0);
        return new LatentActivity
        {
            NRows = _rows,
            L0 = (double)_fires.Sum() / _rows,
            L1 = _sum / _rows,
            Density = [.. _fires.Select(fires => (double)fires / _rows)],
            Dead = dead,
            AliveShare = (double)(nLatents - dead) / nLatents,
            BothSigns = _negative,
            DensityHistogram = Histogram(),
        };
    }

    private DensityBar[] Histogram()
    {
        var bars = Math.Max(1, (int)Math.Ceiling(LatentActivity.BarsPerDecade * Math.Log10(_rows)));
        var counts = new int[bars];
        foreach (var fires in _fires.Where(fires => fires > 0))
        {
            var position = bars + (LatentActivity.BarsPerDecade * Math.Log10((double)fires / _rows));
            counts[Math.Clamp((int)Math.Floor(position), 0, bars - 1)]++;
        }
        double Edge(int bar) => (double)(bar - bars) / LatentActivity.BarsPerDecade;
        return [.. counts.Select((count, bar) => new DensityBar(Edge(bar), Edge(bar + 1), count))];
    }
}
