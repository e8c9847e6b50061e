using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>|x| in superposition: exact with neurons enough, then primary and secondary features in each neuron as inputs become sparser.</summary>
public sealed class TmsAbsoluteExperiment : Experiment
{
    private const string Paper = "Elhage et al. 2022; reference program";

    /// <inheritdoc/>
    public override string Name => "tms-abs";

    /// <inheritdoc/>
    public override string Title => "the absolute value, computed in superposition";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on computation in superposition";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var densities = config.Choose<double[]>([1, 0.03], [1, 0.5, 0.3, 0.1, 0.03, 0.01], [1, 0.5, 0.3, 0.1, 0.03, 0.01]);
        var main = new AbsoluteValueConfig { Seed = config.Seed };
        var rows = new List<ClaimRow>();
        var figure = new Figure(
            "neurons",
            "Input weights of each neuron, n = 20, m = 8, I = .8^i",
            "A bar per neuron, its input weights stacked by size, scaled so that the largest is one; a colour per feature. One colour: one feature. Best of 12 by the loss on 50,000 fresh rows.",
            columns: 3,
            panelWidth: 300,
            panelHeight: 260
        );

        var exact = main with
        {
            Features = 3,
            Hidden = 6,
            ImportanceDecay = 1,
            Density = 0.5,
            Seeds = config.Choose(20, 40, 40),
            Steps = 5000,
        };
        var (small, smallNeurons) = Train(exact, progress, cancellation);
        rows.AddRange(AbsoluteValue.Acceptances(exact, small, smallNeurons).Select(a => ClaimRow.Of(a, "")));

        foreach (var density in densities)
        {
            var setting = main with { Density = density };
            var (trained, neurons) = Train(setting, progress, cancellation);
            rows.AddRange(AbsoluteValue.Acceptances(setting, trained, neurons).Select(a => ClaimRow.Of(a, $"density {density}")));
            rows.Add(Counted($"density {density}: monosemantic neurons", trained, neurons));
            Draw(figure, $"1 − S = {density}", trained.Best.Parameters.W1);
        }

        // A polysemantic neuron may be one that has not been trained to its end.
        foreach (var density in config.Choose<double[]>([0.03], [0.3, 0.1, 0.03], [0.3, 0.1, 0.03, 0.01]))
        {
            var longer = main with { Density = density, Steps = 20_000, Seeds = config.Choose(2, 10, 10) };
            var (trained, neurons) = Train(longer, progress, cancellation);
            var named = $"density {density}, trained for 20,000 steps";
            if (density <= 0.1)
            {
                rows.Add(ClaimRow.Check($"{named}: polysemantic neurons", Paper, density == 0.1 ? "7" : "8", neurons.Polysemantic, 7, 8));
                rows.Add(
                    ClaimRow.Check($"{named}: features read out", Paper, density == 0.1 ? "8" : "9", neurons.FeaturesRead.Count, 8, 20)
                );
            }
            rows.Add(Counted($"{named}: monosemantic neurons", trained, neurons));
        }

        if (config.Size == ReproductionSize.Full)
        {
            foreach (var density in new[] { 1, 0.1, 0.01 })
            {
                var paper = main with { Features = 100, Hidden = 40, Density = density, Seeds = 4, Steps = 20_000, Batch = 1024 };
                var (trained, neurons) = Train(paper, progress, cancellation);
                rows.Add(Counted($"n = 100, m = 40, density {density}: monosemantic neurons", trained, neurons));
            }
        }
        var ran =
            $"n = 3, m = 6, best of {exact.Seeds}; n = 20, m = 8, I = .8^i at densities {string.Join(", ", densities)}, best of {main.Seeds} with {main.Steps} steps of {main.Batch} rows, Adam {main.LearningRate} to zero; controls with 20,000 steps";
        return new ExperimentResult(ran, rows, [figure]);
    }

    private static (LayerNetPopulation Trained, AbsoluteNeurons Neurons) Train(
        AbsoluteValueConfig config,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var trained = AbsoluteValue.Setting(config).Train(config.Seed, progress, cancellation);
        return (trained, AbsoluteNeurons.Of(trained.Best.Parameters));
    }

    private static ClaimRow Counted(string claim, LayerNetPopulation trained, AbsoluteNeurons neurons) =>
        ClaimRow.Measure(
            claim,
            Paper,
            null,
            neurons.Monosemantic,
            $"{neurons.Polysemantic} polysemantic; {neurons.FeaturesRead.Count} features read out; {neurons.Motifs} neurons with the asymmetric motif; loss {trained.Loss:G4}"
        );

    private static void Draw(Figure figure, string title, Matrix w1)
    {
        var panel = figure.Panel(title, "neuron", "|input weight| / largest");
        var bars = new List<ScottPlot.Bar>();
        for (var neuron = 0; neuron < w1.Rows; neuron++)
        {
            var order = Enumerable.Range(0, w1.Columns).OrderByDescending(i => Math.Abs(w1[neuron, i])).ToArray();
            var largest = Math.Abs(w1[neuron, order[0]]);
            var at = 0.0;
            foreach (var feature in order)
            {
                var size = largest > 0 ? Math.Abs(w1[neuron, feature]) / largest : 0;
                bars.Add(
                    new ScottPlot.Bar
                    {
                        Position = neuron,
                        ValueBase = at,
                        Value = at + size,
                        FillColor = FigurePalette.Category(feature),
                        LineWidth = 0.5f,
                    }
                );
                at += size;
            }
        }
        panel.Add.Bars(bars);
        panel.Axes.SetLimits(-0.7, w1.Rows - 0.3, 0, 5);
    }
}
