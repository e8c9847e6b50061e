using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Two sets of three correlated features in three dimensions: dimensionalities jump between levels, and the loss falls where they do.</summary>
public sealed class TmsDynamicsExperiment : Experiment
{
    private const string Paper = "Elhage et al. 2022";
    private const int SetSize = 3,
        Features = 2 * SetSize,
        Hidden = 3,
        Seeds = 10,
        Points = 200;
    private const double Density = 0.05;

    /// <summary>A fall of the loss by a fifth of itself is a drop: below lies the slow end of training. In nats.</summary>
    private static readonly double s_smallestDrop = -Math.Log(0.8);

    /// <summary>A change of a dimensionality that is a jump.</summary>
    private const double SmallestJump = 0.1;

    /// <summary>Drops are found over ±1 %, jumps looked for within ±3 % of the run, from step 100 on.</summary>
    private const int DropHalfWidth = Points / 100,
        JumpHalfWidth = 3 * Points / 100,
        FirstStep = 100;

    /// <inheritdoc/>
    public override string Name => "tms-dynamics";

    /// <inheritdoc/>
    public override string Title => "learning dynamics and energy-level jumps";

    /// <inheritdoc/>
    public override string Source => "Elhage et al. 2022, Toy Models of Superposition, on superposition and learning dynamics";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        const int steps = 10_000;
        var judged = ZooSample.Inputs(Training(steps).Inputs, Features, 10_000, config.Seed, "toy/judge");
        Trajectory[] Train(int length)
        {
            var training = Training(length);
            var jobs = Enumerable.Range(0, Seeds).Select(model => new ToyJob(training, config.Seed, model)).ToArray();
            var models = PopulationTrainer.Train(jobs, Environment.ProcessorCount, progress, cancellation);
            return
            [
                .. models
                    .Where(model => model.DivergedAt is null)
                    .Select(model => Trajectory.Of(model, TrainingDynamics.Of(model, training.Shape, judged, cancellation))),
            ];
        }
        var trained = Train(steps);
        List<ClaimRow> rows = [.. Jumps(trained, config.Size), .. Triangles("", trained)];
        if (config.Size != ReproductionSize.Quick)
            rows.AddRange(Triangles($"control, {4 * steps} steps: ", Train(4 * steps)));
        var ran =
            $"n = 6, m = 3, two sets of three that switch on together, p = {Density} a set, {Seeds} seeds, {steps} steps of 256 rows, Adam 1e-3 to zero; loss and Dᵢ at {Points + 1} points, on 10,000 fresh rows"
            + (config.Size == ReproductionSize.Quick ? "" : $"; control: {4 * steps} steps");
        return new ExperimentResult(ran, rows, [Draw(trained)]);
    }

    private static ToyTraining Training(int steps) =>
        new()
        {
            Shape = ToySetting.Uniform(Features, Hidden),
            Inputs = new ToyInputs.Fresh(Density, SetSize),
            Batch = 256,
            Steps = steps,
            LearningRate = 1e-3,
            SnapshotSteps = [.. Enumerable.Range(0, Points + 1).Select(k => (int)((long)steps * k / Points))],
        };

    /// <summary>A seed's way.</summary>
    /// <param name="W">Its final directions.</param>
    /// <param name="Dynamics">Loss and dimensionalities.</param>
    /// <param name="Falls">The three largest falls of the loss: the point, the fall of the loss in nats, and the largest change of a dimensionality around it.</param>
    /// <param name="Chance">The share of all points around which a dimensionality jumps.</param>
    private sealed record Trajectory(Matrix W, TrainingDynamics Dynamics, (int Point, double Fall, double Jump)[] Falls, double Chance)
    {
        public double FinalLoss => Dynamics.Losses[^1];

        public (int Point, double Fall, double Jump)[] Drops => [.. Falls.Where(fall => fall.Fall >= s_smallestDrop)];

        public static Trajectory Of(ToyModel model, TrainingDynamics dynamics)
        {
            var first = Array.FindIndex(dynamics.Steps, step => step >= FirstStep);
            var falls = dynamics
                .LargestDrops(3, DropHalfWidth, first)
                .Select(k => (k, dynamics.Fall(k, DropHalfWidth, first), dynamics.LargestJump(k, JumpHalfWidth, first)))
                .ToArray();
            var chance = Enumerable
                .Range(first, Points + 1 - first)
                .Average(k => dynamics.LargestJump(k, JumpHalfWidth, first) >= SmallestJump ? 1.0 : 0);
            return new Trajectory(model.Parameters.W, dynamics, falls, chance);
        }
    }

    private static IEnumerable<ClaimRow> Jumps(Trajectory[] trained, ReproductionSize size)
    {
        string Text(Trajectory seed) =>
            string.Join(
                ", ",
                seed.Falls.Select(fall => $"{(double)fall.Point / Points:0.00}: loss ×{Math.Exp(-fall.Fall):0.00}, Dᵢ {fall.Jump:0.00}")
            );
        yield return ClaimRow.Check(
            $"seeds, of {Seeds}, on which every drop of the loss (the three largest falls that take a fifth of it or more) comes within ±3 % of the run with a jump of some Dᵢ ≥ {SmallestJump}",
            Paper,
            "≥ 8",
            trained.Count(seed => seed.Drops.Length > 0 && seed.Drops.All(drop => drop.Jump >= SmallestJump)),
            8,
            Seeds,
            $"{trained.Sum(seed => seed.Drops.Length)} drops in all, {trained.Sum(seed => seed.Drops.Count(drop => drop.Jump >= SmallestJump))} with a jump"
        );
        var literal = trained.Count(seed => seed.Falls.All(fall => fall.Jump >= SmallestJump));
        const string claim = "the same for the three largest falls whatever their size";
        var note =
            $"most runs have one or two drops; the third fall is the slow end of training. By seed, time and sizes: {string.Join("; ", trained.Select(Text))}";
        yield return size == ReproductionSize.Quick
            ? ClaimRow.Measure(claim, Paper, "≥ 8", literal, note)
            : ClaimRow.Check(claim, Paper, "≥ 8", literal, 8, Seeds, note);
        yield return ClaimRow.Measure(
            "share of all points of time that lie within ±3 % of such a jump: how often a drop would by chance",
            "derived",
            null,
            trained.Average(seed => seed.Chance)
        );
    }

    private static IEnumerable<ClaimRow> Triangles(string name, Trajectory[] trained)
    {
        var best = trained.MinBy(seed => seed.FinalLoss)!;
        var (farthest, parallel) = Triangle(best.W);
        var note =
            $"seed of least loss, {best.FinalLoss:G3}; {trained.Count(seed => Triangle(seed.W) is { FarthestFromHalf: <= 0.1, Parallel: >= 0.95 })} of {trained.Length} seeds end so";
        yield return ClaimRow.Check(
            $"{name}each set ends as a triangle: largest deviation from −½ of the cosines within a set, in the plane through its three points",
            Paper,
            "0",
            farthest,
            0,
            0.1,
            note
        );
        yield return ClaimRow.Check(
            $"{name}the two triangles' planes are parallel: |cosine| of their normals",
            Paper,
            "1",
            parallel,
            0.95,
            1 + 1e-9
        );
    }

    private static (double FarthestFromHalf, double Parallel) Triangle(Matrix w)
    {
        var farthest = 0.0;
        var normals = new Matrix(2, Hidden);
        for (var set = 0; set < 2; set++)
        {
            var corners = new Matrix(SetSize, Hidden); // around their centre
            for (var k = 0; k < Hidden; k++)
            {
                var centre = Enumerable.Range(0, SetSize).Average(i => w[(set * SetSize) + i, k]);
                for (var i = 0; i < SetSize; i++)
                    corners[i, k] = w[(set * SetSize) + i, k] - centre;
            }
            for (var i = 0; i < SetSize; i++)
                farthest = Math.Max(farthest, Math.Abs(FeatureGeometry.Cosine(corners, i, (i + 1) % SetSize) + 0.5));
            for (var k = 0; k < Hidden; k++)
            {
                int next = (k + 1) % Hidden,
                    after = (k + 2) % Hidden;
                normals[set, k] = (corners[0, next] * corners[1, after]) - (corners[0, after] * corners[1, next]);
            }
        }
        return (farthest, Math.Abs(FeatureGeometry.Cosine(normals, 0, 1)));
    }

    private static Figure Draw(Trajectory[] trained)
    {
        // The runs with most to see: those with the most drops, the better loss first.
        var shown = trained.OrderByDescending(seed => seed.Drops.Length).ThenBy(seed => seed.FinalLoss).Take(3).ToArray();
        var figure = new Figure(
            "levels",
            "Dimensionalities jump where the loss falls",
            $"Above: the dimensionality of each of six features, the first set in blues, the second in oranges; below: the loss on fresh rows. Vertical lines: the drops found. The {shown.Length} of {trained.Length} seeds with the most drops.",
            columns: shown.Length,
            panelWidth: 400,
            panelHeight: 300
        );
        foreach (var seed in shown)
        {
            var levels = figure.Panel($"dimensionalities, final loss {seed.FinalLoss:G3}", "step", "Dᵢ");
            for (var i = 0; i < Features; i++)
            {
                var feature = i;
                var line = levels.Add.ScatterLine(
                    X(seed),
                    seed.Dynamics.Dimensionalities.Select(values => values[feature]).ToArray(),
                    FigurePalette.Category(i < SetSize ? 0 : 1).WithAlpha(1 - (0.25 * (i % SetSize)))
                );
                line.LineWidth = 2;
            }
            levels.Axes.SetLimitsY(0, 1.05);
            AddDrops(levels, seed);
        }
        foreach (var seed in shown)
        {
            var loss = figure.Panel("loss", "step", "loss");
            var line = loss.Add.ScatterLine(X(seed), seed.Dynamics.Losses.Select(Math.Log10).ToArray(), FigurePalette.Category(6));
            line.LineWidth = 2;
            loss.LogTicksY([0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]);
            AddDrops(loss, seed);
        }
        return figure;
    }

    private static double[] X(Trajectory seed) => [.. seed.Dynamics.Steps.Select(step => (double)step)];

    private static void AddDrops(ScottPlot.Plot panel, Trajectory seed)
    {
        foreach (var drop in seed.Drops)
            panel.Add.VerticalLine(seed.Dynamics.Steps[drop.Point], 1, FigurePalette.Reference, ScottPlot.LinePattern.Solid);
    }
}
