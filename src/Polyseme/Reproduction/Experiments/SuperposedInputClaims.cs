using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Zoo.Gates;
using ScottPlot;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Universal AND on bits in superposition: errors as bits outnumber dimensions, the onset of misfires, what the threshold rounds away.</summary>
internal static class SuperposedInputClaims
{
    private const string Paper = "Vaintrob, Mendel and Hänni 2024",
        Derived = "derived";

    private const int Dimensions = 200,
        Neurons = 3200,
        Active = 4;

    private const double Overlap = 8,
        MisfireShare = 0.01;

    private sealed record Point(int Features, bool Inverse, double Expected, SuperposedErrors Measured)
    {
        public double Ratio => (double)Features / Dimensions;
    }

    /// <summary>Builds the gates behind codes of ever more bits and reads them.</summary>
    public static (IReadOnlyList<ClaimRow> Rows, Figure Figure) Run(ReproductionConfig config, CancellationToken cancellation)
    {
        var points = Sweep(config, cancellation);
        var rows = new List<ClaimRow>();
        foreach (var point in points)
        {
            var errors = point.Measured.Errors;
            rows.Add(
                ClaimRow.Measure(
                    $"{point.Features:N0} bits in {Dimensions} dimensions, d = {Neurons}, read by {Reader(point.Inverse)}: mean absolute error",
                    Paper,
                    null,
                    errors.Mean,
                    $"misread {errors.Misread:P1}; both bits on {errors.ByOn[2]:F3}, one {errors.ByOn[1]:F3}, none {errors.ByOn[0]:F3}; {point.Measured.Misfires:P1} of neurons that read no active bit fire"
                )
            );
        }
        rows.Add(
            ClaimRow.Check(
                "bits no more than dimensions, the pseudo-inverse: largest interference before the ReLU",
                Derived,
                "0",
                points.Where(point => point.Inverse && point.Features <= Dimensions).Max(point => point.Measured.Largest),
                0,
                1e-9,
                "Ŵ·F = W: the layer is that of bits that are not in superposition; what is left is rounding"
            )
        );
        var loud = points.Where(point => point.Expected > 0).ToArray();
        rows.Add(
            ClaimRow.Check(
                "deviation of the interference, over √(ℓp(m − ℓ)/d₀) for Fᵀ and √(ℓp(m − d₀)/d₀) for the pseudo-inverse, furthest from one",
                Derived,
                "1",
                loud.Select(point => point.Measured.Deviation / point.Expected).MaxBy(ratio => Math.Abs(ratio - 1)),
                0.95,
                1.05,
                "neurons that read no active bit, all points above; 5 % is several times the deviation of one code's random cosines"
            )
        );
        rows.AddRange(Rounding(points));
        rows.AddRange(Onset(config, cancellation));
        return (rows, Picture(points));
    }

    /// <summary>
    /// A neuron that reads the bits S and none of the ℓ active bits A holds Σ_{i∈S, j∈A} R_i·F_j. For random columns the summands are
    /// uncorrelated, of mean zero and variance 1/d₀ with R = Fᵀ. With F⁺ the matrix of the R_i·F_j is a projection of rank d₀ with rows scaled by
    /// m/d₀, so that a row's squares off the diagonal sum to (m/d₀)²·(d₀/m)(1 − d₀/m) = (m − d₀)/d₀.
    /// </summary>
    private static double ExpectedDeviation(int features, bool inverse, double probability) =>
        Math.Sqrt(Active * probability * (inverse ? Math.Max(features - Dimensions, 0) : features - Active) / Dimensions);

