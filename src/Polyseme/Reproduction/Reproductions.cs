using Polyseme.Reproduction.Experiments;
using Polyseme.Zoo;

namespace Polyseme.Reproduction;

/// <summary>Every experiment that <c>polyseme zoo reproduce</c> runs, in the order of its table.</summary>
public static class Reproductions
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Experiment> All { get; } =
    [
        Member("tms", "uniform superposition", [("density", "0.05")], [("density", "0.02")]),
        new TmsImportance(),
        new TmsGeometry(),
        Member("tms-pairs", "three correlated pairs", [("density", "0.05")], [("density", "0.5")]),
        Member("tms-privileged", "privileged basis, stopped and finished", [("steps", "3000")], [("steps", "30000"), ("seeds", "12")]),
        Member(
            "tms-memorised",
            "the number of data points decides",
            [("points", "5")],
            [("points", "8")],
            [("points", "3000"), ("seeds", "3")]
        ),
        Member("xy", "the product x·y, constructed", [("k", "8")], [("k", "16")], [("k", "32")]),
        Member(
            "mixed-radix",
            "two numbers in one",
            [("levels", "2")],
            [("levels", "3")],
            [("levels", "4")],
            [("levels", "8"), ("pairs", "1"), ("neurons", "3")]
        ),
        Member("bit-extraction", "bits of the input, one after the other", [("bits", "12")]),
        new AttentionCopy(),
        new SkipTrigramBugs(),
        new InhibitionGate(),
        new AttentionSuperposition(),
    ];

    /// <summary>The experiment called <paramref name="name"/>.</summary>
    /// <exception cref="ArgumentException">There is none; names those that there are.</exception>
    public static Experiment Find(string name) =>
        All.FirstOrDefault(experiment => experiment.Name == name)
        ?? throw new ArgumentException(
            $"nothing to reproduce is called '{name}'; there are {string.Join(", ", All.Select(experiment => experiment.Name))}",
            nameof(name)
        );

    private static MemberExperiment Member(string name, string title, params (string Key, string Value)[][] configurations) =>
        new(ZooCatalogue.Find(name), title, _ => configurations);
}
