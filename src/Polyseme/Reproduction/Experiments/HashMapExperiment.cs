using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>A hash map as a network: perfect recall of what was stored, chance on anything else, and what a random binary code can hold.</summary>
public sealed class HashMapExperiment : Experiment
{
    private const string Derived = "derived";

    /// <inheritdoc/>
    public override string Name => "hash-map";

    /// <inheritdoc/>
    public override string Title => "stored keys against others; the capacity of a random code";

    /// <inheritdoc/>
    public override string Source => new HashMap().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        const int unseen = 4000;
        var rows = new List<ClaimRow>();
        foreach (var items in config.Choose<int[]>([256], [64, 256, 1024], [64, 256, 1024, 4096]))
        {
            var local = LookupNetwork.Make(new HashMapConfig { Seed = config.Seed, Items = items });
            rows.Add(
                ClaimRow.Check(
                    $"{items} keys, a neuron each: share of stored bits right",
                    Derived,
                    "1",
                    local.StoredRecall(),
                    1,
                    1,
                    $"{items * 8:N0} bits"
                )
            );
            rows.Add(
                ClaimRow.Check(
                    $"{items} keys: share of bits right on keys that were not stored",
                    Derived,
                    ".50",
                    local.UnseenRecall(unseen, new RandomStream(config.Seed, "hash-map/unseen")),
                    0.48,
                    0.52,
                    $"{unseen:N0} keys"
                )
            );
        }
        const int code = 512;
        var curve = new List<(int Items, double Recall, double Expected)>();
        foreach (var items in (ReadOnlySpan<int>)[16, 20, 64, 128, 256, 512, 1024, 2048])
        {
            cancellation.ThrowIfCancellationRequested();
            var bits = config.Choose(16, 32, 64);
            var network = LookupNetwork.Make(
                new HashMapConfig
                {
                    Seed = config.Seed,
                    Items = items,
                    Code = code,
                    Bits = bits,
                    KeyWidth = 64,
                }
            );
            curve.Add((items, network.StoredRecall(), NormalDistribution.Cdf(Math.Sqrt((double)code / (items - 1)))));
        }
        rows.Add(
            ClaimRow.Check(
                $"20 keys in {code} code neurons (N ≤ m/25): share of stored bits right",
                Derived,
                "1",
                curve.Single(point => point.Items == 20).Recall,
                1,
                1,
                "a bit fails with probability Φ(−√(m/N)) < 3e-7"
            )
        );
        var wide = curve.Where(point => point.Items >= 128).ToArray();
        rows.Add(
            ClaimRow.Check(
                $"128 to 2,048 keys in {code} code neurons: largest distance of recall from Φ(√(m/(N − 1)))",
                Derived,
                "0",
                wide.Max(point => Math.Abs(point.Recall - point.Expected)),
                0,
                0.02,
                string.Join(", ", wide.Select(point => $"N = {point.Items}: {point.Recall:0.000} ({point.Expected:0.000})"))
            )
        );
        return new ExperimentResult(
            $"keys of width 32, values of 8 bits; compressed: keys of width 64 in {code} code neurons, 16 to 2,048 keys",
            rows,
            [Picture(curve, code)]
        );
    }

    private static Figure Picture(IReadOnlyList<(int Items, double Recall, double Expected)> curve, int code)
    {
        var figure = new Figure(
            "capacity",
            "What a random binary code of keys recalls",
            $"Share of stored bits read right by majority from {code} code neurons, by the number of stored keys; line: Φ(√(m/(N − 1))), the sum of N − 1 random signs against m. One neuron a key recalls everything."
        );
        var panel = figure.Panel($"random code of {code} neurons", "stored keys N", "share of bits right");
        var law = panel.Add.Scatter(curve.Select(p => Math.Log10(p.Items)).ToArray(), curve.Select(p => p.Expected).ToArray());
        (law.Color, law.MarkerSize, law.LegendText) = (FigurePalette.Reference, 0, "Φ(√(m/(N − 1)))");
        var points = panel.Add.ScatterPoints(curve.Select(p => Math.Log10(p.Items)).ToArray(), curve.Select(p => p.Recall).ToArray());
        (points.Color, points.MarkerSize, points.LegendText) = (FigurePalette.Category(0), 9, "measured");
        panel.LogTicksX(curve.Where(p => p.Items != 20).Select(p => (double)p.Items));
        panel.Axes.SetLimitsY(0.5, 1.05);
        panel.ShowLegend(ScottPlot.Alignment.LowerLeft);
        return figure;
    }
}
