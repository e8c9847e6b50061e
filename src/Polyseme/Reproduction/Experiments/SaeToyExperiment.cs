using System.Globalization;
using Polyseme.Dictionaries.Training;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo.Codes;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Sparse autoencoders on features that are known: who finds them, who shrinks them, and that a better reconstruction is not a better dictionary.</summary>
public sealed class SaeToyExperiment : Experiment
{
    private const string Program = "reference program";
    private const int Features = 60,
        Width = 20,
        JudgedRows = 20_000;

    /// <inheritdoc/>
    public override string Name => "sae-toy";

    /// <inheritdoc/>
    public override string Title => "sparse autoencoders on known features";

    /// <inheritdoc/>
    public override string Source =>
        "Sharkey et al. 2022, Taking features out of superposition with sparse autoencoders; Rajamanoharan et al. 2024; Gao et al. 2024";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var steps = config.Choose(1500, 15_000, 60_000);
        var (features, maxCosine) = Directions(config.Seed, cancellation);
        var rows = new SparseFeatureRows(features, 0.03, 0.2, config.Seed);
        IEnumerable<Entry> entries = Table();
        if (config.Size == ReproductionSize.Quick)
            entries = entries.Where(entry => entry.Quick);
        var asked = entries.ToList();
        var settings = new DictionaryConfig
        {
            Latents = Features,
            Steps = steps,
            Batch = 128,
            LearningRate = 2e-3,
            ClipNorm = 0,
            Seed = config.Seed,
        };
        var trainings = asked.ConvertAll(entry => new DictionaryTraining(entry.Kind, settings, rows));
        List<FeatureRecovery> found;
        try
        {
            DictionaryTrainer.Run(trainings, rows, null, progress, cancellation);
            found = trainings.ConvertAll(training => FeatureRecovery.Of(training.Result(), rows, JudgedRows));
        }
        finally
        {
            trainings.ForEach(training => training.Dispose());
        }
        var claims = new List<ClaimRow>();
        for (var i = 0; i < asked.Count; i++)
            claims.AddRange(Measured(asked[i], found[i]));
        if (config.Size != ReproductionSize.Quick)
            claims.AddRange(Asserted(asked, found));
        return new ExperimentResult(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Features} features in {Width} dimensions, largest |cosine| {maxCosine:0.000}, each on with p = .03 at U[.2, 1]; {Features} latents, {steps} steps of 128 rows, Adam 2e-3, decoder at unit norm but for JumpReLU; judged on {JudgedRows} fresh rows; one seed"
            ),
            claims,
            [Draw(asked, found)]
        );
    }

    /// <summary>Directions as far apart as they go, and their largest |cosine|. Shape: <c>[60, 20]</c>.</summary>
    internal static (FloatMatrix Directions, double MaxCosine) Directions(ulong seed, CancellationToken cancellation)
    {
        var code = SphericalCode.Optimise(Width, Features, lines: true, 2, 600, seed, CodeBounds.Welch(Width, Features), cancellation);
        return (new FloatMatrix(Features, Width, Array.ConvertAll(code.Directions.Data, value => (float)value)), code.MaxCosine);
    }

    private static IEnumerable<Entry> Table()
    {
        Entry Vanilla(double l1, double fvu, int? recovered, bool quick = false) =>
            new("ReLU", Text("λ", l1), new ReluKind { L1 = l1, Variant = PenaltyVariant.DictionaryLearning }, fvu, recovered, quick);
        Entry Gated(double l1, double fvu, int recovered, bool quick = false) =>
            new("gated", Text("λ", l1), new GatedKind { L1 = l1, Variant = PenaltyVariant.DictionaryLearning }, fvu, recovered, quick);
        yield return Vanilla(0.05, .018, 1);
        yield return Vanilla(0.1, .091, 42);
        yield return Vanilla(0.2, .143, 60, quick: true);
        yield return Vanilla(0.4, .220, 59);
        yield return Gated(0.4, .128, 59, quick: true);
        yield return Gated(0.2, .028, 0);
        yield return new("TopK", "k = 2", new TopKKind { K = 2 }, .179, 56, true);
        yield return new("TopK", "k = 4", new TopKKind { K = 4 }, .106, 59, false);
        yield return new("JumpReLU", "λ = 0.05", new JumpReluKind { L0 = 0.05, Bandwidth = 0.05 }, .194, 42, true);
    }

    private static IEnumerable<ClaimRow> Measured(Entry entry, FeatureRecovery found)
    {
        var name = $"{entry.Family}, {entry.Setting}";
        var note = string.Create(
            CultureInfo.InvariantCulture,
            $"L0 {found.L0:0.00}, γ {found.Shrinkage:0.000}, MMCS {found.Mmcs:0.000}, {found.FalsePositives:0.00} of the active latents without their feature"
        );
        yield return ClaimRow.Measure($"{name}: FVU", Program, $"{entry.Fvu:.000}", found.Fvu, note);
        yield return ClaimRow.Measure($"{name}: features recovered of {Features}", Program, $"{entry.Recovered}", found.Recovered, note);
    }

    private static IEnumerable<ClaimRow> Asserted(List<Entry> entries, List<FeatureRecovery> found)
    {
        FeatureRecovery At(string family, string setting) =>
            found[entries.FindIndex(entry => entry.Family == family && entry.Setting == setting)];
        List<FeatureRecovery> Family(string family) => [.. found.Where((_, i) => entries[i].Family == family)];
        var vanilla = Family("ReLU");
        var best = vanilla.MaxBy(recovery => recovery.Recovered)!;
        yield return ClaimRow.Check("best ReLU λ: features recovered", Program, "60 of 60", best.Recovered, 59, 60);
        yield return ClaimRow.Check("best ReLU λ: MMCS", Program, ".996", vanilla.Max(recovery => recovery.Mmcs), 0.98, 1);
        FeatureRecovery gated = At("gated", Text("λ", 0.4)),
            shrunk = At("ReLU", Text("λ", 0.4));
        yield return ClaimRow.Check(
            "gated over ReLU FVU at matched L0 ≈ 2.5",
            Program,
            ".58",
            gated.Fvu / shrunk.Fvu,
            0,
            0.7,
            string.Create(CultureInfo.InvariantCulture, $"L0 {gated.L0:0.00} and {shrunk.L0:0.00}, both λ = .4")
        );
        yield return ClaimRow.Check("ReLU shrinks: γ at λ = .2", Program, ".867", At("ReLU", Text("λ", 0.2)).Shrinkage, 0, 0.9);
        foreach (var family in (string[])["gated", "TopK", "JumpReLU"])
        {
            var furthest = Family(family).MaxBy(recovery => Math.Abs(recovery.Shrinkage - 1))!;
            yield return ClaimRow.Check($"{family} does not shrink: γ furthest from 1", Program, "1", furthest.Shrinkage, 0.99, 1.01);
        }
        yield return ClaimRow.Check(
            "ReLU: γ falls as λ rises",
            Program,
            vanilla.Zip(vanilla.Skip(1), (a, b) => b.Shrinkage < a.Shrinkage).All(falls => falls),
            string.Join(", ", vanilla.Select(recovery => recovery.Shrinkage.ToString("0.000", CultureInfo.InvariantCulture)))
        );
        FeatureRecovery dense = At("gated", Text("λ", 0.2)),
            plain = At("ReLU", Text("λ", 0.2));
        yield return ClaimRow.Check(
            "a better FVU is not a better dictionary: gated λ = .2 reconstructs better than ReLU λ = .2 and recovers fewer features",
            Program,
            dense.Fvu < plain.Fvu && dense.Recovered < plain.Recovered,
            string.Create(
                CultureInfo.InvariantCulture,
                $"FVU {dense.Fvu:0.000} against {plain.Fvu:0.000}, recovered {dense.Recovered} against {plain.Recovered}"
            )
        );
    }

    private static Figure Draw(List<Entry> entries, List<FeatureRecovery> found)
    {
        var figure = new Figure(
            "recovery",
            "reconstruction and recovery",
            $"Each point is one dictionary on {JudgedRows} fresh rows: left, what it leaves unexplained against how many latents it uses; right, how many of the {Features} features it finds. One seed.",
            columns: 2
        );
        var left = figure.Panel("reconstruction", "L0", "FVU");
        var right = figure.Panel("recovery", "FVU", "features recovered");
        var families = entries.Select(entry => entry.Family).Distinct().ToList();
        for (var i = 0; i < families.Count; i++)
        {
            var points = found.Where((_, at) => entries[at].Family == families[i]).ToList();
            foreach (
                var (plot, x, y) in new[]
                {
                    (left, points.ConvertAll(point => point.L0), points.ConvertAll(point => point.Fvu)),
                    (right, points.ConvertAll(point => point.Fvu), points.ConvertAll(point => (double)point.Recovered)),
                }
            )
            {
                var drawn = plot.Add.ScatterPoints(x.ToArray(), y.ToArray(), FigurePalette.Category(i));
                drawn.LegendText = families[i];
                drawn.MarkerSize = 8;
            }
        }
        left.ShowLegend();
        return figure;
    }

    private static string Text(string name, double value) => string.Create(CultureInfo.InvariantCulture, $"{name} = {value}");

    private sealed record Entry(string Family, string Setting, DictionaryKind Kind, double Fvu, int? Recovered, bool Quick);
}
