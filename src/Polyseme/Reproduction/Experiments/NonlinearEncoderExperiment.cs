using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.NonlinearEncoders;
using ScottPlot;

namespace Polyseme.Reproduction.Experiments;

/// <summary>What a toy model gains from encoding as it likes, and that its features then stop adding.</summary>
public sealed class NonlinearEncoderExperiment : Experiment
{
    private const string Target = "target set by judgement; published about 0.6";

    /// <inheritdoc/>
    public override string Name => "nonlinear-encoder";

    /// <inheritdoc/>
    public override string Title => "a toy model with a nonlinear encoder";

    /// <inheritdoc/>
    public override string Source => new NonlinearEncoder().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var training = new NonlinearEncoderConfig { Seed = config.Seed, Steps = config.Choose(4_000, 12_000, 50_000) };
        var compared = NonlinearEncoder.Compare(training, progress, cancellation);
        var rows = new List<ClaimRow>();
        Compare(rows, training, compared, "");
        if (config.Size != ReproductionSize.Quick)
        {
            var longer = training with { Steps = 3 * training.Steps };
            Compare(rows, longer, NonlinearEncoder.Compare(longer, progress, cancellation), "longer-training control, ");
        }
        return new ExperimentResult(
            $"n = 5, m = 2, S = .9, encoder of {training.Units} ReLUs, best of {training.Seeds} seeds of {training.Steps:N0} steps; the tied model best of 8",
            rows,
            [Draw(compared, training)]
        );
    }

    private static void Compare(List<ClaimRow> rows, NonlinearEncoderConfig training, NonlinearEncoder.Comparison compared, string control)
    {
        var named = $"{control}n = 5, m = 2, S = .9, {training.Steps:N0} steps";
        rows.Add(
            ClaimRow.Check(
                $"{named}: loss over that of the tied model",
                Target,
                "0.6",
                compared.Ratio,
                0,
                0.8,
                $"{compared.Losses.Min():G4} against {compared.TiedLoss:G4}; the {compared.Losses.Count} seeds range from {compared.Losses.Min():G4} to {compared.Losses.Max():G4}"
            )
        );
        rows.Add(
            ClaimRow.Check(
                $"{named}: additivity defect of the hidden layer",
                "target set by judgement",
                "above 0.1",
                compared.Defect,
                0.1,
                double.PositiveInfinity,
                "mean over all pairs of features set to 1"
            )
        );
        rows.Add(
            ClaimRow.Check(
                $"{named}: additivity defect of the tied model",
                "a linear layer adds; derived",
                "0",
                AdditivityDefect.Mean(compared.Tied, "hook_hidden") ?? double.NaN,
                0,
                1e-20
            )
        );
    }

    private static Figure Draw(NonlinearEncoder.Comparison compared, NonlinearEncoderConfig training)
    {
        var figure = new Figure(
            "layers",
            "features alone and in pairs",
            $"The two-dimensional hidden layer of the tied toy model (left) and with an encoder of {training.Units} ReLUs (right), best of {training.Seeds} seeds. Lines: one feature from 0 to 1. Dots: two features at 1; crosses: where addition would put them. In the tied model they coincide.",
            2,
            460,
            400
        );
        Panel(figure, "tied", compared.Tied);
        Panel(figure, "nonlinear encoder", compared.Network);
        return figure;
    }

    private static void Panel(Figure figure, string title, Networks.Network network)
    {
        const int along = 41;
        var n = network.InputWidth;
        var plot = figure.Panel(title, "h₁", "h₂");
        Matrix Hidden(Matrix inputs) => network.Run(inputs, ["hook_hidden"]).Recorded["hook_hidden"];
        var rest = Hidden(new Matrix(1, n));
        var ends = new Matrix(n, 2);
        for (var i = 0; i < n; i++)
        {
            var inputs = new Matrix(along, n);
            for (var row = 0; row < along; row++)
                inputs[row, i] = row / (along - 1.0);
            var hidden = Hidden(inputs);
            hidden.Row(along - 1).CopyTo(ends.Row(i));
            var line = plot.Add.ScatterLine(hidden.Column(0), hidden.Column(1), FigurePalette.Category(i));
            line.LineWidth = 2.5f;
            line.LegendText = $"feature {i}";
        }
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var both = new Matrix(1, n);
                (both[0, i], both[0, j]) = (1, 1);
                var hidden = Hidden(both);
                var dot = plot.Add.Marker(hidden[0, 0], hidden[0, 1]);
                dot.Color = Colors.Black;
                dot.Shape = MarkerShape.FilledCircle;
                dot.Size = 5;
                var sum = plot.Add.Marker(ends[i, 0] + ends[j, 0] - rest[0, 0], ends[i, 1] + ends[j, 1] - rest[0, 1]);
                sum.Color = FigurePalette.Reference;
                sum.Shape = MarkerShape.Cross;
                sum.Size = 9;
            }
        }
        plot.ShowLegend(Alignment.UpperRight);
    }
}
