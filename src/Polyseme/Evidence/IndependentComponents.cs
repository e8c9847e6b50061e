using Polyseme.Activations;
using Polyseme.Dictionaries.Classical;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Evidence;

/// <summary>How independent components are judged.</summary>
public sealed record IndependentComponentsConfig
{
    /// <summary>The fixed point.</summary>
    public FastIcaConfig Ica { get; init; } = new();

    /// <summary>Draws of the elliptical null, each with an ICA of its own.</summary>
    public int NullDraws { get; init; } = 3;

    /// <summary>Rows of the nulls and of the fit they are compared with.</summary>
    public int NullRows { get; init; } = 5_000;

    /// <summary>A component is stable when it comes back with at least this |cosine| in both halves of the data.</summary>
    public double Stable { get; init; } = 0.9;

    /// <summary>A component has a partner when their energies correlate by more than this.</summary>
    public double Partner { get; init; } = 0.1;
}

/// <summary>
/// What a rotation of the signal subspace into least Gaussian components finds, whether it finds the same again in each half of the data, and
/// whether the components are then independent of each other.
/// </summary>
public sealed record IndependentComponents
{
    /// <summary>The configuration.</summary>
    public required IndependentComponentsConfig Config { get; init; }

    /// <summary>The rotation of whitened rows, a component a row. Shape: <c>[n_components, dimensions]</c>.</summary>
    public required Matrix Rotation { get; init; }

    /// <summary>The components, unit variance. Shape: <c>[n_samples, n_components]</c>.</summary>
    public required Matrix Values { get; init; }

    /// <summary>|cosine| to the nearest component found in the worse half; in [0, 1]. Shape: <c>[n_components]</c>.</summary>
    public required double[] Stability { get; init; }

    /// <summary>Negentropy in nats, by Hyvärinen's approximation. Shape: <c>[n_components]</c>.</summary>
    public required double[] Negentropy { get; init; }

    /// <summary>C_ab = corr(s_a², s_b²), winsorised at 99 %. Shape: <c>[n_components, n_components]</c>, zero diagonal.</summary>
    public required Matrix EnergyCorrelation { get; init; }

    /// <summary>Coefficient of variation of √(s_a² + s_b²) with the partner of most shared energy; <c>null</c> without a partner. Shape: <c>[n_components]</c>.</summary>
    public required double?[] PairRadiusVariation { get; init; }

    /// <summary>Share of a component's variance inside the two levels nearest to it; 0 for two exact levels. Shape: <c>[n_components]</c>.</summary>
    public required double[] WithinTwoLevels { get; init; }

    /// <summary>Share of rows in the rarer of those two levels, in [0, ½]. Shape: <c>[n_components]</c>.</summary>
    public required double[] RarerLevel { get; init; }

    /// <summary>Mean negentropy, on the rows of the null.</summary>
    public required double MeanNegentropy { get; init; }

    /// <summary>Mean negentropy of ICA on the elliptical null.</summary>
    public required NullSummary NegentropyNull { get; init; }

    /// <summary>Share of null draws with at least the mean negentropy of the data, (1 + k) / (1 + n).</summary>
    public required double NegentropyPValue { get; init; }

    /// <summary>Mean stability of the components of the elliptical null.</summary>
    public required NullSummary StabilityNull { get; init; }

    /// <summary>
    /// Mean stability of the components of the independent twin, over its components: what stability comes to, at these densities and with this many rows, where the
    /// components are independent and as many as dimensions.
    /// </summary>
    public required NullSummary StabilityTwin { get; init; }

    /// <summary>Median energy correlation over all pairs, with the components shuffled against each other.</summary>
    public required NullSummary EnergyNull { get; init; }

    /// <summary>Number of components.</summary>
    public int Count => Rotation.Rows;

    /// <summary>Mean stability, in [0, 1].</summary>
    public double MeanStability => Stability.Average();

    /// <summary>Median energy correlation over all pairs; 0 with one component.</summary>
    public double MedianEnergyCorrelation => Count < 2 ? 0 : Median([.. Pairs().Select(pair => EnergyCorrelation[pair.A, pair.B])]);

