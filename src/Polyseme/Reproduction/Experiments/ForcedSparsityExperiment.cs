using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo.MagnitudeCodes;
using ScottPlot;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Forced sparsity: with one active neuron allowed, classes become magnitudes; and what an L1 penalty does to a small transformer's MLP.</summary>
public sealed class ForcedSparsityExperiment : Experiment
{
    private const string Derived = "derived",
        Hypothesis = "Circuits Updates, January 2024 (as quoted); a hypothesis";

    /// <inheritdoc/>
    public override string Name => "forced-sparsity";

    /// <inheritdoc/>
    public override string Title => "forced sparsity: classes as levels of magnitude";

    /// <inheritdoc/>
    public override string Source => new ForcedSparsity().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var rows = new List<ClaimRow>();
        var forced = new ForcedSparsityConfig
        {
            Seed = config.Seed,
            Seeds = config.Choose(8, 32, 128),
            Steps = config.Choose(1_000, 3_000, 20_000),
        };
        progress?.Report(new Step("classes through one active neuron", 0, 2));
        var trained = TopOneTraining.Train(forced, cancellation);
        AddTopOne(rows, config.Size, forced, trained, "", cancellation);
        if (config.Size != ReproductionSize.Quick)
        {
            var longer = forced with { Steps = 4 * forced.Steps };
            AddTopOne(rows, config.Size, longer, TopOneTraining.Train(longer, cancellation), "longer-training control, ", cancellation);
        }
        var strengths = config.Choose<double[]>([0, 0.1], [0, 0.01, 0.03, 0.1], [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1]);
        var steps = config.Choose(60, 1_000, 6_000);
        var width = 12;
        var corpus = new ClassPairCorpus(config.Seed);
        IReadOnlyList<SparseTransformerMeasures> Transformers(int length) =>
            [
                .. corpus
                    .Train(strengths, width, length, config.Seed, progress, cancellation)
                    .Select(network =>
                        SparseTransformerMeasures.Of(corpus, network, config.Choose(100, 400, 2_000), config.Seed, cancellation)
                    ),
            ];
        var measured = Transformers(steps);
        AddTransformers(rows, strengths, measured, "");
        if (config.Size != ReproductionSize.Quick)
            AddTransformers(rows, strengths, Transformers(2 * steps), "longer-training control, ");
        return new ExperimentResult(
            $"{forced.Classes} classes, {forced.Neurons} neurons, {forced.Seeds} starts of {forced.Steps:N0} steps; one-layer transformers with {width} neurons, {ClassPairCorpus.Classes} classes of {ClassPairCorpus.PerClass} tokens, {steps:N0} steps of 64 texts, λ = {string.Join(", ", strengths)}",
            rows,
            [
                Draw(
                    trained.MinBy(one => one.Loss)!.Network,
                    ForcedSparsity.Judge(trained.MinBy(one => one.Loss)!.Network, forced, cancellation),
                    strengths,
                    measured
                ),
            ]
        );
    }

    private static void AddTopOne(
        List<ClaimRow> rows,
        ReproductionSize size,
        ForcedSparsityConfig config,
        IReadOnlyList<TopOneTrained> trained,
        string control,
        CancellationToken cancellation
    )
    {
        var name = $"{control}{config.Classes} classes, {config.Neurons} neurons, one of them active";
        var readout = ForcedSparsity.Judge(trained.MinBy(one => one.Loss)!.Network, config, cancellation);
        foreach (var acceptance in ForcedSparsity.Acceptances(readout))
        {
            // What a line makes of interior levels is asserted from the default size on.
            var measured = size == ReproductionSize.Quick && acceptance.Claim.Contains("linear", StringComparison.Ordinal);
            rows.Add(
                measured
                    ? ClaimRow.Measure($"{name}: {acceptance.Claim}", acceptance.Source, "at most .8", acceptance.Value)
                    : ClaimRow.Of(acceptance, name)
            );
        }
        var highest = readout.Interior.Count == 0 ? double.NaN : readout.Interior.Max(level => readout.Linear[level]);
        var claim = $"{name}: linear one-vs-rest AUROC of the interior level that a line tells best";
        var note =
            $"{readout.Interior.Count} interior levels: {string.Join(", ", readout.Interior.Select(level => $"{readout.Linear[level]:0.00}"))}; outer levels {string.Join(", ", Enumerable.Range(0, config.Classes).Except(readout.Interior).Select(level => $"{readout.Linear[level]:0.00}"))}";
        rows.Add(
            size == ReproductionSize.Quick
                ? ClaimRow.Measure(claim, Derived, "at most .8", highest, note)
                : ClaimRow.Check(claim, Derived, "at most .8", highest, 0, 0.8, note)
        );
        rows.Add(ClaimRow.Check($"{name}: share of rows with exactly one neuron that is not zero", Derived, "1", readout.OneNonZero, 1, 1));
        rows.Add(
            ClaimRow.Measure(
                $"{name}: share of starts that tell all classes apart",
                Derived,
                null,
                trained.Count(one => one.Loss < 0.05) / (double)trained.Count,
                $"cross-entropy below .05 nats; {trained.Count} starts of {config.Steps:N0} steps, lowest {trained.Min(one => one.Loss):0.0000}, median {trained.Select(one => one.Loss).Order().ElementAt(trained.Count / 2):0.000}"
            )
        );
    }

    private static void AddTransformers(
        List<ClaimRow> rows,
        double[] strengths,
        IReadOnlyList<SparseTransformerMeasures> measured,
        string control
    )
    {
        for (var i = 0; i < strengths.Length; i++)
        {
            var (name, one) = ($"{control}transformer, λ = {strengths[i]}", measured[i]);
            rows.Add(
                ClaimRow.Measure(
                    $"{name}: gap of AUROC between an MLP and a linear probe of the next class",
                    Hypothesis,
                    null,
                    one.Mlp - one.Linear,
                    $"linear {one.Linear:0.000}, MLP {one.Mlp:0.000}; loss {one.Loss:0.000} nats, L0 {one.ActivePerRow:0.00}, {one.Live} live neurons"
                )
            );
            rows.Add(
                ClaimRow.Measure(
                    $"{name}: additivity defect of the last two classes",
                    Hypothesis,
                    "a ReLU of a random sum gives .36 where nothing else happens",
                    one.AdditivityDefect,
                    one.AdditivityDefect is null ? "no neuron is moved" : null
                )
            );
            rows.Add(
                ClaimRow.Measure(
                    $"{name}: next classes told by a level of magnitude, per live neuron",
                    Hypothesis,
                    null,
                    one.ConceptsPerNeuron,
                    $"{one.LevelsPerNeuron:0.0} levels a neuron"
                )
            );
        }
    }

    private static Figure Draw(
        TopOneNetwork network,
        MagnitudeReadout readout,
        double[] strengths,
        IReadOnlyList<SparseTransformerMeasures> measured
    )
    {
        var figure = new Figure(
            "levels",
            "classes as levels of magnitude",
            $"Above: the level of every class on its neuron, in the best start of the network with one active neuron, and how well probes tell each class from the rest (2,000 held-out rows). Below: one-layer transformers, one for each strength λ of an L1 penalty on the MLP's 12 neurons, from the same start.",
            2,
            480,
            340
        );
        var levels = ForcedSparsity.Levels(network);
        var placed = figure.Panel("the code", "neuron", "magnitude");
        for (var neuron = 0; neuron <= levels.Max(level => level.Neuron); neuron++)
        {
            var own = Enumerable.Range(0, levels.Count).Where(label => levels[label].Neuron == neuron).ToArray();
            var points = placed.Add.ScatterPoints(
                own.Select(_ => (double)neuron).ToArray(),
                own.Select(label => levels[label].Level).ToArray(),
                FigurePalette.Category(neuron)
            );
            points.MarkerSize = 9;
            foreach (var label in own)
                placed.Add.Text($"class {label}", neuron + 0.06, levels[label].Level).LabelFontSize = 12;
        }
        placed.Axes.Bottom.SetTicks(new double[] { 0, 1 }, new[] { "0", "1" });
        placed.Axes.SetLimitsX(-0.4, 1.6);
        var order = Enumerable.Range(0, levels.Count).OrderBy(label => levels[label].Neuron).ThenBy(label => levels[label].Level).ToArray();
        var at = Enumerable.Range(0, order.Length).Select(i => (double)i).ToArray();
        var probes = figure.Panel("one-vs-rest probes", "class, by neuron and magnitude", "AUROC");
        foreach (var (values, words, colour) in new[] { (readout.Linear, "linear", 0), (readout.Mlp, "MLP", 1) })
        {
            var points = probes.Add.ScatterPoints(at, order.Select(label => values[label]).ToArray(), FigurePalette.Category(colour));
            (points.MarkerSize, points.LegendText) = (9, words);
        }
        var bound = probes.Add.HorizontalLine(0.8, 1, FigurePalette.Reference, LinePattern.Dashed);
        bound.LegendText = "accepted: interior, linear at most .8";
        probes.Axes.Bottom.SetTicks(at, order.Select(label => $"{label}{(readout.Interior.Contains(label) ? "" : "*")}").ToArray());
        probes.Axes.SetLimitsY(0, 1.05);
        probes.ShowLegend(Alignment.LowerLeft, Orientation.Vertical);
        var places = Enumerable.Range(0, strengths.Length).Select(i => (double)i).ToArray();
        var names = strengths.Select(strength => $"{strength}").ToArray();
        void Lines(string title, string y, params (string Words, Func<SparseTransformerMeasures, double> Of)[] lines)
        {
            var panel = figure.Panel(title, "strength λ of the penalty", y);
            for (var i = 0; i < lines.Length; i++)
            {
                var line = panel.Add.Scatter(places, measured.Select(lines[i].Of).ToArray(), FigurePalette.Category(i));
                (line.LegendText, line.LineWidth, line.MarkerSize) = (lines[i].Words, 2, 7);
            }
            panel.Axes.Bottom.SetTicks(places, names);
            panel.ShowLegend(Alignment.UpperRight, Orientation.Vertical);
        }
        Lines("probes of the next class", "AUROC", ("linear", one => one.Linear), ("MLP", one => one.Mlp));
        Lines(
            "loss, sparsity, levels",
            "nats, or count",
            ("loss, nats", one => one.Loss),
            ("active neurons (L0)", one => one.ActivePerRow),
            ("additivity defect", one => one.AdditivityDefect ?? 0),
            ("concepts told by levels, per neuron", one => one.ConceptsPerNeuron)
        );
        return figure;
    }
}
