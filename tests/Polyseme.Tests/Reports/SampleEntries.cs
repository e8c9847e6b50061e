using System.Text.Json.Nodes;
using Polyseme.Evidence;
using Polyseme.Numerics;
using Polyseme.Reports;
using Polyseme.Verdicts;
using Polyseme.Zoo;

namespace Polyseme.Tests.Reports;

/// <summary>Entries whose numbers are made up, to see how a report shows them; nothing here was measured.</summary>
internal static class SampleEntries
{
    /// <summary>A pentagon in superposition, with everything that an entry can hold.</summary>
    public static ReportEntry Pentagon(string name = "Pentagon") =>
        new()
        {
            Title = name,
            Result = Result(2) with
            {
                Evidence =
                [
                    Item(
                        "sparse_gain",
                        0.317,
                        new NullSummary("elliptical", 0.0021, 0.0009, 20),
                        new NullSummary("copula", 0.003, 0.001, 20)
                    ) with
                    {
                        PValue = 1.0 / 21,
                        Favours = Cause.Superposition,
                    },
                    Item("fourth_moment", 184_321.5, new NullSummary("elliptical", 3, 0, 20)) with
                    {
                        PValue = 0.43,
                    },
                    Item("item_transfer", null) with
                    {
                        Reason = "no item ids",
                    },
                    Item("probe_gain", -1.2345e-5, new NullSummary("permuted_labels", 0, 1e-6, 5)) with
                    {
                        Scope = "concept:corner",
                        Favours = Cause.Rotated,
                    },
                ],
                Concepts =
                [
                    new ConceptVerdict("corner", "linear", 0.9312, 0.95),
                    new ConceptVerdict("rare", "undetermined", null, null, "two rows only"),
                ],
            },
            TrueCause = Cause.Superposition,
            TruthReason = "Five directions in two dimensions.",
            Right = true,
            Geometry = new ReportGeometry
            {
                Directions = Matrix.FromRows([
                    .. Enumerable
                        .Range(0, 5)
                        .Select(k => new[] { Math.Round(Math.Cos(2 * Math.PI * k / 5), 6), Math.Round(Math.Sin(2 * Math.PI * k / 5), 6) }),
                ]),
                Names = ["a", "b", "c", "d", "e"],
            },
            Training = new ReportTraining
            {
                SeedLosses = [0.0213, 0.0231],
                ReferenceLoss = 0.02,
                Curve = [new CurvePoint(0, 0.4), new CurvePoint(500, 0.05), new CurvePoint(1000, 0.0213)],
            },
            Acceptances =
            [
                new Acceptance("Σ D_i", 2, 1.99, 2.01, "closed form"),
                new Acceptance("mean cosine", 0.2, 0.3, double.PositiveInfinity, "closed form"),
            ],
            Neurons = [new NeuronDetail(0, [new TokenContext(["The", "jury", "said"], [0, 2.5, 0.5], 1)])],
        };

    /// <summary>A layer of which as little is known as the contract allows.</summary>
    public static ReportEntry Bare(string name = "Bare") =>
        new()
        {
            Title = name,
            Result = Result(3) with
            {
                Layer = Result(3).Layer with
                {
                    Verdict = "undetermined",
                    ReasonCode = "no_signal",
                    Reason = "Nothing stands out from the noise.",
                    R = null,
                    NLine = null,
                    NRay = null,
                    EffectiveDimension = null,
                    Set = Causes.All,
                    Components = [],
                },
                Neurons = [],
                Evidence = [],
                Concepts = [],
            },
        };

    public static EvidenceItem Item(string measure, double? value, params NullSummary[] nulls) =>
        new()
        {
            Measure = measure,
            Value = value,
            Nulls = nulls,
            Unit = "R²",
            Source = $"source of {measure}",
        };

    public static DiagnosisResult Result(int neurons) =>
        new()
        {
            Polyseme = "0.0.0",
            Input = new DiagnosisSource(null, null, 1000, 0, neurons, [AccessLevel.A, AccessLevel.C], "row"),
            Layer = new LayerVerdict
            {
                Verdict = "superposition",
                D = neurons,
                R = 2,
                NLine = 5,
                NRay = 5,
                Posterior = Posterior(),
                Set = [Cause.Superposition, Cause.Rotated],
                Components = [new Component(Cause.Superposition, 1)],
                EstimatedFeatures = 5,
                EstimatedFeaturesInterval = [4, 6.5],
                EffectiveDimension = 1.98,
                Calibration = new CalibrationId("sample", "0"),
            },
            Neurons = [.. Enumerable.Range(0, neurons).Select(Neuron)],
            Concepts = [],
            Evidence = [],
            Config = new JsonObject { ["seed"] = 0 },
            Seed = 0,
            Seconds = 1.5,
        };

    // Every seventh neuron is dead; the others' scores differ.
    private static NeuronVerdict Neuron(int index)
    {
        var dead = index % 7 == 6;
        var aligned = (index % 5) / 10.0;
        return new NeuronVerdict
        {
            Index = index,
            Verdict = dead ? "undetermined" : "superposition",
            Posterior = Posterior(),
            Set = [Cause.Superposition],
            Polysemantic = dead ? null : index % 2 == 0,
            Score = dead ? null : 1 - aligned,
            Budget = dead ? null : new NeuronBudget(aligned, 0.1, 0.7 - aligned, 0.05, 0.15),
            Flags = index == 0 ? ["incidental"] : [],
            Concepts = index == 0 ? [new NeuronConcept("corner", 0.913)] : [],
        };
    }

    private static Dictionary<string, double> Posterior() =>
        Causes.All.ToDictionary(Causes.Id, cause => cause == Cause.Superposition ? 0.92 : 0.02);
}