    /// <summary>Mean number of partners of a component.</summary>
    public double PartnersPerComponent =>
        Count < 2 ? 0 : 2.0 * Pairs().Count(pair => EnergyCorrelation[pair.A, pair.B] > Config.Partner) / Count;

    /// <summary>Measures the components of a layer.</summary>
    public static IndependentComponents Measure(
        SignalSubspace subspace,
        RowGroups groups,
        IndependentComponentsConfig config,
        ulong seed,
        CancellationToken cancellation
    )
    {
        var whitened = subspace.Whitened;
        var rotation = Fit(whitened, config, new RandomStream(seed, "ica/start"), cancellation);
        var values = LinearAlgebra.MultiplyTranspose(whitened, rotation);
        var (first, second) = groups.Split(0.5, new RandomStream(seed, "ica/halves"));
        var stability = Stabilities(rotation, whitened, first, second, config, seed, cancellation);
        var energy = Energies(values);
        var (negentropy, negentropyNull, negentropyP, stabilityNull) = AgainstElliptical(whitened, config, seed, cancellation);
        var levels = Enumerable.Range(0, values.Columns).Select(c => TwoLevels(values.Column(c))).ToArray();
        return new IndependentComponents
        {
            Config = config,
            Rotation = rotation,
            Values = values,
            Stability = stability,
            Negentropy = [.. Enumerable.Range(0, values.Columns).Select(c => NegentropyOf(values.Column(c)))],
            EnergyCorrelation = energy,
            PairRadiusVariation = PairRadii(values, energy, config.Partner),
            WithinTwoLevels = [.. levels.Select(level => level.Within)],
            RarerLevel = [.. levels.Select(level => level.Rarer)],
            MeanNegentropy = negentropy,
            NegentropyNull = negentropyNull,
            NegentropyPValue = negentropyP,
            StabilityNull = stabilityNull,
            StabilityTwin = Twin(values, groups, config, seed, cancellation),
            EnergyNull = ShuffledEnergies(values, seed),
        };
    }

    /// <summary>
    /// Negentropy of standardised values in nats: k₁·E[s·exp(−s²/2)]² + k₂·(E|s| − √(2/π))². 0 for a Gaussian.
    /// </summary>
    /// <remarks>Hyvärinen 1998, "New approximations of differential entropy", eq. for the pair (odd, even) with k₁ = 36/(8√3 − 9), k₂ = 1/(2 − 6/π).</remarks>
    public static double NegentropyOf(ReadOnlySpan<double> values)
    {
        double odd = 0,
            even = 0;
        foreach (var value in values)
        {
            odd += value * Math.Exp(-value * value / 2);
            even += Math.Abs(value);
        }
        odd /= values.Length;
        even = (even / values.Length) - Math.Sqrt(2 / Math.PI);
        return (36 / ((8 * Math.Sqrt(3)) - 9) * odd * odd) + (even * even / (2 - (6 / Math.PI)));
    }

    private static Matrix Fit(Matrix whitened, IndependentComponentsConfig config, RandomStream random, CancellationToken cancellation) =>
        IcaRefinement.Refine(whitened, FastIca.Fit(whitened, config.Ica, random, cancellation).Rotation, cancellation: cancellation);

    /// <summary>
    /// The stability of components that have the densities of those found and nothing to do with each other: found again in each half of as many rows, a row an item
    /// where rows repeat items.
    /// </summary>
    private static NullSummary Twin(
        Matrix values,
        RowGroups groups,
        IndependentComponentsConfig config,
        ulong seed,
        CancellationToken cancellation
    )
    {
        var random = new RandomStream(seed, "ica/twin");
        if (groups.Name is "item" or "duplicates")
        {
            var seen = new HashSet<int>();
            values = values.SelectRows([.. random.Permutation(values.Rows).Where(row => seen.Add(groups.Ids[row])).Order()]);
        }
        if (values.Rows / 2 <= values.Columns)
            return NullSummary.Of("independent_twin", new double[values.Columns]);
        var twin = Whitened(NullData.ShuffledColumns(values, random));
        int[] all = [.. Enumerable.Range(0, twin.Rows)];
        var (first, second) = (all[..(twin.Rows / 2)], all[(twin.Rows / 2)..]);
        return NullSummary.Of(
            "independent_twin",
            Stabilities(Fit(twin, config, random, cancellation), twin, first, second, config, seed, cancellation)
        );
    }

