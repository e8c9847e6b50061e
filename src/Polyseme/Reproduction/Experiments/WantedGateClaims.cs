using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Zoo.Gates;
using ScottPlot;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Only the wanted ANDs given neurons, against all pairs at once; and ANDs of three bits.</summary>
internal static class WantedGateClaims
{
    private const string Paper = "Vaintrob, Mendel and Hänni 2024",
        Derived = "derived";

    private const int Features = 400,
        Neurons = 3200,
        PerGate = 8,
        Active = 4;

    private const double Overlap = 8;

    private sealed record Wanted(int Gates, double ExpectedWhereBoth, AndErrors Targeted, AndErrors Universal);

    private sealed record Triples(int Neurons, double Expected, AndErrors Errors);

    /// <summary>Builds graphs of ever more wanted gates, and triples in ever more neurons, and reads them.</summary>
    public static (IReadOnlyList<ClaimRow> Rows, Figure Figure) Run(ReproductionConfig config, CancellationToken cancellation)
    {
        var graphs = Graphs(config, cancellation);
        var triples = AllTriples(config, cancellation);
        return ([.. Targeted(graphs), .. OfThree(triples)], Picture(graphs, triples));
    }

    private static List<Wanted> Graphs(ReproductionConfig config, CancellationToken cancellation)
    {
        var sizes = config.Choose<int[]>(
            [1000, 4000, 16_000],
            [200, 500, 1000, 2000, 4000, 8000, 16_000, 32_000],
            [200, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 79_800]
        );
        var reads = config.Choose(15_000, 60_000, 300_000);
        var universal = new AndGates(Features, Neurons, Overlap, config.Seed);
        var graphs = new Wanted[sizes.Length];
        Parallel.For(
            0,
            sizes.Length,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
            i =>
            {
                var stream = new RandomStream(config.Seed, $"universal-and/graph/{sizes[i]}");
                var graph = TargetedGates.RandomGraph(Features, sizes[i], stream);
                var gates = new TargetedGates(Features, Neurons, graph, PerGate, stream);
                var (targeted, others) = gates.Measure(Active, reads, config.Seed, universal);
                graphs[i] = new Wanted(sizes[i], gates.ExpectedWhereBoth(Active), targeted, others);
            }
        );
        return [.. graphs];
    }

    private static IEnumerable<ClaimRow> Targeted(List<Wanted> graphs)
    {
        const int few = 1000,
            pairs = Features * (Features - 1) / 2;
        foreach (var graph in graphs)
        {
            var errors = graph.Targeted;
            yield return ClaimRow.Measure(
                $"{graph.Gates:N0} wanted gates, d₀ = {Features}, d = {Neurons}, {PerGate} neurons each: mean absolute error",
                Paper,
                null,
                errors.Mean,
                $"misread {errors.Misread:P2}; both bits on {errors.ByOn[2]:F3}, one {errors.ByOn[1]:F3}, none {errors.ByOn[0]:F3}; the universal construction on the same gates and rows {graph.Universal.Mean:F3}"
            );
        }
        foreach (var graph in graphs.Where(graph => graph.Gates <= few))
        {
            yield return ClaimRow.Check(
                $"{graph.Gates:N0} wanted gates of {pairs:N0} pairs: error over that of the universal construction with as many neurons",
                Paper,
                "below 1",
                graph.Targeted.Mean / graph.Universal.Mean,
                0,
                1
            );
        }
        yield return ClaimRow.Check(
            $"wanted gates with both bits on: error over the one derived from the degrees of the graph, {few:N0} gates and more, furthest from one",
            Derived,
            "1",
            graphs
                .Where(graph => graph.Gates >= few)
                .Select(graph => graph.Targeted.ByOn[2] / graph.ExpectedWhereBoth)
                .MaxBy(ratio => Math.Abs(ratio - 1)),
            0.9,
            1.1,
            "(ℓ − 2) times the mean of 1 − (1 − s/d)^g over bits of g gates; 10 % is about three standard errors at the smallest size"
        );
        // A neuron reads as many bits in both where 2|E|s/(d₀d) = √(μ/d), before sets begin to overlap.
        yield return ClaimRow.Measure(
            "wanted gates from which on the universal construction has the smaller error",
            Derived,
            $"about {Features * Math.Sqrt(Overlap * Neurons) / (2 * PerGate):N0}",
            Crossing(graphs),
            "by interpolation of logarithms"
        );
    }

