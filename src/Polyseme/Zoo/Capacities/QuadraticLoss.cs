using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.Capacities;

/// <summary>
/// The exact loss of quadratic neurons: y = Σ v_i x_i² is approximated by Σ_k (w_k·x)² + c, the inputs independent and symmetric with
/// variance 1 and kurtosis κ. With G = W·Wᵀ and the best c it is L = (κ − 1) Σ_i (v_i − G_ii)² + 2 Σ_{i≠j} G_ij².
/// </summary>
/// <param name="importance">v_i.</param>
/// <param name="kurtosis">κ.</param>
/// <remarks>The toy model of Scherlis et al. 2022; the loss is derived: Var(x²) = κ − 1, and a pair adds (2·G_ij)².</remarks>
internal sealed class QuadraticLoss(double[] importance, double kurtosis) : GramLoss
{
    public override double Evaluate(ReadOnlySpan<double> gram, Span<double> derivative, int n)
    {
        var loss = 0.0;
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var g = gram[(i * n) + j];
                if (i == j)
                {
                    var missing = importance[i] - g;
                    loss += (kurtosis - 1) * missing * missing;
                    derivative[(i * n) + j] = -2 * (kurtosis - 1) * missing;
                }
                else
                {
                    loss += 2 * g * g;
                    derivative[(i * n) + j] = 4 * g;
                }
            }
        }
        return loss;
    }
}
