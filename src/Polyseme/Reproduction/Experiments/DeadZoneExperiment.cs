using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Codes;
using ScottPlot;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Rounding small interference away: sixteen thresholds known from codes, and what rounding does to sparse continuous features.</summary>
public sealed class DeadZoneExperiment : Experiment
{
    private const string Derived = "threshold derived from spherical codes; reference program";
    private const double NotZero = 5e-4;

    /// <inheritdoc/>
    public override string Name => "dead-zone";

    /// <inheritdoc/>
    public override string Title => "small interference rounded away";

    /// <inheritdoc/>
    public override string Source => new DeadZone().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        // Starts above a threshold end as soon as one reaches zero; below, all are spent, and the smallest size spends fewer.
        var (starts, steps) = (24, config.Choose(6000, 6000, 12_000));
        var below = config.Choose(6, starts, starts);
        // 24 starts do not always find the sixteen lines in six dimensions.
        const int above = 240;
        var rows = new List<ClaimRow>();
        double Loss(int features, int hidden, double tolerance, bool relu, int tries) =>
            DeadZoneTraining.Train(features, hidden, tolerance, relu, tries, steps, 0.02, config.Seed, cancellation).Loss;
        var done = 0;
        foreach (var threshold in DeadZoneThreshold.All)
        {
            progress?.Report(new Step("dead zone", done++, DeadZoneThreshold.All.Count));
            var named =
                $"{(threshold.Relu ? "ReLU" : "linear")} output, {threshold.Features} features in {threshold.Hidden} (τ₀ = {threshold.Tolerance:0.0000})";
            rows.Add(
                ClaimRow.Check(
                    $"{named}: loss at τ₀ + {DeadZoneThreshold.Above}",
                    Derived,
                    "0",
                    Loss(threshold.Features, threshold.Hidden, threshold.Tolerance + DeadZoneThreshold.Above, threshold.Relu, above),
                    0,
                    DeadZoneTraining.Zero
                )
            );
            if (threshold.Cosine > 0)
            {
                rows.Add(
                    ClaimRow.Check(
                        $"{named}: loss at τ₀ − {DeadZoneThreshold.Below}",
                        Derived,
                        "above 5e-4",
                        Loss(threshold.Features, threshold.Hidden, threshold.Tolerance - DeadZoneThreshold.Below, threshold.Relu, below),
                        NotZero,
                        double.PositiveInfinity
                    )
                );
            }
            else
            {
                // There is no tolerance below zero: one feature more stands in for it.
                rows.Add(
                    ClaimRow.Check(
                        $"ReLU output, {threshold.Features + 1} features in {threshold.Hidden}: loss at τ = {DeadZoneThreshold.Above}",
                        Derived,
                        threshold.Hidden == 4 ? "0.774" : "above 5e-4",
                        Loss(threshold.Features + 1, threshold.Hidden, DeadZoneThreshold.Above, relu: true, below),
                        threshold.Hidden == 4 ? 0.764 : NotZero,
                        threshold.Hidden == 4 ? 0.784 : double.PositiveInfinity
                    )
                );
            }
        }
        foreach (var hidden in new[] { 2, 3, 4 })
        {
            rows.Add(
                ClaimRow.Check(
                    $"ReLU output, τ = 0: loss of {2 * hidden} features in {hidden}",
                    Derived,
                    "0",
                    Loss(2 * hidden, hidden, 0, relu: true, starts),
                    0,
                    DeadZoneTraining.Zero
                )
            );
            rows.Add(
                ClaimRow.Check(
                    $"ReLU output, τ = 0: loss of {(2 * hidden) + 1} features in {hidden}",
                    Derived,
                    "above 0.7",
                    Loss((2 * hidden) + 1, hidden, 0, relu: true, below),
                    0.7,
                    double.PositiveInfinity
                )
            );
        }
        if (config.Size != ReproductionSize.Quick)
            Control(rows, config, starts, steps, cancellation);
        var rounded = Rounded(rows, config, progress, cancellation);
        return new ExperimentResult(
            $"best of {starts} starts ({below} below a threshold) of {steps:N0} Adam steps on one-hot inputs; {rounded.Features} sparse features in {rounded.Hidden}, density .05, {rounded.Steps:N0} steps of {rounded.Batch}, mean of {rounded.Seeds} seeds",
            rows,
            [Draw(Curves(config, cancellation), rounded)]
        );
    }

    private static void Control(List<ClaimRow> rows, ReproductionConfig config, int starts, int steps, CancellationToken cancellation)
    {
        var least = double.PositiveInfinity;
        foreach (var threshold in DeadZoneThreshold.All.Where(threshold => threshold.Cosine > 0))
        {
            least = Math.Min(
                least,
                DeadZoneTraining
                    .Train(
                        threshold.Features,
                        threshold.Hidden,
                        threshold.Tolerance - DeadZoneThreshold.Below,
                        threshold.Relu,
                        starts,
                        3 * steps,
                        0.02,
                        config.Seed,
                        cancellation
                    )
                    .Loss
            );
        }
        rows.Add(
            ClaimRow.Check(
                $"longer-training control, {3 * steps:N0} steps: smallest loss below a threshold",
                Derived,
                "above 5e-4",
                least,
                NotZero,
                double.PositiveInfinity,
                $"the thirteen thresholds above zero, best of {starts} starts each"
            )
        );
    }

    private sealed record Variant(string Name, RoundedOutput Output, RoundedError Error);

    private sealed record RoundedCounts(
        int Features,
        int Hidden,
        int Steps,
        int Batch,
        int Seeds,
        double[] Tolerances,
        List<(Variant Variant, double[] Represented)> Series
    );

    private static RoundedCounts Rounded(
        List<ClaimRow> rows,
        ReproductionConfig config,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        Variant[] variants =
        [
            new("ReLU output, dead zone", RoundedOutput.Relu, RoundedError.DeadZone),
            new("linear output, dead zone", RoundedOutput.Linear, RoundedError.DeadZone),
            new("leaky output (1/3), dead zone", RoundedOutput.LeakyRelu, RoundedError.DeadZone),
            new("ReLU output, Huber", RoundedOutput.Relu, RoundedError.Huber),
            new("JumpReLU output, squared error", RoundedOutput.JumpRelu, RoundedError.Squared),
        ];
        var (features, hidden, seeds) = (config.Choose(30, 60, 60), config.Choose(3, 6, 6), config.Choose(1, 2, 6));
        var (steps, batch) = (config.Choose(1500, 4000, 10_000), 256);
        double[] tolerances = config.Choose<double[]>(
            [0, 0.1, 0.2],
            [0, 0.05, 0.1, 0.15, 0.2, 0.3],
            [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4]
        );
        var jobs = (
            from variant in variants
            from tolerance in tolerances
            from seed in Enumerable.Range(0, seeds)
            select (variant, tolerance, seed)
        ).ToArray();
        var counts = new int[jobs.Length];
        var done = 0;
        Parallel.For(
            0,
            jobs.Length,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
            job =>
            {
                var (variant, tolerance, seed) = jobs[job];
                // With τ = 0 the Huber error would be zero everywhere; its limit for large τ, the squared error, stands at the same place.
                var error = variant.Error == RoundedError.Huber && tolerance == 0 ? RoundedError.Squared : variant.Error;
                var toy = new RoundedToy(features, hidden, 0.05, variant.Output, error, tolerance);
                counts[job] = FeatureGeometry
                    .Represented(toy.Train(steps, batch, 3e-3, config.Seed, seed, cancellation).Parameters.W)
                    .Length;
                progress?.Report(new Step("rounded toy models", Interlocked.Increment(ref done), jobs.Length));
            }
        );
        var series = new List<(Variant, double[])>();
        foreach (var variant in variants)
        {
            var represented = tolerances
                .Select(tolerance =>
                    Enumerable
                        .Range(0, jobs.Length)
                        .Where(job => jobs[job].variant == variant && jobs[job].tolerance == tolerance)
                        .Average(job => counts[job])
                )
                .ToArray();
            series.Add((variant, represented));
            rows.Add(
                ClaimRow.Measure(
                    $"{variant.Name}: features represented at τ = {tolerances[^1]} over those at τ = 0",
                    "own design; nothing published",
                    "expected above 1",
                    represented[0] == 0 ? null : represented[^1] / represented[0],
                    $"‖W_i‖² > .5, by τ: {string.Join(", ", tolerances.Zip(represented, (tau, n) => $"{tau} → {n:0.#}"))}"
                )
            );
        }
        return new RoundedCounts(features, hidden, steps, batch, seeds, tolerances, series);
    }

    private static List<(DeadZoneThreshold Threshold, double[] Tolerance, double[] Loss)> Curves(
        ReproductionConfig config,
        CancellationToken cancellation
    )
    {
        var curves = new List<(DeadZoneThreshold, double[], double[])>();
        foreach (var threshold in DeadZoneThreshold.All.Where(threshold => threshold is { Relu: true, Hidden: 3 }))
        {
            double[] tolerance = [.. Enumerable.Range(0, config.Choose(6, 17, 33)).Select(i => 0.32 * i / (config.Choose(6, 17, 33) - 1))];
            var loss = tolerance
                .Select(tau =>
                    DeadZoneTraining
                        .Train(threshold.Features, 3, tau, relu: true, config.Choose(4, 8, 24), 1500, 0.02, config.Seed, cancellation)
                        .Loss
                )
                .ToArray();
            curves.Add((threshold, tolerance, loss));
        }
        return curves;
    }

    private static Figure Draw(List<(DeadZoneThreshold Threshold, double[] Tolerance, double[] Loss)> curves, RoundedCounts rounded)
    {
        var figure = new Figure(
            "thresholds",
            "how many features fit when small errors are rounded away",
            $"Left: lowest loss of N one-hot features in three dimensions behind a ReLU, by the tolerance τ. Vertical lines: τ₀ = c/(1 + c), c the smallest largest cosine of N points on the sphere. Right: sparse features, uniform in [0, 1), density .05: how many of {rounded.Features} are represented in {rounded.Hidden} dimensions, mean of {rounded.Seeds} seeds; τ is the dead zone, the knee of the Huber error (squared error at 0) or the threshold of the jump.",
            2,
            480,
            380
        );
        var plot = figure.Panel("one-hot features in three dimensions", "tolerance τ", "square root of the loss");
        for (var i = 0; i < curves.Count; i++)
        {
            var (threshold, tolerance, loss) = curves[i];
            var color = FigurePalette.Category(i);
            var line = plot.Add.Scatter(tolerance, loss.Select(Math.Sqrt).ToArray(), color);
            line.LegendText = $"N = {threshold.Features}";
            line.MarkerSize = 4;
            var at = plot.Add.VerticalLine(threshold.Tolerance, 1, color, LinePattern.Solid);
            at.ExcludeFromLegend = true;
        }
        plot.ShowLegend(Alignment.UpperRight);
        var right = figure.Panel("sparse features", "tolerance τ", "features represented");
        for (var i = 0; i < rounded.Series.Count; i++)
        {
            var (variant, represented) = rounded.Series[i];
            var line = right.Add.Scatter(rounded.Tolerances, represented, FigurePalette.Category(i));
            line.LegendText = variant.Name;
            line.LineWidth = 2;
            line.MarkerSize = 6;
        }
        right.Axes.SetLimitsY(0, rounded.Features * 1.55);
        right.ShowLegend(Alignment.UpperRight);
        return figure;
    }
}
