using Polyseme.Activations;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Evidence;

/// <summary>How rays are counted.</summary>
public sealed record RaysConfig
{
    /// <summary>Rows looked at: a seeded sample of distinct items (or distinct rows).</summary>
    public int MaxRows { get; init; } = 4_000;

    /// <summary>Widest half-angle of a ray, degrees.</summary>
    public double MaxAngle { get; init; } = 8;

    /// <summary>Narrowest half-angle of a ray, degrees; reached in two dimensions.</summary>
    public double MinAngle { get; init; } = 1;

    /// <summary>A ray must hold this many times as many rows as the fullest direction of the null.</summary>
    public double OverNull { get; init; } = 3;

    /// <summary>A ray must hold at least this many rows.</summary>
    public int MinRows { get; init; } = 8;

    /// <summary>
    /// Share of the rows within twice the angle that must lie within the angle. Rows that mix two features lie on an arc, which passes on into the
    /// wider cap: about one half. A ray ends: near one.
    /// </summary>
    public double Concentration { get; init; } = 0.7;

    /// <summary>Draws of the null.</summary>
    public int NullDraws { get; init; } = 3;
}

/// <summary>
/// Directions, seen from the layer's resting point, that far more rows share than chance allows: where one feature is active alone,
/// rows lie on its ray at every magnitude.
/// </summary>
/// <remarks>
/// The ray idea is the definition of a linear feature (intensity is scaling, Circuits Updates July 2024); the count against an isotropic
/// null is ours. It sees features that are sometimes active alone and misses those that never are.
/// </remarks>
public sealed record Rays
{
    /// <summary>The configuration.</summary>
    public required RaysConfig Config { get; init; }

    /// <summary>Unit directions in whitened coordinates, fullest first. Shape: <c>[n_rays, dimensions]</c>.</summary>
    public required Matrix Directions { get; init; }

    /// <summary>The resting point in whitened coordinates. Shape: <c>[dimensions]</c>.</summary>
    public required double[] Origin { get; init; }

    /// <summary>Rows on each ray. Shape: <c>[n_rays]</c>.</summary>
    public required int[] RowsOnRay { get; init; }

    /// <summary>Median |log ratio| of the magnitudes of two rows on the same ray; near 0 for stored points, large for features. <c>null</c> without rays.</summary>
    public required double? MagnitudeSpread { get; init; }

    /// <summary>Rows looked at that do not rest at the origin.</summary>
    public required int Rows { get; init; }

    /// <summary>Half-angle used, degrees.</summary>
    public required double Angle { get; init; }

    /// <summary>Rows in the fullest direction, as a share of the rows looked at, under the null.</summary>
    public required NullSummary Null { get; init; }

    /// <summary>n_ray: directions counted with sign.</summary>
    public int NRay => Directions.Rows;

    /// <summary>n_line: directions counted up to sign.</summary>
    public int NLine
    {
        get
        {
            var lines = 0;
            var antipodal = -Math.Cos(2 * Angle * Math.PI / 180);
            for (var i = 0; i < NRay; i++)
            {
                var opposite = false;
                for (var j = 0; j < i && !opposite; j++)
                    opposite = Dot(Directions.Row(i), Directions.Row(j)) < antipodal;
                lines += opposite ? 0 : 1;
            }
            return lines;
        }
    }

    /// <summary>Share of the rows that lie on a ray, in [0, 1].</summary>
    public double ShareOnRays => Rows == 0 ? 0 : RowsOnRay.Sum() / (double)Rows;

    /// <summary>Counts the rays of a layer.</summary>
    public static Rays Measure(SignalSubspace subspace, RowGroups groups, RaysConfig config, RandomStream random)
    {
        var rows = Representatives(subspace.Whitened, groups, config.MaxRows, random);
        var angle = HalfAngle(rows.Columns, rows.Rows, config);
        var chance = FullestDirections(rows.Rows, rows.Columns, angle, config, random);
        var densest = Seen(rows, DensestPoint(rows, random), angle, chance, config, random);
        var zero = Seen(rows, RawZero(subspace), angle, chance, config, random);
        return zero.ShareOnRays > densest.ShareOnRays ? zero : densest;
    }

