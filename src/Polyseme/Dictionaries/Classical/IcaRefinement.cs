using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Classical;

/// <summary>
/// Turns a rotation that FastICA found with one contrast for all components to that of the best combination of several for each: the error of a rotation
/// from finitely many rows depends on how well the contrast fits the density.
/// </summary>
/// <remarks>
/// <para>
/// A component found with the contrast g has an error in proportion to (E[g²] − E[sg]²) / (E[sg] − E[g′])² (Hyvärinen 1999, theorem on the asymptotic variance).
/// Among g = Σ a_k·g_k the least is at a = C⁻¹·b, with C_kl = E[g_k·g_l] − E[s·g_k]·E[s·g_l] and b_k = E[s·g_k] − E[g_k′]; rows then enter the symmetric
/// decorrelation in proportion to bᵀC⁻¹b, so that a component that is sure is not turned by one that is not (Koldovský, Tichavský and Oja 2006,
/// "Efficient variant of algorithm FastICA", weigh likewise).
/// </para>
/// <para>
/// The contrasts: s³ for flat densities, s² for skewed ones, and two steps of tanh at the component's median, of width 1 and ¼, for peaked ones and for
/// features that are mostly off.
/// </para>
/// </remarks>
public static class IcaRefinement
{
    private const double Clip = 6;
    private const int Contrasts = 4;

    /// <summary>Rows from which the combinations are chosen: they need not be exact, what they are used for does.</summary>
    private const int ChosenFrom = 4_000;

    /// <summary>Refines a rotation.</summary>
    /// <param name="whitened">Mean zero, identity covariance. Shape: <c>[n_samples, dimensions]</c>.</param>
    /// <param name="rotation">Orthogonal, a component a row. Shape: <c>[dimensions, dimensions]</c>.</param>
    /// <param name="maxIterations">Most steps.</param>
    /// <param name="tolerance">It stands still when no component turns by more: 1 − |w(new)·w(old)|.</param>
    /// <param name="cancellation">Checked once a step.</param>
    public static Matrix Refine(
        Matrix whitened,
        Matrix rotation,
        int maxIterations = 20,
        double tolerance = 1e-5,
        CancellationToken cancellation = default
    )
    {
        if (rotation.Rows < 2)
            return rotation;
        using var scope = torch.NewDisposeScope();
        var z = LinearAlgebra.ToTensor(whitened).to(torch.float32);
        // Rows in the order of the file may belong together: evenly spaced ones are taken.
        var some = z.slice(0, 0, z.shape[0], Math.Max(1, z.shape[0] / ChosenFrom)).to(torch.float64);
        var w = LinearAlgebra.ToTensor(rotation).clone();
        for (var iteration = 0; iteration < maxIterations; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = torch.NewDisposeScope();
            var (coefficients, median) = Choose(some, w);
            var turned = FastIca.Decorrelate(Step(z, w, coefficients, median));
            var change = (1 - (turned * w).sum(1).abs()).abs().max().item<double>();
            w.copy_(turned);
            if (change < tolerance)
                break;
        }
        return LinearAlgebra.ToMatrix(w);
    }

    /// <summary>The best combination for each component, and its median. Shape: <c>[components, contrasts]</c>, <c>[components]</c>.</summary>
    private static (torch.Tensor Coefficients, torch.Tensor Median) Choose(torch.Tensor rows, torch.Tensor w)
    {
        var n = rows.shape[0];
        var s = torch.mm(rows, w.t()); // [n, components]
        var median = s.kthvalue(Math.Max(1, n / 2), dim: 0).values;
        var (functions, slopes) = Of(s, median);
        var g = torch.stack(functions); // [contrasts, n, components]
        g = g - g.mean([1L], keepdim: true);
        var along = (g * s).mean([1L]);
        var b = along - torch.stack(slopes).mean([1L]); // [contrasts, components]
        var byComponent = g.permute(2, 0, 1); // [components, contrasts, n]
        var c = torch.bmm(byComponent, byComponent.transpose(1, 2)) / n;
        c = c - (along.t().unsqueeze(2) * along.t().unsqueeze(1));
        // Contrasts are all but the same on a component with two levels.
        var one = torch.eye(Contrasts, dtype: torch.float64);
        var ridge = (c.diagonal(0, 1, 2).mean([1L], keepdim: true).unsqueeze(2) * 1e-6) + 1e-12;
        return (torch.linalg.solve(c + (ridge * one), b.t().unsqueeze(2)).squeeze(2), median);
    }

    /// <summary>E[g(s)·zᵀ] − E[g′(s)]·W with each component's own g.</summary>
    private static torch.Tensor Step(torch.Tensor z, torch.Tensor w, torch.Tensor coefficients, torch.Tensor median)
    {
        var n = z.shape[0];
        var (weights, a, middle) = (w.to(torch.float32).t(), coefficients.to(torch.float32).t().contiguous(), median.to(torch.float32));
        var sums = BlockSums.Over(
            n,
            (first, count) =>
            {
                var block = z.narrow(0, first, count);
                var (functions, slopes) = Of(torch.mm(block, weights), middle);
                var (g, slope) = (functions[0] * a[0], slopes[0] * a[0]);
                for (var k = 1; k < Contrasts; k++)
                {
                    g.addcmul_(functions[k], a[k], 1);
                    slope.addcmul_(slopes[k], a[k], 1);
                }
                return torch.cat([torch.mm(g.t(), block), slope.sum(dim: 0).unsqueeze(1)], 1).to(torch.float64);
            }
        );
        var width = w.shape[1];
        return (sums.narrow(1, 0, width) / n) - (sums.narrow(1, width, 1) / n * w);
    }

    /// <summary>The contrasts and their derivatives at components. Shape each: that of <paramref name="s"/>.</summary>
    private static (torch.Tensor[] Functions, torch.Tensor[] Slopes) Of(torch.Tensor s, torch.Tensor median)
    {
        var clipped = s.clamp(-Clip, Clip);
        var inside = s.abs().le(Clip).to(s.dtype);
        var square = clipped.square();
        var wide = (s - median).tanh();
        var narrow = ((s - median) * 4).tanh();
        return (
            [square * clipped, square, wide, narrow],
            [3 * square * inside, 2 * clipped * inside, 1 - wide.square(), 4 * (1 - narrow.square())]
        );
    }
}
