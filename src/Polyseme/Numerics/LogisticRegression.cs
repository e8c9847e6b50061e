using TorchSharp;

namespace Polyseme.Numerics;

/// <summary>A logistic regression: P(label | x) = 1 / (1 + e^−(w·x + b)).</summary>
/// <param name="Weights">w, in units of the columns as given. Shape: <c>[n_columns]</c>.</param>
/// <param name="Intercept">b.</param>
/// <param name="Converged">Whether Newton's step became negligible.</param>
public sealed record LogisticRegression(double[] Weights, double Intercept, bool Converged)
{
    private const int MaxIterations = 100;

    /// <summary>
    /// Fits by Newton's method with halved steps: classes weigh the same whatever their sizes, columns are standardised, and the mean loss has a ridge of
    /// ½·λ‖w‖² with λ = 1/√n on the standardised weights, not on the intercept.
    /// </summary>
    /// <param name="x">Shape: <c>[n_rows, n_columns]</c>. Constant columns get weight 0.</param>
    /// <param name="labels">Both values must occur. Shape: <c>[n_rows]</c>.</param>
    /// <exception cref="ArgumentException">The lengths differ or one class is empty.</exception>
    public static LogisticRegression Fit(Matrix x, bool[] labels)
    {
        var positives = labels.Count(label => label);
        if (labels.Length != x.Rows || positives == 0 || positives == labels.Length)
            throw new ArgumentException(
                $"{x.Rows} rows come with {labels.Length} labels, {positives} of them true, but need as many labels and both kinds",
                nameof(labels)
            );
        using var scope = torch.NewDisposeScope();
        var raw = LinearAlgebra.ToTensor(x);
        var (n, d) = (x.Rows, x.Columns);
        var mean = raw.mean([0]);
        var deviation = (raw - mean).square().mean([0]).sqrt();
        var scale = torch.where(deviation > 1e-12, deviation.reciprocal(), torch.zeros_like(deviation));
        var design = torch.cat([(raw - mean) * scale, torch.ones(n, 1, dtype: torch.float64)], 1); // [n, d + 1]
        var target = torch.tensor(Array.ConvertAll(labels, label => label ? 1.0 : 0.0));
        var weight = torch.tensor(Array.ConvertAll(labels, label => 0.5 / (label ? positives : n - positives)));
        var ridge = torch.full([d + 1], 1 / Math.Sqrt(n), dtype: torch.float64);
        ridge[d] = 1e-12;
        var beta = torch.zeros(d + 1, dtype: torch.float64);
        double Loss(torch.Tensor candidate)
        {
            using var inner = torch.NewDisposeScope();
            var score = torch.mv(design, candidate);
            // log(1 + e^s) − y·s
            return ((torch.nn.functional.softplus(score) - (target * score)) * weight).sum().item<double>()
                + (0.5 * (ridge * candidate.square()).sum().item<double>());
        }
        var loss = Loss(beta);
        var converged = false;
        for (var iteration = 0; iteration < MaxIterations && !converged; iteration++)
        {
            using var inner = torch.NewDisposeScope();
            var probability = torch.mv(design, beta).sigmoid();
            var gradient = torch.mv(design.t(), (probability - target) * weight) + (ridge * beta);
            var curvature = (probability * (1 - probability) * weight).unsqueeze(1);
            var hessian = torch.mm(design.t(), design * curvature) + torch.diag(ridge + 1e-12);
            var step = torch.cholesky_solve(gradient.unsqueeze(1), torch.linalg.cholesky(hessian)).squeeze(1);
            var slope = (gradient * step).sum().item<double>();
            for (var size = 1.0; ; size /= 2)
            {
                var candidate = beta - (size * step);
                var next = Loss(candidate);
                if (next <= loss - (1e-4 * size * slope) || size < 1e-10)
                {
                    converged = slope < 1e-12 || size < 1e-10;
                    beta.copy_(candidate);
                    loss = next;
                    break;
                }
            }
        }
        var weights = (beta[..d] * scale).data<double>().ToArray();
        var offset = (beta[d] - (beta[..d] * scale * mean).sum()).item<double>();
        return new LogisticRegression(weights, offset, converged);
    }

    /// <summary>w·x + b: above 0 the label is the likelier.</summary>
    public double Score(ReadOnlySpan<double> row)
    {
        var score = Intercept;
        for (var j = 0; j < Weights.Length; j++)
            score += Weights[j] * row[j];
        return score;
    }
}