    /// <summary>One row per item where rows repeat items; otherwise any rows: a point that is shown often must not look like a ray.</summary>
    private static Matrix Representatives(Matrix whitened, RowGroups groups, int most, RandomStream random)
    {
        var order = random.Permutation(whitened.Rows);
        if (groups.Name is "item" or "duplicates")
        {
            var seen = new HashSet<int>();
            order = [.. order.Where(row => seen.Add(groups.Ids[row]))];
        }
        return whitened.SelectRows([.. order.Take(most).Order()]);
    }

    /// <summary>Rows in the fullest direction when directions are isotropic, as a share of all.</summary>
    private static double[] FullestDirections(int rows, int dimensions, double angle, RaysConfig config, RandomStream random)
    {
        var draws = new double[rows == 0 ? 0 : config.NullDraws];
        for (var draw = 0; draw < draws.Length; draw++)
        {
            var (units, _) = Directed(random.NormalMatrix(rows, dimensions), new double[dimensions]);
            draws[draw] = Neighbours(units, angle).Max() / (double)rows;
        }
        return draws;
    }

    private static Rays Seen(Matrix rows, double[] origin, double angle, double[] chance, RaysConfig config, RandomStream random)
    {
        var (units, norms) = Directed(rows, origin);
        var needed = Math.Max(config.MinRows, config.OverNull * chance.DefaultIfEmpty(0).Max() * units.Rows);
        var (directions, onRay, spread) = Greedy(units, norms, angle, needed, config.Concentration, random);
        return new Rays
        {
            Config = config,
            Directions = directions,
            Origin = origin,
            RowsOnRay = onRay,
            MagnitudeSpread = spread,
            Rows = units.Rows,
            Angle = angle,
            Null = NullSummary.Of("isotropic", chance),
        };
    }

    /// <summary>The narrower the more rows and the fewer dimensions: about two rows of chance in a direction, within the limits.</summary>
    private static double HalfAngle(int dimensions, int rows, RaysConfig config)
    {
        if (dimensions < 2 || rows == 0)
            return config.MaxAngle;
        var angle = config.MaxAngle;
        // Cap measure is below ½·sin(θ)^(dimensions−1).
        while (angle > config.MinAngle && 0.5 * Math.Pow(Math.Sin(angle * Math.PI / 180), dimensions - 1) * rows > 2)
            angle *= 0.9;
        return Math.Max(angle, config.MinAngle);
    }

    private static (Matrix Units, double[] Norms) Directed(Matrix rows, double[] origin)
    {
        var centred = rows.Copy();
        var norms = new double[rows.Rows];
        for (var i = 0; i < rows.Rows; i++)
        {
            for (var k = 0; k < rows.Columns; k++)
                norms[i] += Math.Pow(centred[i, k] -= origin[k], 2);
            norms[i] = Math.Sqrt(norms[i]);
        }
        // Rows at rest have a direction too, that of the noise: only rows that move a tenth as far as the farthest (less outliers) are looked at.
        var far = norms.Order().ElementAtOrDefault(norms.Length * 995 / 1000);
        var kept = Enumerable.Range(0, norms.Length).Where(i => norms[i] > 0.1 * far).ToArray();
        var units = centred.SelectRows(kept);
        for (var i = 0; i < kept.Length; i++)
        for (var k = 0; k < units.Columns; k++)
            units[i, k] /= norms[kept[i]];
        return (units, Array.ConvertAll(kept, i => norms[i]));
    }

    private static int[] Neighbours(Matrix units, double angle)
    {
        using var scope = torch.NewDisposeScope();
        var all = LinearAlgebra.ToTensor(units).to(torch.float32);
        var counts = new List<long>();
        for (var start = 0; start < units.Rows; start += 1_024)
        {
            using var inner = torch.NewDisposeScope();
            var block = all.narrow(0, start, Math.Min(1_024, units.Rows - start));
            counts.AddRange(torch.mm(block, all.t()).gt(Math.Cos(angle * Math.PI / 180)).sum(1).data<long>());
        }
        return [.. counts.Select(count => (int)count)];
    }

