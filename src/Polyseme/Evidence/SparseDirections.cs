using Polyseme.Activations;
using Polyseme.Dictionaries;
using Polyseme.Numerics;

namespace Polyseme.Evidence;

/// <summary>How sparse directions are looked for.</summary>
public sealed record SparseDirectionsConfig
{
    /// <summary>Latents per dimension of the overcomplete dictionary.</summary>
    public double Expansion { get; init; } = 6;

    /// <summary>Most latents.</summary>
    public int MaxLatents { get; init; } = 512;

    /// <summary>Values of k that are tried, where k ≤ dimensions / 2.</summary>
    public IReadOnlyList<int> ActiveLatents { get; init; } = [1, 2, 4, 8];

    /// <summary>The same above 64 dimensions, where a fit costs seconds.</summary>
    public IReadOnlyList<int> ActiveLatentsWide { get; init; } = [4, 16];

    /// <summary>Optimiser steps of a fit.</summary>
    public int Steps { get; init; } = 500;

    /// <summary>Adam's learning rate.</summary>
    public double LearningRate { get; init; } = 1e-2;

    /// <summary>Rows on either side of the split that dictionaries are judged on, at most; they are trained on all.</summary>
    public int MaxJudgedRows { get; init; } = 5_000;

    /// <summary>Share of the groups held out.</summary>
    public double HeldOut { get; init; } = 0.3;

    /// <summary>Two latents of different seeds are the same when their cosine exceeds this.</summary>
    public double Match { get; init; } = 0.98;

    /// <summary>A latent counts only if it holds at least this share of the squared activations.</summary>
    public double EnergyFloor { get; init; } = 1e-4;

    /// <summary>A direction this near to a sum of two others with positive weights is their co-occurrence, not a direction of its own.</summary>
    public double Composite { get; init; } = 0.95;

    /// <summary>Dimensions from which a random direction is not near such a sum by chance.</summary>
    public int CompositeDimensions { get; init; } = 8;
}

/// <summary>A dictionary pair at one k.</summary>
/// <param name="K">Latents active per row.</param>
/// <param name="First">The dictionary of the first seed, in principal coordinates.</param>
/// <param name="HeldOutFvu">Fraction of variance unexplained on held-out groups.</param>
/// <param name="LearnedFvu">The same on the groups learned from.</param>
/// <param name="NullFvu">Held-out FVU on the elliptical null matched by item, same split, k and steps; <c>null</c> for a k that the null is not run at.</param>
/// <param name="Agreement">Share of squared activation in latents that both seeds found, in [0, 1].</param>
/// <param name="Matched">Their unit directions. Shape: <c>[n_matched, dimensions]</c>.</param>
public sealed record DictionaryPair(
    int K,
    TopKResult First,
    double HeldOutFvu,
    double LearnedFvu,
    double? NullFvu,
    double Agreement,
    Matrix Matched
);

/// <summary>
/// Whether directions learned on some items explain other items as sparse sums, and how many directions two dictionaries trained apart agree on.
/// </summary>
public sealed record SparseDirections
{
    /// <summary>The configuration.</summary>
    public required SparseDirectionsConfig Config { get; init; }

    /// <summary>One pair for each k tried.</summary>
    public required IReadOnlyList<DictionaryPair> Pairs { get; init; }

    /// <summary>The pair on which the seeds agree best, reconstruction breaking near ties.</summary>
    public required DictionaryPair Best { get; init; }

    /// <summary>
    /// G = held-out FVU / held-out FVU of the null, the smaller at the best k and at the largest. Below 1: directions transfer between items; at 1 or above: what is learned
    /// on some items is worth nothing on others.
    /// </summary>
    public double Transfer => Pairs.Min(pair => pair.NullFvu is > 0 and var expected ? pair.HeldOutFvu / expected : 1);

    /// <summary>Whether what is learned on some groups explains others clearly better than it does elliptical noise: <see cref="Transfer"/> below .85.</summary>
    /// <remarks>Without it, agreement means little: where noise has most of its variance in a few dimensions, any two dictionaries agree.</remarks>
    public bool Transfers => Transfer < 0.85;

    /// <summary>Directions, sign kept, that both seeds found and that are not sums of two others: the rays of the dictionary. Shape: <c>[n, dimensions]</c>.</summary>
    public required Matrix Directions { get; init; }

    /// <summary>The same counted up to sign.</summary>
    public required int Lines { get; init; }

    /// <summary>Share of squared activation on which the dictionary agrees by chance with one trained on the null.</summary>
    public required NullSummary AgreementNull { get; init; }

