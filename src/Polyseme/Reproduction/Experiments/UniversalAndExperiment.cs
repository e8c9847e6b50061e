using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo.Gates;

namespace Polyseme.Reproduction.Experiments;

/// <summary>All pairwise ANDs in superposition by construction, what training finds instead, and the control of compressed computation.</summary>
public sealed class UniversalAndExperiment : Experiment
{
    private const string Paper = "Vaintrob, Mendel and Hänni 2024; reference program";
    private const int Active = 4;

    private static readonly (int Neurons, double Overlap, string? Error, string? Misread)[] s_reference =
    [
        (200, 8, null, null),
        (400, 8, null, null),
        (800, 8, ".172", null),
        (1600, 8, ".111", null),
        (3200, 8, ".075", ".005"),
        (6400, 8, ".051", ".002"),
        (6400, 16, ".078", ".0006"),
    ];

    /// <inheritdoc/>
    public override string Name => "universal-and";

    /// <inheritdoc/>
    public override string Title => "universal AND: computation in superposition, constructed, trained, and its control";

    /// <inheritdoc/>
    public override string Source => "Vaintrob, Mendel and Hänni 2024, Mathematical Models of Computation in Superposition";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var reads = config.Choose(6000, 60_000, 300_000);
        var rows = new List<ClaimRow>();
        var errors = new List<(int Neurons, AndErrors Errors)>();
        AndErrors Measure(int features, int neurons, double overlap)
        {
            cancellation.ThrowIfCancellationRequested();
            return new AndGates(features, neurons, overlap, config.Seed).Measure(Active, reads, config.Seed);
        }
        var derived = new List<double>();
        foreach (var (neurons, overlap, error, misread) in s_reference)
        {
            var measured = Measure(400, neurons, overlap);
            derived.Add(measured.Mean / new AndGates(400, neurons, overlap, config.Seed).Expected(Active));
            if (overlap == 8)
                errors.Add((neurons, measured));
            var named = $"d₀ = 400, d = {neurons}, μ = {overlap}";
            var kinds = $"both bits on {measured.ByOn[2]:F3}, one {measured.ByOn[1]:F3}, none {measured.ByOn[0]:F3}";
            rows.Add(ClaimRow.Measure($"{named}: mean absolute error", Paper, error, measured.Mean, kinds));
            rows.Add(
                (neurons, overlap) == (3200, 8)
                    ? ClaimRow.Check($"{named}: share misread at one half", Paper, misread, measured.Misread, 0, 0.01)
                    : ClaimRow.Measure($"{named}: share misread at one half", Paper, misread, measured.Misread)
            );
        }
        rows.Add(
            ClaimRow.Check(
                "mean absolute error over the one derived from the binomial law of other bits read, the seven above, furthest from one",
                "derived",
                "1",
                derived.MaxBy(ratio => Math.Abs(ratio - 1)),
                0.9,
                1.1,
                "10 % is four standard errors at the smallest size"
            )
        );
        rows.Add(ClaimRow.Check("d₀ = 400, d = 3200: ANDs per neuron", Paper, "24.9", 400 * 399 / 2 / 3200.0, 24, double.PositiveInfinity));
        rows.Add(
            ClaimRow.Check(
                "slope of the mean error against d, both logarithmic, d = 200 … 6400",
                Paper,
                "−.59 measured, −.5 in theory",
                LeastSquares.Exponent(errors.Select(e => ((double)e.Neurons, e.Errors.Mean))),
                -0.70,
                -0.45
            )
        );
        var (few, many) = (Measure(100, 3200, 8).Mean, errors.Single(e => e.Neurons == 3200).Errors.Mean);
        rows.Add(
            ClaimRow.Check("d = 3200: change of the mean error from d₀ = 100 to 400", Paper, "< 15 %", Math.Abs((many / few) - 1), 0, 0.15)
        );
        rows.Add(Xor(config.Seed));
        var (rounding, exact) = Rounding(config.Seed);
        rows.Add(
            ClaimRow.Check(
                "largest read-out where no bit is on and every pre-activation is off by less than one",
                "derived",
                "0",
                exact,
                0,
                0,
                "negative and positive interference are rounded away alike"
            )
        );
        progress?.Report(new Step("universal-and", 1, 3, "bits in superposition"));
        var superposed = SuperposedInputClaims.Run(config, cancellation);
        rows.AddRange(superposed.Rows);
        progress?.Report(new Step("universal-and", 2, 3, "wanted gates, and ANDs of three"));
        var wanted = WantedGateClaims.Run(config, cancellation);
        rows.AddRange(wanted.Rows);
        rows.AddRange(TrainedAndClaims.Twin(config, progress, cancellation));
        rows.AddRange(TrainedAndClaims.Compressed(config, progress, cancellation));
        return new ExperimentResult(
            $"ℓ = 4 active bits, {reads:N0} read-outs, a third each with both bits on, one and none; bits in superposition; wanted gates; ANDs of three bits; a trained twin; 100 ReLU functions in 50 neurons",
            rows,
            [ErrorFigure(errors), rounding, superposed.Figure, wanted.Figure]
        );
    }

    /// <summary>XOR = f_i + f_j − 2·AND, on rows of at most two active bits, where every AND is exact.</summary>
    private static ClaimRow Xor(ulong seed)
    {
        var gates = new AndGates(100, 1600, 8, seed);
        var stream = new RandomStream(seed, "universal-and/xor");
        var worst = 0.0;
        for (var row = 0; row < 500; row++)
        {
            var bits = gates.Distinct(stream, 4);
            var activations = gates.Activations(bits.AsSpan(0, 2), []);
            foreach (var (first, second) in new[] { (0, 1), (2, 3) })
            {
                if (gates.Common(bits[first], bits[second]).Count == 0)
                    continue;
                double a = first < 2 ? 1 : 0,
                    b = second < 2 ? 1 : 0;
                var read = gates.Read([bits[first], bits[second]], activations);
                // Where nothing else is on and neurons that read two other active bits do not read these, AND is exact.
                if (read == a * b)
                    worst = Math.Max(worst, Math.Abs(a + b - (2 * read) - Math.Abs(a - b)));
                else if (first == 0)
                    worst = double.PositiveInfinity;
            }
        }
        return ClaimRow.Check(
            "XOR = f_i + f_j − 2·AND where the AND is exact: largest error",
            Paper,
            "0",
            worst,
            0,
            1e-12,
            "500 rows of two active bits"
        );
    }

    /// <summary>Read-out errors when each pre-activation is off by as much as δ, up or down.</summary>
    private static (Figure Figure, double Exact) Rounding(ulong seed)
    {
        var gates = new AndGates(100, 3200, 8, seed);
        var stream = new RandomStream(seed, "universal-and/noise");
        var figure = new Figure(
            "rounding",
            "What interference before the ReLU does to a read-out",
            "Mean absolute read-out error when every pre-activation is moved by +δ or −δ at random; 300 pairs a point. Where neither bit is on, errors below the threshold of one vanish, of either sign; where one is on, negative errors only.",
            panelWidth: 520,
            panelHeight: 380
        );
        var panel = figure.Panel(
            "d₀ = 100, d = 3200, μ = 8; only the bits of the pair are on",
            "δ, interference before the ReLU",
            "mean absolute error"
        );
        var exact = 0.0;
        foreach (var on in new[] { 0, 1, 2 })
        {
            var curve = new List<(double X, double Y)>();
            for (var k = 0; k <= 40; k++)
            {
                var delta = k / 20.0;
                var total = 0.0;
                for (var trial = 0; trial < 300; trial++)
                {
                    var bits = gates.Distinct(stream, 2);
                    var noise = new double[gates.Neurons];
                    foreach (var neuron in gates.Common(bits))
                        noise[neuron] = (stream.NextUInt32() & 1) == 0 ? delta : -delta;
                    var read = gates.Read(bits, gates.Activations(bits.AsSpan(0, on), noise));
                    total += Math.Abs(read - (on == 2 ? 1 : 0));
                    if (on == 0 && delta < 1)
                        exact = Math.Max(exact, read);
                }
                curve.Add((delta, total / 300));
            }
            var line = panel.Add.ScatterLine(curve.Select(p => p.X).ToArray(), curve.Select(p => p.Y).ToArray());
            line.Color = FigurePalette.Category(on);
            line.LineWidth = 2;
            line.LegendText = on switch
            {
                0 => "neither bit on",
                1 => "one bit on",
                _ => "both bits on",
            };
        }
        panel.ShowLegend(ScottPlot.Alignment.UpperLeft);
        return (figure, exact);
    }

    private static Figure ErrorFigure(List<(int Neurons, AndErrors Errors)> errors)
    {
        var figure = new Figure(
            "errors",
            "Errors of the read-out against the number of neurons",
            "Mean absolute error of AND read-outs, d₀ = 400, μ = 8, four active bits; both axes logarithmic. A slope of −½ is 1/√d.",
            panelWidth: 520,
            panelHeight: 380
        );
        var panel = figure.Panel("", "neurons d", "mean absolute error");
        foreach (
            var (name, index, value) in new (string, int, Func<AndErrors, double>)[]
            {
                ("mean", 0, e => e.Mean),
                ("both bits on", 1, e => e.ByOn[2]),
                ("one bit on", 2, e => e.ByOn[1]),
                ("none on", 3, e => e.ByOn[0]),
            }
        )
        {
            var line = panel.Add.Scatter(
                errors.Select(e => Math.Log10(e.Neurons)).ToArray(),
                errors.Select(e => Math.Log10(value(e.Errors))).ToArray()
            );
            line.Color = FigurePalette.Category(index);
            line.LineWidth = 2;
            line.LegendText = name;
        }
        panel.LogTicksX(errors.Select(e => (double)e.Neurons));
        panel.LogTicksY([0.01, 0.03, 0.1, 0.3, 1]);
        panel.ShowLegend(ScottPlot.Alignment.UpperRight);
        return figure;
    }
}
