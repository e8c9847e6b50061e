using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>ANDs with neurons to spare, over width, probability, weight decay, optimiser and batch.</summary>
public sealed class StuckAndExperiment : Experiment
{
    private const string Paper = "LawrenceC 2024, footnote 13; reference program";

    /// <inheritdoc/>
    public override string Name => "stuck-and";

    /// <inheritdoc/>
    public override string Title => "pairwise ANDs: polysemantic at zero loss, without any shortage of neurons";

    /// <inheritdoc/>
    public override string Source => "LawrenceC 2024, Superposition is not \"just\" neuron polysemanticity, footnote 13";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var rows = new List<ClaimRow>();
        StuckOutcome Train(StuckAndConfig settings)
        {
            var setting = StuckAnd.Setting(settings);
            return StuckOutcome.Of(setting.Train(config.Seed, progress, cancellation), setting, config.Seed);
        }
        ClaimRow Measured(string named, StuckOutcome outcome) =>
            ClaimRow.Measure(
                $"{named}: share of neurons that are one AND",
                Paper,
                null,
                outcome.PureAnds.Average(),
                $"loss over variance {outcome.MeanLoss:G3}; {outcome.EffectiveOutputs.Average():F1} effective outputs per neuron; means of {outcome.PureAnds.Count} seeds"
            );
        var asserted = new StuckAndConfig { Seed = config.Seed, Seeds = 5 };
        foreach (var probability in config.Choose<double[]>([0.5], [0.5, 0.2], [0.5, 0.2]))
        {
            var plain = asserted with { Probability = probability };
            var decayed = plain with { WeightDecay = 0.1 };
            var (without, with) = (Train(plain), Train(decayed));
            foreach (var (settings, outcome) in new[] { (plain, without), (decayed, with) })
            {
                var named = $"m = 60, P = {probability}, weight decay {settings.WeightDecay}";
                rows.AddRange(StuckAnd.Acceptances(settings, outcome).Select(a => ClaimRow.Of(a, named)));
                rows.Add(Measured(named, outcome));
            }
            rows.Add(
                ClaimRow.Check(
                    $"m = 60, P = {probability}: share of seeds with more neurons of one AND under weight decay than without",
                    Paper,
                    "4/5",
                    with.PureAnds.Zip(without.PureAnds).Count(pair => pair.First > pair.Second) / 5.0,
                    0.8,
                    1
                )
            );
        }
        // An undertrained network is polysemantic too.
        foreach (var decay in config.Choose<double[]>([0], [0, 0.1], [0, 0.1]))
        {
            var longer = asserted with
            {
                Steps = config.Choose(30_000, 60_000, 60_000),
                WeightDecay = decay,
                Seeds = config.Choose(2, 4, 4),
            };
            var outcome = Train(longer);
            var named = $"m = 60, P = 0.5, weight decay {decay}, trained for {longer.Steps:N0} steps";
            rows.Add(ClaimRow.Check($"{named}: mean loss over the targets' variance", Paper, "< 1e-5", outcome.MeanLoss, 0, 1e-5));
            rows.Add(
                ClaimRow.Check(
                    $"{named}: mean share of neurons that are one AND",
                    Paper,
                    decay == 0 ? ".03–.11" : ".22–.26",
                    outcome.PureAnds.Average(),
                    0,
                    decay == 0 ? 0.2 : 0.5
                )
            );
        }
        foreach (var settings in Sweep(config, asserted with { Seeds = 4 }))
            rows.Add(
                Measured(
                    $"m = {settings.Hidden}, P = {settings.Probability}, weight decay {settings.WeightDecay}, {settings.Optimiser}, batch {settings.Batch}",
                    Train(settings)
                )
            );
        return new ExperimentResult(
            "6 bits, 15 ANDs; 10,000 steps of 256 rows, Adam 3e-3 to zero (momentum: .03), 5 seeds where asserted, else 4",
            rows,
            []
        );
    }

    private static IEnumerable<StuckAndConfig> Sweep(ReproductionConfig config, StuckAndConfig standard)
    {
        if (config.Size == ReproductionSize.Quick)
            yield break;
        double[] decays = config.Size == ReproductionSize.Full ? [0, 0.01, 0.1] : [0, 0.1];
        foreach (var hidden in new[] { 15, 30, 60 })
        foreach (var probability in new[] { 0.5, 0.2, 0.05 })
        foreach (var decay in decays)
        {
            if (hidden < 60 || probability == 0.05 || decay == 0.01)
                yield return standard with
                {
                    Hidden = hidden,
                    Probability = probability,
                    WeightDecay = decay,
                };
        }
        yield return standard with
        {
            Optimiser = "momentum",
            LearningRate = 0.03,
        };
        yield return standard with
        {
            Batch = 2048,
            Seeds = 2,
        };
    }
}
