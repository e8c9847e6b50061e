using Polyseme.Dictionaries.Classical;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Random codewords: labels of seen items can be memorised by any probe that is large enough, and no probe reads those of other items.</summary>
public sealed class RandomCodewordsExperiment : Experiment
{
    private const string Derived = "derived";

    /// <inheritdoc/>
    public override string Name => "random-codewords";

    /// <inheritdoc/>
    public override string Title => "random codewords and random labels: seen items against others";

    /// <inheritdoc/>
    public override string Source => new RandomCodewords().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var tables = config.Choose(20, 40, 60);
        var steps = config.Choose(400, 500, 800);
        var hidden = config.Choose(256, 512, 1024);
        var codewords = new RandomCodewordsConfig { Seed = config.Seed, Items = config.Choose(1000, 2000, 4000) };
        var words = RandomCodewords.Words(codewords);
        var labels = Columns(ItemTables.Of(codewords.Items, tables, config.Seed, "codewords"));
        var seen = Enumerable.Range(0, codewords.Items * 7 / 10).ToArray();
        var others = Enumerable.Range(seen.Length, codewords.Items - seen.Length).ToArray();
        var (learn, test) = (words.SelectRows(seen), words.SelectRows(others));
        var (learnLabels, testLabels) = (labels.SelectRows(seen), labels.SelectRows(others));
        progress?.Report(new Step("probes", 0, 4));
        var mlp = Readouts.Mlp(
            learn,
            learnLabels,
            [learn, test],
            hidden,
            steps,
            new RandomStream(config.Seed, "codewords/mlp"),
            cancellation,
            highestRate: 3e-3
        );
        var probes = new (string Name, double Seen, double Other)[]
        {
            (
                "linear",
                Readouts.MeanAuroc(Readouts.Linear(learn, learnLabels, learn), learnLabels),
                Readouts.MeanAuroc(Readouts.Linear(learn, learnLabels, test), testLabels)
            ),
            ("MLP", Readouts.MeanAuroc(mlp[0], learnLabels), Readouts.MeanAuroc(mlp[1], testLabels)),
            (
                "4-sparse",
                Readouts.MeanAuroc(Readouts.Sparse(learn, learnLabels, learn, 4), learnLabels),
                Readouts.MeanAuroc(Readouts.Sparse(learn, learnLabels, test, 4), testLabels)
            ),
        };
        var counts = $"{seen.Length:N0} seen and {others.Length:N0} other items, {codewords.Bits} bits, mean over {tables} random labels";
        var rows = new List<ClaimRow>();
        foreach (var (name, _, other) in probes)
            rows.Add(ClaimRow.Check($"AUROC of random labels on items not seen, {name} probe", Derived, ".50", other, 0.47, 0.53, counts));
        rows.Add(
            ClaimRow.Check(
                "AUROC of random labels on the seen items, MLP",
                Derived,
                "1",
                probes[1].Seen,
                0.999,
                1,
                $"random-label memorisation; {hidden} hidden units, {steps} steps"
            )
        );
        rows.Add(
            ClaimRow.Measure(
                "the same, linear probe",
                "Cover 1965",
                null,
                probes[0].Seen,
                "more items than 2d: not all labellings are separable"
            )
        );
        rows.Add(ClaimRow.Measure("the same, 4-sparse probe", Derived, null, probes[2].Seen));

