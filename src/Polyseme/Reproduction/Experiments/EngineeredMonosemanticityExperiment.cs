using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Monosemanticity by the number of neurons and their first bias, at equal loss.</summary>
public sealed class EngineeredMonosemanticityExperiment : Experiment
{
    private const string Paper = "Jermyn, Schiefer and Hubinger 2022; reference program";

    private static readonly (int Hidden, double Bias, string Reference)[] s_reference =
    [
        (96, 0, "0 at loss .065"),
        (96, -0.3, ".01 at loss .086"),
        (96, -1, ".02 at loss .362"),
        (192, 0, ".09 at loss .031"),
        (192, -0.3, ".08 at loss .031"),
        (192, -1, ".03 at loss .053"),
        (384, 0, ".138 at loss .0265; mean of 3 seeds .126"),
        (384, -0.3, ".269 at loss .0255; mean of 3 seeds .204"),
        (384, -1, ".252 at loss .045"),
    ];

    /// <inheritdoc/>
    public override string Name => "engineered";

    /// <inheritdoc/>
    public override string Title => "more monosemantic neurons at the same loss";

    /// <inheritdoc/>
    public override string Source => "Jermyn, Schiefer and Hubinger 2022, Engineering Monosemanticity in Toy Models";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var steps = config.Choose(12_000, 16_000, 16_000);
        double[] biases = config.Choose<double[]>([0], [0, -0.3, -1], [0, -0.3, -1]);
        int[] widths = config.Choose<int[]>([96, 192], [96, 192, 384], [96, 192, 384]);
        EngineeredMonosemanticityConfig Settings(int hidden, double bias, int steps, int seeds) =>
            new()
            {
                Seed = config.Seed,
                Hidden = hidden,
                Bias = bias,
                Steps = steps,
                Seeds = seeds,
            };
        EngineeredMonosemanticityConfig[] cells =
        [
            .. widths.SelectMany(hidden =>
                // The gate compares means of three seeds.
                biases.Select(bias => Settings(hidden, bias, steps, hidden == 384 && bias > -1 ? 3 : config.Choose(1, 1, 3)))
            ),
        ];
        // Whether the share of monosemantic neurons is only on its way up.
        EngineeredMonosemanticityConfig[] longer = config.Choose<EngineeredMonosemanticityConfig[]>(
            [Settings(192, 0, 8000, 1)],
            [Settings(192, 0, 32_000, 1)],
            [Settings(384, 0, 64_000, 3), Settings(384, -0.3, 64_000, 3)]
        );
        var trained = WorkerTeam.Shared.Map([.. cells, .. longer], settings => Train(settings, progress, cancellation));
        var results = cells.Zip(trained).ToDictionary(pair => (pair.First.Hidden, pair.First.Bias), pair => pair.Second);
        List<ClaimRow> rows =
        [
            .. s_reference
                .Where(cell => results.ContainsKey((cell.Hidden, cell.Bias)))
                .Select(cell => Measured(cell.Hidden, cell.Bias, steps, cell.Reference, results[(cell.Hidden, cell.Bias)])),
        ];
        foreach (var bias in biases)
        {
            var fractions = widths.Select(hidden => results[(hidden, bias)].Mono).ToArray();
            rows.Add(
                ClaimRow.Check(
                    $"first bias {bias}: the share of monosemantic neurons rises with their number, {string.Join(", ", widths)}",
                    Paper,
                    fractions.Zip(fractions.Skip(1)).All(pair => pair.First < pair.Second),
                    string.Join(" ", fractions.Select(value => value.ToString("F3")))
                )
            );
        }
        if (results.TryGetValue((384, -0.3), out var negative) && results.TryGetValue((384, 0), out var zero))
        {
            rows.Add(
                ClaimRow.Check(
                    "384 neurons: monosemantic neurons at a first bias of −.3 over those at 0, means of 3 seeds",
                    Paper,
                    "1.6",
                    negative.Mono / zero.Mono,
                    1.4,
                    double.PositiveInfinity
                )
            );
            rows.Add(
                ClaimRow.Check("384 neurons: loss at a first bias of −.3 over that at 0", Paper, ".98", negative.Loss / zero.Loss, 0.9, 1.1)
            );
        }
        rows.AddRange(
            longer.Zip(
                trained[cells.Length..],
                (settings, result) => Measured(settings.Hidden, settings.Bias, settings.Steps, null, result)
            )
        );
        return new ExperimentResult(
            $"N = 96, m = 48, eps = 1/48; {steps:N0} steps of 256 rows, Adam 3e-3 to zero, bias decay .03 in the first half",
            rows,
            []
        );
    }

    private static (double Loss, double Mono, double Dead) Train(
        EngineeredMonosemanticityConfig settings,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var setting = EngineeredMonosemanticity.Setting(settings);
        // Several settings train side by side, a core each.
        setting = setting with
        {
            Training = setting.Training with { Threads = 1 },
        };
        var trained = setting.Train(settings.Seed, progress, cancellation);
        var counts = trained
            .Models.Select(model => NeuronCounts.Of(EngineeredMonosemanticity.Responses(trained.Shape, model.Parameters)))
            .ToArray();
        return (trained.NormalisedLosses.Average(), counts.Average(count => count.Fraction), counts.Average(count => count.Dead));
    }

    private static ClaimRow Measured(
        int hidden,
        double bias,
        int steps,
        string? reference,
        (double Loss, double Mono, double Dead) result
    ) =>
        ClaimRow.Measure(
            $"{hidden} neurons, first bias {bias}, {steps:N0} steps: share of monosemantic neurons",
            Paper,
            reference,
            result.Mono,
            $"loss over variance {result.Loss:F4}; {result.Dead:P0} dead"
        );
}
