using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Classical;

/// <summary>In which order components are found.</summary>
public enum FastIcaOrder
{
    /// <summary>All at once, made orthogonal to each other by (W·Wᵀ)^(−½): none is favoured.</summary>
    Symmetric,

    /// <summary>One after the other, each orthogonal to those before (Gram and Schmidt): errors of the first pass on to the last.</summary>
    Deflation,
}

/// <summary>How FastICA runs.</summary>
public sealed record FastIcaConfig
{
    /// <summary>Most iterations of the fixed point: of all components together, or of each.</summary>
    public int MaxIterations { get; init; } = 100;

    /// <summary>It has converged when no component turns by more: max_c |1 − |w_c(new)·w_c(old)|| below this.</summary>
    public double Tolerance { get; init; } = 1e-5;

    /// <summary>In which order components are found.</summary>
    public FastIcaOrder Order { get; init; }

    /// <summary>
    /// Whether the symmetric fixed point settles on a random eighth of the rows first where there are many, and leaves components alone while they stand
    /// still. It ends, as without, with a step of all of them on all rows that turns none by more than the tolerance; the way there is shorter.
    /// </summary>
    public bool Shortcuts { get; init; }
}

/// <summary>Independent components of whitened rows.</summary>
/// <param name="Config">The configuration.</param>
/// <param name="Rotation">Component = rotation · whitened row; orthogonal. Shape: <c>[dimensions, dimensions]</c>, a component a row.</param>
/// <param name="Iterations">Iterations done, of all components together or summed over them; those on few rows count, too.</param>
/// <param name="Converged">Whether the tolerance was reached.</param>
public sealed record FastIcaResult(FastIcaConfig Config, Matrix Rotation, int Iterations, bool Converged)
{
    /// <summary>Components of whitened rows. Shape: <c>[n_samples, dimensions]</c>.</summary>
    public Matrix Components(Matrix whitened) => LinearAlgebra.MultiplyTranspose(whitened, Rotation);
}

/// <summary>
/// FastICA with the log-cosh contrast: the orthogonal rotation of whitened data whose components are least Gaussian. It finds sources whose density is
/// more peaked than a Gaussian and those that are flatter.
/// </summary>
/// <remarks>
/// Hyvärinen 1999, "Fast and robust fixed-point algorithms for independent component analysis", eq. 20 with symmetric decorrelation or deflation;
/// identifiable when at most one source is Gaussian (Comon 1994). Products are taken in float32, a block that stays in the cache at a time, and
/// joined in double; rotations are kept in double.
/// </remarks>
public static class FastIca
{
    /// <summary>Fewest rows for each dimension to settle on before all rows are looked at.</summary>
    private const int FirstRowsPerDimension = 64;

    /// <summary>How still the components must stand on the first rows: what is left is settled on all of them.</summary>
    private const double FirstTolerance = 1e-3;

    /// <summary>Fits the rotation.</summary>
    /// <param name="whitened">Mean zero, identity covariance. Shape: <c>[n_samples, dimensions]</c>.</param>
    /// <param name="config">Iterations and tolerance.</param>
    /// <param name="random">Draws the start.</param>
    /// <param name="cancellation">Checked once an iteration.</param>
    public static FastIcaResult Fit(Matrix whitened, FastIcaConfig config, RandomStream random, CancellationToken cancellation = default)
    {
        using var scope = torch.NewDisposeScope();
        return Fit(LinearAlgebra.ToTensor(whitened).to(torch.float32), config, random, cancellation);
    }

