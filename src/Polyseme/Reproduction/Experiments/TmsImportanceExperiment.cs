using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Linear against ReLU output over importance and sparsity: how many features are represented, and how many have a direction to themselves.</summary>
public sealed class TmsImportanceExperiment : Experiment
{
    private const string Paper = "Elhage et al. 2022; reference program";

    /// <summary>Represented and dedicated features of the best seed, n = 20, m = 5, I = .7^i, by density.</summary>
    private static readonly (double Density, int Represented, int Dedicated)[] s_reference =
    [
        (1, 5, 5),
        (0.3, 7, 3),
        (0.1, 9, 1),
        (0.03, 10, 0),
        (0.01, 12, 0),
        (0.003, 12, 0),
        (0.001, 13, 0),
    ];

    /// <inheritdoc/>
    public override string Name => "tms-importance";

    /// <inheritdoc/>
    public override string Title => "linear and ReLU output, importance and sparsity";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on the basic demonstration of superposition";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var densities = config.Choose<double[]>(
            [1, 0.1, 0.01],
            [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001],
            [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]
        );
        Matrix Best(ToyShape shape, double density, int seeds) =>
            new ToySetting
            {
                Shape = shape,
                Inputs = new ToyInputs.Fresh(density),
                Steps = 5000,
                Seeds = seeds,
            }
                .Train(config.Seed, progress, cancellation)
                .Best.Parameters.W;

        var twenty = new ToyShape(20, 5, HiddenRelu: false, OutputRelu: true, ToySetting.Decaying(20, 0.7));
        var linear = twenty with { OutputRelu = false };
        var seeds = config.Choose(4, 16, 16);
        var rectified = densities.Select(density => Best(twenty, density, seeds)).ToArray();
        // Without a ReLU density only scales the second moments; every other setting would repeat the first.
        double[] linearDensities = config.Choose<double[]>([1], densities, densities);
        var plain = linearDensities.Select(density => Best(linear, density, seeds: 2)).ToArray();
        List<ClaimRow> rows = [.. Linear(linearDensities, plain), .. Rectified(densities, rectified)];

        var wide = new ToyShape(80, 20, HiddenRelu: false, OutputRelu: true, ToySetting.Decaying(80, 0.9));
        double[] wideDensities = config.Choose<double[]>([], [1, 0.1, 0.01], densities);
        rows.AddRange(Wide(wideDensities, [.. wideDensities.Select(density => Best(wide, density, seeds: 2))]));

        var five = new ToyShape(5, 2, HiddenRelu: false, OutputRelu: true, ToySetting.Decaying(5, 0.9));
        double[] introDensities = config.Choose<double[]>(
            [1, 0.3, 0.1],
            [1, 0.5, 0.3, 0.2, 0.15, 0.1, 0.05],
            [1, 0.5, 0.3, 0.2, 0.15, 0.1, 0.05]
        );
        var intro = introDensities.Select(density => Best(five, density, seeds: 16)).ToArray();
        rows.AddRange(Intro(introDensities, intro));

        var ran =
            $"n = 20, m = 5, I = .7^i at densities {string.Join(", ", densities)}, best of {seeds} (linear: best of 2 at {string.Join(", ", linearDensities)}); n = 5, m = 2, I = .9^i, best of 16; "
            + (wideDensities.Length > 0 ? $"n = 80, m = 20, I = .9^i at {string.Join(", ", wideDensities)}, best of 2; " : "")
            + "5,000 steps of 1,024 rows, Adam 3e-3 to zero, chosen by the loss on 100,000 fresh rows";
        return new ExperimentResult(ran, rows, Figures(densities, rectified, plain[0], introDensities, intro));
    }

    private static IEnumerable<ClaimRow> Linear(double[] densities, Matrix[] models)
    {
        foreach (var (density, w) in densities.Zip(models))
        {
            var represented = FeatureGeometry.Represented(w);
            yield return ClaimRow.Check(
                $"linear output, density {density}: represented, and dedicated, features are the five most important",
                Paper,
                represented.SequenceEqual(Enumerable.Range(0, 5)) && FeatureGeometry.Dedicated(w).Length == 5,
                $"represented {string.Join(" ", represented)}; dedicated {FeatureGeometry.Dedicated(w).Length}"
            );
        }
    }

    private static IEnumerable<ClaimRow> Rectified(double[] densities, Matrix[] models)
    {
        var represented = models.Select(w => FeatureGeometry.Represented(w).Length).ToArray();
        var dedicated = models.Select(w => FeatureGeometry.Dedicated(w).Length).ToArray();
        for (var k = 0; k < densities.Length; k++)
        {
            var (_, expected, alone) = s_reference.Single(row => row.Density == densities[k]);
            var tolerance = densities[k] <= 0.1 ? 1 : 0;
            yield return ClaimRow.Check(
                $"ReLU output, density {densities[k]}: represented features (‖W‖² > .5)",
                Paper,
                $"{expected}",
                represented[k],
                expected - tolerance,
                expected + tolerance
            );
            yield return ClaimRow.Measure(
                $"ReLU output, density {densities[k]}: dedicated features (interference < .1)",
                Paper,
                $"{alone}",
                dedicated[k]
            );
        }
        yield return ClaimRow.Check(
            "represented features do not fall, dedicated ones do not rise, as inputs become sparser",
            "Elhage et al. 2022",
            represented.Zip(represented.Skip(1)).All(pair => pair.First <= pair.Second)
                && dedicated.Zip(dedicated.Skip(1)).All(pair => pair.First >= pair.Second),
            $"represented {string.Join(" ", represented)}; dedicated {string.Join(" ", dedicated)}"
        );
    }

    private static IEnumerable<ClaimRow> Wide(double[] densities, Matrix[] models)
    {
        for (var k = 0; k < densities.Length; k++)
        {
            yield return ClaimRow.Measure(
                $"n = 80, m = 20, density {densities[k]}: represented features",
                "Elhage et al. 2022",
                densities[k] == 1 ? "20" : "more than 20",
                FeatureGeometry.Represented(models[k]).Length,
                $"dedicated {FeatureGeometry.Dedicated(models[k]).Length}"
            );
        }
    }

    private static IEnumerable<ClaimRow> Intro(double[] densities, Matrix[] models)
    {
        foreach (var (density, w) in densities.Zip(models))
        {
            var angles = FeatureGeometry.Gaps(w, FeatureGeometry.Represented(w));
            var text =
                $"represented {FeatureGeometry.Represented(w).Length}; gaps between directions {string.Join(" ", angles.Select(a => a.ToString("0.0")))}°";
            yield return density switch
            {
                1 => ClaimRow.Check(
                    "n = 5, m = 2, density 1: the two most important features, orthogonal",
                    Paper,
                    "90°",
                    FeatureGeometry.Represented(w).SequenceEqual([0, 1]) ? FeatureGeometry.Degrees(w.Row(0), w.Row(1)) : double.NaN,
                    87,
                    93,
                    text
                ),
                > 0.15 => ClaimRow.Check(
                    $"n = 5, m = 2, density {density}: two antipodal pairs, the fifth feature left out; largest deviation of a gap from 90°",
                    Paper,
                    "0",
                    angles.Length == 4 ? angles.Max(angle => Math.Abs(angle - 90)) : double.NaN,
                    0,
                    3,
                    text
                ),
                _ => ClaimRow.Check(
                    $"n = 5, m = 2, density {density}: a pentagon; largest deviation of a gap from 72°",
                    Paper,
                    "0",
                    angles.Length == 5 ? angles.Max(angle => Math.Abs(angle - 72)) : double.NaN,
                    0,
                    3,
                    text
                ),
            };
        }
    }

    private static List<Figure> Figures(double[] densities, Matrix[] rectified, Matrix linear, double[] introDensities, Matrix[] intro)
    {
        var gram = new Figure(
            "gram",
            "W·Wᵀ of the best seed, n = 20, m = 5",
            "Dense or linear: the five most important features, one dimension each. Sparser: more features than dimensions, overlapping (red and blue off the diagonal).",
            columns: 4,
            panelWidth: 280,
            panelHeight: 270
        );
        gram.Gram("linear, 1 − S = 1", linear);
        var norms = new Figure(
            "norms",
            "Squared norms of the features and their interference, n = 20, m = 5",
            "Dark: a direction of its own. Yellow: other features lie along it. The most important features stay dedicated longest.",
            columns: 4,
            panelWidth: 280,
            panelHeight: 230
        );
        norms.Norms("linear, 1 − S = 1", linear, i => FeatureGeometry.Interference(linear, i));
        foreach (var (density, w) in densities.Zip(rectified))
        {
            gram.Gram($"ReLU, 1 − S = {density}", w);
            norms.Norms($"ReLU, 1 − S = {density}", w, i => FeatureGeometry.Interference(w, i));
        }
        var directions = new Figure(
            "directions",
            "Five features of importance .9^i in two dimensions, best of 16",
            "Two orthogonal features, then two antipodal pairs, then a pentagon, as inputs become sparser.",
            columns: 4,
            panelWidth: 260,
            panelHeight: 280
        );
        foreach (var (density, w) in introDensities.Zip(intro))
            directions.Directions($"1 − S = {density}", w);
        return [gram, norms, directions];
    }
}
