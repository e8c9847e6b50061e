using Polyseme.Activations;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Evidence;

/// <summary>
/// Whether what can be read about seen items can be read about unseen ones: nearest neighbours, once with other rows of the same items at hand and once
/// without.
/// </summary>
/// <remarks>
/// A layer that stores items as arbitrary codes lets every concept be read on the items it was learned from and none on others (science of
/// memorisation: Henighan et al. 2023; the split by item is what an i.i.d. split hides).
/// </remarks>
public sealed record ItemMemory
{
    /// <summary>Mean R² over concepts with other rows of the same item among the neighbours; at most 1.</summary>
    public required double Seen { get; init; }

    /// <summary>Mean R² over concepts with all rows of the item held out.</summary>
    public required double Unseen { get; init; }

    /// <summary><see cref="Unseen"/> with the concepts permuted between items.</summary>
    public required NullSummary Null { get; init; }

    /// <summary>Items with at least two rows.</summary>
    public required int RepeatedItems { get; init; }

    /// <summary>Measures a layer; <c>null</c> when fewer than ten items have two rows.</summary>
    public static ItemMemory? Measure(Matrix whitened, ConceptColumns concepts, RowGroups groups, ulong seed)
    {
        const int mostRows = 5_000;
        var random = new RandomStream(seed, "item-memory");
        var sizes = new int[groups.Count];
        foreach (var group in groups.Ids)
            sizes[group]++;
        var repeated = sizes.Count(size => size >= 2);
        if (repeated < 10 || concepts.Values.Columns == 0)
            return null;
        var rows = random.Permutation(whitened.Rows).Where(row => sizes[groups.Ids[row]] >= 2).Take(mostRows).ToArray();
        var (z, y) = (whitened.SelectRows(rows), concepts.Values.SelectRows(rows));
        var group_ = Array.ConvertAll(rows, row => (long)groups.Ids[row]);
        using var scope = torch.NewDisposeScope();
        var points = LinearAlgebra.ToTensor(z);
        var distance = torch.cdist(points, points);
        distance.masked_fill_(torch.eye(rows.Length, dtype: torch.@bool), double.PositiveInfinity);
        var ids = torch.tensor(group_);
        var same = ids.unsqueeze(0).eq(ids.unsqueeze(1));
        var seen = Score(y, distance);
        distance.masked_fill_(same, double.PositiveInfinity);
        var unseen = Score(y, distance);
        var draws = new List<double>();
        for (var draw = 0; draw < 5; draw++)
        {
            var order = random.Permutation(groups.Count);
            var first = new Dictionary<long, int>();
            for (var i = 0; i < rows.Length; i++)
                first.TryAdd(group_[i], i);
            draws.Add(Score(y.SelectRows([.. group_.Select(id => first.GetValueOrDefault(order[id], first[id]))]), distance));
        }
        return new ItemMemory
        {
            Seen = seen,
            Unseen = unseen,
            Null = NullSummary.Of("permuted_items", draws),
            RepeatedItems = repeated,
        };
    }

    /// <summary>Mean over columns of 1 − Σ(y − mean of the three nearest)² / Σ(y − ȳ)².</summary>
    private static double Score(Matrix y, torch.Tensor distance)
    {
        using var scope = torch.NewDisposeScope();
        var nearest = distance.topk(3, dim: 1, largest: false).indexes; // [n, 3]
        var targets = LinearAlgebra.ToTensor(y);
        var guess = targets.index_select(0, nearest.flatten()).reshape(y.Rows, 3, y.Columns).mean([1]);
        var wrong = (targets - guess).square().sum(dim: 0);
        var total = (targets - targets.mean([0], keepdim: true)).square().sum(dim: 0).clamp_min(1e-12);
        return (1 - (wrong / total)).mean().item<double>();
    }
}
