using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Polyseme.Numerics;

namespace Polyseme.Activations;

/// <summary>Which rows belong together, so that no train/test split may part them.</summary>
/// <param name="Name">The unit: <c>item</c>, <c>document</c>, <c>position</c>, <c>token_id</c>, <c>duplicates</c> or <c>row</c>.</param>
/// <param name="Ids">The group of each row, numbered from 0 in order of appearance. Shape: <c>[n_samples]</c>.</param>
/// <param name="Count">Groups.</param>
public sealed record RowGroups(string Name, int[] Ids, int Count)
{
    /// <summary>The name that a user may always ask for, besides those of the identities in the file.</summary>
    private const string Always = "duplicates";

    /// <summary>Rows per group, on average.</summary>
    public double RowsPerGroup => Count == 0 ? 0 : (double)Ids.Length / Count;

    /// <summary>Whether a group is a known item, and not just rows that are alike or near each other.</summary>
    public bool AreItems => Name == "item";

    /// <summary>Splits the rows in two by whole groups: about <paramref name="share"/> of the groups are held out.</summary>
    /// <param name="share">In [0, 1]; both parts hold a group whenever there are two.</param>
    /// <param name="random">Draws the groups.</param>
    /// <returns>Row numbers, ascending.</returns>
    /// <remarks>
    /// Equal rows that make up more than a hundredth of all, where hardly any others repeat, are not an item but the layer at rest; they are divided
    /// like single rows. On one side as a whole they would give the two sides different laws.
    /// </remarks>
    public (int[] Learn, int[] Test) Split(double share, RandomStream random)
    {
        var held = new bool[Count];
        var wanted = Count < 2 ? 0 : Math.Clamp((int)Math.Round(share * Count), 1, Count - 1);
        foreach (var group in random.Permutation(Count).Take(wanted))
            held[group] = true;
        var resting = Resting();
        var tests = Array.ConvertAll(Ids, group => resting[group] ? random.NextDouble() < share : held[group]);
        return (
            [.. Enumerable.Range(0, Ids.Length).Where(row => !tests[row])],
            [.. Enumerable.Range(0, Ids.Length).Where(row => tests[row])]
        );
    }

    private bool[] Resting()
    {
        var resting = new bool[Count];
        var sizes = new int[Count];
        foreach (var group in Ids)
            sizes[group]++;
        if (Name != "duplicates" || Count < 2)
            return resting;
        var largest = Array.IndexOf(sizes, sizes.Max());
        // Where the other rows repeat too, the layer has few levels, and each of them may be an item.
        var others = (double)(Ids.Length - sizes[largest]) / (Count - 1);
        resting[largest] = sizes[largest] > Math.Max(10, Ids.Length / 100) && others < 2;
        return resting;
    }

    /// <summary>
    /// The groups of a set in memory: by <paramref name="name"/> if given, else by item, else by document, else rows that are exact
    /// duplicates of each other; <c>row</c> when there are none.
    /// </summary>
    /// <param name="set">The activations and their identities.</param>
    /// <param name="name">The unit asked for, or <c>null</c>.</param>
    /// <param name="path">The file, for the message.</param>
    /// <exception cref="InputException">The set has no identity of that name.</exception>
    public static RowGroups Of(ActivationSet set, string? name = null, string path = "activations")
    {
        var unit = Unit(set.Rows, name, path);
        if (unit != "duplicates")
            return ByUnit(set.Rows, unit);
        var hashes = new ulong[set.NSamples];
        var scratch = new float[set.NNeurons];
        for (var i = 0; i < hashes.Length; i++)
            hashes[i] = Hash(set.Row(i), scratch);
        return ByDuplicates(hashes, name is not null, rows => [.. rows.Select(row => Digest(set.Row(row), scratch))]);
    }

    /// <summary>The groups of the named rows, renumbered. The unit stays.</summary>
    public RowGroups Select(IReadOnlyList<int> rows) => Number(Name, [.. rows.Select(row => (long)Ids[row])]);

