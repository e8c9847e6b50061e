using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Features that are not equally frequent: superposition stays, and its plateaus smear.</summary>
public sealed class TmsFrequenciesExperiment : Experiment
{
    private const string Reference = "reference program";
    private const int Features = 60,
        Hidden = 6;

    /// <summary>Represented features and D* by mean number of active features: uniform, power law, exponential.</summary>
    private static readonly (double Active, (int Represented, double DStar)[] Laws)[] s_reference =
    [
        (6, [(22, 0.248), (13, 0.431), (12, 0.488)]),
        (2, [(38, 0.139), (19, 0.262), (18, 0.287)]),
        (0.6, [(58, 0.081), (26, 0.164), (23, 0.196)]),
    ];

    /// <inheritdoc/>
    public override string Name => "tms-frequencies";

    /// <inheritdoc/>
    public override string Title => "power-law, exponential and linear feature frequencies";

    /// <inheritdoc/>
    public override string Source =>
        "Elhage et al. 2022, Toy Models of Superposition; Liu, Liu and Gore 2025, Superposition yields robust neural scaling";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var actives = config.Choose<double[]>([2, 0.6], [6, 2, 0.6], [6, 2, 0.6]);
        var laws = config.Choose<FrequencyLaw[]>(
            [FrequencyLaw.Uniform, FrequencyLaw.Exponential],
            Enum.GetValues<FrequencyLaw>(),
            Enum.GetValues<FrequencyLaw>()
        );
        // Uniform models whose dimensions per feature cover those that the other laws have while features are large enough for plateaus.
        var denser = config.Choose<double[]>([], [8, 10, 12, 14, 16, 18, 20], [8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 22]);
        var seeds = config.Choose(4, 4, 8);
        var steps = config.Choose(5000, 5000, 20_000);
        List<Trial> runs =
        [
            .. from law in laws from active in actives select new Trial("", law, active, seeds, steps),
            .. denser.Select(active => new Trial("", FrequencyLaw.Uniform, active, seeds, steps)),
        ];
        if (config.Size == ReproductionSize.Default)
            runs.AddRange(
                new[] { FrequencyLaw.Uniform, FrequencyLaw.Power }.Select(law => new Trial(
                    $"control, {4 * steps} steps: ",
                    law,
                    2,
                    seeds,
                    4 * steps
                ))
            );
        var trained = ToySetting.TrainAll([.. runs.Select(run => run.Setting())], config.Seed, progress, cancellation);
        var models = runs.Zip(trained, (run, best) => new Model(run, best.Best.Parameters.W)).ToArray();

