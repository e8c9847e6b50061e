using Polyseme.Zoo.Training;

namespace Polyseme.Zoo.Codes;

/// <summary>
/// Σ_ij max(0, |e_ij| − τ)² with e = δ_ij − y_ij over one-hot inputs: errors within the dead zone are rounded away. y = W·Wᵀ, or its ReLU.
/// </summary>
/// <param name="tolerance">τ.</param>
/// <param name="relu">Whether negative interference is rounded away whatever its size.</param>
/// <remarks>
/// Derived: norms may shrink to ‖W_i‖² = 1 − τ, so the loss can be zero exactly when n unit vectors exist with cosine (linear output: |cosine|)
/// at most τ/(1 − τ).
/// </remarks>
internal sealed class DeadZoneLoss(double tolerance, bool relu) : GramLoss
{
    public override double Evaluate(ReadOnlySpan<double> gram, Span<double> derivative, int n)
    {
        var loss = 0.0;
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var z = gram[(i * n) + j];
                var error = (i == j ? 1 : 0) - (relu ? Math.Max(z, 0) : z);
                var excess = Math.Max(0, Math.Abs(error) - tolerance);
                loss += excess * excess;
                derivative[(i * n) + j] = relu && z <= 0 ? 0 : -2 * excess * Math.Sign(error);
            }
        }
        return loss;
    }
}
