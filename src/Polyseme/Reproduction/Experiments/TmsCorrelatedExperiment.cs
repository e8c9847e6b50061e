using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Features that switch on together take orthogonal directions, features that exclude each other opposite ones.</summary>
public sealed class TmsCorrelatedExperiment : Experiment
{
    private const string Paper = "Elhage et al. 2022";

    /// <summary>Density of the groups of two.</summary>
    private const double PairDensity = 0.05;

    /// <summary>Density of the two sets of ten: a row has a set of ten active features or none, seldom both.</summary>
    private const double SetDensity = 0.05;

    /// <inheritdoc/>
    public override string Name => "tms-correlated";

    /// <inheritdoc/>
    public override string Title => "correlated and anticorrelated features";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on correlated and anticorrelated features";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        List<Case> cases =
        [
            new("anticorrelated pairs, n = 4, m = 2", 4, 2, 2, PairDensity, GroupRule.OneAtATime, config.Choose(4, 16, 16), 5000),
            new("correlated pairs, n = 4, m = 2", 4, 2, 2, PairDensity, GroupRule.Together, config.Choose(4, 16, 16), 5000),
            new("two correlated sets of ten, n = 20, m = 10", 20, 10, 10, SetDensity, GroupRule.Together, config.Choose(4, 4, 16), 5000),
        ];
        if (config.Size != ReproductionSize.Quick)
        {
            // Three pairs can be matched in fifteen ways, and training does not leave a wrong one: hence the many seeds.
            cases.Add(
                new("anticorrelated pairs, n = 6, m = 3", 6, 3, 2, PairDensity, GroupRule.OneAtATime, config.Choose(0, 48, 200), 5000)
            );
            cases.AddRange(cases.ToArray().Select(c => c with { Name = $"control, 20000 steps, {c.Name}", Steps = 20_000 }));
        }
        var trained = ToySetting.TrainAll([.. cases.Select(Setting)], config.Seed, progress, cancellation);
        var rows = cases.Zip(trained).SelectMany(pair => Rows(pair.First, pair.Second)).ToArray();
        var ran =
            $"{string.Join("; ", cases.Select(c => $"{c.Name}: p = {c.Density} a group, best of {c.Seeds}, {c.Steps} steps"))}; 1,024 rows a step, Adam 3e-3 to zero, chosen by the loss on 100,000 fresh rows";
        return new ExperimentResult(ran, rows, [Grams(cases, trained)]);
    }

    private sealed record Case(string Name, int Features, int Hidden, int GroupSize, double Density, GroupRule Rule, int Seeds, int Steps);

    private static ToySetting Setting(Case c) =>
        new()
        {
            Shape = ToySetting.Uniform(c.Features, c.Hidden),
            Inputs = new ToyInputs.Fresh(c.Density, c.GroupSize) { Rule = c.Rule },
            Steps = c.Steps,
            Seeds = c.Seeds,
        };

    private static IEnumerable<ClaimRow> Rows(Case c, BestOfSeeds trained)
    {
        var w = trained.Best.Parameters.W;
        var (within, between) = Cosines(w, c.GroupSize);
        var note =
            $"represented {FeatureGeometry.Represented(w).Length}; losses {trained.Losses.Min():G3} to {trained.Losses.Max():G3} over {trained.Losses.Count} seeds";
        if (c.Rule == GroupRule.OneAtATime)
        {
            yield return ClaimRow.Check(
                $"{c.Name}: largest cosine within a pair",
                Paper,
                "−1: antipodal",
                within.Max(),
                -1 - 1e-9,
                -0.95,
                $"{note}; {trained.Sound.Count(model => Cosines(model.Parameters.W, c.GroupSize).Within.Max() < -0.95)} seeds have every pair antipodal"
            );
        }
        else if (c.GroupSize == 2)
        {
            yield return ClaimRow.Check(
                $"{c.Name}: largest |cosine| within a pair",
                Paper,
                "0: orthogonal",
                within.Max(Math.Abs),
                0,
                0.1,
                note
            );
        }
        else
        {
            yield return ClaimRow.Check(
                $"{c.Name}: mean |cosine| within a set, as a share of that between sets",
                Paper,
                "a local almost-orthogonal basis",
                within.Average(Math.Abs) / between.Average(Math.Abs),
                0,
                1.0 / 3,
                $"within {within.Average(Math.Abs):0.000}, between {between.Average(Math.Abs):0.000}; {note}"
            );
        }
    }

    private static (double[] Within, double[] Between) Cosines(Matrix w, int groupSize)
    {
        List<double> within = [],
            between = [];
        for (var i = 0; i < w.Rows; i++)
        for (var j = 0; j < i; j++)
            (i / groupSize == j / groupSize ? within : between).Add(FeatureGeometry.Cosine(w, i, j));
        return ([.. within], [.. between]);
    }

    private static Figure Grams(IReadOnlyList<Case> cases, IReadOnlyList<BestOfSeeds> trained)
    {
        var figure = new Figure(
            "gram",
            "W·Wᵀ of groups of features",
            $"The best of {string.Join(", ", cases.Select(c => c.Seeds))} models, and the directions of those in a plane; apart: one of a group at a time. Groups are neighbours. Anticorrelated: blue beside the diagonal, a feature and its opposite. Correlated: white there, at right angles, and the interference lies between groups.",
            columns: 4,
            panelWidth: 300,
            panelHeight: 300
        );
        foreach (var (c, models) in cases.Zip(trained))
        {
            var w = models.Best.Parameters.W;
            var title = $"{(c.Rule == GroupRule.Together ? "together" : "apart")}, {c.Features} in {c.Hidden}, {c.Steps / 1000}k steps";
            figure.Gram(title, w);
            if (c.Hidden == 2)
                figure.Directions(title, w);
        }
        return figure;
    }
}
