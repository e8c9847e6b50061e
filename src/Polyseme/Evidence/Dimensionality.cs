using Polyseme.Numerics;

namespace Polyseme.Evidence;

/// <summary>
/// Feature dimensionality: the share of a dimension that a feature has to itself. It needs the feature directions, so it is
/// evidence at access level T. The same number is Scherlis' capacity; one function, two names.
/// </summary>
public static class Dimensionality
{
    /// <summary>Below this squared norm a feature is not represented and its dimensionality would be noise divided by noise.</summary>
    public const double UnrepresentedSquaredNorm = 1e-3;

    /// <summary>Feature dimensionality D_i = |W_i|² / Σ_j (Ŵ_i · W_j)².</summary>
    /// <param name="w">Feature directions as rows. Shape: <c>[n_features, d_hidden]</c>.</param>
    /// <returns>One value in [0, 1] per feature; 1 = a dimension of its own, 1/2 = antipodal pair, <c>null</c> = not represented.</returns>
    /// <remarks>
    /// Elhage et al. 2022, "Toy Models of Superposition", on the geometry of superposition. Equal to the capacity
    /// C_i = (W_i·W_i)² / Σ_j (W_i·W_j)² of Scherlis et al. 2022, "Polysemanticity and Capacity", after multiplying by |W_i|².
    /// Σ_i D_i ≤ rank(W): D_i is at most the leverage of row i, and leverages sum to the rank.
    /// </remarks>
    public static double?[] PerFeature(Matrix w)
    {
        var gram = LinearAlgebra.MultiplyTranspose(w, w); // G = W·Wᵀ [n_features, n_features]
        var dimensionality = new double?[w.Rows]; // D_i
        for (var i = 0; i < w.Rows; i++)
        {
            if (gram[i, i] < UnrepresentedSquaredNorm)
                continue;
            var overlap = 0.0; // Σ_j (W_i · W_j)²
            foreach (var product in gram.Row(i))
                overlap += product * product;
            dimensionality[i] = gram[i, i] * gram[i, i] / overlap;
        }
        return dimensionality;
    }

    /// <summary>Σ_i D_i over the represented features. In [0, rank(W)]; equal to the rank for blocks of tight frames.</summary>
    public static double Total(Matrix w) => PerFeature(w).Sum(d => d ?? 0);

    /// <summary>Dimensions per feature D* = m / ‖W‖²_F. <c>null</c> when W is zero.</summary>
    /// <param name="w">Feature directions as rows. Shape: <c>[n_features, d_hidden]</c>.</param>
    /// <remarks>Elhage et al. 2022, the same section: ‖W‖²_F counts represented features of about unit norm.</remarks>
    public static double? PerRepresentedFeature(Matrix w)
    {
        var squaredNorm = 0.0; // ‖W‖²_F
        foreach (var value in w.Data)
            squaredNorm += value * value;
        return squaredNorm < UnrepresentedSquaredNorm ? null : w.Columns / squaredNorm;
    }
}
