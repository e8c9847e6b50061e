using Polyseme.Evidence;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Capacities;

/// <summary>Features that interfere with each other, and how nearly their directions form a tight frame of their span.</summary>
/// <param name="Features">The features of the block, in their order.</param>
/// <param name="Rank">The dimensions that their directions span.</param>
/// <param name="Defect">‖W_bᵀW_b/λ − I‖_F on that span, λ the mean squared singular value. 0 = semi-orthogonal.</param>
public sealed record SemiOrthogonalBlock(IReadOnlyList<int> Features, int Rank, double Defect);

/// <summary>Splits directions into blocks that do not interfere with one another.</summary>
/// <remarks>
/// Scherlis et al. 2022: where the capacities use every dimension, W is, up to a rotation, made of blocks with W_bᵀW_b = λ_b·I on subspaces
/// of their own.
/// </remarks>
public static class SemiOrthogonalBlocks
{
    /// <summary>The blocks of the represented features.</summary>
    /// <param name="w">Feature directions as rows. Shape: <c>[n_features, d]</c>.</param>
    /// <param name="joined">Two features are in one block when the cosine of their directions exceeds this, directly or through others.</param>
    public static IReadOnlyList<SemiOrthogonalBlock> Find(Matrix w, double joined = 1e-2)
    {
        var represented = Enumerable
            .Range(0, w.Rows)
            .Where(i => FeatureGeometry.SquaredNorm(w, i) >= Dimensionality.UnrepresentedSquaredNorm)
            .ToHashSet();
        var blocks = new List<SemiOrthogonalBlock>();
        while (represented.Count > 0)
        {
            var members = new List<int> { represented.Min() };
            represented.Remove(members[0]);
            for (var next = 0; next < members.Count; next++)
            {
                foreach (var other in represented.Where(i => Math.Abs(FeatureGeometry.Cosine(w, members[next], i)) > joined).ToList())
                {
                    members.Add(other);
                    represented.Remove(other);
                }
            }
            members.Sort();
            blocks.Add(Measure(w, members));
        }
        return blocks;
    }

    private static SemiOrthogonalBlock Measure(Matrix w, List<int> members)
    {
        var squares = LinearAlgebra.Svd(w.SelectRows(members)).S.Select(s => s * s).ToArray();
        var rank = squares.Count(square => square > 1e-3 * squares[0]);
        var lambda = squares.Take(rank).Average();
        return new SemiOrthogonalBlock(members, rank, Math.Sqrt(squares.Take(rank).Sum(square => Math.Pow((square / lambda) - 1, 2))));
    }
}
