using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo.Attention;

namespace Polyseme.Reproduction.Experiments;

/// <summary>A token that takes attention away from another: what softmax attention computes is no sum over skip-trigrams.</summary>
public sealed class SoftmaxInhibitionExperiment : Experiment
{
    private const string Pattern = "blocks.0.attn.hook_pattern";

    /// <inheritdoc/>
    public override string Name => "softmax-inhibition";

    /// <inheritdoc/>
    public override string Title => "inhibition by softmax attention";

    /// <inheritdoc/>
    public override string Source => new SoftmaxInhibition().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var settings = new SoftmaxInhibitionConfig { Seed = config.Seed };
        int[] lengths = config.Choose<int[]>([settings.Steps], [settings.Steps, 4 * settings.Steps], [settings.Steps, 20 * settings.Steps]);
        var rows = new List<ClaimRow>();
        var figures = new List<Figure>();
        var trained = WorkerTeam.Shared.Map(
            [
                .. lengths.SelectMany(steps =>
                    new[] { (Steps: steps, Kind: AttentionWeights.Softmax), (Steps: steps, Kind: AttentionWeights.Linear) }
                ),
            ],
            job => SoftmaxInhibition.Train(job.Kind, settings with { Steps = job.Steps }, progress, cancellation).Network
        );
        foreach (var (steps, at) in lengths.Select((steps, i) => (steps, 2 * i)))
        {
            var (softmax, additive) = (trained[at], trained[at + 1]);
            var circuit = GateHead.Circuit(softmax);
            rows.AddRange(
                SoftmaxInhibition
                    .Acceptances(softmax, additive, circuit, config.Seed)
                    .Select(acceptance => ClaimRow.Of(acceptance, $"{steps} steps"))
            );
            rows.Add(
                ClaimRow.Measure(
                    $"{steps} steps: largest distance of one second difference from −x",
                    "derived",
                    "0",
                    GateHead.SecondDifference(softmax, 500, config.Seed).Worst,
                    "500 quadruples of contexts"
                )
            );
            rows.Add(
                ClaimRow.Measure(
                    $"{steps} steps: second difference of the additive head, per x",
                    "derived",
                    "0",
                    GateHead.SecondDifference(additive, 500, config.Seed).Mean,
                    "500 quadruples of contexts"
                )
            );
            if (steps == settings.Steps)
                figures.Add(Figure(softmax, additive, config.Seed, steps));
        }
        return new ExperimentResult(
            $"6 tokens, a query behind 2 to 7 of them, d_model 16, d_head 8, no positions; one softmax and one additive head, {string.Join(" and ", lengths)} steps of 128 contexts, Adam 3e-2 to zero; judged on 5,000 fresh contexts",
            rows,
            figures
        );
    }

    private static Figure Figure(SmallTransformer softmax, SmallTransformer additive, ulong seed, int steps)
    {
        var figure = new Figure(
            "gate",
            "B takes the attention away from A",
            $"Attention of the query on the kinds of token, without B and with it; outputs of both heads against their targets, 400 fresh contexts, spread a little along x; each source's OV entry with the direct path. {steps} steps.",
            columns: 3,
            panelWidth: 400,
            panelHeight: 340
        );
        var (contexts, x, b) = GateHead.Contexts(400, 1, new RandomStream(seed, "gate/figure"));
        var pattern = softmax.Run(contexts, [Pattern]).Recorded[Pattern];
        string[] kinds = ["A", "B", "other"];
        var shares = new double[2, kinds.Length];
        for (var row = 0; row < contexts.Rows; row++)
        {
            var query = GateHead.QueryAt(contexts.Row(row));
            for (var t = 0; t <= query; t++)
            {
                var kind = (int)contexts[row, t] switch
                {
                    GateHead.Minus or GateHead.Plus => 0,
                    GateHead.B => 1,
                    _ => 2,
                };
                shares[(int)b[row], kind] += pattern[(row * GateHead.Context) + query, t] / b.Count(gate => gate == b[row]);
            }
        }
        var bars = figure.Panel("attention from the query", "", "share of attention");
        for (var with = 0; with < 2; with++)
        {
            for (var kind = 0; kind < kinds.Length; kind++)
            {
                var bar = bars.Add.Bar((with * 4) + kind, shares[with, kind]);
                bar.Color = FigurePalette.Category(kind);
                bar.Bars[0].LineWidth = 0;
            }
        }
        bars.Axes.Bottom.SetTicks([0.0, 1, 2, 4, 5, 6], ["A", "B", "other\nwithout B", "A", "B", "other\nwith B"]);
        bars.Axes.SetLimits(-0.7, 6.7, 0, 1.05);
        var targets = x.Zip(b, (payload, gate) => payload * (1 - gate)).ToArray();
        var scatter = figure.Panel("outputs against targets", "y = x·(1 − B)", "output");
        var jitter = new RandomStream(seed, "gate/jitter");
        foreach (var (name, network, colour) in new[] { ("softmax", softmax, 0), ("additive", additive, 1) })
        {
            var shift = colour == 0 ? -0.12 : 0.12;
            var points = scatter.Add.ScatterPoints(
                targets.Select(target => target + shift + (0.08 * (jitter.NextDouble() - 0.5))).ToArray(),
                GateHead.Outputs(network, contexts)
            );
            (points.LegendText, points.MarkerSize) = (name, 4);
            points.Color = FigurePalette.Category(colour);
        }
        scatter.Axes.SetLimits(-1.4, 1.4, -1.3, 1.3);
        scatter.ShowLegend(ScottPlot.Alignment.UpperLeft);
        var circuits = new HeadCircuits(softmax);
        var values = figure.Panel("OV of each token to y", "", "OV(token → y) + direct path");
        string[] tokens =
        [
            "query",
            "A, x = −1",
            "A, x = 1",
            "B",
            .. Enumerable.Repeat("other", GateHead.Vocabulary - GateHead.FirstFiller),
        ];
        for (var token = 0; token < tokens.Length; token++)
        {
            var bar = values.Add.Bar(token, circuits.Ov[0][token, 0] + circuits.Direct[GateHead.Query, 0]);
            bar.Color = FigurePalette.Category(
                token is GateHead.Minus or GateHead.Plus ? 0
                : token == GateHead.B ? 1
                : 2
            );
            bar.Bars[0].LineWidth = 0;
        }
        values.Axes.Bottom.SetTicks([.. tokens.Select((_, i) => (double)i)], tokens);
        values.Axes.Bottom.MinimumSize = 90;
        values.Axes.Bottom.TickLabelStyle.Rotation = 60;
        values.Axes.Bottom.TickLabelStyle.Alignment = ScottPlot.Alignment.MiddleLeft;
        return figure;
    }
}
