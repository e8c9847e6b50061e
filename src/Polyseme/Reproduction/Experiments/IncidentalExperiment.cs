using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo.Incidental;
using ScottPlot;

namespace Polyseme.Reproduction.Experiments;

/// <summary>How many neurons are polysemantic by accident, the dynamics that decide which, and the noise that does what the penalty does.</summary>
public sealed class IncidentalExperiment : Experiment
{
    private const string Paper = "Lecomte et al. 2024";

    /// <summary>Mean polysemantic neurons of 64 features by neurons.</summary>
    private static readonly (int Neurons, double Mean)[] s_reference = [(64, 14.7), (128, 6.0), (256, 2.67), (512, 1.67), (1024, 0.83)];

    /// <inheritdoc/>
    public override string Name => "incidental";

    /// <inheritdoc/>
    public override string Title => "polysemantic neurons without a shortage of neurons";

    /// <inheritdoc/>
    public override string Source =>
        "Lecomte et al. 2024, What Causes Polysemanticity? An Alternative Origin Story of Mixed Selectivity from Incidental Causes";

    private sealed record Count(int Neurons, double[] Polysemantic, double[] Losses, int Pairs)
    {
        public double Mean => Polysemantic.Average();

        public double StandardError =>
            Math.Sqrt(Polysemantic.Sum(p => Math.Pow(p - Mean, 2)) / Math.Max(1, Polysemantic.Length - 1) / Polysemantic.Length);
    }

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var features = config.Choose(64, 64, 256);
        var widths = config.Choose<int[]>([64, 128], [64, 128, 256, 512, 1024], [.. Enumerable.Range(1, 16).Select(k => 256 * k)]);
        var seeds = config.Choose(8, 16, 16);
        var rows = new List<ClaimRow>();
        var counts = new List<Count>();
        foreach (var neurons in widths)
        {
            progress?.Report(new Step("incidental", counts.Count, widths.Length, $"{neurons} neurons"));
            // Few neurons are polysemantic in a wide layer: more seeds, so that about as many are counted.
            var enough = features == 64 ? seeds * Math.Max(1, neurons / (4 * features)) : seeds;
            counts.Add(Measure(new OneHotTraining(features, neurons), config.Seed, enough, cancellation));
        }
        Counts(rows, features, counts);
        if (config.Size != ReproductionSize.Quick)
            Control(rows, features, widths[1], seeds, config.Seed, cancellation);
        var dynamics = SparsifyingDynamics.Integrate(
            config.Choose(10_000, 100_000, 100_000),
            config.Choose(1e-4, 1e-5, 1e-5),
            0.9,
            config.Choose(3_000, 30_000, 30_000),
            config.Choose(0.1, 0.1, 0.02),
            new RandomStream(config.Seed, "incidental/dynamics"),
            cancellation
        );
        Dynamics(rows, dynamics);
        var noise = Noise(rows, config, cancellation);
        return new ExperimentResult(
            $"n = {features}, m = {string.Join(' ', widths)}, {seeds} seeds each and more in wide layers, AdamW 1e-3, λ = 1e-3, 7,500 steps; one feature in {config.Choose(10_000, 100_000, 100_000):N0} neurons; noise n = 8, m = 16",
            rows,
            [CountFigure(features, seeds, counts), DynamicsFigure(dynamics, noise)]
        );
    }

    private static Count Measure(OneHotTraining training, ulong seed, int seeds, CancellationToken cancellation)
    {
        var models = training.TrainMany(seed, seeds, cancellation);
        return new Count(
            training.Neurons,
            [.. models.Select(model => (double)model.Polysemantic)],
            [.. models.Select(model => model.Loss)],
            models.Sum(model => model.SignedPairs)
        );
    }

    private static void Counts(List<ClaimRow> rows, int features, List<Count> counts)
    {
        foreach (var count in counts)
        {
            var expected = IncidentalPolysemanticityExpected(features, count.Neurons);
            var reference = features == 64 ? s_reference.Single(entry => entry.Neurons == count.Neurons).Mean : (double?)null;
            rows.Add(
                ClaimRow.Check(
                    $"n = {features}, m = {count.Neurons}: polysemantic neurons over n²/(4m) = {expected:0.###}",
                    reference is null ? Paper : $"{Paper}; reference program",
                    reference is { } mean ? $"{mean / expected:0.00} ({mean} neurons)" : "a little below 1",
                    count.Mean / expected,
                    0.5,
                    1.1,
                    $"{count.Mean:0.00} ± {count.StandardError:0.00} neurons, mean and standard error of {count.Polysemantic.Length} seeds"
                )
            );
        }
        var slope = LeastSquares.Exponent(counts.Select(c => ((double)c.Neurons, Math.Max(c.Mean, 1e-9))));
        // Two widths and few seeds leave the slope to chance.
        if (counts.Count > 2)
            rows.Add(ClaimRow.Check($"n = {features}: slope of log polysemantic neurons by log m", Paper, "-1", slope, -1.15, -0.85));
        rows.Add(
            ClaimRow.Check(
                $"n = {features}: largest reconstruction loss",
                Paper,
                "0",
                counts.Max(c => c.Losses.Max()),
                0,
                1e-3,
                "features never interfere, so this is no superposition"
            )
        );
        var polysemantic = counts.Sum(c => c.Polysemantic.Sum());
        rows.Add(
            ClaimRow.Check(
                $"n = {features}: polysemantic neurons with exactly one positive and one negative weight, share",
                $"{Paper}; reference program",
                "1",
                polysemantic == 0 ? double.NaN : counts.Sum(c => c.Pairs) / polysemantic,
                1,
                1,
                $"{polysemantic:N0} polysemantic neurons"
            )
        );
    }

    private static double IncidentalPolysemanticityExpected(int features, int neurons) =>
        IncidentalPolysemanticity.Expected(features, neurons);

    private static void Control(List<ClaimRow> rows, int features, int neurons, int seeds, ulong seed, CancellationToken cancellation)
    {
        var training = new OneHotTraining(features, neurons);
        var longer = Measure(training with { Steps = 2 * training.Steps }, seed, seeds, cancellation);
        rows.Add(
            ClaimRow.Check(
                $"longer-training control, n = {features}, m = {neurons}, {2 * training.Steps:N0} steps: polysemantic neurons over n²/(4m)",
                Paper,
                null,
                longer.Mean / IncidentalPolysemanticityExpected(features, neurons),
                0.5,
                1.1,
                $"{longer.Mean:0.00} ± {longer.StandardError:0.00} neurons; pairs do not come apart with twice the steps"
            )
        );
    }

    private static void Dynamics(List<ClaimRow> rows, IReadOnlyList<SparsifyingDynamics.Point> points)
    {
        // The law is for the time in which weights have left and several still stay.
        var lawful = points.Where(point => point.Time >= 100 && point.NonZero >= 10).ToArray();
        var left = LeastSquares.Exponent(lawful.Select(p => (p.Expected, (double)p.NonZero)));
        var norm = LeastSquares.Exponent(lawful.Select(p => (p.Expected, p.L1)));
        rows.Add(
            ClaimRow.Check(
                "one feature: exponent of m' in 1/(1/√m + λt)",
                Paper,
                "2",
                left,
                1.8,
                2.2,
                "slope of logarithms, t from 100 until ten weights are left; accepted range set by judgement"
            )
        );
        rows.Add(
            ClaimRow.Check("one feature: exponent of ‖w‖₁ in 1/(1/√m + λt)", Paper, "1", norm, 0.9, 1.1, "accepted range set by judgement")
        );
        rows.Add(
            ClaimRow.Measure(
                "one feature: m' over the law, geometric mean",
                Paper,
                "about 1",
                Math.Exp(lawful.Average(p => Math.Log(p.NonZero / (p.Expected * p.Expected))))
            )
        );
        rows.Add(
            ClaimRow.Measure(
                "one feature: ‖w‖₁ over the law, geometric mean",
                Paper,
                "about 1",
                Math.Exp(lawful.Average(p => Math.Log(p.L1 / p.Expected)))
            )
        );
    }

    private sealed record NoiseRun(string Name, int[] Steps, double[] Norms);

    private static List<NoiseRun> Noise(List<ClaimRow> rows, ReproductionConfig config, CancellationToken cancellation)
    {
        var (last, seeds) = (config.Choose(20_000, 100_000, 100_000), config.Choose(4, 8, 32));
        int[] steps =
        [
            .. Enumerable.Range(0, 51).Select(i => (int)Math.Round(100 * Math.Pow(last / 100.0, i / 50.0))).Prepend(0).Distinct(),
        ];
        (NoiseShape Shape, double Deviation, int At, double Reference, double Low, double High)[] claims =
        [
            (NoiseShape.Bernoulli, 0.15, 20_000, 0.78, 0.7, 0.9),
            (NoiseShape.Bernoulli, 0.1, 100_000, 0.79, 0.7, 0.9),
            (NoiseShape.Bernoulli, 0.07, 100_000, 0.32, 0.22, 0.42),
            (NoiseShape.Gaussian, 0.15, 20_000, 0.16, 0.12, 0.22),
        ];
        var runs = new List<NoiseRun>();
        foreach (var claim in claims.Where(claim => claim.At <= last))
        {
            // Times of the claims are measured exactly.
            int[] at = [.. steps.Append(claim.At).Distinct().Order()];
            var noise = new HiddenNoise(8, 16, claim.Shape, claim.Deviation);
            var norms = new double[seeds][];
            Parallel.For(
                0,
                seeds,
                new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
                model => norms[model] = noise.FourthNorms(config.Seed, model, at, cancellation)
            );
            var mean = Enumerable.Range(0, at.Length).Select(t => norms.Average(of => of[t])).ToArray();
            var name = $"{claim.Shape} noise, σ = {claim.Deviation}";
            runs.Add(new NoiseRun(name, at, mean));
            rows.Add(
                ClaimRow.Check(
                    $"{name}: Σ_k W_ik⁴ after {claim.At:N0} steps",
                    $"{Paper}; reference program",
                    $"{claim.Reference}",
                    mean[Array.IndexOf(at, claim.At)],
                    claim.Low,
                    claim.High,
                    $"mean of {seeds} seeds; {mean[0]:0.00} at the start; accepted range set by judgement"
                )
            );
        }
        return runs;
    }

    private static Figure CountFigure(int features, int seeds, List<Count> counts)
    {
        var figure = new Figure(
            "counts",
            "polysemantic neurons without a shortage",
            $"Neurons with two weights of size .8 to 1.2, {features} features in m neurons, {seeds} seeds each after 7,500 steps of AdamW with λ = 1e-3; bars are standard errors. Every such neuron carries one feature positively and one negatively. Dashed: the expected number of collisions of opposite sign, n²/(4m).",
            1,
            560,
            400
        );
        var plot = figure.Panel($"n = {features}", "neurons m", "polysemantic neurons");
        double[] grid = [counts[0].Neurons, counts[^1].Neurons];
        var law = plot.Add.ScatterLine(
            grid.Select(Math.Log10).ToArray(),
            grid.Select(m => Math.Log10(IncidentalPolysemanticityExpected(features, (int)m))).ToArray(),
            FigurePalette.Reference
        );
        law.LinePattern = LinePattern.Solid;
        law.LegendText = "n²/(4m)";
        var seen = counts.Where(count => count.Mean > 0).ToArray();
        foreach (var count in seen)
        {
            var x = Math.Log10(count.Neurons);
            var bar = plot.Add.Line(
                x,
                Math.Log10(Math.Max(count.Mean - count.StandardError, count.Mean / 4)),
                x,
                Math.Log10(count.Mean + count.StandardError)
            );
            bar.Color = FigurePalette.Category(0);
        }
        var dots = plot.Add.ScatterPoints(
            seen.Select(count => Math.Log10(count.Neurons)).ToArray(),
            seen.Select(count => Math.Log10(count.Mean)).ToArray(),
            FigurePalette.Category(0)
        );
        dots.MarkerSize = 8;
        dots.LegendText = "trained";
        if (features == 64)
        {
            var reference = plot.Add.ScatterPoints(
                s_reference.Select(entry => Math.Log10(entry.Neurons)).ToArray(),
                s_reference.Select(entry => Math.Log10(entry.Mean)).ToArray(),
                FigurePalette.Reference
            );
            reference.MarkerShape = MarkerShape.OpenDiamond;
            reference.MarkerSize = 10;
            reference.LegendText = "reference program";
        }
        plot.LogTicksX(
            counts.Count > 8
                ? counts.Where((_, i) => (i & (i + 1)) == 0).Select(c => (double)c.Neurons)
                : counts.Select(c => (double)c.Neurons)
        );
        plot.LogTicksY([0.5, 1, 2, 5, 10, 20, 50, 100]);
        plot.ShowLegend(Alignment.UpperRight);
        return figure;
    }

    private static Figure DynamicsFigure(IReadOnlyList<SparsifyingDynamics.Point> points, List<NoiseRun> noise)
    {
        var figure = new Figure(
            "dynamics",
            "what makes the weights sparse",
            "Left: weights left (m') and ‖w‖₁ of one feature under the penalty, integrated, with the law 1/(1/√m + λt) and its square thin. Right: Σ_k W_ik⁴, 1 when each feature has one neuron, under noise on the hidden layer and no penalty; noise with negative excess kurtosis makes weights sparse, normal noise does not.",
            2,
            460,
            360
        );
        var plot = figure.Panel("one feature, L1 penalty", "time t", "m′ and ‖w‖₁");
        var late = points.Where(point => point.Time > 0).ToArray();
        double[] time = late.Select(p => Math.Log10(p.Time)).ToArray();
        void Curve(string name, Func<SparsifyingDynamics.Point, double> of, Color color, bool reference)
        {
            var line = plot.Add.ScatterLine(time, late.Select(p => Math.Log10(of(p))).ToArray(), color);
            line.LineWidth = reference ? 1.5f : 2.5f;
            if (!reference)
                line.LegendText = name;
        }
        Curve("m′, weights left", p => p.NonZero, FigurePalette.Category(0), false);
        Curve("", p => p.Expected * p.Expected, FigurePalette.Category(0), true);
        Curve("‖w‖₁", p => p.L1, FigurePalette.Category(1), false);
        Curve("", p => p.Expected, FigurePalette.Category(1), true);
        plot.LogTicksX(PlotAxes.Decades(0, 4));
        plot.LogTicksY(PlotAxes.Decades(0, 5));
        plot.ShowLegend(Alignment.UpperRight);
        var fourth = figure.Panel("noise instead of the penalty", "step", "Σ W⁴ per feature");
        for (var i = 0; i < noise.Count; i++)
        {
            var line = fourth.Add.ScatterLine(
                noise[i].Steps.Skip(1).Select(step => Math.Log10(step)).ToArray(),
                noise[i].Norms.Skip(1).ToArray(),
                FigurePalette.Category(i)
            );
            line.LineWidth = 2;
            line.LegendText = noise[i].Name;
        }
        fourth.LogTicksX(PlotAxes.Decades(2, 5));
        fourth.Axes.SetLimitsY(0, 1);
        fourth.ShowLegend(Alignment.UpperLeft);
        return figure;
    }
}
