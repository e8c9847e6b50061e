using Polyseme.Evidence;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Features per dimension and vulnerability to small attacks rise together.</summary>
public sealed class TmsAdversarialExperiment : Experiment
{
    private const string Paper = "Elhage et al. 2022; reference program";

    /// <summary>Features per dimension and sensitivity by 1/(1 − S), n = 80, m = 8, from a reference program.</summary>
    private static readonly (double Inverse, double FeaturesPerDimension, double Sensitivity)[] s_reference =
    [
        (1, 0.99, 1.02),
        (1.25, 1.01, 1.15),
        (1.67, 1.32, 1.97),
        (2.5, 1.88, 3.04),
        (3.3, 2.04, 3.56),
        (5, 2.79, 6.36),
        (10, 4.24, 10.95),
        (20, 6.39, 18.5),
    ];

    /// <inheritdoc/>
    public override string Name => "tms-adversarial";

    /// <inheritdoc/>
    public override string Title => "superposition and adversarial vulnerability";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on superposition and adversarial vulnerability";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var inverses = config.Choose<double[]>(
            [1, 2.5, 10],
            [.. s_reference.Select(row => row.Inverse)],
            [.. s_reference.Select(row => row.Inverse)]
        );
        var attackedRows = config.Choose(1000, 4000, 20_000);
        var measured = inverses
            .Select(inverse =>
            {
                var setting = new ToySetting
                {
                    Shape = ToySetting.Uniform(80, 8),
                    Inputs = new ToyInputs.Fresh(1 / inverse),
                    Steps = 5000,
                    Seeds = 2,
                };
                var best = setting.Train(config.Seed, progress, cancellation).Best.Parameters;
                var fresh = ZooSample.Inputs(setting.Inputs, 80, attackedRows, config.Seed, "toy/attacked");
                return (
                    Inverse: inverse,
                    FeaturesPerDimension: 1 / (Dimensionality.PerRepresentedFeature(best.W) ?? double.NaN),
                    Sensitivity: AdversarialSensitivity.Measure(setting.Shape, best, fresh)
                );
            })
            .ToArray();
        var rows = new List<ClaimRow>();
        foreach (var (inverse, features, sensitivity) in measured)
        {
            var (_, expectedFeatures, expected) = s_reference.Single(row => row.Inverse == inverse);
            rows.Add(
                ClaimRow.Measure(
                    $"1/(1 − S) = {inverse}: sensitivity (L_attacked − L_clean)/ε²",
                    Paper,
                    $"{expected} at {expectedFeatures} features per dimension",
                    sensitivity.PerSquaredEpsilon,
                    $"{features:0.00} features per dimension; L_attacked/L_clean {sensitivity.Attacked / sensitivity.Clean:0.00}"
                )
            );
        }
        var ordered = measured.OrderBy(one => one.FeaturesPerDimension).Select(one => one.Sensitivity.PerSquaredEpsilon).ToArray();
        rows.Add(
            ClaimRow.Check(
                "sensitivity rises with features per dimension (rank correlation 1)",
                "Elhage et al. 2022",
                ordered.Zip(ordered.Skip(1)).All(pair => pair.First <= pair.Second)
            )
        );
        rows.Add(
            ClaimRow.Check(
                "lowest sensitivity where there are two features per dimension or more, relative to no superposition",
                Paper,
                "≥ 3",
                measured.Where(one => one.FeaturesPerDimension >= 2).Min(one => one.Sensitivity.PerSquaredEpsilon)
                    / measured[0].Sensitivity.PerSquaredEpsilon,
                3,
                double.PositiveInfinity
            )
        );
        return new ExperimentResult(
            $"n = 80, m = 8 at 1/(1 − S) = {string.Join(", ", inverses)}, best of 2, 5,000 steps; {attackedRows} fresh rows attacked, ε a tenth of the mean input norm",
            rows,
            [Picture(measured)]
        );
    }

    private static Figure Picture((double Inverse, double FeaturesPerDimension, AdversarialSensitivity Sensitivity)[] measured)
    {
        var figure = new Figure(
            "vulnerability",
            "Features per dimension and vulnerability, n = 80, m = 8",
            "Both rise together as inputs become sparser. Grey: the reference program.",
            columns: 2
        );
        double[] x = [.. measured.Select(one => Math.Log10(one.Inverse))];
        double[] referenceX = [.. s_reference.Select(row => Math.Log10(row.Inverse))];
        void Draw(string title, string y, double[] ours, double[] reference)
        {
            var panel = figure.Panel(title, "1/(1 − S)", y);
            var theirs = panel.Add.Scatter(referenceX, reference);
            (theirs.Color, theirs.LegendText) = (FigurePalette.Reference, "reference");
            var line = panel.Add.Scatter(x, ours);
            (line.Color, line.LegendText) = (FigurePalette.Category(0), "ours");
            panel.LogTicksX([1, 2, 5, 10, 20]);
            panel.ShowLegend(ScottPlot.Alignment.UpperLeft);
        }
        Draw(
            "features per dimension",
            "1/D*",
            [.. measured.Select(one => one.FeaturesPerDimension)],
            [.. s_reference.Select(row => row.FeaturesPerDimension)]
        );
        Draw(
            "vulnerability",
            "(L_attacked − L_clean)/ε²",
            [.. measured.Select(one => one.Sensitivity.PerSquaredEpsilon)],
            [.. s_reference.Select(row => row.Sensitivity)]
        );
        return figure;
    }
}
