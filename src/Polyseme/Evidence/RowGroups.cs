using System.Runtime.InteropServices;
using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.Evidence;

/// <summary>Which rows belong together: the unit of every split into what is learned from and what is tested on.</summary>
/// <param name="Name"><c>item</c>, <c>document</c>, <c>duplicates</c>, or another identity asked for by name.</param>
/// <param name="OfRow">Group of each row, numbered from 0 in order of appearance. Shape: <c>[n_samples]</c>.</param>
/// <param name="Count">Number of groups.</param>
/// <param name="AreItems">Whether a group is a known item, and not just rows that are alike or near each other.</param>
public sealed record RowGroups(string Name, int[] OfRow, int Count, bool AreItems)
{
    /// <summary>Rows per group, on average.</summary>
    public double RowsPerGroup => Count == 0 ? 0 : (double)OfRow.Length / Count;

    /// <summary>The groups of a set: those asked for, else <c>item</c>, else <c>document</c>, else rows that are exact duplicates.</summary>
    /// <exception cref="ArgumentException">The identity asked for is unknown, or the rows do not carry it.</exception>
    public static RowGroups Of(ActivationSet activations, string? name = null)
    {
        if (name is not null && name != "duplicates")
        {
            var asked =
                activations.Rows.ByName(name)
                ?? throw new ArgumentException(
                    $"the rows carry no '{name}'; give a tensor of that name beside the activations",
                    nameof(name)
                );
            return Number(name, asked, name == "item");
        }
        if (name is null && activations.Rows.Item is { } items)
            return Number("item", items, areItems: true);
        if (name is null && activations.Rows.Document is { } documents)
            return Number("document", documents, areItems: false);
        return Duplicates(activations);
    }

    /// <summary>Splits the rows in two by whole groups: about <paramref name="share"/> of the groups are held out.</summary>
    /// <returns>Row numbers, ascending; both parts hold a row whenever there are two groups.</returns>
    public (int[] Learn, int[] Test) Split(double share, RandomStream random)
    {
        var held = new bool[Count];
        var wanted = Count < 2 ? 0 : Math.Clamp((int)Math.Round(share * Count), 1, Count - 1);
        foreach (var group in random.Permutation(Math.Max(Count, 1)).Take(wanted))
            held[group] = true;
        return (
            [.. Enumerable.Range(0, OfRow.Length).Where(row => !held[OfRow[row]])],
            [.. Enumerable.Range(0, OfRow.Length).Where(row => held[OfRow[row]])]
        );
    }

    private static RowGroups Number(string name, long[] ids, bool areItems)
    {
        var numbers = new Dictionary<long, int>();
        var ofRow = new int[ids.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(numbers, ids[i], out var known);
            if (!known)
                number = numbers.Count - 1;
            ofRow[i] = number;
        }
        return new RowGroups(name, ofRow, numbers.Count, areItems);
    }

    private static RowGroups Duplicates(ActivationSet activations)
    {
        var groups = new Dictionary<RowKey, int>();
        var ofRow = new int[activations.NSamples];
        for (var i = 0; i < ofRow.Length; i++)
        {
            ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, new RowKey(activations, i), out var known);
            if (!known)
                number = groups.Count - 1;
            ofRow[i] = number;
        }
        return new RowGroups("duplicates", ofRow, groups.Count, AreItems: false);
    }

    /// <summary>A row compared by its values.</summary>
    private readonly struct RowKey(ActivationSet activations, int row) : IEquatable<RowKey>
    {
        private readonly ActivationSet _activations = activations;
        private readonly int _row = row;

        public bool Equals(RowKey other) => _activations.Row(_row).SequenceEqual(other._activations.Row(other._row));

        public override bool Equals(object? obj) => obj is RowKey other && Equals(other);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            hash.AddBytes(MemoryMarshal.AsBytes(_activations.Row(_row)));
            return hash.ToHashCode();
        }
    }
}
