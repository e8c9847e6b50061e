using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>x·y trained: what its neurons read, and how many labels each gets in two vocabularies.</summary>
public sealed class TrainedProductExperiment : Experiment
{
    private const string Derived = "xy = ((x + y)² − (x − y)²)/4; derived";

    /// <inheritdoc/>
    public override string Name => "xy-trained";

    /// <inheritdoc/>
    public override string Title => "the product x·y, trained";

    /// <inheritdoc/>
    public override string Source => "xy = ((x + y)² − (x − y)²)/4; the rotated case of a product, trained";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var rows = new List<ClaimRow>();
        foreach (var steps in config.Choose<int[]>([10_000, 30_000], [10_000, 60_000], [10_000, 200_000]))
        {
            var settings = new TrainedProductConfig { Seed = config.Seed, Steps = steps };
            var setting = TrainedProduct.Setting(settings);
            var trained = setting.Train(config.Seed, progress, cancellation);
            var labels = ProductLabels.Of(trained, setting, config.Seed);
            var named = $"32 neurons, {steps:N0} steps";
            rows.Add(
                ClaimRow.Check(
                    $"{named}: share of live neurons that x and y both label",
                    Derived,
                    "≥ .9",
                    labels.TwoOfXY,
                    0.9,
                    1,
                    $"{labels.Live} live neurons; best of {settings.Seeds}; loss over variance {trained.NormalisedLosses[trained.BestIndex]:G3}"
                )
            );
            rows.Add(
                ClaimRow.Measure(
                    $"{named}: share that x + y and x − y both label",
                    Derived,
                    "0 when every neuron reads one of them",
                    labels.TwoOfSums
                )
            );
            rows.Add(
                ClaimRow.Measure(
                    $"{named}: share whose weights lie along (1, ±1), |cos| > .98",
                    Derived,
                    "≥ .6, or what is measured",
                    labels.Aligned
                )
            );
        }
        return new ExperimentResult("x, y uniform in [−1, 1]; 256 rows a step, Adam 5e-3 to zero, best of 4", rows, []);
    }
}
