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
/// The contrasts: s³ for flat densities, s² for skewed ones, tanh for peaked ones, and two steps of tanh at the component's median, of width 1 and ¼, for features that
/// are mostly off.
/// </para>
/// </remarks>
public static class IcaRefinement
{
    private const double Clip = 6;
    private const int Contrasts = 4;

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
        var z = LinearAlgebra.ToTensor(whitened);
        var w = LinearAlgebra.ToTensor(rotation).clone();
        for (var iteration = 0; iteration < maxIterations; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = torch.NewDisposeScope();
            var turned = FastIca.Decorrelate(Step(z, w));
            var change = (1 - (turned * w).sum(1).abs()).abs().max().item<double>();
            w.copy_(turned);
            if (change < tolerance)
                break;
        }
        return LinearAlgebra.ToMatrix(w);
    }

    /// <summary>E[g(s)·zᵀ] − E[g′(s)]·W with each component's own g.</summary>
    private static torch.Tensor Step(torch.Tensor z, torch.Tensor w)
    {
        var n = z.shape[0];
        var s = torch.mm(z, w.t()); // [n, components]
        var median = s.kthvalue(Math.Max(1, n / 2), dim: 0).values;
        var (functions, slopes) = (new torch.Tensor[Contrasts], new torch.Tensor[Contrasts]);
        var clipped = s.clamp(-Clip, Clip);
        var inside = s.abs().le(Clip).to(torch.float64);
        (functions[0], slopes[0]) = (clipped.pow(3), 3 * clipped.square() * inside);
        (functions[1], slopes[1]) = (clipped.square(), 2 * clipped * inside);
        for (var k = 0; k < 2; k++)
        {
            var steep = k == 0 ? 1.0 : 4.0;
            var tanh = ((s - median) * steep).tanh();
            (functions[2 + k], slopes[2 + k]) = (tanh, (1 - tanh.square()) * steep);
        }
        var g = torch.stack(functions); // [contrasts, n, components]
        g = g - g.mean([1L], keepdim: true);
        var slope = torch.stack(slopes).mean([1L]); // [contrasts, components]
        var along = (g * s).mean([1L]);
        var b = along - slope;
        var c = torch.einsum("kni,lni->ikl", g, g) / n;
        c = c - torch.einsum("ki,li->ikl", along, along);
        // Contrasts may be all but the same on a component with two levels.
        var ridge = c.diagonal(0, 1, 2).mean([1L], keepdim: true).unsqueeze(2) * torch.eye(Contrasts, dtype: torch.float64) * 1e-6;
        var a = torch.linalg.solve(c + ridge + (1e-12 * torch.eye(Contrasts, dtype: torch.float64)), b.t().unsqueeze(2)).squeeze(2); // [components, contrasts]
        var best = torch.einsum("ik,kni->ni", a, g);
        var bestSlope = (a * slope.t()).sum(1);
        return (torch.mm(best.t(), z) / n) - (bestSlope.unsqueeze(1) * w);
    }
}