    /// <summary>Mean zero and identity covariance, turned as little as can be.</summary>
    private static Matrix Whitened(Matrix rows)
    {
        using var scope = torch.NewDisposeScope();
        var x = LinearAlgebra.ToTensor(rows);
        x = x - x.mean([0L]);
        var (values, vectors) = torch.linalg.eigh(torch.mm(x.t(), x) / rows.Rows);
        var whitening = torch.mm(vectors / values.clamp_min(1e-12).sqrt(), vectors.t());
        return LinearAlgebra.ToMatrix(torch.mm(x, whitening));
    }

    private static double[] Stabilities(
        Matrix rotation,
        Matrix whitened,
        int[] first,
        int[] second,
        IndependentComponentsConfig config,
        ulong seed,
        CancellationToken cancellation
    )
    {
        var stability = Enumerable.Repeat(1.0, rotation.Rows).ToArray();
        foreach (var (half, name) in new[] { (first, "first"), (second, "second") })
        {
            if (half.Length <= rotation.Columns)
                return new double[rotation.Rows]; // half the rows do not even span the subspace: nothing is stable
            var again = Fit(whitened.SelectRows(half), config, new RandomStream(seed, $"ica/{name}"), cancellation);
            var cosines = LinearAlgebra.MultiplyTranspose(rotation, again);
            for (var c = 0; c < rotation.Rows; c++)
            {
                var nearest = 0.0;
                foreach (var cosine in cosines.Row(c))
                    nearest = Math.Max(nearest, Math.Abs(cosine));
                stability[c] = Math.Min(stability[c], nearest);
            }
        }
        return stability;
    }

    private static (double Mean, NullSummary Negentropy, double PValue, NullSummary Stability) AgainstElliptical(
        Matrix whitened,
        IndependentComponentsConfig config,
        ulong seed,
        CancellationToken cancellation
    )
    {
        var random = new RandomStream(seed, "ica/null");
        var rows =
            whitened.Rows <= config.NullRows
                ? whitened
                : whitened.SelectRows([.. random.Permutation(whitened.Rows).Take(config.NullRows).Order()]);
        double MeanOf(Matrix data, Matrix rotation)
        {
            var components = LinearAlgebra.MultiplyTranspose(data, rotation);
            return Enumerable.Range(0, components.Columns).Average(c => NegentropyOf(components.Column(c)));
        }
        // Where there is nothing to find the fixed point wanders without converging; two dozen iterations overfit nearly as much as it ever will.
        var mean = MeanOf(rows, FastIca.Fit(rows, config.Ica, new RandomStream(seed, "ica/sample"), cancellation).Rotation);
        var draws = new List<double>();
        var stabilities = new List<double>();
        Matrix? previous = null;
        for (var draw = 0; draw < config.NullDraws; draw++)
        {
            var data = NullData.Elliptical(rows, random);
            var rotation = FastIca
                .Fit(data, config.Ica with { MaxIterations = 25 }, new RandomStream(seed, $"ica/null/{draw}"), cancellation)
                .Rotation;
            draws.Add(MeanOf(data, rotation));
            if (previous is not null)
            {
                var cosines = LinearAlgebra.MultiplyTranspose(previous, rotation);
                stabilities.Add(Enumerable.Range(0, cosines.Rows).Average(c => cosines.Row(c).ToArray().Max(Math.Abs)));
            }
            previous = rotation;
        }
        var p = (1.0 + draws.Count(draw => draw >= mean)) / (1 + draws.Count);
        return (mean, NullSummary.Of("elliptical", draws), p, NullSummary.Of("elliptical", stabilities));
    }

