namespace Polyseme.Dictionaries.Classical;

/// <summary>How latents of a row are found, given the directions: every one of these solves a problem anew for each row.</summary>
public abstract record CodeMethod
{
    private CodeMethod() { }

    /// <summary>Orthogonal matching pursuit: k latents, one after the other, all refitted by least squares each time. Pati et al. 1993.</summary>
    /// <param name="K">Most latents of a row, at least 1; fewer when nothing is left to explain.</param>
    public sealed record Omp(int K) : CodeMethod;

    /// <summary>Matching pursuit: k times the direction that fits the residual best is taken out, and nothing is refitted. Mallat and Zhang 1993.</summary>
    /// <param name="K">Steps, at least 1. A direction may be taken twice.</param>
    public sealed record MatchingPursuit(int K) : CodeMethod;

    /// <summary>argmin ½‖x − fᵀD‖² + λ·Σ|f|, by coordinate descent. Tibshirani 1996; Friedman et al. 2007.</summary>
    /// <param name="Lambda">λ above 0, in units of x times the direction.</param>
    /// <param name="NonNegative">Whether f must be ≥ 0.</param>
    public sealed record Lasso(double Lambda, bool NonNegative = false) : CodeMethod;

    /// <summary>argmin ‖x − fᵀD‖² with f ≥ 0, by coordinate descent.</summary>
    public sealed record NonNegativeLeastSquares : CodeMethod;

    /// <summary>1 at the nearest direction, 0 elsewhere: a cluster.</summary>
    public sealed record Nearest : CodeMethod;
}
