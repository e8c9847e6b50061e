using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo.Attention;

namespace Polyseme.Reproduction.Experiments;

/// <summary>One layer of attention written out over tokens: direct path, QK and OV circuits; and heads that copy, or do the opposite, by their eigenvalues.</summary>
public sealed class AttentionCopyExperiment : Experiment
{
    private const string Paper = "Elhage et al. 2021",
        Pattern = "blocks.0.attn.hook_pattern";
    private const int Models = 3;

    /// <inheritdoc/>
    public override string Name => "attention-copy";

    /// <inheritdoc/>
    public override string Title => "QK and OV circuits of one layer, and copying";

    /// <inheritdoc/>
    public override string Source =>
        "Elhage et al. 2021, A Mathematical Framework for Transformer Circuits, on one-layer attention-only models";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var steps = config.Choose(400, 1000, 4000);
        var rows = new List<ClaimRow>();
        List<(CopyCorpus Corpus, int Heads, int Steps)> jobs =
        [
            (new CopyCorpus { Copies = true }, 1, steps),
            (new CopyCorpus { Copies = false }, 1, steps),
        ];
        if (config.Size != ReproductionSize.Quick)
            jobs.AddRange([(jobs[0].Corpus, 2, steps), (jobs[0].Corpus, 1, 4 * steps), (jobs[1].Corpus, 1, 4 * steps)]);
        var trained = WorkerTeam.Shared.Map(
            jobs,
            job => job.Corpus.Train(job.Heads, Models, job.Steps, config.Seed, progress, cancellation)
        );
        foreach (var (job, models) in jobs.Zip(trained))
            rows.AddRange(Rows(job.Corpus, models, job.Heads, job.Steps, config.Seed));
        var lengths = jobs.Select(job => job.Steps).Distinct();
        var start = new HeadCircuits(new CopyCorpus { Copies = true }.Untrained(1, 0, config.Seed));
        rows.Add(ClaimRow.Measure("before training: copying score of one head", Paper, "near 0", start.CopyingScore(0)));
        return new ExperimentResult(
            $"24 tokens, contexts of 12, d_model 24, d_head 16, no positions; {Models} models, {string.Join(" and ", lengths)} steps of 32 texts, Adam 1e-2 to zero",
            rows,
            [Figure(trained[0].RequireAll()[0], trained[1].RequireAll()[0], start, config.Seed, steps)]
        );
    }

    private static IEnumerable<ClaimRow> Rows(CopyCorpus corpus, TransformerTrained trained, int heads, int steps, ulong seed)
    {
        var texts = corpus.Texts(256, new RandomStream(seed, "copy/judge"));
        var contexts = CopyCorpus.Contexts(texts);
        var name = $"{(corpus.Copies ? "copying" : "anti-copy")} corpus, {heads} head{(heads > 1 ? "s" : "")}, {steps} steps";
        var scores = new List<double>();
        double worstOutput = 0,
            worstPattern = 0,
            nats = 0;
        foreach (var network in trained.RequireAll())
        {
            var circuits = new HeadCircuits(network);
            scores.AddRange(Enumerable.Range(0, heads).Select(head => circuits.CopyingScore(head) ?? 0));
            var trace = network.Run(contexts, [Pattern]);
            worstOutput = Math.Max(worstOutput, Largest(trace.Output, circuits.Outputs(contexts, trace.Recorded[Pattern])));
            worstPattern = Math.Max(worstPattern, Largest(trace.Recorded[Pattern], circuits.Patterns(contexts)));
            nats += CrossEntropy(trace.Output, texts) / trained.Networks.Count;
        }
        var counts = $"{trained.Networks.Count} models, 256 texts";
        yield return ClaimRow.Check(
            $"{name}: largest error of logits written as direct path + attention × OV",
            Paper,
            "0",
            worstOutput,
            0,
            1e-5,
            $"{counts}; the network computes in single precision"
        );
        yield return ClaimRow.Check(
            $"{name}: largest error of attention written as softmax of QK",
            Paper,
            "0",
            worstPattern,
            0,
            1e-5,
            counts
        );
        yield return corpus.Copies
            ? ClaimRow.Check($"{name}: lowest copying score Σ Re λ / Σ|λ|", Paper, "near 1", scores.Min(), 0.9, 1, counts)
            : ClaimRow.Check($"{name}: highest copying score Σ Re λ / Σ|λ|", Paper, "below 0", scores.Max(), -1, -0.5, counts);
        yield return ClaimRow.Measure(
            $"{name}: loss on fresh texts, nats",
            Paper,
            $"uniform guess {Math.Log(corpus.Vocabulary):0.000}",
            nats,
            counts
        );
    }

    private static double CrossEntropy(Matrix outputs, Matrix texts)
    {
        var (length, sum) = (texts.Columns - 1, 0.0);
        for (var row = 0; row < outputs.Rows; row++)
        {
            var logits = outputs.Row(row);
            var total = 0.0;
            foreach (var logit in logits)
                total += Math.Exp(logit);
            sum += Math.Log(total) - logits[(int)texts[row / length, (row % length) + 1]];
        }
        return sum / outputs.Rows;
    }

    private static double Largest(Matrix one, Matrix other) => one.Data.Zip(other.Data, (a, b) => Math.Abs(a - b)).Max();

    private static Figure Figure(SmallTransformer copying, SmallTransformer opposite, HeadCircuits start, ulong seed, int steps)
    {
        var figure = new Figure(
            "circuits",
            "heads that copy and heads that do the opposite",
            $"OV circuits of one trained head on each corpus (a token raises or lowers itself on the diagonal), the attention of the copying head on one text, and the eigenvalues of the OV circuits, 16 each, trained for {steps} steps and before training. One model each.",
            columns: 2
        );
        HeadCircuits copy = new(copying),
            anti = new(opposite);
        double range = copy.Ov[0].Data.Max(Math.Abs),
            other = anti.Ov[0].Data.Max(Math.Abs);
        figure.Heatmap($"OV, copying corpus (± {range:0.0})", copy.Ov[0], range, "source", "output");
        figure.Heatmap($"OV, anti-copy corpus (± {other:0.0})", anti.Ov[0], other, "source", "output");
        var text = CopyCorpus.Contexts(new CopyCorpus { Copies = true }.Texts(1, new RandomStream(seed, "copy/figure")));
        figure.Heatmap(
            "attention on one text, copying",
            copying.Run(text, [Pattern]).Recorded[Pattern],
            1,
            "query position",
            "key position"
        );
        var plane = figure.Panel("eigenvalues of OV", "Re λ / largest |λ|", "Im λ / largest |λ|");
        (string Label, HeadCircuits Circuits)[] sets = [("copying", copy), ("anti-copy", anti), ("before training", start)];
        for (var i = 0; i < sets.Length; i++)
        {
            var (re, im) = sets[i].Circuits.Eigenvalues(0);
            var largest = re.Zip(im, (a, b) => Math.Sqrt((a * a) + (b * b))).Max();
            var points = plane.Add.ScatterPoints(
                re.Select(value => value / largest).ToArray(),
                im.Select(value => value / largest).ToArray()
            );
            (points.LegendText, points.MarkerSize) = (sets[i].Label, 7);
            points.Color = FigurePalette.Category(i).WithAlpha(.7);
        }
        plane.Axes.SetLimits(-1.1, 1.1, -1.1, 1.1);
        plane.ShowLegend();
        return figure;
    }
}
