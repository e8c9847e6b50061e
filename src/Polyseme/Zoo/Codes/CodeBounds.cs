using Polyseme.Numerics;

namespace Polyseme.Zoo.Codes;

/// <summary>What N unit vectors in R^d cannot beat, and how many there are of a given cosine.</summary>
public static class CodeBounds
{
    /// <summary>√((N − d)/(d(N − 1))): the largest |cosine| of N lines in R^d is at least this, with equality for equiangular tight frames. 0 for N ≤ d.</summary>
    /// <remarks>Welch 1974, "Lower bounds on the maximum cross correlation of signals".</remarks>
    public static double Welch(int dimension, int count) =>
        count <= dimension ? 0 : Math.Sqrt((count - dimension) / (dimension * (count - 1.0)));

    /// <summary>The largest cosine of N unit vectors in R^d is at least −1/(N − 1) up to d + 1 of them, and 0 from d + 2 on; above 2d it is positive.</summary>
    /// <remarks>Rankin 1955, "The closest packing of spherical caps in n dimensions".</remarks>
    public static double Rankin(int dimension, int count) => count <= dimension + 1 ? -1.0 / (count - 1) : 0;

    /// <summary>P(|cos| &gt; ε) for a random direction: I_{1−ε²}((d − 1)/2, ½).</summary>
    /// <param name="dimension">d, at least 2.</param>
    /// <param name="epsilon">ε in [0, 1].</param>
    public static double TwoSidedTail(int dimension, double epsilon) =>
        IncompleteBeta.Regularised(1 - (epsilon * epsilon), (dimension - 1) / 2.0, 0.5);

    /// <summary>The share of the sphere within a cap, {u·v ≥ ε}: half of <see cref="TwoSidedTail"/>.</summary>
    public static double Cap(int dimension, double epsilon) => TwoSidedTail(dimension, epsilon) / 2;

    /// <summary>2·e^{−dε²/2}, above <see cref="TwoSidedTail"/> in every dimension.</summary>
    public static double TailBound(int dimension, double epsilon) => 2 * Math.Exp(-dimension * epsilon * epsilon / 2);
}
