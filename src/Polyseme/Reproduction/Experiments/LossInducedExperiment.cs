using System.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo.LossInduced;
using ScottPlot;

namespace Polyseme.Reproduction.Experiments;

/// <summary>One binary neuron for exclusive classes: cross-entropy prefers half of them, squared error does not care.</summary>
public sealed class LossInducedExperiment : Experiment
{
    private const string Derived = "Circuits Updates; closed form derived";

    /// <inheritdoc/>
    public override string Name => "loss-induced";

    /// <inheritdoc/>
    public override string Title => "a neuron that the loss makes polysemantic";

    /// <inheritdoc/>
    public override string Source => new LossInducedPolysemanticity().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var rows = new List<ClaimRow>();
        foreach (var (classes, reference, monosemantic) in new[] { (4, 0.693, 0.824), (8, 1.386, 1.703) })
        {
            var (loss, firing, count) = BinaryCodes.Search(classes, BinaryCodes.CrossEntropy);
            rows.Add(
                ClaimRow.Check(
                    $"k = {classes}: lowest cross-entropy of all {1 << classes} assignments minus ln(k/2), nats",
                    Derived,
                    $"0 ({reference})",
                    loss - Math.Log(classes / 2.0),
                    -1e-9,
                    1e-9,
                    $"reached by {count} assignments, firing for {string.Join(" or ", firing)} classes"
                )
            );
            rows.Add(
                ClaimRow.Check($"k = {classes}: the best fire for exactly k/2 classes", Derived, firing is [var s] && s == classes / 2)
            );
            rows.Add(
                ClaimRow.Check(
                    $"k = {classes}: cross-entropy of firing for one class, nats",
                    Derived,
                    $"{monosemantic}",
                    BinaryCodes.CrossEntropy(1, classes),
                    monosemantic - 6e-4,
                    monosemantic + 6e-4
                )
            );
            var squared = Enumerable
                .Range(1, (1 << classes) - 2)
                .Select(assignment => BinaryCodes.SquaredError((uint)assignment, classes))
                .ToArray();
            rows.Add(
                ClaimRow.Check(
                    $"k = {classes}: spread of the squared error over all assignments with 1 ≤ s ≤ k − 1",
                    Derived,
                    "0",
                    squared.Max() - squared.Min(),
                    0,
                    1e-12,
                    $"all are (k − 2)/k = {squared[0]:0.###}"
                )
            );
        }
        var trained = new Dictionary<int, IReadOnlyList<StochasticNeuron>>();
        foreach (var classes in new[] { 4, 8 })
        {
            var training = new LossInducedConfig
            {
                Classes = classes,
                Seeds = config.Choose(50, 200, 2000),
                Seed = config.Seed,
            };
            trained[classes] = LossInducedPolysemanticity.TrainMany(training, cancellation);
            rows.Add(Halves(training, trained[classes], "", asserted: true));
            if (config.Size == ReproductionSize.Quick)
                continue;
            var plain = training with { Temperature = 0 };
            rows.Add(Halves(plain, LossInducedPolysemanticity.TrainMany(plain, cancellation), "without annealing, ", asserted: false));
            var longer = training with { Steps = 4 * training.Steps };
            rows.Add(
                Halves(longer, LossInducedPolysemanticity.TrainMany(longer, cancellation), "longer-training control, ", asserted: true)
            );
        }
        return new ExperimentResult(
            $"exhaustive for k = 4 and 8; {trained[4].Count} trained neurons each, noise annealed from T = {new LossInducedConfig().Temperature}, Adam, {new LossInducedConfig().Steps:N0} steps",
            rows,
            [Draw(trained)]
        );
    }

    private static ClaimRow Halves(LossInducedConfig training, IReadOnlyList<StochasticNeuron> neurons, string variant, bool asserted)
    {
        var claim = $"{variant}k = {training.Classes}: share of seeds whose neuron fires for k/2 classes";
        const string source = "target set by judgement",
            reference = "at least 0.9";
        var share = neurons.Count(neuron => neuron.FiringClasses == training.Classes / 2) / (double)neurons.Count;
        var note =
            $"{neurons.Count} seeds of {training.Steps:N0} steps; {string.Join(", ", neurons.CountBy(neuron => neuron.FiringClasses).OrderBy(entry => entry.Key).Select(entry => $"{entry.Value} fire for {entry.Key}"))}; {neurons.Count(neuron => !neuron.Decided)} are undecided about a class";
        return asserted
            ? ClaimRow.Check(claim, source, reference, share, 0.9, 1, note)
            : ClaimRow.Measure(claim, source, reference, share, note + "; the others are local optima, polysemantic or not");
    }

    private static Figure Draw(Dictionary<int, IReadOnlyList<StochasticNeuron>> trained)
    {
        var figure = new Figure(
            "splits",
            "the loss of every split",
            $"Lowest loss of one binary neuron that fires for s of k exclusive classes, over all 2^k assignments: cross-entropy is least at s = k/2, squared error is the same for every split. Bars: share of {trained[4].Count} trained neurons that end at s.",
            2,
            460,
            360
        );
        foreach (var (classes, neurons) in trained)
        {
            var plot = figure.Panel($"k = {classes}", "classes s that the neuron fires for", "loss, and share of trained neurons");
            double[] s = [.. Enumerable.Range(0, classes + 1).Select(firing => (double)firing)];
            double Lowest(Func<uint, int, double> loss, double firing) =>
                Enumerable
                    .Range(0, 1 << classes)
                    .Where(assignment => BitOperations.PopCount((uint)assignment) == (int)firing)
                    .Min(assignment => loss((uint)assignment, classes));
            var bars = plot.Add.Bars(
                s,
                s.Select(firing => neurons.Count(neuron => neuron.FiringClasses == (int)firing) / (double)neurons.Count).ToArray()
            );
            bars.Color = FigurePalette.Category(4).WithAlpha(.45);
            bars.LegendText = "trained neurons, share";
            foreach (var bar in bars.Bars)
                bar.LineWidth = 0;
            var entropy = plot.Add.Scatter(
                s,
                s.Select(firing => Lowest(BinaryCodes.CrossEntropy, firing)).ToArray(),
                FigurePalette.Category(0)
            );
            entropy.LegendText = "cross-entropy, nats";
            entropy.LineWidth = 2;
            entropy.MarkerSize = 7;
            var squared = plot.Add.Scatter(
                s,
                s.Select(firing => Lowest(BinaryCodes.SquaredError, firing)).ToArray(),
                FigurePalette.Category(1)
            );
            squared.LegendText = "squared error";
            squared.LineWidth = 2;
            squared.MarkerSize = 7;
            plot.Axes.SetLimitsY(0, classes == 4 ? 1.6 : 2.4);
            plot.Axes.Bottom.SetTicks(s, s.Select(firing => $"{firing}").ToArray());
            plot.ShowLegend(Alignment.UpperCenter, Orientation.Vertical);
        }
        return figure;
    }
}