    private static List<Point> Sweep(ReproductionConfig config, CancellationToken cancellation)
    {
        var ratios = config.Choose<double[]>([0.5, 2, 8], [0.5, 1, 2, 4, 8, 16], [0.5, 1, 1.5, 2, 3, 4, 6, 8, 16, 32]);
        var rows = config.Choose(500, 2000, 10_000);
        var points = new Point[ratios.Length, 2];
        Parallel.For(
            0,
            ratios.Length,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
            i =>
            {
                var features = (int)(ratios[i] * Dimensions);
                var gates = new AndGates(features, Neurons, Overlap, config.Seed);
                var code = Code(features, Dimensions, config.Seed);
                foreach (var inverse in new[] { false, true })
                {
                    points[i, inverse ? 1 : 0] = new Point(
                        features,
                        inverse,
                        ExpectedDeviation(features, inverse, gates.Probability),
                        new SuperposedGates(gates, code, inverse ? SuperposedGates.InverseReaders(code) : code).Measure(
                            Active,
                            rows,
                            config.Seed
                        )
                    );
                }
            }
        );
        return [.. points.Cast<Point>().OrderBy(point => point.Inverse)];
    }

    private static Matrix Code(int features, int dimensions, ulong seed) =>
        SuperposedGates.RandomCode(features, dimensions, new RandomStream(seed, $"universal-and/code/{features}/{dimensions}"));

    private static string Reader(bool inverse) => inverse ? "the pseudo-inverse" : "Fᵀ";

    private static IEnumerable<ClaimRow> Rounding(List<Point> points)
    {
        var quiet = points.Where(point => !point.Inverse).SelectMany(point => point.Measured.Quiet).ToArray();
        var below = quiet.Where(read => read.Interference < 1).ToArray();
        var above = quiet.Where(read => read.Interference >= 1).ToArray();
        yield return ClaimRow.Check(
            "largest read-out of neurons that read no active bit while the interference of each, of either sign, is below one",
            Derived,
            "0",
            below.Max(read => read.Read),
            0,
            0,
            $"{below.Length:N0} read-outs, Fᵀ; without threshold and ReLU their mean size is {below.Average(read => Math.Abs(read.Linear)):F3}"
        );
        yield return ClaimRow.Measure(
            "mean read-out where the interference of one of them reaches one",
            Paper,
            null,
            above.Average(read => read.Read),
            $"{above.Length:N0} read-outs; without threshold and ReLU their mean size is {above.Average(read => Math.Abs(read.Linear)):F3}"
        );
    }

    /// <summary>
    /// A share of misfires belongs to a deviation of the interference, ℓpm/d₀ = const with p = √(μ/d): the bits at which it is reached grow as
    /// d₀·√d. Two bits are active here, so that it lies past d₀ at these sizes.
    /// </summary>
    private static IEnumerable<ClaimRow> Onset(ReproductionConfig config, CancellationToken cancellation)
    {
        const int active = 2;
        int[] neurons = [400, 1600, 6400],
            dimensions = [100, 200, 400];
        // Neurons looked at for each share, in as many networks as make equally many neurons: few neurons have chance loads.
        const int most = 6400;
        var rows = config.Choose(10, 100, 400);
        double Share(int bits, int d0, int d) =>
            Enumerable
                .Range(0, most / d)
                .Average(network =>
                {
                    var seed = unchecked(config.Seed + (ulong)network);
                    var code = Code(bits, d0, seed);
                    return new SuperposedGates(new AndGates(bits, d, Overlap, seed), code, code).Measure(active, rows, seed).Misfires;
                });
        double Bits(int d, int d0)
        {
            cancellation.ThrowIfCancellationRequested();
            (double Bits, double Share) before = (double.NaN, double.NaN);
            for (var features = d0 / 4.0; ; features *= Math.Sqrt(2))
            {
                var bits = (int)Math.Round(features);
                var share = Share(bits, d0, d);
                if (share >= MisfireShare)
                {
                    var weight = Math.Log(MisfireShare / before.Share) / Math.Log(share / before.Share);
                    return before.Bits * Math.Pow(bits / before.Bits, weight);
                }
                before = (bits, share);
            }
        }
        var byNeurons = neurons.Select(d => Bits(d, Dimensions)).ToArray();
        var byDimensions = dimensions.Select(d0 => Bits(1600, d0)).ToArray();
        static string List(int[] at, double[] bits) => string.Join(", ", at.Zip(bits, (x, m) => $"{x}: {m:F0}"));
        yield return ClaimRow.Check(
            $"bits at which {MisfireShare:P0} of the neurons that read no active bit fire, slope against d, both logarithmic",
            $"{Paper}; derived",
            "½",
            LeastSquares.Exponent(neurons.Zip(byNeurons, (d, m) => ((double)d, m))),
            0.4,
            0.6,
            $"ℓ = {active}, Fᵀ, d₀ = {Dimensions}; bits by d: {List(neurons, byNeurons)}; accepted range set by judgement"
        );
        yield return ClaimRow.Check(
            "the same bits, slope against d₀, both logarithmic",
            $"{Paper}; derived",
            "1",
            LeastSquares.Exponent(dimensions.Zip(byDimensions, (d0, m) => ((double)d0, m))),
            0.9,
            1.1,
            $"ℓ = {active}, Fᵀ, d = 1,600; bits by d₀: {List(dimensions, byDimensions)}; accepted range set by judgement"
        );
    }

