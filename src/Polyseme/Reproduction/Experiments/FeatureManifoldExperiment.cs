using Polyseme.Dictionaries;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo.Disentangling;
using Polyseme.Zoo.Manifolds;
using ScottPlot;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Dictionaries of growing size on a curve of directions, of which they need ever more latents, and on superposition, of which they need n.</summary>
public sealed class FeatureManifoldExperiment : Experiment
{
    private const int Learned = 20_000,
        Held = 3_000,
        Features = 64;
    private const double Limit = 0.05;

    private sealed record Curve(string Name, int K, IReadOnlyList<LatentNeed> Needs);

    /// <inheritdoc/>
    public override string Name => "feature-manifold";

    /// <inheritdoc/>
    public override string Title => "a feature manifold: latents grow with the dictionary";

    /// <inheritdoc/>
    public override string Source => new FeatureManifold().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var steps = config.Choose(200, 1_500, 10_000);
        var sizes = config.Choose<int[]>([16, 64], [8, 16, 32, 64, 128, 256], [8, 16, 32, 64, 128, 256, 512]);
        var rows = new List<ClaimRow>();
        var curves = new List<Curve>();
        TopKResult Fit(Matrix learn, int latents, int k, int length, string name, bool learnOrigin = false)
        {
            progress?.Report(new Step($"dictionaries of {name}", latents, sizes[^1]));
            var training = new TopKConfig
            {
                NLatents = latents,
                K = k,
                Steps = length,
                LearnOrigin = learnOrigin,
            };
            return TopKAutoencoder.Fit(learn, training, new RandomStream(config.Seed, $"manifold/{name}/{latents}"), cancellation);
        }
        foreach (var (name, data) in new[] { ("circle", "circle"), ("tuned neurons", "tuning") })
        {
            var planted = new FeatureManifoldConfig
            {
                Data = data,
                Neurons = data == "circle" ? 16 : 64,
                Seed = config.Seed,
            };
            var network = FeatureManifold.Layer(planted);
            var scale = data == "circle" ? 1 : 1 / Math.Sqrt(planted.Neurons * planted.Width / 4);
            var learn = Scaled(network.Hidden(FeatureManifold.Sample(Learned, config.Seed, "manifold/learn")), scale);
            var held = Scaled(network.Hidden(FeatureManifold.Sample(Held, config.Seed, "manifold/held")), scale);
            curves.Add(new(name, 1, WorkerTeam.Shared.Map(sizes, size => LatentNeed.Of(Fit(learn, size, 1, steps, name), held, Limit))));
            AddGrowth(rows, config.Size, curves[^1], "");
            if (config.Size != ReproductionSize.Quick)
                AddGrowth(
                    rows,
                    config.Size,
                    curves[^1] with
                    {
                        Needs = WorkerTeam.Shared.Map(
                            sizes[^3..],
                            size => LatentNeed.Of(Fit(learn, size, 1, 4 * steps, name), held, Limit)
                        ),
                    },
                    "longer-training control, "
                );
            if (data == "circle")
                AddArcs(
                    rows,
                    config.Size,
                    (count, learnOrigin) => LatentNeed.Of(Fit(learn, count, 1, 2 * steps, name, learnOrigin), held).Unexplained
                );
        }
        var superposed = new DisentangledConfig { Data = "superposition", Seed = config.Seed };
        var layer = Disentangled.Layer(superposed, cancellation);
        // 16 neurons: 1.9 features of a row are active on average.
        var norm = Math.Sqrt(Features * 0.03 * 0.4133);
        var sparse = Scaled(layer.Hidden(Disentangled.Sample(superposed, Learned, "manifold/superposition/learn")), 1 / norm);
        var sparseHeld = Scaled(layer.Hidden(Disentangled.Sample(superposed, Held, "manifold/superposition/held")), 1 / norm);
        curves.Add(
            new(
                "superposition",
                5,
                WorkerTeam.Shared.Map(sizes, size => LatentNeed.Of(Fit(sparse, size, 5, 2 * steps, "superposition"), sparseHeld, Limit))
            )
        );
        AddPlateau(rows, config.Size, curves[^1], "");
        if (config.Size != ReproductionSize.Quick)
            AddPlateau(
                rows,
                config.Size,
                curves[^1] with
                {
                    Needs = WorkerTeam.Shared.Map(
                        sizes[^3..],
                        size => LatentNeed.Of(Fit(sparse, size, 5, 6 * steps, "superposition"), sparseHeld, Limit)
                    ),
                },
                "longer-training control, "
            );
        return new ExperimentResult(
            $"TopK dictionaries of {string.Join(", ", sizes)} latents, k = 1 on curves and 5 on {Features} features in 16 dimensions, {steps:N0} steps of 256 rows, origin not learned, twice as many in superposition; {Held:N0} held-out rows",
            rows,
            [Draw(curves)]
        );
    }

    private static string Counts(Curve curve) =>
        string.Join(
            "; ",
            curve.Needs.Select(need =>
                $"{need.Size}: {(need.Needed is { } needed ? $"{needed}" : "none")} needed, {need.Used} used, FVU {need.Unexplained:0.000}"
            )
        );

    private static void AddGrowth(List<ClaimRow> rows, ReproductionSize size, Curve curve, string control)
    {
        var needed = curve.Needs.Where(need => need.Needed is not null).ToArray();
        var growth = needed
            .Zip(
                needed.Skip(1),
                (one, next) => Math.Pow(next.Needed!.Value / (double)one.Needed!.Value, 1 / Math.Log2(next.Size / (double)one.Size))
            )
            .DefaultIfEmpty(double.NaN)
            .Min();
        var claim = $"{control}{curve.Name}: smallest growth of the latents needed for FVU < .05 when the dictionary doubles";
        const string source = "Circuits Updates, May 2023; growth without a plateau",
            reference = "at least 1.5 at every doubling";
        rows.Add(
            size == ReproductionSize.Quick
                ? ClaimRow.Measure(claim, source, reference, growth, Counts(curve))
                : ClaimRow.Check(claim, source, reference, growth, 1.5, double.PositiveInfinity, Counts(curve))
        );
    }

    private static void AddPlateau(List<ClaimRow> rows, ReproductionSize size, Curve curve, string control)
    {
        var enough = curve.Needs.Where(need => need.Size >= Features && need.Needed is not null).ToArray();
        var most = enough.Length == 0 ? double.NaN : enough.Max(need => need.Needed!.Value) / (double)Features;
        var claim =
            $"{control}superposition of {Features} features: most latents needed for FVU < .05 by a dictionary of at least {Features}, over {Features}";
        const string source = "Circuits Updates, May 2023; plateau at n";
        rows.Add(
            size == ReproductionSize.Quick
                ? ClaimRow.Measure(claim, source, "1", most, Counts(curve))
                : ClaimRow.Check(claim, source, "1", most, 0.75, 1.1, Counts(curve))
        );
    }

    private static void AddArcs(List<ClaimRow> rows, ReproductionSize size, Func<int, bool, double> unexplained)
    {
        foreach (var (latents, reference) in new[] { (2, .523), (4, .825), (8, .950), (16, .986), (32, .997) })
        {
            // Two halves of a circle have no best direction each to settle in, and 32 arcs need longer training.
            if (size == ReproductionSize.Quick && latents is not (4 or 8 or 16))
                continue;
            rows.Add(
                ClaimRow.Check(
                    $"circle: variance explained by {latents} latents, one of which fires",
                    "published measurement (gam #1026)",
                    $"{reference}; {LatentNeed.ExplainedByArcs(latents):0.000} by m equal arcs",
                    1 - unexplained(latents, false),
                    reference - 0.02,
                    reference + 0.02,
                    "origin at the circle's centre, where it starts"
                )
            );
        }
        foreach (var latents in new[] { 2, 8 }.Where(_ => size != ReproductionSize.Quick))
            rows.Add(
                ClaimRow.Measure(
                    $"circle: variance explained by {latents} latents, one of which fires, with an origin that is learned",
                    "derived",
                    $"{LatentNeed.ExplainedByArcs(latents):0.000} from the centre",
                    1 - unexplained(latents, true),
                    "the origin moves away from the centre: lines from there lie along chords, which lines through the centre cannot"
                )
            );
    }

    private static Matrix Scaled(Matrix rows, double scale) =>
        new(rows.Rows, rows.Columns, Array.ConvertAll(rows.Data, value => value * scale));

    private static Figure Draw(IReadOnlyList<Curve> curves)
    {
        var figure = new Figure(
            "latents",
            "a manifold takes all the latents there are",
            $"Latents needed for FVU < .05, and FVU of the whole dictionary, over its size; {Held:N0} held-out rows, one dictionary each. A circle and a curve of tuned neurons are cut into ever more pieces; superposition is at its {Features} features (dashed). Sizes whose dictionary leaves more than .05 have no point on the left.",
            2,
            480,
            380
        );
        var panel = figure.Panel("latents needed", "latents in the dictionary", "latents needed for FVU < .05");
        var errors = figure.Panel("error", "latents in the dictionary", "FVU of the whole dictionary");
        double Log(double value) => Math.Log2(value);
        for (var i = 0; i < curves.Count; i++)
        {
            var needs = curves[i].Needs;
            var reached = needs.Where(need => need.Needed is not null).ToArray();
            var line = panel.Add.Scatter(
                reached.Select(need => Log(need.Size)).ToArray(),
                reached.Select(need => Log(need.Needed!.Value)).ToArray(),
                FigurePalette.Category(i)
            );
            (line.LegendText, line.LineWidth, line.MarkerSize) = (curves[i].Name, 2, 8);
            var error = errors.Add.Scatter(
                needs.Select(need => Log(need.Size)).ToArray(),
                needs.Select(need => Math.Log10(Math.Max(need.Unexplained, 1e-6))).ToArray(),
                FigurePalette.Category(i)
            );
            (error.LegendText, error.LineWidth, error.MarkerSize) = (curves[i].Name, 2, 8);
        }
        var plateau = panel.Add.HorizontalLine(Log(Features), 1, FigurePalette.Reference, LinePattern.Dashed);
        plateau.LegendText = $"n = {Features}";
        errors.Add.HorizontalLine(Math.Log10(Limit), 1, FigurePalette.Reference, LinePattern.Dashed).LegendText = "FVU = .05";
        var sizes = curves[0].Needs.Select(need => need.Size).ToArray();
        foreach (var plot in new[] { panel, errors })
            plot.Axes.Bottom.SetTicks(sizes.Select(size => Log(size)).ToArray(), sizes.Select(size => $"{size}").ToArray());
        panel.Axes.Left.SetTicks(sizes.Select(size => Log(size)).ToArray(), sizes.Select(size => $"{size}").ToArray());
        errors.Axes.Left.SetTicks(new double[] { -5, -4, -3, -2, -1, 0 }, new[] { "1e-5", "1e-4", "1e-3", ".01", ".1", "1" });
        panel.ShowLegend(Alignment.UpperLeft, Orientation.Vertical);
        errors.ShowLegend(Alignment.UpperRight, Orientation.Vertical);
        return figure;
    }
}
