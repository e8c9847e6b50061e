using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries;

/// <summary>How FastICA runs.</summary>
public sealed record FastIcaConfig
{
    /// <summary>Most iterations of the symmetric fixed point.</summary>
    public int MaxIterations { get; init; } = 100;

    /// <summary>It has converged when no component turns by more: max_c |1 − |w_c(new)·w_c(old)|| below this.</summary>
    public double Tolerance { get; init; } = 1e-5;
}

/// <summary>Independent components of whitened rows.</summary>
/// <param name="Config">The configuration.</param>
/// <param name="Rotation">Component = rotation · whitened row; orthogonal. Shape: <c>[dimensions, dimensions]</c>, a component a row.</param>
/// <param name="Iterations">Iterations done.</param>
/// <param name="Converged">Whether the tolerance was reached.</param>
public sealed record FastIcaResult(FastIcaConfig Config, Matrix Rotation, int Iterations, bool Converged)
{
    /// <summary>Components of whitened rows. Shape: <c>[n_samples, dimensions]</c>.</summary>
    public Matrix Components(Matrix whitened) => LinearAlgebra.MultiplyTranspose(whitened, Rotation);
}

/// <summary>
/// Symmetric FastICA with the log-cosh contrast: the orthogonal rotation of whitened data whose components are least Gaussian. It
/// finds sources whose density is more peaked than a Gaussian and those that are flatter.
/// </summary>
/// <remarks>
/// Hyvärinen 1999, "Fast and robust fixed-point algorithms for independent component analysis", eq. 20 with symmetric decorrelation;
/// identifiable when at most one source is Gaussian (Comon 1994).
/// </remarks>
public static class FastIca
{
    /// <summary>Fits the rotation.</summary>
    /// <param name="whitened">Mean zero, identity covariance. Shape: <c>[n_samples, dimensions]</c>.</param>
    /// <param name="config">Iterations and tolerance.</param>
    /// <param name="random">Draws the start.</param>
    /// <param name="cancellation">Checked once an iteration.</param>
    public static FastIcaResult Fit(Matrix whitened, FastIcaConfig config, RandomStream random, CancellationToken cancellation = default)
    {
        var dimensions = whitened.Columns;
        using var scope = torch.NewDisposeScope();
        var rows = LinearAlgebra.ToTensor(whitened).to(torch.float32); // [n_samples, dimensions]
        var rotation = Decorrelate(LinearAlgebra.ToTensor(random.NormalMatrix(dimensions, dimensions)).clone());
        var iteration = 0;
        var converged = dimensions == 1;
        while (!converged && iteration < config.MaxIterations)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = torch.NewDisposeScope();
            iteration++;
            var contrast = torch.mm(rows, rotation.to(torch.float32).t()).tanh_(); // g(s) [n_samples, dimensions]
            var slope = 1 - contrast.square().mean([0], type: torch.float64); // E[g'(s)] [dimensions]
            var pull = torch.mm(contrast.t(), rows).to(torch.float64).div_(whitened.Rows); // E[g(s) zᵀ] [dimensions, dimensions]
            var turned = Decorrelate(pull - (slope.unsqueeze(1) * rotation));
            var change = (1 - (turned * rotation).sum(1).abs()).abs().max().item<double>();
            rotation.copy_(turned);
            converged = change < config.Tolerance;
        }
        return new FastIcaResult(config, LinearAlgebra.ToMatrix(rotation), iteration, converged);
    }

    /// <summary>(W·Wᵀ)^(−1/2)·W: the orthogonal matrix nearest to W.</summary>
    private static torch.Tensor Decorrelate(torch.Tensor w)
    {
        var (u, _, vt) = torch.linalg.svd(w, fullMatrices: false);
        return torch.mm(u, vt);
    }
}