    private static Matrix Energies(Matrix values)
    {
        var energy = new Matrix(values.Rows, values.Columns);
        for (var c = 0; c < values.Columns; c++)
        {
            var squares = values.Column(c);
            for (var i = 0; i < squares.Length; i++)
                squares[i] *= squares[i];
            var sorted = (double[])squares.Clone();
            Array.Sort(sorted);
            var cap = sorted[(int)(0.99 * (sorted.Length - 1))];
            double mean = 0,
                variance = 0;
            for (var i = 0; i < squares.Length; i++)
                mean += squares[i] = Math.Min(squares[i], cap);
            mean /= squares.Length;
            foreach (var value in squares)
                variance += (value - mean) * (value - mean);
            var scale = variance > 0 ? 1 / Math.Sqrt(variance) : 0; // two exact levels ±1 have constant energy, which correlates with nothing
            for (var i = 0; i < squares.Length; i++)
                energy[i, c] = (squares[i] - mean) * scale;
        }
        var correlation = LinearAlgebra.TransposeMultiply(energy, energy);
        for (var c = 0; c < correlation.Rows; c++)
            correlation[c, c] = 0;
        return correlation;
    }

    private static NullSummary ShuffledEnergies(Matrix values, ulong seed)
    {
        var random = new RandomStream(seed, "ica/energy-null");
        var draws = new List<double>();
        for (var draw = 0; draw < (values.Columns > 64 ? 3 : 20) && values.Columns > 1; draw++)
        {
            var energy = Energies(NullData.ShuffledColumns(values, random));
            draws.Add(Median([.. PairsOf(energy.Rows).Select(pair => energy[pair.A, pair.B])]));
        }
        return NullSummary.Of("independent", draws);
    }

    private static double?[] PairRadii(Matrix values, Matrix energy, double partner)
    {
        var variation = new double?[values.Columns];
        for (var a = 0; a < values.Columns; a++)
        {
            var b = Enumerable.Range(0, values.Columns).MaxBy(c => Math.Abs(energy[a, c]));
            if (values.Columns < 2 || Math.Abs(energy[a, b]) <= partner)
                continue;
            double sum = 0,
                squares = 0;
            for (var i = 0; i < values.Rows; i++)
            {
                var square = (values[i, a] * values[i, a]) + (values[i, b] * values[i, b]);
                sum += Math.Sqrt(square);
                squares += square;
            }
            var mean = sum / values.Rows;
            variation[a] = Math.Sqrt(Math.Max(0, (squares / values.Rows) - (mean * mean))) / mean;
        }
        return variation;
    }

    /// <summary>Two-means in one dimension: the share of variance left within the levels, and how full the rarer level is.</summary>
    private static (double Within, double Rarer) TwoLevels(double[] values)
    {
        var (low, high) = (values.Min(), values.Max());
        var (below, split) = (0, 0.0);
        for (var iteration = 0; iteration < 30; iteration++)
        {
            split = (low + high) / 2;
            double lowSum = 0,
                highSum = 0;
            below = 0;
            foreach (var value in values)
            {
                if (value < split)
                {
                    below++;
                    lowSum += value;
                }
                else
                {
                    highSum += value;
                }
            }
            if (below == 0 || below == values.Length)
                return (1, 0);
            (low, high) = (lowSum / below, highSum / (values.Length - below));
        }
        var within = values.Sum(value => Math.Pow(value - (value < split ? low : high), 2));
        var mean = values.Average();
        var total = values.Sum(value => (value - mean) * (value - mean));
        return (total > 0 ? within / total : 1, Math.Min(below, values.Length - below) / (double)values.Length);
    }

    private IEnumerable<(int A, int B)> Pairs() => PairsOf(Count);

    private static IEnumerable<(int A, int B)> PairsOf(int count)
    {
        for (var a = 0; a < count; a++)
        for (var b = a + 1; b < count; b++)
            yield return (a, b);
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values.Length == 0 ? 0 : values[values.Length / 2];
    }
}
