using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo.Attention;

namespace Polyseme.Reproduction.Experiments;

/// <summary>One head cannot raise "keep … in mind" and "keep … at bay" without raising "keep … in bay" and "keep … at mind"; two heads can.</summary>
public sealed class SkipTrigramsExperiment : Experiment
{
    private const string Paper = "Elhage et al. 2021";
    private const int Models = 3;

    /// <inheritdoc/>
    public override string Name => "skip-trigrams";

    /// <inheritdoc/>
    public override string Title => "skip-trigram bugs";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2021, A Mathematical Framework for Transformer Circuits, on skip-trigram bugs";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var steps = config.Choose(1000, 2000, 8000);
        var rows = new List<ClaimRow>();
        var figures = new List<Figure>();
        int[] lengths = config.Size == ReproductionSize.Quick ? [steps] : [steps, 4 * steps];
        var trained = WorkerTeam.Shared.Map(
            [.. lengths.SelectMany(length => new[] { (Heads: 1, Length: length), (Heads: 2, Length: length) })],
            job => SkipTrigrams.Train(job.Heads, Models, job.Length, config.Seed, progress, cancellation)
        );
        foreach (var (length, at) in lengths.Select((length, i) => (length, 2 * i)))
        {
            var (one, two) = (trained[at], trained[at + 1]);
            Matrix[] ones = [.. one.RequireAll().Select(network => SkipTrigrams.Contributions(network, config.Seed))],
                twos = [.. two.RequireAll().Select(network => SkipTrigrams.Contributions(network, config.Seed))];
            rows.AddRange(Rows(ones, twos, one.Losses.Average(), two.Losses.Average(), $"{length} steps"));
            if (length == steps)
                figures.Add(Figure(ones[0], twos[0], SkipTrigrams.AttentionToKeep(two.RequireAll()[0], config.Seed), steps));
        }
        return new ExperimentResult(
            $"contexts of 8, d_head 8, embedding and unembedding fixed and orthogonal; {Models} models each, {string.Join(" and ", lengths)} steps of 48 texts, Adam 2e-2 to zero; contributions by cutting the attention to \"keep\", 64 texts per destination",
            rows,
            figures
        );
    }

    private static IEnumerable<ClaimRow> Rows(Matrix[] ones, Matrix[] twos, double lossOne, double lossTwo, string name)
    {
        static double[] Bugs(Matrix contributions) =>
            [SkipTrigrams.Raised(contributions, 0, SkipTrigrams.Bay), SkipTrigrams.Raised(contributions, 1, SkipTrigrams.Mind)];
        static double[] Right(Matrix contributions) =>
            [SkipTrigrams.Raised(contributions, 0, SkipTrigrams.Mind), SkipTrigrams.Raised(contributions, 1, SkipTrigrams.Bay)];
        static double Ratio(Matrix contributions) => LinearAlgebra.Svd(contributions).S is var s ? s[1] / s[0] : 0;
        var counts = $"{ones.Length} models";
        yield return ClaimRow.Check(
            $"{name}: one head, what \"keep\" adds over (destination, word) has rank 1: largest σ₂/σ₁",
            $"{Paper}; derived",
            "0",
            ones.Max(Ratio),
            0,
            1e-4,
            counts
        );
        double bugOne = ones.SelectMany(Bugs).Average(),
            bugTwo = twos.SelectMany(Bugs).Average();
        yield return ClaimRow.Check(
            $"{name}: one head raises both bugs: lowest logit of \"keep … in bay\" and \"keep … at mind\" above unrelated words",
            Paper,
            "> 0",
            ones.SelectMany(Bugs).Min(),
            double.Epsilon,
            double.PositiveInfinity,
            $"{counts}, mean {bugOne:0.00} nats"
        );
        yield return ClaimRow.Check($"{name}: the same, mean of the models", Paper, "> 0", bugOne, double.Epsilon, double.PositiveInfinity);
        yield return ClaimRow.Check(
            $"{name}: a second head lowers the bugs by",
            Paper,
            "≥ .9",
            1 - (bugTwo / bugOne),
            0.9,
            double.PositiveInfinity,
            $"mean of {counts}: {bugTwo:0.00} nats with two heads"
        );
        yield return ClaimRow.Measure(
            $"{name}: one head, mean logit of the right words, nats above unrelated ones",
            Paper,
            null,
            ones.SelectMany(Right).Average(),
            counts
        );
        yield return ClaimRow.Measure(
            $"{name}: two heads, mean logit of the right words, nats above unrelated ones",
            Paper,
            $"best prediction {SkipTrigrams.BestLogit:0.00}",
            twos.SelectMany(Right).Average(),
            counts
        );
        yield return ClaimRow.Measure($"{name}: two heads, largest σ₂/σ₁", Paper, "up to 1", twos.Max(Ratio), counts);
        yield return ClaimRow.Measure(
            $"{name}: loss of one head, nats",
            Paper,
            $"best prediction {SkipTrigrams.BestLoss:0.000}",
            lossOne,
            counts
        );
        yield return ClaimRow.Measure(
            $"{name}: loss of two heads, nats",
            Paper,
            $"best prediction {SkipTrigrams.BestLoss:0.000}",
            lossTwo,
            counts
        );
    }

    private static Figure Figure(Matrix one, Matrix two, Matrix attention, int steps)
    {
        var figure = new Figure(
            "bugs",
            "one head raises four trigrams to get two",
            $"What \"keep\" adds to the logits through the heads, in nats above the mean of the words that no trigram speaks of: one head gives every destination the same words, two heads tell them apart. Right: how much of each head's attention goes to \"keep\" when there are two. One model each, {steps} steps, 64 texts per destination.",
            columns: 3,
            panelWidth: 430,
            panelHeight: 320
        );
        var range = Math.Max(Raised(one).Data.Max(Math.Abs), Raised(two).Data.Max(Math.Abs));
        foreach (var (title, contributions) in new[] { ("one head", one), ("two heads", two) })
        {
            var panel = figure.Heatmap($"{title} (± {range:0.0} nats)", Raised(contributions), range, "destination", "word");
            panel.Axes.Bottom.SetTicks([.. SkipTrigrams.Words.Select((_, i) => (double)i)], [.. SkipTrigrams.Words]);
            panel.Axes.Bottom.TickLabelStyle.FontSize = 9;
            panel.Axes.Left.SetTicks(
                [.. SkipTrigrams.Destinations.Select((_, i) => (double)(contributions.Rows - 1 - i))],
                [.. SkipTrigrams.Destinations]
            );
        }
        var heads = figure.Heatmap("attention to \"keep\", two heads", attention.Transpose(), 1, "destination", "head");
        heads.Axes.Bottom.SetTicks([0.0, 1.0], ["0", "1"]);
        heads.Axes.Left.SetTicks(
            [.. SkipTrigrams.Destinations.Select((_, i) => (double)(attention.Columns - 1 - i))],
            [.. SkipTrigrams.Destinations]
        );
        return figure;
    }

    private static Matrix Raised(Matrix contributions)
    {
        var raised = new Matrix(contributions.Rows, contributions.Columns);
        for (var destination = 0; destination < raised.Rows; destination++)
        for (var word = 0; word < raised.Columns; word++)
            raised[destination, word] = SkipTrigrams.Raised(contributions, destination, word);
        return raised;
    }
}
