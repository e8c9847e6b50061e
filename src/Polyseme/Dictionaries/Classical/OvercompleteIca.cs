using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Classical;

/// <summary>
/// Overcomplete independent components by reconstruction ICA: more directions than dimensions, unit length in whitened space, that make Σ log cosh(w·z)
/// small while Wᵀ·W·z stays near z.
/// </summary>
/// <remarks>
/// Le, Karpenko, Ngiam and Ng 2011, "ICA with reconstruction cost for efficient overcomplete feature learning" (RICA), eq. 3, whose orthogonality constraint
/// becomes the penalty. Rows are weighed together and not in batches; Adam with a falling rate on the sphere of each direction in place of L-BFGS. Latents
/// are linear: they are read without suppressing interference. What a latent writes is the row of the pseudo-inverse, so rows come back whole.
/// </remarks>
public sealed record OvercompleteIca : ClassicalMethod
{
    private const int BlockRows = 1 << 13;

    /// <summary>Directions; 0 takes twice the dimensions that carry variance.</summary>
    public int Latents
    {
        get;
        init => field = Allowed.Between(value, 0, int.MaxValue);
    }

    /// <summary>Iterations over all rows.</summary>
    public int Iterations
    {
        get;
        init => field = Allowed.Between(value, 1, int.MaxValue);
    } = 400;

    /// <summary>Weight of ‖Wᵀ·W·z·d/n − z‖² beside the sparseness, above 0.</summary>
    public double Reconstruction
    {
        get;
        init => field = Allowed.Above(value, 0);
    } = 1;

    /// <summary>a in log cosh(a·s)/a: the larger, the nearer to |s|.</summary>
    public double Sharpness
    {
        get;
        init => field = Allowed.Above(value, 0);
    } = 3;

    /// <summary>Adam's learning rate at the start; falls to 0 along a quarter of a cosine.</summary>
    public double LearningRate
    {
        get;
        init => field = Allowed.Above(value, 0);
    } = 0.03;

    /// <inheritdoc/>
    public override string Name => "overcomplete-ica";

    /// <inheritdoc/>
    public override string Summary => "more independent components than dimensions (reconstruction ICA)";

    /// <inheritdoc/>
    public override string Source => "Le, Karpenko, Ngiam and Ng 2011 (RICA)";

    /// <inheritdoc/>
    public override ClassicalFit Fit(FloatMatrix rows, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        CheckRows(rows, Latents);
        using var scope = torch.NewDisposeScope();
        var (mean, variances, axes) = RowStatistics.PrincipalAxes(rows);
        var dimensions = RowStatistics.Dimensions(variances, 0);
        var latents = Latents == 0 ? 2 * dimensions : Latents;
        if (latents < dimensions)
            throw new ArgumentException($"latents are {latents}, but the rows vary in {dimensions} dimensions: use fastica for fewer");
        var whitened = RowStatistics.Whitened(rows, mean, variances, axes, dimensions);
        var start = Random("start").NormalMatrix(latents, dimensions);
        var weights = Unit(torch.tensor(RowStatistics.ToSingle(start.Data), [latents, dimensions]));
        var (first, second) = (torch.zeros_like(weights), torch.zeros_like(weights));
        var curve = new double[Iterations];
        for (var iteration = 0; iteration < Iterations; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = torch.NewDisposeScope();
            var (loss, gradient) = Objective(whitened, weights);
            curve[iteration] = loss;
            gradient = gradient - ((gradient * weights).sum(1, keepdim: true) * weights); // tangent to each sphere
            first.mul_(0.9).add_(gradient * 0.1);
            second.mul_(0.999).add_(gradient.square() * 0.001);
            var rate = LearningRate * Math.Cos(Math.PI / 2 * iteration / Iterations);
            var corrected = first / (1 - Math.Pow(0.9, iteration + 1)) / ((second / (1 - Math.Pow(0.999, iteration + 1))).sqrt() + 1e-8);
            weights.copy_(Unit(weights - (corrected * rate)));
            progress?.Report((iteration + 1.0) / Iterations);
        }
        var found = LinearAlgebra.ToMatrix(weights.to(torch.float64));
        var reads = FastIcaMethod.Unwhitened(found, mean, variances, axes).Encoder;
        var inverse = LinearAlgebra.ToMatrix(torch.linalg.pinv(LinearAlgebra.ToTensor(found)).t()); // [latents, dimensions]
        var writes = FastIcaMethod.Unwhitened(inverse, mean, variances, axes).Decoder;
        return new ClassicalFit(new LinearDictionary(reads, writes, RowStatistics.ToSingle(mean)), Iterations, null, curve);
    }

    /// <summary>Mean over rows of Σ log cosh(a·s)/a + λ·‖(d/n)·Wᵀ·s − z‖², s = W·z, and its gradient.</summary>
    internal (double Loss, torch.Tensor Gradient) Objective(torch.Tensor whitened, torch.Tensor weights)
    {
        var n = whitened.shape[0];
        // A tight frame of unit rows has WᵀW = (n_latents/d)·I.
        var tight = (double)weights.shape[1] / weights.shape[0];
        var gradient = torch.zeros_like(weights);
        var loss = 0.0;
        for (long start = 0; start < n; start += BlockRows)
        {
            using var block = torch.NewDisposeScope();
            var z = whitened.narrow(0, start, Math.Min(BlockRows, n - start));
            var s = torch.mm(z, weights.t());
            var scaled = s * Sharpness;
            var error = (torch.mm(s, weights) * tight) - z;
            // log cosh u = |u| + log(1 + e^(−2|u|)) − log 2
            var size = scaled.abs();
            var sparse = (size + (size * -2).exp().log1p()).sum().item<float>() - ((double)scaled.numel() * Math.Log(2));
            loss += (sparse / Sharpness) + (Reconstruction * error.square().sum().item<float>());
            gradient.add_(torch.mm(scaled.tanh().t(), z));
            var back = torch.mm(s.t(), error) + torch.mm(torch.mm(error, weights.t()).t(), z);
            gradient.add_(back * (2 * Reconstruction * tight));
        }
        return (loss / n, gradient / n);
    }

    private static torch.Tensor Unit(torch.Tensor weights) => weights / weights.norm(1, keepdim: true);
}