    private static double? Crossing(List<Wanted> graphs)
    {
        for (var i = 1; i < graphs.Count; i++)
        {
            double before = Math.Log(graphs[i - 1].Targeted.Mean / graphs[i - 1].Universal.Mean),
                after = Math.Log(graphs[i].Targeted.Mean / graphs[i].Universal.Mean);
            if (before < 0 && after >= 0)
                return graphs[i - 1].Gates * Math.Pow((double)graphs[i].Gates / graphs[i - 1].Gates, -before / (after - before));
        }
        return null;
    }

    private static List<Triples> AllTriples(ReproductionConfig config, CancellationToken cancellation)
    {
        var neurons = config.Choose<int[]>([800, 3200], [400, 800, 1600, 3200, 6400], [400, 800, 1600, 3200, 6400, 12_800, 25_600]);
        var reads = config.Choose(16_000, 80_000, 400_000);
        var triples = new List<Triples>();
        foreach (var d in neurons)
        {
            cancellation.ThrowIfCancellationRequested();
            var gates = new AndGates(100, d, Overlap, config.Seed, fanIn: 3);
            triples.Add(new Triples(d, gates.Expected(Active), gates.Measure(Active, reads, config.Seed)));
        }
        return triples;
    }

    private static IEnumerable<ClaimRow> OfThree(List<Triples> triples)
    {
        const int all = 100 * 99 * 98 / 6;
        foreach (var (neurons, expected, errors) in triples)
        {
            yield return ClaimRow.Measure(
                $"ANDs of three, {all:N0} of 100 bits, d = {neurons}, bias −2, p = (μ/d)^⅓: mean absolute error",
                $"{Paper}; reference derived",
                expected.ToString("F3"),
                errors.Mean,
                $"misread {errors.Misread:P1}; three bits on {errors.ByOn[3]:F3}, two {errors.ByOn[2]:F3}, one {errors.ByOn[1]:F3}, none {errors.ByOn[0]:F3}"
            );
        }
        yield return ClaimRow.Check(
            "ANDs of three: mean absolute error over the derived one, furthest from one",
            Derived,
            "1",
            triples.Select(point => point.Errors.Mean / point.Expected).MaxBy(ratio => Math.Abs(ratio - 1)),
            0.9,
            1.1,
            "the binomial law of other bits read; 10 % is several standard errors at the smallest size"
        );
        yield return ClaimRow.Measure(
            "ANDs of three: slope of the mean error against d, both logarithmic",
            Paper,
            "−⅓ to leading order",
            LeastSquares.Exponent(triples.Select(point => ((double)point.Neurons, point.Errors.Mean)))
        );
    }

    private static Figure Picture(List<Wanted> graphs, List<Triples> triples)
    {
        var figure = new Figure(
            "wanted",
            "Wanted gates only, and ANDs of three bits",
            $"Left: mean absolute error by the number of wanted gates, {PerGate} neurons each, and that of the universal construction on the same gates with as many neurons (d₀ = {Features}, d = {Neurons}). Right: ANDs of three of 100 bits by neurons, with the derived error. Four active bits; all axes logarithmic.",
            columns: 2
        );
        var wanted = figure.Panel("wanted gates", "wanted gates |E|", "mean absolute error");
        void Curve(Plot panel, IEnumerable<double> x, IEnumerable<double> y, int? colour, string name)
        {
            var line = panel.Add.Scatter(x.Select(Math.Log10).ToArray(), y.Select(Math.Log10).ToArray());
            line.Color = colour is { } index ? FigurePalette.Category(index) : FigurePalette.Reference;
            (line.LineWidth, line.MarkerSize, line.LegendText) = (colour is null ? 1 : 2, colour is null ? 0 : 6, name);
        }
        var sizes = graphs.Select(graph => (double)graph.Gates).ToArray();
        Curve(wanted, sizes, graphs.Select(graph => graph.Targeted.Mean), 0, "targeted");
        Curve(wanted, sizes, graphs.Select(graph => graph.Universal.Mean), 1, "universal");
        wanted.LogTicksX([200, 1000, 4000, 16_000, 64_000]);
        wanted.LogTicksY([0.003, 0.01, 0.03, 0.1, 0.3, 1]);
        wanted.ShowLegend(Alignment.UpperLeft);
        var three = figure.Panel("ANDs of three", "neurons d", "mean absolute error");
        var neurons = triples.Select(point => (double)point.Neurons).ToArray();
        Curve(three, neurons, triples.Select(point => point.Errors.Mean), 0, "measured");
        Curve(three, neurons, triples.Select(point => point.Expected), null, "derived");
        three.LogTicksX(neurons);
        three.LogTicksY([0.05, 0.1, 0.2, 0.4]);
        three.ShowLegend(Alignment.UpperRight);
        return figure;
    }
}