        var sizes = new[] { 32, 64, 96, 129, 192, 256, 384, 700 };
        var separable = sizes
            .Select(count =>
            {
                var first = Enumerable.Range(0, count).ToArray();
                var (x, y) = (words.SelectRows(first), labels.SelectRows(first));
                return Readouts.MeanAuroc(Readouts.Linear(x, y, x, ridge: 1e-9), y);
            })
            .ToArray();
        rows.Add(
            ClaimRow.Check(
                $"AUROC of a linear probe on d + 1 = {codewords.Bits + 1} seen items",
                "Cover 1965",
                "1",
                separable[3],
                1,
                1,
                "points in general position: every labelling of d + 1 is separable"
            )
        );
        rows.Add(
            ClaimRow.Check(
                "participation ratio per dimension",
                Derived,
                "≥ .8",
                Readouts.ParticipationRatio(words) / codewords.Bits,
                0.8,
                1
            )
        );
        rows.Add(
            ClaimRow.Check(
                "AUROC of the bits themselves on items not seen, linear probe",
                Derived,
                "1",
                Readouts.MeanAuroc(Readouts.Linear(learn, learn, test), test),
                1,
                1,
                "the bits transfer; only what they are asked for does not"
            )
        );
        var (train, held) = OneLatentEach(learn, test);
        rows.Add(
            ClaimRow.Check("FVU on seen items of a dictionary with one latent per seen item, one active", Derived, "0", train, 0, 1e-9)
        );
        rows.Add(
            ClaimRow.Check(
                "the same on items not seen",
                Derived,
                "≈ 1",
                held,
                0.85,
                1.05,
                $"best latent, best scale; the largest of {seen.Length:N0} cosines in {codewords.Bits} dimensions is about .3"
            )
        );
        rows.Add(Recovered(config, cancellation));
        return new ExperimentResult(counts, rows, [Picture(probes, sizes, separable, codewords.Bits)]);
    }

    /// <summary>Bits along random directions are found by independent components: they are a rotation's sources, whatever they mean.</summary>
    private static ClaimRow Recovered(ReproductionConfig config, CancellationToken cancellation)
    {
        var few = new RandomCodewordsConfig
        {
            Seed = config.Seed,
            Items = 4000,
            Bits = 16,
            Rotated = true,
        };
        var words = RandomCodewords.Words(few);
        var items = new Matrix(few.Items, 1, [.. Enumerable.Range(0, few.Items).Select(item => (double)item)]);
        var whitened = Readouts.Whitened(RandomCodewords.Layer(few).Hidden(items));
        var components = FastIca
            .Fit(whitened, new FastIcaConfig(), new RandomStream(config.Seed, "codewords/ica"), cancellation)
            .Components(whitened);
        var correlations = Readouts.AbsoluteCorrelations(words, components);
        var mean = Enumerable.Range(0, few.Bits).Average(bit => correlations.Row(bit).ToArray().Max());
        return ClaimRow.Check(
            "16 bits along random directions: |correlation| of each with the nearest independent component",
            "reference program",
            ".97",
            mean,
            0.95,
            1,
            $"{few.Items:N0} items"
        );
    }

    /// <summary>FVU of a dictionary whose latents are the centred seen codewords, one of them active with its best scale.</summary>
    private static (double Seen, double Other) OneLatentEach(Matrix seen, Matrix others)
    {
        var means = Readouts.Means(seen);
        var (latents, rest) = (Readouts.Less(seen, means), Readouts.Less(others, means));
        double[] squared = [.. Enumerable.Range(0, latents.Rows).Select(i => FeatureGeometry.SquaredNorm(latents, i))];
        double Fvu(Matrix rows)
        {
            var products = LinearAlgebra.MultiplyTranspose(rows, latents);
            double residual = 0,
                total = 0;
            for (var row = 0; row < rows.Rows; row++)
            {
                var explained = 0.0;
                for (var k = 0; k < latents.Rows; k++)
                {
                    if (products[row, k] > 0)
                        explained = Math.Max(explained, products[row, k] * products[row, k] / squared[k]);
                }
                var norm = FeatureGeometry.SquaredNorm(rows, row);
                (residual, total) = (residual + Math.Max(0, norm - explained), total + norm);
            }
            return residual / total;
        }
        return (Fvu(latents), Fvu(rest));
    }

    private static Matrix Columns(double[][] tables)
    {
        var matrix = new Matrix(tables[0].Length, tables.Length);
        for (var table = 0; table < tables.Length; table++)
        for (var item = 0; item < matrix.Rows; item++)
            matrix[item, table] = tables[table][item];
        return matrix;
    }

    private static Figure Picture((string Name, double Seen, double Other)[] probes, int[] sizes, double[] separable, int bits)
    {
        var figure = new Figure(
            "transfer",
            "Random labels of random codewords",
            "Left: AUROC of three probes on the items they were fitted on and on others (thin: chance). Right: AUROC of a linear probe on the items it was fitted on by their number; lines at d + 1, where all labellings are separable, and at 2d, where half are.",
            columns: 2
        );
        var panel = figure.Panel("seen items and others", "", "AUROC");
        for (var k = 0; k < probes.Length; k++)
        {
            foreach (var (value, shift, colour) in new[] { (probes[k].Seen, -0.2, 0), (probes[k].Other, 0.2, 1) })
            {
                var bar = panel.Add.Bar(k + shift, value);
                bar.Bars[0].Size = 0.36;
                bar.Bars[0].FillColor = FigurePalette.Category(colour);
                if (k == 0)
                    bar.LegendText = colour == 0 ? "seen items" : "other items";
            }
        }
        panel.Add.HorizontalLine(0.5, 1, FigurePalette.Reference, ScottPlot.LinePattern.Solid);
        panel.Axes.Bottom.SetTicks([0, 1, 2], [.. probes.Select(probe => probe.Name)]);
        panel.Axes.SetLimits(-0.6, 2.6, 0, 1.3);
        panel.ShowLegend(ScottPlot.Alignment.UpperRight);
        var capacity = figure.Panel("linear probe on the items it was fitted on", "items", "AUROC");
        var line = capacity.Add.Scatter(sizes.Select(size => (double)size).ToArray(), separable);
        line.Color = FigurePalette.Category(0);
        foreach (var (at, name) in new[] { (bits + 1.0, "d + 1"), (2.0 * bits, "2d") })
        {
            var mark = capacity.Add.VerticalLine(at, 1, FigurePalette.Reference, ScottPlot.LinePattern.Solid);
            mark.LegendText = name;
        }
        capacity.Axes.SetLimitsY(0.45, 1.05);
        capacity.ShowLegend(ScottPlot.Alignment.LowerLeft);
        return figure;
    }
}
