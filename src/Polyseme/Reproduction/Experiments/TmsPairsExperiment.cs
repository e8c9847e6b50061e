using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Six features in three correlated pairs in a plane: superposition while sparse, and only the pairs' sums are left when dense.</summary>
public sealed class TmsPairsExperiment : Experiment
{
    private const string Paper = "Elhage et al. 2022; reference program";
    private const int Steps = 5000;

    /// <inheritdoc/>
    public override string Name => "tms-pairs";

    /// <inheritdoc/>
    public override string Title => "three correlated pairs";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on correlated features";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        double[] all = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1];
        var densities = config.Choose<double[]>([0.05, 0.5], all, all);
        var seeds = config.Choose(12, 16, 64);
        // A verdict of superposition and one of three sums, trained four times as long.
        var controls = config.Choose<double[]>([], [0.05, 0.15, 0.5], [0.05, 0.15, 0.5, 0.7]);
        var trained = ToySetting.TrainAll(
            [
                .. densities.Select(density => Setting(density, seeds, Steps)),
                .. controls.Select(density => Setting(density, seeds, 4 * Steps)),
            ],
            config.Seed,
            progress,
            cancellation
        );
        List<ClaimRow> rows =
        [
            .. densities.Zip(trained).SelectMany(pair => Rows($"p = {pair.First}", pair.First, pair.Second, config.Seed)),
            .. controls
                .Zip(trained.Skip(densities.Length))
                .SelectMany(pair => Rows($"control, {4 * Steps} steps, p = {pair.First}", pair.First, pair.Second, config.Seed)),
        ];
        var ran =
            $"n = 6, m = 2, p = {string.Join(", ", densities)} a pair, best of {seeds}, {Steps} steps of 1,024 rows, Adam 3e-3 to zero, chosen by the loss on 200,000 fresh rows"
            + (controls.Length > 0 ? $"; controls: the same seeds, {4 * Steps} steps" : "");
        return new ExperimentResult(ran, rows, [Directions(densities, trained, seeds)]);
    }

    private static ToySetting Setting(double density, int seeds, int steps)
    {
        var (shape, inputs) = CorrelatedPairs.Setting(density);
        return new ToySetting
        {
            Shape = shape,
            Inputs = inputs,
            Steps = steps,
            Seeds = seeds,
            // Rival minima differ by two percent of the loss.
            JudgedRows = 200_000,
        };
    }

    private static IEnumerable<ClaimRow> Rows(string name, double density, BestOfSeeds trained, ulong seed)
    {
        var w = trained.Best.Parameters.W;
        foreach (var acceptance in CorrelatedPairs.Acceptances(density, w))
            yield return ClaimRow.Of(acceptance, name);
        var (lines, rays) = CorrelatedPairs.Count(w);
        yield return ClaimRow.Measure(
            $"{name}: linear features, counted as lines; two dimensions hold 2",
            "derived",
            null,
            lines,
            lines > 2 ? "more lines than dimensions: superposition in the strict count" : "no more lines than dimensions"
        );
        yield return ClaimRow.Measure(
            $"{name}: ReLU-linear features, counted as rays; two dimensions hold 4 without interference",
            "derived",
            null,
            rays,
            $"{(rays > 4 ? "more than 4: superposition in either count" : "no more than 4: a change of basis in the ReLU-linear sense")}; within pairs {Text(CorrelatedPairs.WithinPairs(w))}°, between sums {Text(CorrelatedPairs.BetweenPairs(w))}°"
        );
        if (CorrelatedPairs.WithinPairs(w)[^1] >= 3)
            yield break;
        // One number stands for a pair that has collapsed; how much of it can be read out tells the two counts apart.
        var read = PairSums.ReadOut(trained.Best.Parameters, density, seed);
        yield return ClaimRow.Check(
            $"{name}: linear R² of the three pair sums, added up",
            "derived",
            "2.0, the rank",
            read.Linear.Sum(),
            1.99,
            2.01,
            $"each {string.Join(", ", read.Linear.Select(r => r.ToString("0.000")))}, in population covariance"
        );
        yield return ClaimRow.Measure(
            $"{name}: R² of the pair sums as the model reads them out, behind its ReLU, mean",
            Paper,
            density is 0.5 or 0.7 ? ".67–.72" : null,
            read.Rectified.Average(),
            $"each {string.Join(", ", read.Rectified.Select(r => r.ToString("0.000")))}, 100,000 fresh rows"
        );
    }

    private static string Text(double[] angles) => string.Join(" ", angles.Select(angle => angle.ToString("0.0")));

    private static Figure Directions(double[] densities, BestOfSeeds[] trained, int seeds)
    {
        var figure = new Figure(
            "directions",
            "Three correlated pairs in a plane",
            $"The best of {seeds} models at each density; features 1 and 2 (blue, orange), 3 and 4 (green, pink), 5 and 6 (light blue, yellow) switch on together. Sparse: six directions. Denser: pairs collapse, one after the other, to a direction that carries their sum; then the three sums rearrange.",
            columns: 5,
            panelWidth: 290,
            panelHeight: 270
        );
        foreach (var (density, models) in densities.Zip(trained))
        {
            var w = models.Best.Parameters.W;
            var (lines, rays) = CorrelatedPairs.Count(w);
            figure.Directions($"1 − S = {density}: {lines} lines, {rays} rays", w);
        }
        return figure;
    }
}