    /// <summary>Held-out share of squared activation of each direction's latent. Shape: <c>[n]</c>.</summary>
    public required double[] Energies { get; init; }

    /// <summary>Measures a layer.</summary>
    public static SparseDirections Measure(
        SignalSubspace subspace,
        RowGroups groups,
        SparseDirectionsConfig config,
        ulong seed,
        CancellationToken cancellation
    )
    {
        var scale = subspace.PrincipalScale();
        var (learn, test) = groups.Split(config.HeldOut, new RandomStream(seed, "sparse-directions/split"));
        var learned = Scaled(subspace.Whitened.SelectRows(learn), scale);
        var random = new RandomStream(seed, "sparse-directions/judged");
        // Latents of every row at every k would take gigabytes.
        var judged = learned.SelectRows([.. random.Permutation(learned.Rows).Take(config.MaxJudgedRows).Order()]);
        test = [.. random.Permutation(test.Length).Take(config.MaxJudgedRows).Order().Select(i => test[i])];
        var held = Scaled(subspace.Whitened.SelectRows(test), scale);
        var matchedNull = NullData.EllipticalByGroup(subspace.Whitened, groups.Ids, new RandomStream(seed, "sparse-directions/null"));
        var (nullLearned, nullHeld) = (Scaled(matchedNull.SelectRows(learn), scale), Scaled(matchedNull.SelectRows(test), scale));
        var nLatents = (int)Math.Clamp(config.Expansion * subspace.Dimensions, 16, config.MaxLatents);
        TopKResult Fit(Matrix rows, int k, string name) =>
            TopKAutoencoder.Fit(
                rows,
                new TopKConfig
                {
                    NLatents = nLatents,
                    K = k,
                    Steps = config.Steps,
                    LearningRate = config.LearningRate,
                },
                new RandomStream(seed, $"sparse-directions/{name}/{k}"),
                cancellation
            );
        DictionaryPair PairAt(int k)
        {
            var (first, second) = (Fit(learned, k, "first"), Fit(learned, k, "second"));
            var (agreement, matched) = Agreement(first, second, judged, config);
            return new DictionaryPair(
                k,
                first,
                Fvu(held, first.Decode(first.Encode(held))),
                Fvu(judged, first.Decode(first.Encode(judged))),
                null,
                agreement,
                matched
            );
        }
        // Small fits leave libtorch's threads idle, so two of them run side by side; each has a stream of its own, so the order does not matter.
        var sideBySide = subspace.Dimensions > 64 ? 1 : Math.Min(2, Environment.ProcessorCount);
        var pairs = Candidates(subspace.Dimensions, config)
            .AsParallel()
            .AsOrdered()
            .WithDegreeOfParallelism(sideBySide)
            .Select(PairAt)
            .ToList();
        var chosen = pairs.IndexOf(pairs.MaxBy(pair => pair.Agreement - (0.25 * pair.HeldOutFvu))!);
        var chance = new List<double>();
        foreach (var at in new[] { chosen, pairs.Count - 1 }.Distinct())
        {
            var onNull = Fit(nullLearned, pairs[at].K, "null");
            chance.Add(Agreement(pairs[at].First, onNull, judged, config).Share);
            pairs[at] = pairs[at] with { NullFvu = Fvu(nullHeld, onNull.Decode(onNull.Encode(nullHeld))) };
        }
        var best = pairs[chosen];
        var directions = WithoutSums(best.Matched, config);
        return new SparseDirections
        {
            Config = config,
            Pairs = pairs,
            Best = best,
            Directions = directions,
            Lines = LinesOf(directions, 0.9),
            AgreementNull = NullSummary.Of("elliptical_by_item", chance),
            Energies = EnergiesOf(best.First, held, directions),
        };
    }

    /// <summary>Fraction of variance unexplained: Σ‖x − x̂‖² / Σ‖x − x̄‖².</summary>
    public static double Fvu(Matrix rows, Matrix reconstruction)
    {
        var mean = new double[rows.Columns];
        for (var i = 0; i < rows.Rows; i++)
        for (var j = 0; j < mean.Length; j++)
            mean[j] += rows[i, j] / rows.Rows;
        double unexplained = 0,
            total = 0;
        for (var i = 0; i < rows.Rows; i++)
        {
            for (var j = 0; j < mean.Length; j++)
            {
                unexplained += (rows[i, j] - reconstruction[i, j]) * (rows[i, j] - reconstruction[i, j]);
                total += (rows[i, j] - mean[j]) * (rows[i, j] - mean[j]);
            }
        }
        return total > 0 ? unexplained / total : 0;
    }

