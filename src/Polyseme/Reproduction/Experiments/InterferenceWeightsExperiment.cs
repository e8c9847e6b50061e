using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Effective weights between features of a toy model, parted into those it wants and those that superposition leaves: the diagonal and the rest.</summary>
public sealed class InterferenceWeightsExperiment : Experiment
{
    private const int Features = 100,
        Hidden = 20;
    private const double Density = 0.02;
    private const string Paper = "Anthropic 2025, Interference Weights; derived";

    /// <inheritdoc/>
    public override string Name => "interference-weights";

    /// <inheritdoc/>
    public override string Title => "real and interference weights between features";

    /// <inheritdoc/>
    public override string Source => "Olah, Turner and Conerly 2025, A Toy Model of Interference Weights";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        Matrix Train(int length) =>
            new ToySetting
            {
                Shape = ToySetting.Uniform(Features, Hidden),
                Inputs = new ToyInputs.Fresh(Density),
                Steps = length * config.Choose(1500, 5000, 10_000),
                Seeds = config.Choose(1, 2, 8),
                JudgedRows = 20_000,
            }
                .Train(config.Seed, progress, cancellation)
                .Best.Parameters.W;
        var w = Train(1);
        var rows = new List<ClaimRow>();
        Add("", w);
        if (config.Size != ReproductionSize.Quick)
            Add("trained twice as long: ", Train(2));
        return new ExperimentResult(
            $"n = {Features}, m = {Hidden}, density {Density}; {config.Choose(1500, 5000, 10_000):N0} steps of 1,024 rows, best of {config.Choose(1, 2, 8)}",
            rows,
            [Picture(w)]
        );
        void Add(string name, Matrix directions)
        {
            var (real, interference) = Parted(directions);
            rows.Add(
                ClaimRow.Check(
                    $"{name}dimensionalities summed over features, per dimension",
                    "Elhage et al. 2022",
                    "1",
                    Dimensionality.Total(directions) / Hidden,
                    0.99,
                    1.01
                )
            );
            rows.Add(
                ClaimRow.Measure(
                    $"{name}share of the squared effective weights that is interference",
                    Paper,
                    null,
                    interference.Sum(v => v * v) / (real.Sum(v => v * v) + interference.Sum(v => v * v)),
                    $"{FeatureGeometry.Represented(directions).Length} features represented; {interference.Length:N0} weights off the diagonal"
                )
            );
            rows.Add(
                ClaimRow.Measure(
                    $"{name}largest interference weight, of either sign",
                    Paper,
                    null,
                    interference.Max(Math.Abs),
                    $"mean real weight {real.Average():0.000}"
                )
            );
            var (largest, correlation) = Coactivity(directions, config.Seed);
            rows.Add(
                ClaimRow.Check(
                    $"{name}mean |correlation| of the inputs that the 100 largest interference weights join",
                    "derived",
                    "0",
                    correlation,
                    0,
                    0.02,
                    $"100,000 rows; these weights average {largest:0.000} in size: the model has no reason for them in the data"
                )
            );
        }
    }

    /// <summary>Effective weights W·Wᵀ: from each feature to itself, and between different ones.</summary>
    private static (double[] Real, double[] Interference) Parted(Matrix w)
    {
        var effective = LinearAlgebra.MultiplyTranspose(w, w);
        List<double> real = [],
            interference = [];
        for (var i = 0; i < w.Rows; i++)
        for (var j = 0; j < w.Rows; j++)
            (i == j ? real : interference).Add(effective[i, j]);
        return ([.. real], [.. interference]);
    }

    /// <summary>Of the hundred largest interference weights, the mean size, and the mean |correlation| of the features that each joins.</summary>
    private static (double Size, double Correlation) Coactivity(Matrix w, ulong seed)
    {
        var effective = LinearAlgebra.MultiplyTranspose(w, w);
        var pairs = (
            from i in Enumerable.Range(0, w.Rows)
            from j in Enumerable.Range(0, i)
            orderby Math.Abs(effective[i, j]) descending
            select (i, j)
        )
            .Take(100)
            .ToArray();
        var inputs = ZooSample.Inputs(new ToyInputs.Fresh(Density), Features, 100_000, seed, "interference/inputs").ToMatrix();
        var correlations = Readouts.AbsoluteCorrelations(inputs, inputs);
        return (pairs.Average(pair => Math.Abs(effective[pair.i, pair.j])), pairs.Average(pair => correlations[pair.i, pair.j]));
    }

    private static Figure Picture(Matrix w)
    {
        var (real, interference) = Parted(w);
        var figure = new Figure(
            "weights",
            "Effective weights between features",
            $"Left: W·Wᵀ of {Features} features in {Hidden} dimensions. Right: the same weights sorted by size; {Features} join a feature to itself, {interference.Length:N0} are interference, some of them large although their features are active independently.",
            columns: 2
        );
        figure.Gram("W·Wᵀ", w);
        var panel = figure.Panel("sorted effective weights", "rank (logarithmic)", "weight");
        foreach (var (values, name, colour) in new[] { (interference, "interference", 1), (real, "real", 0) })
        {
            var sorted = values.OrderDescending().ToArray();
            var line = panel.Add.Scatter(sorted.Select((_, k) => Math.Log10(k + 1)).ToArray(), sorted);
            (line.Color, line.LegendText, line.LineWidth, line.MarkerSize) = (FigurePalette.Category(colour), name, 2, 0);
        }
        panel.LogTicksX(PlotAxes.Decades(0, 4));
        panel.ShowLegend(ScottPlot.Alignment.UpperRight);
        return figure;
    }
}