    private static (Matrix Directions, int[] OnRay, double? Spread) Greedy(
        Matrix units,
        double[] norms,
        double angle,
        double needed,
        double concentration,
        RandomStream random
    )
    {
        var directions = new List<double[]>();
        var onRay = new List<int>();
        var ratios = new List<double>();
        var cosine = Math.Cos(angle * Math.PI / 180);
        var open = Enumerable.Repeat(true, units.Rows).ToArray();
        var counts = units.Columns < 2 ? new int[units.Rows] : Neighbours(units, angle);
        foreach (var seed in Enumerable.Range(0, units.Rows).OrderByDescending(i => counts[i]).ThenBy(i => i))
        {
            if (counts[seed] < needed)
                break;
            if (!open[seed])
                continue;
            var direction = MeanOf(units, Within(units, units.Row(seed).ToArray(), cosine, open));
            var members = Within(units, direction, cosine, open);
            var around = Within(units, direction, Math.Cos(2 * angle * Math.PI / 180), open);
            foreach (var i in members)
                open[i] = false;
            if (members.Count < needed || members.Count < concentration * around.Count)
                continue;
            foreach (var i in around)
                open[i] = false;
            directions.Add(direction);
            onRay.Add(members.Count);
            for (var pair = 0; pair < Math.Min(50, members.Count); pair++)
            {
                var (a, b) = (members[random.NextInt(members.Count)], members[random.NextInt(members.Count)]);
                if (a != b)
                    ratios.Add(Math.Abs(Math.Log(norms[a] / norms[b])));
            }
        }
        ratios.Sort();
        var matrix = directions.Count == 0 ? new Matrix(0, units.Columns) : Matrix.FromRows([.. directions]);
        return (matrix, [.. onRay], ratios.Count == 0 ? null : ratios[ratios.Count / 2]);
    }

    private static List<int> Within(Matrix units, double[] direction, double cosine, bool[] open)
    {
        var members = new List<int>();
        for (var i = 0; i < units.Rows; i++)
        {
            if (open[i] && Dot(units.Row(i), direction) > cosine)
                members.Add(i);
        }
        return members;
    }

    private static double[] MeanOf(Matrix units, List<int> members)
    {
        var mean = new double[units.Columns];
        foreach (var i in members)
        {
            for (var k = 0; k < mean.Length; k++)
                mean[k] += units[i, k];
        }
        var norm = Math.Sqrt(Dot(mean, mean));
        return norm > 0 ? Array.ConvertAll(mean, value => value / norm) : mean;
    }

    /// <summary>The point where rows crowd most: what the layer does when no feature is active.</summary>
    private static double[] DensestPoint(Matrix rows, RandomStream random)
    {
        var sample = rows.SelectRows([.. random.Permutation(rows.Rows).Take(1_500)]);
        if (sample.Rows < 2)
            return sample.Rows == 0 ? new double[rows.Columns] : sample.Row(0).ToArray();
        using var scope = torch.NewDisposeScope();
        var points = LinearAlgebra.ToTensor(sample);
        // Distance to the tenth neighbour; the row itself is the first.
        var crowding = torch.cdist(points, points).kthvalue(Math.Min(11, sample.Rows), dim: 1).values;
        var best = (int)crowding.argmin().item<long>();
        return sample.Row(best).ToArray();
    }

    /// <summary>Where a row of raw zeros would lie.</summary>
    private static double[] RawZero(SignalSubspace subspace)
    {
        var standardised = new Matrix(1, subspace.Live.Length);
        for (var j = 0; j < subspace.Live.Length; j++)
            standardised[0, j] = -subspace.Mean[j] / subspace.Scale[j];
        var projected = LinearAlgebra.Multiply(standardised, subspace.Loadings); // z = Λ^(−1)·loadingsᵀ·x
        return [.. Enumerable.Range(0, subspace.Dimensions).Select(k => projected[0, k] / subspace.Spectrum[k])];
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