    private static Figure Picture(List<Point> points)
    {
        var figure = new Figure(
            "superposed",
            "Universal AND on bits in superposition",
            $"Bits as random unit vectors in {Dimensions} dimensions, d = {Neurons}, μ = {Overlap}, four active bits. Left: mean absolute error and share misread by bits per dimension; the pseudo-inverse is exact up to one. Middle: neurons that read no active bit and fire, with the normal law thin. Right: read-outs of neurons that hold nothing but interference, by the largest of it: exactly zero below the threshold of one.",
            columns: 3,
            panelWidth: 400
        );
        var errors = figure.Panel("errors", "bits per dimension, m/d₀", "error, share");
        var misfires = figure.Panel("misfires", "bits per dimension, m/d₀", "share that fires");
        foreach (var inverse in new[] { false, true })
        {
            var held = points.Where(point => point.Inverse == inverse).ToArray();
            var x = held.Select(point => Math.Log10(point.Ratio)).ToArray();
            void Curve(Plot panel, IEnumerable<double> y, int colour, string? name)
            {
                var line = name is null ? panel.Add.ScatterLine(x, y.ToArray()) : panel.Add.Scatter(x, y.ToArray());
                line.Color = name is null ? FigurePalette.Reference : FigurePalette.Category(colour);
                line.LineWidth = name is null ? 1 : 2;
                line.LegendText = name ?? "";
            }
            Curve(errors, held.Select(point => point.Measured.Errors.Mean), inverse ? 1 : 0, $"{Reader(inverse)}, error");
            Curve(errors, held.Select(point => point.Measured.Errors.Misread), inverse ? 3 : 2, $"{Reader(inverse)}, misread");
            Curve(misfires, held.Select(point => point.Expected == 0 ? 0 : NormalDistribution.Cdf(-1 / point.Expected)), 0, null);
            Curve(misfires, held.Select(point => point.Measured.Misfires), inverse ? 1 : 0, Reader(inverse));
        }
        foreach (var panel in new[] { errors, misfires })
        {
            panel.LogTicksX([0.5, 1, 2, 4, 8, 16, 32]);
            panel.ShowLegend(Alignment.UpperLeft);
        }
        var quiet = figure.Panel("rounding", "largest interference of the neurons read", "mean read-out");
        var bins = points
            .Where(point => !point.Inverse)
            .SelectMany(point => point.Measured.Quiet)
            .Where(read => read.Interference < 3)
            .GroupBy(read => (int)(10 * read.Interference))
            .OrderBy(bin => bin.Key)
            .ToArray();
        var at = bins.Select(bin => (bin.Key + 0.5) / 10).ToArray();
        foreach (
            var (name, colour, value) in new (string, int, Func<QuietRead, double>)[]
            {
                ("behind threshold and ReLU", 0, read => read.Read),
                ("without, mean size", 1, read => Math.Abs(read.Linear)),
            }
        )
        {
            var line = quiet.Add.ScatterLine(at, bins.Select(bin => bin.Average(value)).ToArray());
            (line.Color, line.LineWidth, line.LegendText) = (FigurePalette.Category(colour), 2, name);
        }
        quiet.ShowLegend(Alignment.UpperLeft);
        return figure;
    }
}