    /// <summary>Fits the rotation.</summary>
    /// <param name="whitened">float32, contiguous. Shape: <c>[n_samples, dimensions]</c>.</param>
    /// <param name="config">Iterations and tolerance.</param>
    /// <param name="random">Draws the start.</param>
    /// <param name="cancellation">Checked once an iteration.</param>
    internal static FastIcaResult Fit(torch.Tensor whitened, FastIcaConfig config, RandomStream random, CancellationToken cancellation)
    {
        using var scope = torch.NewDisposeScope();
        var dimensions = (int)whitened.shape[1];
        var start = Decorrelate(LinearAlgebra.ToTensor(random.NormalMatrix(dimensions, dimensions)).clone());
        return config.Order switch
        {
            FastIcaOrder.Symmetric => Symmetric(whitened, start, config, random, cancellation),
            FastIcaOrder.Deflation => Deflation(whitened, start, config, cancellation),
            _ => throw new ArgumentOutOfRangeException(nameof(config), config.Order, "no such order"),
        };
    }

    private static FastIcaResult Symmetric(
        torch.Tensor whitened,
        torch.Tensor rotation,
        FastIcaConfig config,
        RandomStream random,
        CancellationToken cancellation
    )
    {
        var (rows, dimensions) = ((int)whitened.shape[0], (int)whitened.shape[1]);
        var few = Math.Max(rows / 8, FirstRowsPerDimension * dimensions);
        var iterations = 0;
        if (config.Shortcuts && few <= rows / 4)
        {
            using var scope = torch.NewDisposeScope();
            long[] chosen = [.. random.Permutation(rows).Take(few).Order().Select(row => (long)row)];
            var first = config with { Tolerance = Math.Max(config.Tolerance, FirstTolerance), MaxIterations = config.MaxIterations / 2 };
            // White on all rows is not quite white on some, and the fixed point wanders where rows are not white.
            var some = whitened.index_select(0, torch.tensor(chosen)).to(torch.float64);
            some.sub_(some.mean([0L]));
            var (values, vectors) = torch.linalg.eigh(torch.mm(some.t(), some) / few);
            var whitening = torch.mm(vectors / values.clamp_min(1e-12).sqrt(), vectors.t());
            (iterations, _) = Settle(torch.mm(some, whitening).to(torch.float32), rotation, first, cancellation);
            rotation.copy_(Decorrelate(torch.mm(rotation, whitening)));
        }
        var rest = config with { MaxIterations = config.MaxIterations - iterations };
        var (more, converged) = Settle(whitened, rotation, rest, cancellation);
        return new FastIcaResult(config, LinearAlgebra.ToMatrix(rotation), iterations + more, converged);
    }