    /// <summary>The unit to split by: what the user asked for, or the first that the contract names.</summary>
    internal static string Unit(RowIdentities rows, string? name, string path)
    {
        switch (name)
        {
            case null:
                return rows.Item is not null ? "item"
                    : rows.Document is not null ? "document"
                    : "duplicates";
            case "duplicates":
                return name;
            case "sentence":
                name = "document";
                break;
        }
        string[] known = [.. new[] { "item", "document", "position", "token_id" }.Where(identity => rows.ByName(identity) is not null)];
        return known.Contains(name, StringComparer.Ordinal)
            ? name
            : throw new InputException(
                path,
                $"has no row identity {InputException.Quote(name)} to group by",
                known.Length == 0 ? "no row identities" : string.Join(", ", known),
                $"one of {string.Join(", ", known.Append(Always))}",
                "see --groups"
            );
    }

    /// <summary>Groups that need no look at the activations.</summary>
    internal static RowGroups ByUnit(RowIdentities rows, string unit) => Number(unit, rows.ByName(unit)!);

    /// <summary>Groups of equal rows.</summary>
    /// <param name="hashes">One 64-bit hash per row; equal rows have equal hashes.</param>
    /// <param name="asked">Whether the user asked for this unit; else the unit without duplicates is called <c>row</c>.</param>
    /// <param name="digests">SHA-256 of the rows named, which decides where hashes agree.</param>
    internal static RowGroups ByDuplicates(ulong[] hashes, bool asked, Func<int[], UInt128[]> digests)
    {
        var byHash = Number("duplicates", [.. hashes.Select(hash => (long)hash)]);
        if (byHash.Count == hashes.Length)
            return asked ? byHash : byHash with { Name = "row" };
        var sizes = new int[byHash.Count];
        foreach (var group in byHash.Ids)
            sizes[group]++;
        int[] shared = [.. Enumerable.Range(0, hashes.Length).Where(row => sizes[byHash.Ids[row]] > 1)];
        var verified = new Dictionary<UInt128, long>();
        long[] ids = [.. byHash.Ids.Select(group => (long)group)];
        var found = digests(shared);
        for (var k = 0; k < shared.Length; k++)
        {
            // Ids of verified groups start behind those of single rows.
            if (!verified.TryGetValue(found[k], out var id))
                verified.Add(found[k], id = hashes.LongLength + verified.Count);
            ids[shared[k]] = id;
        }
        return Number("duplicates", ids);
    }

    /// <summary>A quick hash of a row's values; zero and minus zero are the same value.</summary>
    internal static ulong Hash(ReadOnlySpan<float> row, float[] scratch)
    {
        const ulong prime = 0x9E3779B97F4A7C15;
        TensorPrimitives.Add(row, 0f, scratch);
        var words = MemoryMarshal.Cast<float, ulong>(scratch.AsSpan(0, row.Length));
        ulong a = 1,
            b = 2,
            c = 3,
            d = 4;
        var i = 0;
        for (; i <= words.Length - 4; i += 4)
        {
            // Four independent chains, so that multiplications overlap.
            a = (ulong.RotateLeft(a, 23) ^ words[i]) * prime;
            b = (ulong.RotateLeft(b, 23) ^ words[i + 1]) * prime;
            c = (ulong.RotateLeft(c, 23) ^ words[i + 2]) * prime;
            d = (ulong.RotateLeft(d, 23) ^ words[i + 3]) * prime;
        }
        for (; i < words.Length; i++)
            a = (ulong.RotateLeft(a, 23) ^ words[i]) * prime;
        if (row.Length % 2 == 1)
            b = (ulong.RotateLeft(b, 23) ^ BitConverter.SingleToUInt32Bits(scratch[row.Length - 1])) * prime;
        foreach (var chain in (ReadOnlySpan<ulong>)[b, c, d])
            a = (ulong.RotateLeft(a, 29) ^ chain) * prime;
        return a ^ (a >> 32);
    }

    /// <summary>The first half of the SHA-256 of a row's values; zero and minus zero are the same value.</summary>
    internal static UInt128 Digest(ReadOnlySpan<float> row, float[] scratch)
    {
        TensorPrimitives.Add(row, 0f, scratch);
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(MemoryMarshal.AsBytes(scratch.AsSpan(0, row.Length)), digest);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(digest);
    }

    private static RowGroups Number(string name, long[] ids)
    {
        var numbers = new Dictionary<long, int>();
        var groups = new int[ids.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            if (!numbers.TryGetValue(ids[i], out var number))
                numbers.Add(ids[i], number = numbers.Count);
            groups[i] = number;
        }
        return new RowGroups(name, groups, numbers.Count);
    }
}
