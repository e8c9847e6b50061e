using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>|x| with neurons to spare, over width, density, output, weight decay, optimiser and batch.</summary>
public sealed class StuckAbsoluteExperiment : Experiment
{
    private const string Paper = "LawrenceC 2024, footnote 13; reference program";

    /// <inheritdoc/>
    public override string Name => "stuck-abs";

    /// <inheritdoc/>
    public override string Title => "absolute values with neurons to spare: where training gets stuck, and where it stays polysemantic";

    /// <inheritdoc/>
    public override string Source => "LawrenceC 2024, Superposition is not \"just\" neuron polysemanticity, footnote 13";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var rows = new List<ClaimRow>();
        var standard = new StuckAbsoluteConfig { Seed = config.Seed };
        void Add(StuckAbsoluteConfig settings)
        {
            var setting = StuckAbsolute.Setting(settings);
            var outcome = StuckOutcome.Of(setting.Train(config.Seed, progress, cancellation), setting, config.Seed);
            var named =
                $"{(settings.OutputRelu ? "ReLU" : "linear")} output, m = {settings.Hidden}, density {settings.Density}, weight decay {settings.WeightDecay}"
                + (settings.Optimiser == "adam" ? "" : $", {settings.Optimiser}")
                + (settings.Batch == standard.Batch ? "" : $", batch {settings.Batch}")
                + (settings.Steps == standard.Steps ? "" : $", {settings.Steps:N0} steps");
            var accepted = StuckAbsolute.Acceptances(settings, outcome);
            rows.AddRange(accepted.Select(a => ClaimRow.Of(a, named)));
            if (settings.OutputRelu && accepted.Count > 0 && config.Size != ReproductionSize.Quick)
                rows.Add(
                    ClaimRow.Check(
                        $"{named}: dead outputs of the seed that has the fewest",
                        Paper,
                        "≥ 1",
                        outcome.DeadOutputs.Min(),
                        1,
                        settings.Features,
                        $"by seed: {string.Join(", ", outcome.DeadOutputs)}"
                    )
                );
            rows.Add(
                ClaimRow.Measure(
                    $"{named}: loss over the targets' variance",
                    Paper,
                    null,
                    outcome.MeanLoss,
                    $"{outcome.Monosemantic.Average():F2} of the neurons read one feature; {outcome.DeadOutputs.Average():F1} of 10 outputs dead; means of {outcome.DeadOutputs.Count} seeds"
                )
            );
        }
        foreach (var density in config.Choose<double[]>([0.3], [1, 0.3, 0.1], [1, 0.3, 0.1]))
            Add(standard with { Density = density });
        var dead = standard with { OutputRelu = true, Hidden = 80, Density = 0.03 };
        Add(dead);
        // Stuck, or only slow? The control asserts the same.
        Add(dead with { Steps = config.Choose(20_000, 60_000, 60_000), Seeds = config.Choose(2, 4, 4) });
        if (config.Size != ReproductionSize.Quick)
        {
            double[] decays = config.Size == ReproductionSize.Full ? [0, 0.01, 0.1] : [0, 0.1];
            foreach (var relu in new[] { false, true })
            foreach (var hidden in new[] { 20, 40, 80 })
            foreach (var density in new[] { 1, 0.3, 0.1, 0.03 })
            foreach (var decay in decays)
            {
                var settings = standard with { OutputRelu = relu, Hidden = hidden, Density = density, WeightDecay = decay };
                var done = decay == 0 && (relu ? hidden == 80 && density == 0.03 : hidden == 40 && density >= 0.1);
                if (!done && (config.Size == ReproductionSize.Full || decay == 0 || hidden == 80))
                    Add(settings);
            }
            Add(standard with { Optimiser = "momentum", LearningRate = 0.03 });
            Add(standard with { Batch = 2048, Seeds = 2 });
        }
        return new ExperimentResult("n = 10; 10,000 steps of 256 rows, Adam 3e-3 to zero (momentum: .03), 4 seeds", rows, []);
    }
}
