using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>A disc in the plane: one neuron per block beside the identity fits it, two fully connected neurons per layer do not.</summary>
public sealed class OneNeuronResNetExperiment : Experiment
{
    private const string Paper = "Lin and Jegelka 2018";
    private const int Seeds = 5;

    /// <inheritdoc/>
    public override string Name => "one-neuron-resnet";

    /// <inheritdoc/>
    public override string Title => "one neuron per block against width two";

    /// <inheritdoc/>
    public override string Source => new OneNeuronResNet().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var plain = new OneNeuronResNetConfig { Seed = config.Seed, Blocks = config.Choose(24, 24, 32) };
        var (points, inside) = PlanarStack.Disc(20_000, new RandomStream(config.Seed, "disc/claims"));
        (PlanarStack Network, double Accuracy)[] Population(PlanarBlock kind, int length) =>
            [
                .. Enumerable
                    .Range(0, Seeds)
                    .AsParallel()
                    .AsOrdered()
                    .WithCancellation(cancellation)
                    .Select(model =>
                    {
                        var network = OneNeuronResNet.Train(kind, plain with { Steps = length * plain.Steps }, model, cancellation);
                        return (network, network.Accuracy(points, inside));
                    }),
            ];
        var residual = Population(PlanarBlock.OneNeuron, 1);
        var connected = Population(PlanarBlock.WidthTwo, 1);
        var rows = new List<ClaimRow>();
        Add($"{plain.Steps:N0} steps", residual, connected);
        if (config.Size != ReproductionSize.Quick)
            Add($"trained {3 * plain.Steps:N0} steps", Population(PlanarBlock.OneNeuron, 3), Population(PlanarBlock.WidthTwo, 3));
        var figure = new Figure(
            "regions",
            "A disc cut out of the plane",
            $"Decision regions of the best of {Seeds} networks of {plain.Blocks} layers each, with the disc's edge: left one neuron per block beside the identity, right two fully connected neurons per layer, whose region cannot be bounded.",
            columns: 2,
            panelHeight: 420
        );
        var cells = config.Choose(80, 200, 300);
        Region(figure, "one neuron per block", residual.MaxBy(run => run.Accuracy), cells);
        Region(figure, "fully connected, width 2", connected.MaxBy(run => run.Accuracy), cells);
        return new ExperimentResult(
            $"{plain.Blocks} layers, {Seeds} seeds each, {plain.Steps:N0} steps of 256 fresh points, Adam {plain.LearningRate} to zero; accuracy on {points.Rows:N0} points, half of them inside",
            rows,
            [figure]
        );
        void Add(string name, (PlanarStack Network, double Accuracy)[] one, (PlanarStack Network, double Accuracy)[] two)
        {
            double first = one.Average(run => run.Accuracy),
                second = two.Average(run => run.Accuracy);
            rows.Add(
                ClaimRow.Check(
                    $"{plain.Blocks} blocks of one neuron, {name}: accuracy, mean of {Seeds} seeds",
                    Paper,
                    "≥ .97",
                    first,
                    0.97,
                    1,
                    Each(one)
                )
            );
            rows.Add(
                ClaimRow.Check(
                    $"{plain.Blocks} layers of width 2, {name}: accuracy, mean of {Seeds} seeds",
                    Paper,
                    "≤ that − .05",
                    second,
                    0,
                    first - 0.05,
                    Each(two)
                )
            );
        }
        static string Each((PlanarStack Network, double Accuracy)[] runs) =>
            string.Join(", ", runs.Select(run => run.Accuracy.ToString("0.000", System.Globalization.CultureInfo.InvariantCulture)));
    }

    private static void Region(Figure figure, string title, (PlanarStack Network, double Accuracy) run, int cells)
    {
        const double reach = 2.25;
        var grid = new Matrix(cells * cells, 2);
        for (var row = 0; row < cells; row++)
        for (var column = 0; column < cells; column++)
            (grid[(row * cells) + column, 0], grid[(row * cells) + column, 1]) = (
                reach * ((2.0 * (column + 0.5) / cells) - 1),
                reach * (1 - (2.0 * (row + 0.5) / cells))
            );
        var logits = run.Network.Run(grid).Output;
        var side = new double[cells, cells];
        for (var i = 0; i < logits.Data.Length; i++)
            side[i / cells, i % cells] = logits.Data[i] > 0 ? 0.5 : 0;
        var panel = figure.Panel($"{title}: {run.Accuracy:0.000}", "x", "y");
        var map = panel.Add.Heatmap(side);
        map.Colormap = FigurePalette.Diverging;
        map.ManualRange = new ScottPlot.Range(-1, 1);
        map.Extent = new ScottPlot.CoordinateRect(-reach, reach, -reach, reach);
        var edge = panel.Add.Circle(0, 0, 1.2);
        (edge.LineColor, edge.LineWidth) = (FigurePalette.Categories[^1], 2);
        edge.FillColor = ScottPlot.Colors.Transparent;
        var square = panel.Add.Rectangle(-1.5, 1.5, -1.5, 1.5);
        (square.LineColor, square.FillColor) = (FigurePalette.Reference, ScottPlot.Colors.Transparent);
        panel.Axes.SetLimits(-reach, reach, -reach, reach);
        panel.Axes.SquareUnits();
        panel.HideGrid();
    }
}
