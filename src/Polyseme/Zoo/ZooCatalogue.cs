using Polyseme.Zoo.Capacities;
using Polyseme.Zoo.Codes;
using Polyseme.Zoo.Gates;
using Polyseme.Zoo.Incidental;
using Polyseme.Zoo.LossInduced;
using Polyseme.Zoo.NonlinearEncoders;

namespace Polyseme.Zoo;

/// <summary>A member with a configuration, under the name that the tour's table shows.</summary>
/// <param name="DisplayName">For a reader.</param>
/// <param name="Member">The family.</param>
/// <param name="Config">What it is run with.</param>
public sealed record ZooVariant(string DisplayName, ZooMember Member, ZooConfig Config);

/// <summary>Every network with known truth.</summary>
public static class ZooCatalogue
{
    /// <summary>All members, in the order of the tour.</summary>
    public static IReadOnlyList<ZooMember> Members { get; } =
    [
        new ToyModels(),
        new CorrelatedPairs(),
        new PrivilegedBasis(),
        new MemorisedPoints(),
        new ProductNetwork(),
        new MixedRadix(),
        new BitExtraction(),
        new Capacity(),
        new IncidentalPolysemanticity(),
        new LossInducedPolysemanticity(),
        new Packing(),
        new DeadZone(),
        new NonlinearEncoder(),
        new TentMap(),
        new OneNeuronResNet(),
        new RandomCodewords(),
        new Polytope(),
        new HashMap(),
        new CompositionCodes(),
        new LibraryBooks(),
        new EntropyConcept(),
        new FatGiraffe(),
        new Disentangling.Disentangled(),
        new Manifolds.FeatureManifold(),
        new MagnitudeCodes.ForcedSparsity(),
        new AbsoluteValue(),
        new StuckAbsolute(),
        new StuckAnd(),
        new UniversalAnd(),
        new EngineeredMonosemanticity(),
        new TrainedProduct(),
        new Arithmetic.ModularAddition(),
        new Attention.SoftmaxInhibition(),
        new Attention.TokenClasses(),
    ];

    /// <summary>The networks of <c>polyseme tour</c>. The finished privileged basis trains the first twelve of the models that the stopped one trains.</summary>
    public static IReadOnlyList<ZooVariant> TourVariants { get; } =
    [
        Variant("toy model, 80 features in 8 dimensions", "tms"),
        Variant("three correlated pairs, p = .05", "tms-pairs", ("density", "0.05")),
        Variant("three correlated pairs, p = .5", "tms-pairs", ("density", "0.5")),
        Variant("privileged basis, stopped at 3,000 steps", "tms-privileged", ("steps", "3000")),
        Variant("privileged basis, finished at 30,000 steps", "tms-privileged", ("steps", "30000"), ("seeds", "12")),
        Variant("toy model on 8 data points", "tms-memorised", ("points", "8")),
        Variant("toy model on 3,000 data points", "tms-memorised", ("points", "3000"), ("seeds", "6")),
        Variant("the product x·y", "xy"),
        Variant("mixed radix, 8 pairs in 16 neurons", "mixed-radix"),
        Variant("bit extraction, 12 bits", "bit-extraction"),
    ];

    /// <summary>The member called <paramref name="name"/>.</summary>
    /// <exception cref="ArgumentException">There is none; names those that there are.</exception>
    public static ZooMember Find(string name) =>
        Members.FirstOrDefault(member => member.Name == name)
        ?? throw new ArgumentException(
            $"the zoo has no '{name}'; it has {string.Join(", ", Members.Select(member => member.Name))}",
            nameof(name)
        );

    private static ZooVariant Variant(string displayName, string name, params (string Key, string Value)[] settings)
    {
        var member = Find(name);
        var config = ZooConfigs.With(member.DefaultConfig, settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value)));
        return new ZooVariant(displayName, member, config);
    }
}
