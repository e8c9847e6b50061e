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
        new TmsImportanceExperiment(),
        new TmsPhasesExperiment(),
        new TmsGeometryExperiment(),
        new TmsAdversarialExperiment(),
        new TmsPentagonExperiment(),
        new TmsCorrelatedExperiment(),
        new TmsPairsExperiment(),
        new TmsDynamicsExperiment(),
        new TmsPrivilegedExperiment(),
        new TmsMemorisedExperiment(),
        new TmsPenalisedExperiment(),
        new TmsFrequenciesExperiment(),
        Member("xy", "the product x·y, constructed", [("k", "8")], [("k", "16")], [("k", "32")]),
        Member(
            "mixed-radix",
            "two numbers in one",
            [("levels", "2")],
            [("levels", "3")],
            [("levels", "4")],
            [("levels", "8"), ("pairs", "1"), ("neurons", "3")]
        ),
        new CapacityExperiment(),
        new IncidentalExperiment(),
        new LossInducedExperiment(),
        new PackingExperiment(),
        new SaeToyExperiment(),
        new DeadZoneExperiment(),
        new NonlinearEncoderExperiment(),
        new BitExtractionExperiment(),
        new TentMapExperiment(),
        new OneNeuronResNetExperiment(),
        new HashMapExperiment(),
        new RandomCodewordsExperiment(),
        new PolytopeExperiment(),
        new CompositionCodesExperiment(),
        new LibraryBooksExperiment(),
        new InterferenceWeightsExperiment(),
        new EntropyConceptExperiment(),
        new FatGiraffeExperiment(),
        new DisentangledExperiment(),
        new FeatureManifoldExperiment(),
        new ForcedSparsityExperiment(),
        new TmsAbsoluteExperiment(),
        new StuckAbsoluteExperiment(),
        new StuckAndExperiment(),
        new UniversalAndExperiment(),
        new EngineeredMonosemanticityExperiment(),
        new TrainedProductExperiment(),
        new ModularAdditionExperiment(),
        new AttentionCopyExperiment(),
        new SkipTrigramsExperiment(),
        new SoftmaxInhibitionExperiment(),
        new AttentionSuperpositionExperiment(),
        new TokenClassesExperiment(),
        new TowardsMonosemanticityExperiment(),
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
