using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo.Attention;

namespace Polyseme.Reproduction.Experiments;

/// <summary>More skip-trigrams than heads have dimensions: a trigram is spread over heads, and a head serves many.</summary>
public sealed class AttentionSuperpositionExperiment : Experiment
{
    private const string Paper = "Circuits Updates May 2023; toy derived";
    private const int Models = 3;

    /// <inheritdoc/>
    public override string Name => "attention-superposition";

    /// <inheritdoc/>
    public override string Title => "skip-trigrams spread over attention heads";

    /// <inheritdoc/>
    public override string Source => "Anthropic, Circuits Updates May 2023, Attention Head Superposition; Elhage et al. 2021";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var steps = config.Choose(500, 1500, 6000);
        var rows = new List<ClaimRow>();
        var panels = new List<(string Title, Matrix Shares)>();
        var settings = new List<TrigramHeads>
        {
            new()
            {
                Trigrams = 24,
                Heads = 4,
                HeadWidth = 4,
                Steps = steps,
            },
            new()
            {
                Trigrams = 4,
                Heads = 4,
                HeadWidth = 16,
                Steps = steps,
            },
        };
        if (config.Size != ReproductionSize.Quick)
            settings.Add(settings[0] with { Steps = 4 * steps });
        var models = WorkerTeam.Shared.Map(settings, setting => setting.Train(Models, config.Seed, progress, cancellation).RequireAll());
        foreach (var (setting, trained) in settings.Zip(models))
        {
            var measured = trained.Select(network => setting.Measure(network, config.Seed)).ToArray();
            Matrix[] shares = [.. measured.Select(model => TrigramHeads.Shares(model.Contributions))];
            rows.AddRange(Rows(setting, shares, [.. measured.Select(model => model.Accuracy)]));
            if (setting.Steps == steps)
                panels.Add(($"{setting.Trigrams} trigrams, {setting.Heads} heads of {setting.HeadWidth}", shares[0]));
        }
        var figure = new Figure(
            "shares",
            "which head carries which trigram",
            $"Each head's share of a trigram's own logit (above the mean of all outputs), in one model of {Models} each, {steps} steps; a row sums to 1, negative shares are blue. Left: 24 trigrams in 4 · 4 head dimensions. Right: 4 trigrams in 4 · 16.",
            columns: 2
        );
        foreach (var (title, shares) in panels)
        {
            var panel = figure.Heatmap(title, shares.Transpose(), 1, "trigram", "head");
            panel.Axes.Bottom.SetTicks(
                [.. Enumerable.Range(0, shares.Rows).Select(head => (double)head)],
                [.. Enumerable.Range(0, shares.Rows).Select(head => $"{head}")]
            );
        }
        return new ExperimentResult(
            $"d_model 32, contexts of 6, no positions; {string.Join("; ", settings.Select(s => $"{s.Trigrams} trigrams in {s.Heads} heads of {s.HeadWidth}, {s.Steps} steps"))}; {Models} models each, 64 contexts a step, Adam 1e-2 to zero",
            rows,
            [figure]
        );
    }

    private static IEnumerable<ClaimRow> Rows(TrigramHeads setting, Matrix[] shares, double[] accuracies)
    {
        var name = $"{setting.Trigrams} trigrams, {setting.Heads} heads of {setting.HeadWidth}, {setting.Steps} steps";
        var counts = $"{shares.Length} models";
        // The claims are about more trigrams than H·d_h; for fewer, what is found is reported.
        var crowded = setting.Trigrams > setting.Heads * setting.HeadWidth;
        var best = shares
            .SelectMany(model => Enumerable.Range(0, setting.Trigrams).Select(trigram => model.Column(trigram).Max()))
            .ToArray();
        var carried = shares
            .SelectMany(model =>
                Enumerable
                    .Range(0, setting.Heads)
                    .Select(head => (double)model.Row(head).ToArray().Count(share => share > 1.0 / setting.Heads))
            )
            .ToArray();
        yield return crowded
            ? ClaimRow.Check($"{name}: lowest accuracy", Paper, "≥ .95", accuracies.Min(), 0.95, 1, counts)
            : ClaimRow.Measure($"{name}: lowest accuracy", Paper, null, accuracies.Min(), counts);
        yield return crowded
            ? ClaimRow.Check($"{name}: best head's share of the median trigram's logit", Paper, "< .8", Median(best), 0, 0.8, counts)
            : ClaimRow.Measure($"{name}: best head's share of the median trigram's logit", Paper, null, Median(best), counts);
        yield return crowded
            ? ClaimRow.Check(
                $"{name}: trigrams of which the median head carries more than 1/H",
                Paper,
                "≥ 2",
                Median(carried),
                2,
                setting.Trigrams,
                counts
            )
            : ClaimRow.Measure($"{name}: trigrams of which the median head carries more than 1/H", Paper, null, Median(carried), counts);
    }

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