    /// <summary>Turns a rotation until it stands still.</summary>
    /// <param name="whitened">The rows.</param>
    /// <param name="rotation">Where it starts, and where it ends.</param>
    /// <param name="config">Iterations, tolerance, and whether components may rest.</param>
    /// <param name="cancellation">Checked once an iteration.</param>
    private static (int Iterations, bool Converged) Settle(
        torch.Tensor whitened,
        torch.Tensor rotation,
        FastIcaConfig config,
        CancellationToken cancellation
    )
    {
        var dimensions = (int)rotation.shape[0];
        var pulls = torch.zeros_like(rotation); // each component's last step, before decorrelation
        long[] all = [.. Enumerable.Range(0, dimensions).Select(c => (long)c)];
        var (moving, iterations, converged) = (all, 0, dimensions == 1);
        while (!converged && iterations < config.MaxIterations)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = torch.NewDisposeScope();
            iterations++;
            if (moving.Length == dimensions)
            {
                pulls.copy_(Step(whitened, rotation));
            }
            else
            {
                var index = torch.tensor(moving);
                pulls.index_copy_(0, index, Step(whitened, rotation.index_select(0, index)));
            }
            var turned = Decorrelate(pulls);
            var changes = (1 - (turned * rotation).sum(1).abs()).abs().data<double>().ToArray();
            rotation.copy_(turned);
            var still = changes.Max() < config.Tolerance;
            converged = still && moving.Length == dimensions;
            // A tenth of the tolerance: those that rest must not add up to a turn of the others.
            moving = still || !config.Shortcuts ? all : [.. all.Where(c => changes[c] >= 0.1 * config.Tolerance)];
        }
        return (iterations, converged);
    }

    private static FastIcaResult Deflation(
        torch.Tensor whitened,
        torch.Tensor rotation,
        FastIcaConfig config,
        CancellationToken cancellation
    )
    {
        var iterations = 0;
        var converged = true;
        for (var c = 0; c < rotation.shape[0]; c++)
        {
            using var component = torch.NewDisposeScope();
            var before = rotation[..c];
            var w = Orthogonal(rotation[c..(c + 1)], before);
            // The last has no freedom left.
            var settled = c == rotation.shape[0] - 1;
            for (var iteration = 0; !settled && iteration < config.MaxIterations; iteration++)
            {
                cancellation.ThrowIfCancellationRequested();
                using var step = torch.NewDisposeScope();
                iterations++;
                var turned = Orthogonal(Step(whitened, w), before);
                settled = Change(turned, w) < config.Tolerance;
                w.copy_(turned);
            }
            rotation[c..(c + 1)].copy_(w);
            converged &= settled;
        }
        return new FastIcaResult(config, LinearAlgebra.ToMatrix(rotation), iterations, converged);
    }

    /// <summary>E[g(s)·zᵀ] − E[g′(s)]·W for the components s = W·z, g = tanh. Shape: that of <paramref name="rotation"/>.</summary>
    internal static torch.Tensor Step(torch.Tensor whitened, torch.Tensor rotation)
    {
        var n = whitened.shape[0];
        var weights = rotation.to(torch.float32).t();
        var sums = BlockSums.Over(
            n,
            (first, count) =>
            {
                var block = whitened.narrow(0, first, count);
                var contrast = torch.mm(block, weights); // [count, components]
                var squares = torch.tensor(Contrast(contrast));
                return torch.cat([torch.mm(contrast.t(), block), squares.unsqueeze(1)], 1).to(torch.float64);
            }
        );
        var width = rotation.shape[1];
        var (pulls, squared) = (sums.narrow(1, 0, width), sums.narrow(1, width, 1)); // Σ g(s)·zᵀ; Σ g(s)², as g′ = 1 − g²
        return (pulls / n) - ((1 - (squared / n)) * rotation);
    }

    /// <summary>tanh in place; Σ of its squares over rows. Shape: <c>[components]</c>.</summary>
    private static float[] Contrast(torch.Tensor components)
    {
        var values = MemoryMarshal.Cast<byte, float>(components.bytes);
        TensorPrimitives.Tanh(values, values);
        var squares = new float[(int)components.shape[1]];
        for (var start = 0; start < values.Length; start += squares.Length)
        {
            var row = values.Slice(start, squares.Length);
            TensorPrimitives.MultiplyAdd(row, row, squares, squares);
        }
        return squares;
    }

    private static double Change(torch.Tensor turned, torch.Tensor rotation) =>
        (1 - (turned * rotation).sum(1).abs()).abs().max().item<double>();

    /// <summary>The part of a row that is orthogonal to the rows before, at unit length.</summary>
    private static torch.Tensor Orthogonal(torch.Tensor row, torch.Tensor before)
    {
        // Twice: once leaves what rounding adds.
        for (var pass = 0; pass < 2 && before.shape[0] > 0; pass++)
            row = row - torch.mm(torch.mm(row, before.t()), before);
        return row / row.norm();
    }

    /// <summary>(W·Wᵀ)^(−1/2)·W: the orthogonal matrix nearest to W.</summary>
    internal static torch.Tensor Decorrelate(torch.Tensor w)
    {
        using var scope = torch.NewDisposeScope();
        var (values, vectors) = torch.linalg.eigh(torch.mm(w, w.t()));
        return torch.mm(vectors / values.clamp_min(1e-300).sqrt(), torch.mm(vectors.t(), w)).MoveToOuterDisposeScope();
    }
}
