using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>What a toy model does with its extra feature.</summary>
public enum ExtraFeature
{
    /// <summary>It is not represented.</summary>
    Ignored,

    /// <summary>It has a dimension to itself.</summary>
    Dedicated,

    /// <summary>It shares a dimension with another feature.</summary>
    Superposed,
}

/// <summary>A grid of densities and importances to train.</summary>
public sealed record PhaseDiagramConfig
{
    /// <summary>n: 2 with one hidden unit, 3 with two.</summary>
    public required int Features
    {
        get;
        init => field = Allowed.Between(value, 2, 3);
    }

    /// <summary>Cells along each axis. In 2 … 200.</summary>
    public required int Cells
    {
        get;
        init => field = Allowed.Between(value, 2, 200);
    }

    /// <summary>Models per cell; the best on fresh rows speaks for it. In 1 … 100.</summary>
    public required int Seeds
    {
        get;
        init => field = Allowed.Between(value, 1, 100);
    }

    /// <summary>Training steps. In 1 … 1,000,000.</summary>
    public int Steps
    {
        get;
        init => field = Allowed.Between(value, 1, 1_000_000);
    } = 2000;

    /// <summary>Samples per step. In 1 … 65,536.</summary>
    public int Batch
    {
        get;
        init => field = Allowed.Between(value, 1, 65_536);
    } = 1024;

    /// <summary>Adam's highest learning rate. In 1e-6 … 1.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Between(value, 1e-6, 1);
    } = 1e-2;

    /// <summary>The one seed.</summary>
    public ulong Seed { get; init; }
}

/// <summary>A trained cell.</summary>
/// <param name="Density">1 − S.</param>
/// <param name="Importance">r, of the extra feature relative to the others.</param>
/// <param name="State">What the best model does.</param>
/// <param name="W">The best model's directions. Shape: <c>[n, n − 1]</c>.</param>
public sealed record PhaseCell(double Density, double Importance, ExtraFeature State, Matrix W);

/// <summary>What becomes of one feature more than there are dimensions, over density and its relative importance; trained and in closed form.</summary>
/// <remarks>Elhage et al. 2022, "Toy Models of Superposition", on superposition as a phase change. The closed form is derived in its documentation.</remarks>
public static class PhaseDiagram
{
    /// <summary>Density at which the three phases meet, at r = 1.</summary>
    public const double TriplePoint = 4.0 / 7;

    /// <summary>
    /// The density below which superposition has the lower loss than leaving a feature out. With b the mean of an ignored feature and 0 for an
    /// antipodal pair, E(extra ignored) = r(p/3 − p²/4), E(first ignored) = p/3 − p²/4 and E(antipodal) = (1 + r)p²/6.
    /// </summary>
    /// <param name="features">2 (one hidden unit) or 3 (two).</param>
    /// <param name="importance">r, above 0.</param>
    /// <returns>The boundary; 0 where no density superposes the extra feature (n = 3, r above 1: it is dedicated, the others share).</returns>
    public static double Boundary(int features, double importance)
    {
        var extraIgnored = 2 * importance / (1 + (2.5 * importance));
        var firstIgnored = 2 / (2.5 + importance);
        return features == 2 ? Math.Min(extraIgnored, firstIgnored)
            : importance < 1 ? extraIgnored
            : 0;
    }

    /// <summary>The state of lowest loss, in closed form.</summary>
    public static ExtraFeature Expected(int features, double density, double importance) =>
        density < Boundary(features, importance) ? ExtraFeature.Superposed
        : importance < 1 ? ExtraFeature.Ignored
        : ExtraFeature.Dedicated;

    /// <summary>What a trained model does with its last feature.</summary>
    public static ExtraFeature State(Matrix w)
    {
        var extra = w.Rows - 1;
        return FeatureGeometry.SquaredNorm(w, extra) <= FeatureGeometry.RepresentedSquaredNorm ? ExtraFeature.Ignored
            : FeatureGeometry.Interference(w, extra) < 0.1 ? ExtraFeature.Dedicated
            : ExtraFeature.Superposed;
    }

    /// <summary>Densities from 1 to .01 and importances from .1 to 10, evenly on a logarithmic scale.</summary>
    public static (double[] Densities, double[] Importances) Axes(int cells) =>
        (
            [.. Enumerable.Range(0, cells).Select(k => Math.Pow(10, -2.0 * k / (cells - 1)))],
            [.. Enumerable.Range(0, cells).Select(k => Math.Pow(10, (2.0 * k / (cells - 1)) - 1))]
        );

