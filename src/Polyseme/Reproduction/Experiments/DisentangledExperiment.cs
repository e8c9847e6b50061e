using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Disentangling;
using ScottPlot;

namespace Polyseme.Reproduction.Experiments;

/// <summary>The disentangled-representation baseline: ICA and a β-VAE on factors behind a rotation, and on features in superposition.</summary>
public sealed class DisentangledExperiment : Experiment
{
    private const string Program = "reference program",
        Judged = "target set by judgement";
    private const int Learned = 20_000,
        Held = 8_000;
    private static readonly double[] s_betas = [0, 1, 4, 10];
    private static readonly (string Data, string Words)[] s_data =
    [
        ("sparse", "rotated, sparse"),
        ("dense", "rotated, dense"),
        ("unequal", "rotated, dense, unequal variances"),
        ("gaussian", "rotated, Gaussian"),
        ("superposition", "superposition"),
    ];

    private sealed record Method(string Words, string Note, Disentanglement[] Found, Matrix Latents);

    /// <inheritdoc/>
    public override string Name => "disentangled";

    /// <inheritdoc/>
    public override string Title => "disentangling methods: a rotation is undone, superposition is not";

    /// <inheritdoc/>
    public override string Source => new Disentangled().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        // The two that stand side by side are trained until the one that succeeds has; the others show what changes.
        var (enough, steps) = (config.Choose(200, 6_000, 20_000), config.Choose(200, 1_500, 20_000));
        var seeds = config.Choose(1, 2, 5);
        var rows = new List<ClaimRow>();
        var shown = new Dictionary<string, IReadOnlyList<Method>>();
        var factors = new Dictionary<string, Matrix>();
        foreach (var (data, words) in s_data)
        {
            var planted = new DisentangledConfig { Data = data, Seed = config.Seed };
            var network = Disentangled.Layer(planted, cancellation);
            var judged = Disentangled.Sample(planted, Held, "disentangled/acceptance");
            var hidden = network.Hidden(judged);
            var learn = network.Hidden(Disentangled.Sample(planted, Learned, "disentangled/learn"));
            factors[data] = judged;
            var components = Disentangled.Components(hidden, new RandomStream(config.Seed, "disentangled/ica"), cancellation);
            var ica = Disentanglement.Of(components, judged);
            AddIca(rows, planted, words, ica);
            var methods = new List<Method> { new("ICA", "", [ica], components) };
            IReadOnlyList<Method> Autoencoders(int units, int length)
            {
                progress?.Report(new Step($"autoencoders on {words} factors", methods.Count, 9));
                var training = new BetaVaeConfig
                {
                    Latents = planted.Factors,
                    Betas = [.. Enumerable.Repeat(s_betas, seeds).SelectMany(betas => betas)],
                    Hidden = units,
                    Steps = length,
                };
                var trained = BetaVae.Train(
                    learn,
                    hidden,
                    training,
                    new RandomStream(config.Seed, $"disentangled/vae/{data}/{units}/{length}"),
                    cancellation
                );
                return [.. trained.GroupBy(one => one.Beta).Select(group => Judge(group, judged, units, length))];
            }
            var sideBySide = data is "sparse" or "superposition";
            if (config.Size != ReproductionSize.Quick || sideBySide)
            {
                var linear = Autoencoders(0, steps);
                methods.AddRange(linear);
                AddMeasured(rows, words, linear);
                // What must succeed is asserted where it has been trained for long enough.
                if (config.Size == ReproductionSize.Quick && data == "superposition")
                    AddBest(rows, planted, words, linear, "");
            }
            if (config.Size != ReproductionSize.Quick)
            {
                var nonlinear = Autoencoders(64, sideBySide ? enough : steps);
                AddMeasured(rows, words, nonlinear);
                if (data != "gaussian")
                    AddBest(rows, planted, words, [.. methods.Skip(1), .. nonlinear], "");
                if (sideBySide)
                {
                    methods.AddRange(nonlinear);
                    AddBest(rows, planted, words, Autoencoders(64, 2 * enough), "longer-training control, ");
                }
            }
            shown[data] = methods;
        }
        return new ExperimentResult(
            $"d = 16; 16 rotated factors, 64 in superposition; {Learned:N0} rows learned, {Held:N0} judged; as many latents as factors, no or 64 hidden units, σ² = .05, Adam, {steps:N0} steps of 128 rows ({enough:N0} with hidden units on sparse factors and in superposition), {seeds} seeds",
            rows,
            [Draw(shown, factors, seeds)]
        );
    }

    private static Method Judge(IEnumerable<BetaVaeOutcome> outcomes, Matrix judged, int units, int steps)
    {
        var all = outcomes.ToArray();
        var name = all[0].Beta > 0 ? $"β-VAE, β = {all[0].Beta}" : "autoencoder, β = 0";
        return new Method(
            $"{(units == 0 ? "linear " : "")}{name}",
            $"{all.Length} seed{(all.Length == 1 ? "" : "s")} of {steps:N0} steps, FVU {all.Average(one => one.Unexplained):0.000}, KL {all.Average(one => one.Divergence):0.0} nats",
            [.. all.Select(one => Disentanglement.Of(one.Means, judged))],
            all[0].Means
        );
    }

    private static string Counts(IReadOnlyList<Disentanglement> found) =>
        $"{found.Average(one => one.Recovered):0.#} of {found[0].Factors} recovered (> .9), MIG {found.Average(one => one.InformationGap):0.000}";

    private static void AddIca(List<ClaimRow> rows, DisentangledConfig config, string words, Disentanglement ica)
    {
        var claim = $"{words}: ICA, mean over factors of max |correlation| with a component";
        var (reference, low, high) = config.Data switch
        {
            "gaussian" => (".551", 0.50, 0.60),
            "superposition" => (".345", 0.30, 0.40),
            _ => (".999; at least .95", 0.95, 1.0),
        };
        rows.Add(ClaimRow.Check(claim, Program, reference, ica.MeanCorrelation, low, high, $"{Held:N0} rows; {Counts([ica])}"));
    }

    /// <summary>The best β by the factors themselves, which only someone who knows them can choose: generous where it must succeed, strict where it must fail.</summary>
    private static void AddBest(List<ClaimRow> rows, DisentangledConfig config, string words, IReadOnlyList<Method> methods, string control)
    {
        var best = methods
            .Where(method => !method.Words.EndsWith("β = 0", StringComparison.Ordinal))
            .MaxBy(method => method.Found.Average(one => one.MeanCorrelation))!;
        var value = best.Found.Average(one => one.MeanCorrelation);
        var fails = config.Data == "superposition";
        rows.Add(
            ClaimRow.Check(
                $"{control}{words}: β-VAE with the best β, mean over factors of max |correlation| with a latent",
                Judged,
                fails ? "below .95" : "at least .95",
                value,
                fails ? 0 : 0.95,
                fails ? 0.9499 : 1,
                $"{best.Words}; {best.Note}; {Counts(best.Found)}"
            )
        );
    }

    private static void AddMeasured(List<ClaimRow> rows, string words, IReadOnlyList<Method> methods) =>
        rows.AddRange(
            methods.Select(method =>
                ClaimRow.Measure(
                    $"{words}: {method.Words}, mean over factors of max |correlation| with a latent",
                    "Higgins et al. 2017; no published number",
                    null,
                    method.Found.Average(one => one.MeanCorrelation),
                    $"{method.Note}; {Counts(method.Found)}"
                )
            )
        );

    private static Figure Draw(Dictionary<string, IReadOnlyList<Method>> shown, Dictionary<string, Matrix> factors, int seeds)
    {
        var figure = new Figure(
            "recovery",
            "a rotation is undone, superposition is not",
            $"Above: mean over factors of the largest |correlation| with a latent (1 = each factor has a latent of its own), and the mutual information gap; {Held:N0} held-out rows, linear autoencoders averaged over {seeds} seed{(seeds == 1 ? "" : "s")}; crosses: reference values of ICA. Below: |correlation| of factors with independent components, each factor's best in order.",
            2,
            480,
            360
        );
        double[] at = [0, 1, 2, 3, 4];
        foreach (
            var (title, measure) in new (string, Func<Disentanglement, double>)[]
            {
                ("largest |correlation|", one => one.MeanCorrelation),
                ("mutual information gap", one => one.InformationGap),
            }
        )
        {
            var panel = figure.Panel(title, "", title);
            for (var method = 0; method < shown["sparse"].Count; method++)
            {
                var there = at.Where(i => shown[s_data[(int)i].Data].Count > method).ToArray();
                var line = panel.Add.Scatter(
                    there,
                    there.Select(i => shown[s_data[(int)i].Data][method].Found.Average(measure)).ToArray(),
                    FigurePalette.Category(method)
                );
                (line.LegendText, line.LineWidth, line.MarkerSize) = (shown["sparse"][method].Words, 1, 8);
            }
            if (title == "largest |correlation|")
            {
                var reference = panel.Add.ScatterPoints(new[] { 0.0, 1, 3, 4 }, new[] { .999, .999, .551, .345 }, FigurePalette.Reference);
                (reference.MarkerShape, reference.MarkerSize, reference.LegendText) = (MarkerShape.Eks, 12, "ICA, reference");
            }
            panel.Axes.Bottom.SetTicks(at, ["sparse", "dense", "unequal", "Gaussian", "superpos."]);
            panel.Axes.SetLimits(-0.3, 4.3, 0, 1.6);
            panel.ShowLegend(Alignment.UpperRight, Orientation.Vertical);
        }
        foreach (var (data, title) in new[] { ("sparse", "ICA, rotated and sparse"), ("superposition", "ICA, superposition") })
        {
            var correlations = Readouts.AbsoluteCorrelations(factors[data], shown[data][0].Latents);
            var order = Enumerable
                .Range(0, correlations.Rows)
                .OrderBy(row => correlations.Row(row).IndexOf(correlations.Row(row).ToArray().Max()))
                .ToArray();
            figure.Heatmap(title, correlations.SelectRows(order), 1, "factor", "component");
        }
        return figure;
    }
}
