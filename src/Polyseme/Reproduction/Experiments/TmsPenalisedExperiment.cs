using Polyseme.Dictionaries.Metrics;
using Polyseme.Dictionaries.Training;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Three strategies against superposition: models trained without it by a penalty on hidden activations, an overcomplete basis found afterwards, and both.</summary>
public sealed class TmsPenalisedExperiment : Experiment
{
    private const string Paper = "Elhage et al. 2022";
    private const int Features = 20,
        Hidden = 5;
    private const double Density = 0.01;

    /// <summary>Latents of a dictionary: as many as there are features, represented or not. Most rows of h are zero: no feature is on.</summary>
    private const int Latents = Features,
        DictionaryBatch = 512;

    /// <summary>By how much the reconstruction of the most important features may get worse on the way.</summary>
    private const double MostDegraded = 2;

    /// <inheritdoc/>
    public override string Name => "tms-penalised";

    /// <inheritdoc/>
    public override string Title => "strategies against superposition";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on the strategic picture of superposition";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        double[] all = [0, 0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.085, 0.1, 0.11, 0.13, 0.15];
        var penalties = config.Choose<double[]>([0, 0.01, 0.1], all, all);
        var seeds = config.Choose(4, 4, 16);
        const int steps = 5000;
        var controls = config.Choose<double[]>([], [0, 0.1], all);
        var trained = ToySetting.TrainAll(
            [
                .. penalties.Select(penalty => Setting(penalty, seeds, steps)),
                .. controls.Select(penalty => Setting(penalty, seeds, 4 * steps)),
            ],
            config.Seed,
            progress,
            cancellation
        );
        var judged = ZooSample.Inputs(new ToyInputs.Fresh(Density), Features, 200_000, config.Seed, "toy/judge");
        var points = penalties.Zip(trained).Select(pair => Point.Of(pair.First, pair.Second.Best.Parameters, judged)).ToArray();
        var controlPoints = controls
            .Zip(trained.Skip(penalties.Length))
            .Select(pair => Point.Of(pair.First, pair.Second.Best.Parameters, judged))
            .ToArray();
        var rows = new List<ClaimRow> { Bound() };
        rows.AddRange(Sweep("", points));
        if (controlPoints.Length > 0)
            rows.AddRange(Sweep($"control, {4 * steps} steps: ", controlPoints));
        var weights = penalties.Select((_, k) => trained[k].Best.Parameters.W).ToArray();
        rows.AddRange(Dictionaries(config, penalties, weights, progress, cancellation));
        var ran =
            $"n = 20, m = 5, I = .7^i, p = {Density}, λ = {string.Join(", ", penalties)}, best of {seeds} by the penalised loss on 200,000 fresh rows, {steps} steps of 1,024 rows, Adam 3e-3 to zero; dictionaries of {Latents} latents, TopK, k = 2, {DictionarySteps(config):N0} steps of {DictionaryBatch} rows of h, best of {DictionaryStarts(config)} by FVU on 20,000 fresh rows"
            + (controls.Length > 0 ? $"; controls: the same seeds, {4 * steps} steps" : "");
        return new ExperimentResult(ran, rows, [Draw(penalties, points, trained, seeds)]);
    }

    /// <summary>What a penalty does.</summary>
    /// <param name="Penalty">λ.</param>
    /// <param name="Represented">Features of ‖W_i‖² above .5.</param>
    /// <param name="Dedicated">Those with a direction to themselves.</param>
    /// <param name="TopLoss">The loss of the m most important features, as weighted in training, without the penalty.</param>
    private sealed record Point(double Penalty, int Represented, int Dedicated, double TopLoss)
    {
        public static Point Of(double penalty, ToyParameters parameters, SparseRows judged)
        {
            var top = ToySetting.Decaying(Features, 0.7).Select((importance, i) => i < Hidden ? importance : 0).ToArray();
            var shape = new ToyShape(Features, Hidden, HiddenRelu: false, OutputRelu: true, top);
            return new Point(
                penalty,
                FeatureGeometry.Represented(parameters.W).Length,
                FeatureGeometry.Dedicated(parameters.W).Length,
                ToyReference.Loss(shape, parameters, judged)
            );
        }
    }

    private static ToySetting Setting(double penalty, int seeds, int steps) =>
        new()
        {
            Shape = new ToyShape(Features, Hidden, HiddenRelu: false, OutputRelu: true, ToySetting.Decaying(Features, 0.7))
            {
                HiddenPenalty = penalty,
            },
            Inputs = new ToyInputs.Fresh(Density),
            Steps = steps,
            Seeds = seeds,
            JudgedRows = 200_000,
        };

    private static ClaimRow Bound()
    {
        var dimensions = -Features * Density * Math.Log(Density);
        var features = Hidden / (-Density * Math.Log(Density));
        return ClaimRow.Measure(
            $"compressed sensing: −n(1 − S)·log(1 − S) dimensions that {Features} features of density {Density} need, up to a constant",
            Paper,
            null,
            dimensions,
            $"in nats; by the same expression {Hidden} dimensions would hold {features:0} such features: the bound does not stop {Features}, importance does"
        );
    }

    private static IEnumerable<ClaimRow> Sweep(string name, IReadOnlyList<Point> points)
    {
        var counts = string.Join(
            ", ",
            points.Select(point =>
                $"λ = {point.Penalty}: {point.Represented} represented, {point.Dedicated} dedicated, loss × {point.TopLoss / points[0].TopLoss:0.00}"
            )
        );
        yield return ClaimRow.Check(
            $"{name}represented features do not rise with λ",
            Paper,
            points.Zip(points.Skip(1)).All(pair => pair.Second.Represented <= pair.First.Represented),
            counts
        );
        yield return ClaimRow.Check(
            $"{name}represented features without a penalty: superposition",
            Paper,
            $"more than {Hidden}",
            points[0].Represented,
            Hidden + 1,
            Features
        );
        var freed = points.FirstOrDefault(point => point.Represented <= Hidden);
        yield return ClaimRow.Check(
            $"{name}loss of the {Hidden} most important features at the first λ that leaves no more features than dimensions, over that at λ = 0",
            Paper,
            $"< {MostDegraded}",
            freed is null
                ? double.NaN
                : points.TakeWhile(point => point != freed).Append(freed).Max(point => point.TopLoss) / points[0].TopLoss,
            0,
            MostDegraded,
            freed is null
                ? $"no λ leaves {Hidden} features"
                : $"λ = {freed.Penalty}: {freed.Represented} represented, {freed.Dedicated} dedicated; the largest ratio up to there"
        );
    }

    /// <summary>Strategies 2 and 3: dictionaries of the hidden layer, without a penalty in training and with one.</summary>
    private static IEnumerable<ClaimRow> Dictionaries(
        ReproductionConfig config,
        double[] penalties,
        Matrix[] weights,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var starts = DictionaryStarts(config);
        // With no more features than dimensions there is nothing to find afterwards.
        var superposed = Enumerable
            .Range(0, penalties.Length)
            .TakeWhile(k => FeatureGeometry.Represented(weights[k]).Length > Hidden)
            .ToArray();
        int[] chosen = [.. new[] { superposed[0], superposed[superposed.Length / 2], superposed[^1] }.Distinct()];
        var dictionaries = new (double Fvu, Matrix Directions)[chosen.Length * starts];
        var done = 0;
        WorkerTeam.Shared.Run(
            dictionaries.Length,
            (_, i) =>
            {
                dictionaries[i] = Dictionary(weights[chosen[i / starts]], config, i % starts, cancellation);
                progress?.Report(new Step("dictionaries of the hidden layer", Interlocked.Increment(ref done), dictionaries.Length));
            }
        );
        var found = chosen
            .Select(
                (k, at) =>
                {
                    var represented = weights[k].SelectRows(FeatureGeometry.Represented(weights[k]));
                    var best = dictionaries.Skip(at * starts).Take(starts).MinBy(one => one.Fvu).Directions;
                    return (
                        Penalty: penalties[k],
                        Represented: represented.Rows,
                        Recovery: DirectionRecovery.Measure(represented, best, upToSign: false)
                    );
                }
            )
            .ToList();
        var sweep = string.Join(
            "; ",
            found.Select(point =>
                FormattableString.Invariant(
                    $"λ = {point.Penalty}: {point.Recovery.Recovered} of {point.Represented}, mean cosine {point.Recovery.MmcsTruthToDictionary:0.000}"
                )
            )
        );
        var plain = found[0];
        const string second =
            "strategy 2, an overcomplete basis found afterwards: share of the unpenalised model's represented features that a dictionary of its hidden layer recovers (cosine > .9)";
        var share = (double)plain.Recovery.Recovered / plain.Represented;
        yield return config.Size == ReproductionSize.Quick
            ? ClaimRow.Measure(second, Paper, "all", share, sweep)
            : ClaimRow.Check(second, Paper, "all", share, 0.9, 1, sweep);
        if (found.Count < 2)
            yield break;
        var penalised = found[^1];
        const string third =
            "strategy 3, both: mean cosine of represented features with their latent, at the largest λ that still leaves superposition, less that at λ = 0";
        var gain = penalised.Recovery.MmcsTruthToDictionary - plain.Recovery.MmcsTruthToDictionary;
        yield return config.Size == ReproductionSize.Quick
            ? ClaimRow.Measure(third, Paper, "above 0: a penalty makes the dictionary's task easier", gain, sweep)
            : ClaimRow.Check(third, Paper, "above 0: a penalty makes the dictionary's task easier", gain, 1e-9, 1, sweep);
    }

    private static int DictionarySteps(ReproductionConfig config) => config.Choose(500, 5_000, 50_000);

    private static int DictionaryStarts(ReproductionConfig config) => config.Choose(1, 4, 16);

    /// <summary>A dictionary of the hidden layer h = Wᵀx: what it leaves unexplained of fresh rows, and its directions.</summary>
    private static (double Fvu, Matrix Directions) Dictionary(
        Matrix weights,
        ReproductionConfig config,
        int start,
        CancellationToken cancellation
    )
    {
        var features = new FloatMatrix(Features, Hidden, Array.ConvertAll(weights.Data, value => (float)value));
        var rows = new SparseFeatureRows(features, Density, 0, config.Seed);
        var settings = new DictionaryConfig
        {
            Latents = Latents,
            Steps = DictionarySteps(config),
            Batch = DictionaryBatch,
            LearningRate = 2e-3,
            Seed = config.Seed + (ulong)start,
        };
        using var training = new DictionaryTraining(new TopKKind { K = 2 }, settings, rows);
        DictionaryTrainer.Run([training], rows, null, null, cancellation);
        return (FeatureRecovery.Of(training.Result(), rows, 20_000).Fvu, training.Result().DirectionsInDouble());
    }

    private static Figure Draw(double[] penalties, Point[] points, BestOfSeeds[] trained, int seeds)
    {
        var figure = new Figure(
            "sweep",
            "A penalty on hidden activations takes superposition away",
            $"n = {Features}, m = {Hidden}, I = .7^i, p = {Density}, best of {seeds} at each λ. Left: represented features fall to the number of dimensions (thin). Middle: the loss of the {Hidden} most important features; it falls at first, since the others' interference goes, and doubles (thin) only once one of the {Hidden} is given up. Right: norms of all features.",
            columns: 3,
            panelWidth: 400
        );
        var x = penalties.Select((_, k) => (double)k).ToArray();
        var names = penalties.Select(penalty => $"{penalty}").ToArray();
        var counts = figure.Panel("features", "λ", "count");
        var represented = counts.Add.Scatter(x, points.Select(point => (double)point.Represented).ToArray());
        (represented.LegendText, represented.Color, represented.LineWidth) = ("represented", FigurePalette.Category(0), 2);
        var dedicated = counts.Add.Scatter(x, points.Select(point => (double)point.Dedicated).ToArray());
        (dedicated.LegendText, dedicated.Color, dedicated.LineWidth) = ("dedicated", FigurePalette.Category(1), 2);
        counts.Add.HorizontalLine(Hidden, 1, FigurePalette.Reference, ScottPlot.LinePattern.Solid);
        counts.Axes.SetLimitsY(0, 1 + points.Max(point => point.Represented));
        counts.ShowLegend(ScottPlot.Alignment.UpperRight);

        var loss = figure.Panel($"loss of the {Hidden} most important", "λ", "loss, relative to λ = 0");
        var line = loss.Add.Scatter(x, points.Select(point => Math.Log10(point.TopLoss / points[0].TopLoss)).ToArray());
        (line.Color, line.LineWidth) = (FigurePalette.Category(0), 2);
        loss.Add.HorizontalLine(Math.Log10(MostDegraded), 1, FigurePalette.Reference, ScottPlot.LinePattern.Solid);
        loss.LogTicksY([0.3, 0.5, 1, 2, 5, 10, 20]);

        var norms = new Matrix(Features, penalties.Length);
        for (var k = 0; k < penalties.Length; k++)
        for (var i = 0; i < Features; i++)
            norms[i, k] = Math.Sqrt(FeatureGeometry.SquaredNorm(trained[k].Best.Parameters.W, i));
        var heat = figure.Heatmap("norms ‖Wᵢ‖", norms, 1.2, "feature", "λ");
        foreach (var panel in new[] { counts, loss, heat })
        {
            panel.Axes.Bottom.SetTicks([.. x.Where((_, k) => k % 3 == 0)], [.. names.Where((_, k) => k % 3 == 0)]);
        }
        return figure;
    }
}