    /// <summary>Trains every cell of the grid.</summary>
    /// <param name="config">The grid.</param>
    /// <param name="progress">Told the steps.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>The cells, density by density.</returns>
    public static PhaseCell[] Train(PhaseDiagramConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var (densities, importances) = Axes(config.Cells);
        return Train(config, [.. densities.SelectMany(p => importances.Select(r => (p, r)))], progress, cancellation);
    }

    /// <summary>Trains cells anywhere.</summary>
    /// <param name="config">How; its number of cells is not read.</param>
    /// <param name="cells">Density and relative importance of each.</param>
    /// <param name="progress">Told the steps.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public static PhaseCell[] Train(
        PhaseDiagramConfig config,
        IReadOnlyList<(double Density, double Importance)> cells,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var jobs = new List<ToyJob>();
        foreach (var (density, importance) in cells)
        {
            var training = Training(config, density, importance);
            // Every cell has starts of its own: whether two weights start with one sign decides much, and should not decide it for all cells alike.
            for (var model = 0; model < config.Seeds; model++)
                jobs.Add(new ToyJob(training, config.Seed, jobs.Count));
        }
        var models = PopulationTrainer.Train(jobs, Environment.ProcessorCount, progress, cancellation);
        var strata = Strata(config.Features, config.Seed);
        var trained = new PhaseCell[cells.Count];
        Parallel.For(
            0,
            cells.Count,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation },
            cell =>
            {
                var (density, importance) = cells[cell];
                var shape = Training(config, density, importance).Shape;
                var best = Enumerable
                    .Range(cell * config.Seeds, config.Seeds)
                    .Select(job => models[job])
                    .Where(model => model.DivergedAt is null)
                    .MinBy(model => Loss(shape, model.Parameters, density, strata));
                if (best is null)
                    throw new DivergenceException($"every model at density {density:G4}, importance {importance:G4} diverged");
                trained[cell] = new PhaseCell(density, importance, State(best.Parameters.W), best.Parameters.W);
            }
        );
        return trained;
    }

    /// <summary>
    /// The expected loss, by strata: the probability of each set of active features times the mean loss over fresh magnitudes of that set.
    /// Rival minima differ where two features are active at once, which at density .01 a thousand rows hardly show.
    /// </summary>
    private static double Loss(ToyShape shape, ToyParameters parameters, double density, SparseRows[] strata)
    {
        var loss = 0.0;
        for (var active = 0; active < strata.Length; active++)
        {
            var count = System.Numerics.BitOperations.PopCount((uint)active);
            var probability = Math.Pow(density, count) * Math.Pow(1 - density, shape.Features - count);
            if (probability > 0)
                loss += probability * ToyReference.Loss(shape, parameters, strata[active]);
        }
        return loss;
    }

    /// <summary>Fresh magnitudes for each set of active features; the set is the number's bits.</summary>
    private static SparseRows[] Strata(int features, ulong seed)
    {
        const int rows = 2000;
        var random = new RandomStream(seed, "phases/judge");
        var values = new Matrix(rows, features);
        for (var i = 0; i < values.Data.Length; i++)
            values.Data[i] = random.NextDouble();
        return
        [
            .. Enumerable
                .Range(0, 1 << features)
                .Select(active =>
                {
                    var some = new Matrix(active == 0 ? 1 : rows, features);
                    for (var row = 0; row < some.Rows; row++)
                    for (var i = 0; i < features; i++)
                        some[row, i] = (active >> i & 1) == 1 ? values[row, i] : 0;
                    return SparseRows.FromMatrix(some);
                }),
        ];
    }

    private static ToyTraining Training(PhaseDiagramConfig config, double density, double importance)
    {
        var importances = ToyShape.Uniform(config.Features);
        importances[^1] = (float)importance;
        return new ToyTraining
        {
            Shape = new ToyShape(config.Features, config.Features - 1, HiddenRelu: false, OutputRelu: true, importances),
            Inputs = new ToyInputs.Fresh(density),
            Batch = config.Batch,
            Steps = config.Steps,
            LearningRate = config.LearningRate,
            CurvePoints = 1,
        };
    }
}