        List<ClaimRow> rows = [.. models.Where(model => actives.Contains(model.Trial.Active)).SelectMany(Rows)];
        foreach (var law in laws)
        {
            var counts = models
                .Where(model => model.Is(law) && actives.Contains(model.Trial.Active))
                .Select(model => model.Represented)
                .ToArray();
            rows.Add(
                ClaimRow.Check(
                    $"{Words(law)}: represented features rise as inputs become sparser",
                    Reference,
                    counts.Zip(counts.Skip(1)).All(pair => pair.First < pair.Second),
                    string.Join(" ", counts)
                )
            );
        }
        if (denser.Length > 0)
            rows.AddRange(Smearing(models));
        var scaling = StrongSuperpositionClaims.Of(config, progress, cancellation);
        rows.AddRange(scaling.Rows);
        var ran =
            $"n = 60, m = 6, {string.Join(", ", laws.Select(Words))}, {string.Join(", ", actives)} active features on average, best of {seeds}, {steps} steps of 1,024 rows, Adam 3e-3 to zero, chosen by the loss on 100,000 fresh rows"
            + (denser.Length > 0 ? $"; uniform also at {string.Join(", ", denser)}" : "")
            + $"; {scaling.Ran}";
        return new ExperimentResult(ran, rows, [Norms(models, laws, actives), Strips(models), scaling.Draw()]);
    }

    private sealed record Trial(string Prefix, FrequencyLaw Law, double Active, int Seeds, int Steps)
    {
        public double[] Densities => FrequencyLaws.Densities(Law, Features, Active);

        public ToySetting Setting() =>
            new()
            {
                Shape = ToySetting.Uniform(Features, Hidden),
                Inputs = new ToyInputs.Fresh(Densities),
                Steps = Steps,
                Seeds = Seeds,
            };
    }

    private sealed record Model(Trial Trial, Matrix W)
    {
        public int Represented => FeatureGeometry.Represented(W).Length;

        public double DStar => Dimensionality.PerRepresentedFeature(W) ?? double.NaN;

        /// <summary>The share of represented features whose dimensionality is within .02 of one that uniform polytopes have.</summary>
        public double OnPlateaus
        {
            get
            {
                var dimensionality = Dimensionality.PerFeature(W);
                return FeatureGeometry
                    .Represented(W)
                    .Average(i => ToyPanels.Plateaus.Any(plateau => Math.Abs(plateau.Value - dimensionality[i]!.Value) <= 0.02) ? 1.0 : 0);
            }
        }

        /// <summary>Whether it is of the law, and no control.</summary>
        public bool Is(FrequencyLaw law) => Trial.Law == law && Trial.Prefix.Length == 0;
    }

    private static string Words(FrequencyLaw law) =>
        law switch
        {
            FrequencyLaw.Uniform => "uniform",
            FrequencyLaw.Power => "power law i^−1.2",
            FrequencyLaw.Exponential => "exponential, τ = 10",
            FrequencyLaw.Linear => "linear",
            _ => throw new ArgumentOutOfRangeException(nameof(law), law, "no such law"),
        };

    private static IEnumerable<ClaimRow> Rows(Model model)
    {
        var name = $"{model.Trial.Prefix}{Words(model.Trial.Law)}, {model.Trial.Active} active";
        var known = s_reference
            .Where(row => row.Active == model.Trial.Active && model.Trial.Law != FrequencyLaw.Linear)
            .Select(row => ((int Represented, double DStar)?)row.Laws[(int)model.Trial.Law])
            .SingleOrDefault();
        var represented = FeatureGeometry.Represented(model.W);
        var last = represented.Length == 0 ? 0 : represented[^1] + 1;
        yield return ClaimRow.Check(
            $"{name}: represented features, of 60 in 6 dimensions",
            Reference,
            known is null ? "more than 6" : $"{known.Value.Represented}; asserted: more than 6",
            represented.Length,
            Hidden + 1,
            Features
        );
        yield return ClaimRow.Check($"{name}: ΣDᵢ / m", Reference, "1", Dimensionality.Total(model.W) / Hidden, 0.97, 1.03);
        yield return ClaimRow.Measure(
            $"{name}: dimensions per feature, D*",
            Reference,
            known is null ? null : $"{known.Value.DStar}",
            model.DStar
        );
        var ignored = last - represented.Length;
        var perTwenty = last == 0 ? 0 : 20.0 * ignored / last;
        const string claim = "ignored features before the last represented one, per 20";
        yield return model.Trial.Law is FrequencyLaw.Power or FrequencyLaw.Exponential
            ? ClaimRow.Check($"{name}: {claim}", Reference, "at most 3", perTwenty, 0, 3, $"{ignored} before feature {last}")
            : ClaimRow.Measure($"{name}: {claim}", Reference, model.Trial.Law == FrequencyLaw.Uniform ? "no order" : null, perTwenty);
    }

    /// <summary>Plateaus can be told where features have a third of a dimension or more; a uniform model of the nearest D* is what to compare with.</summary>
    private static IEnumerable<ClaimRow> Smearing(Model[] models)
    {
        var uniform = models.Where(model => model.Is(FrequencyLaw.Uniform)).ToArray();
        foreach (
            var model in models.Where(model => !model.Is(FrequencyLaw.Uniform) && model.Trial.Prefix.Length == 0 && model.DStar >= 1.0 / 3)
        )
        {
            var nearest = uniform.MinBy(other => Math.Abs(other.DStar - model.DStar))!;
            yield return ClaimRow.Check(
                $"{Words(model.Trial.Law)}, {model.Trial.Active} active: share of Dᵢ within .02 of a plateau, less that of the uniform model of nearest D*",
                Reference,
                "below 0: plateaus smear",
                model.OnPlateaus - nearest.OnPlateaus,
                -1,
                -1e-9,
                $"{model.OnPlateaus:0.00} at D* {model.DStar:0.000}; uniform, {nearest.Trial.Active} active: {nearest.OnPlateaus:0.00} at D* {nearest.DStar:0.000}"
            );
        }
    }

    private static Figure Norms(Model[] models, FrequencyLaw[] laws, double[] actives)
    {
        var figure = new Figure(
            "norms",
            "Which features are represented, by frequency",
            "Above each panel: the law, the mean number of active features, the represented ones. Squared norms from the most to the least frequent feature, coloured by interference (yellow: 1). Unequal frequencies: the represented features are the most frequent ones, more of them as inputs become sparser. Equal: in no order.",
            columns: actives.Length,
            panelWidth: 380,
            panelHeight: 220
        );
        foreach (var law in laws)
        foreach (var active in actives)
        {
            var model = models.First(candidate => candidate.Is(law) && candidate.Trial.Active == active);
            var panel = figure.Norms(
                $"{Words(law)}, {active} active: {model.Represented}",
                model.W,
                i => FeatureGeometry.Interference(model.W, i)
            );
            panel.Axes.SetLimitsY(0, 2);
        }
        return figure;
    }

    private static Figure Strips(Model[] models)
    {
        var shown = models
            .Where(model => model.Trial.Prefix.Length == 0 && model.DStar >= 0.2)
            .OrderBy(model => model.Trial.Law)
            .ThenByDescending(model => model.DStar)
            .ToArray();
        var figure = new Figure(
            "plateaus",
            "Plateaus smear when frequencies differ",
            "The dimensionality of every feature, sorted within each model; flat stretches on a line are plateaus. U: uniform, P: power law, E: exponential, L: linear, with the mean number of active features.",
            panelWidth: 900,
            panelHeight: 420
        );
        var strip = figure.Dimensionalities(
            "dimensionality of each feature",
            [.. shown.Select((model, k) => ((double)k, model.W))],
            "law and active features"
        );
        strip.Axes.Bottom.SetTicks(
            [.. shown.Select((_, k) => (double)k)],
            [.. shown.Select(model => $"{Words(model.Trial.Law)[..1].ToUpperInvariant()} {model.Trial.Active}")]
        );
        return figure;
    }
}
