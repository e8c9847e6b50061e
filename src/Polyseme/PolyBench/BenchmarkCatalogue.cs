using Polyseme.PolyBench.Families;

namespace Polyseme.PolyBench;

/// <summary>Every family.</summary>
public static class BenchmarkCatalogue
{
    /// <summary>All, cause by cause.</summary>
    public static IReadOnlyList<BenchmarkFamily> Families { get; } =
    [
        .. MonosemanticFamilies.All,
        .. RotatedFamilies.All,
        .. SuperpositionFamilies.All,
        .. NonlinearFamilies.All,
        .. CompositionalFamilies.All,
        .. MixedFamilies.All,
        .. NullFamilies.All,
    ];

    /// <summary>The families of these names.</summary>
    /// <param name="names">Names, or beginnings of names that end in <c>*</c>; none = all.</param>
    /// <exception cref="ArgumentException">There is no such family.</exception>
    public static IReadOnlyList<BenchmarkFamily> Find(IReadOnlyCollection<string> names)
    {
        bool Fits(BenchmarkFamily family, string name) =>
            name.EndsWith('*') ? family.Name.StartsWith(name[..^1], StringComparison.Ordinal) : family.Name == name;
        foreach (var name in names)
        {
            if (!Families.Any(family => Fits(family, name)))
                throw new ArgumentException(
                    $"there is no family '{name}'; there are {string.Join(", ", Families.Select(family => family.Name))}"
                );
        }
        return names.Count == 0 ? Families : [.. Families.Where(family => names.Any(name => Fits(family, name)))];
    }
}