    /// <summary>Directions counted up to sign: two with |cosine| above <paramref name="same"/> are one line.</summary>
    public static int LinesOf(Matrix directions, double same)
    {
        var cosines = LinearAlgebra.MultiplyTranspose(directions, directions);
        var kept = new List<int>();
        for (var i = 0; i < directions.Rows; i++)
        {
            if (kept.TrueForAll(j => Math.Abs(cosines[i, j]) <= same))
                kept.Add(i);
        }
        return kept.Count;
    }

    private static IEnumerable<int> Candidates(int dimensions, SparseDirectionsConfig config) =>
        (dimensions > 64 ? config.ActiveLatentsWide : config.ActiveLatents).Where(k => k == 1 || 2 * k <= dimensions);

    private static (double Share, Matrix Matched) Agreement(TopKResult first, TopKResult second, Matrix rows, SparseDirectionsConfig config)
    {
        var (a, b) = (Energy(first.Encode(rows)), Energy(second.Encode(rows)));
        var cosines = LinearAlgebra.MultiplyTranspose(first.Decoder, second.Decoder);
        var live = Enumerable.Range(0, b.Length).Where(j => b[j] > config.EnergyFloor).ToArray();
        var matched = Enumerable
            .Range(0, a.Length)
            .Where(i => a[i] > config.EnergyFloor && live.Any(j => cosines[i, j] > config.Match))
            .OrderByDescending(i => a[i])
            .ToArray();
        return (matched.Sum(i => a[i]), first.Decoder.SelectRows(matched));
    }

    private static double[] Energy(Matrix latents)
    {
        var energy = new double[latents.Columns];
        for (var i = 0; i < latents.Rows; i++)
        {
            var row = latents.Row(i);
            for (var k = 0; k < energy.Length; k++)
                energy[k] += row[k] * row[k];
        }
        var total = Math.Max(energy.Sum(), 1e-300);
        return Array.ConvertAll(energy, value => value / total);
    }

    private static double[] EnergiesOf(TopKResult dictionary, Matrix rows, Matrix directions)
    {
        var energy = Energy(dictionary.Encode(rows));
        var cosines = LinearAlgebra.MultiplyTranspose(directions, dictionary.Decoder);
        return [.. Enumerable.Range(0, directions.Rows).Select(i => energy[Enumerable.Range(0, energy.Length).MaxBy(k => cosines[i, k])])];
    }

    /// <summary>Takes copies out, and directions that two stronger ones make up with positive weights. Rows come strongest first.</summary>
    private static Matrix WithoutSums(Matrix matched, SparseDirectionsConfig config)
    {
        var cosines = LinearAlgebra.MultiplyTranspose(matched, matched);
        var kept = new List<int>();
        for (var i = 0; i < matched.Rows; i++)
        {
            var copy = kept.Exists(j => cosines[i, j] > config.Match);
            if (!copy && !(matched.Columns >= config.CompositeDimensions && IsSum(i, cosines, config.Composite)))
                kept.Add(i);
        }
        return matched.SelectRows(kept);
    }

    /// <summary>Whether direction i lies within the cosine of the positive cone of two others that are not near it themselves.</summary>
    private static bool IsSum(int i, Matrix cosines, double near)
    {
        // Parts point the sum's way but are clearly not the sum: cosines in (.3, .93).
        var parts = Enumerable.Range(0, cosines.Rows).Where(j => j != i && cosines[i, j] is > 0.3 and < 0.93).ToArray();
        foreach (var a in parts)
        {
            foreach (var b in parts)
            {
                if (b <= a)
                    continue;
                var (ca, cb, ab) = (cosines[i, a], cosines[i, b], cosines[a, b]);
                var determinant = 1 - (ab * ab);
                if (determinant < 0.2 || ca - (ab * cb) <= 0 || cb - (ab * ca) <= 0)
                    continue;
                // Squared length of the projection on the plane of a and b.
                if (((ca * ca) + (cb * cb) - (2 * ca * cb * ab)) / determinant > near * near)
                    return true;
            }
        }
        return false;
    }

    private static Matrix Scaled(Matrix whitened, double[] scale)
    {
        for (var i = 0; i < whitened.Rows; i++)
        for (var k = 0; k < scale.Length; k++)
            whitened[i, k] *= scale[k];
        return whitened;
    }
}
