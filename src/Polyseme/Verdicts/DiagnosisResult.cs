using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Polyseme.Evidence;

namespace Polyseme.Verdicts;

/// <summary>The whole answer, as <c>--json</c> writes it: schema <c>polyseme.diagnosis/1</c>. Property names in files are snake_case.</summary>
public sealed record DiagnosisResult
{
    /// <summary>The contract this object follows.</summary>
    [JsonPropertyOrder(-2)]
    public string Schema { get; init; } = "polyseme.diagnosis/1";

    /// <summary>The version of the program that made it.</summary>
    [JsonPropertyOrder(-1)]
    public required string Polyseme { get; init; }

    /// <summary>What was read.</summary>
    public required DiagnosisSource Input { get; init; }

    /// <summary>The verdict on the layer.</summary>
    public required LayerVerdict Layer { get; init; }

    /// <summary>One verdict per neuron reported, by index.</summary>
    public required IReadOnlyList<NeuronVerdict> Neurons { get; init; }

    /// <summary>One verdict per concept given.</summary>
    public required IReadOnlyList<ConceptVerdict> Concepts { get; init; }

    /// <summary>Every measure with its nulls.</summary>
    public required IReadOnlyList<EvidenceItem> Evidence { get; init; }

    /// <summary>The full configuration.</summary>
    public required JsonObject Config { get; init; }

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Wall time of the diagnosis, seconds. The one number that differs between two equal runs.</summary>
    public required double Seconds { get; init; }
}

/// <summary>What was read.</summary>
/// <param name="Path">The file or directory; <c>null</c> for activations that were never a file.</param>
/// <param name="Sha256">Of the file; of a directory, over its sorted <c>name size sha256</c> lines; <c>null</c> like the path.</param>
/// <param name="NSamples">Rows used, after dropping.</param>
/// <param name="NDropped">Rows dropped because they held NaN or infinity.</param>
/// <param name="NNeurons">d.</param>
/// <param name="Access">What the judge was given.</param>
/// <param name="Groups">The unit of every train/test split: <c>item</c>, <c>document</c>, <c>duplicates</c> or <c>row</c>.</param>
public sealed record DiagnosisSource(
    string? Path,
    string? Sha256,
    long NSamples,
    long NDropped,
    int NNeurons,
    IReadOnlyList<AccessLevel> Access,
    string Groups
);

/// <summary>The verdict on a layer.</summary>
public sealed record LayerVerdict
{
    /// <summary>A cause id, <c>mixed</c> or <c>undetermined</c>.</summary>
    public required string Verdict { get; init; }

    /// <summary>For instance <c>orthogonal</c>, <c>oblique</c>, <c>subspace</c>, <c>relu_linear</c>, <c>in_span</c>, <c>magnitude</c>, <c>xor</c>.</summary>
    public string? Subtype { get; init; }

    /// <summary>Why it is undetermined: no_signal, not_identifiable, too_few_samples, too_few_levels, out_of_distribution.</summary>
    public string? ReasonCode { get; init; }

    /// <summary>Neurons, d.</summary>
    public required int D { get; init; }

    /// <summary>Rank of the signal above the noise floor, r.</summary>
    public required int? R { get; init; }

    /// <summary>Distinct feature directions up to sign, n_line; <c>null</c> where not estimated.</summary>
    public required int? NLine { get; init; }

    /// <summary>Distinct feature directions with sign, n_ray; <c>null</c> where not estimated.</summary>
    public required int? NRay { get; init; }

    /// <summary>Posterior over the five causes; sums to 1.</summary>
    public required IReadOnlyDictionary<string, double> Posterior { get; init; }

    /// <summary>The causes that remain possible. Never empty.</summary>
    public required IReadOnlyList<Cause> Set { get; init; }

    /// <summary>Nominal coverage of the set: the posterior mass that it holds, not a measured frequency.</summary>
    public double Coverage { get; init; } = 0.95;

    /// <summary>The causes that coexist, with their shares of the signal variance.</summary>
    public required IReadOnlyList<Component> Components { get; init; }

    /// <summary>A sentence, when the verdict is <c>mixed</c> or <c>undetermined</c>.</summary>
    public string? Reason { get; init; }

    /// <summary>The layer is unlike anything the judge was checked on.</summary>
    public bool OutOfDistribution { get; init; }

    /// <summary>Estimated number of features that fire; <c>null</c> where not estimated.</summary>
    public double? EstimatedFeatures { get; init; }

    /// <summary>An interval for it, low and high; <c>null</c> where not estimated.</summary>
    public IReadOnlyList<double>? EstimatedFeaturesInterval { get; init; }

    /// <summary>Participation ratio of the covariance spectrum, (Σλ)² / Σλ².</summary>
    public double? EffectiveDimension { get; init; }

    /// <summary>Which calibration of the judge was used.</summary>
    public required CalibrationId Calibration { get; init; }
}

/// <summary>A cause and its share of the signal variance, in [0, 1].</summary>
public sealed record Component(Cause Cause, double Share);

/// <summary>Version and hash of the judge's calibration.</summary>
public sealed record CalibrationId(string Version, string Sha256);

/// <summary>The verdict on one neuron.</summary>
public sealed record NeuronVerdict
{
    /// <summary>Column of the activations.</summary>
    public required int Index { get; init; }

    /// <summary>A cause id, <c>mixed</c> or <c>undetermined</c>.</summary>
    public required string Verdict { get; init; }

    /// <summary>Posterior over the five causes; sums to 1.</summary>
    public required IReadOnlyDictionary<string, double> Posterior { get; init; }

    /// <summary>The causes that remain possible. Never empty.</summary>
    public required IReadOnlyList<Cause> Set { get; init; }

    /// <summary>A sentence, when the verdict is <c>mixed</c> or <c>undetermined</c>.</summary>
    public string? Reason { get; init; }

    /// <summary>
    /// Whether no feature explains .8 of what features explain and at least two, each a tenth of it, raise the neuron; <c>null</c> for a dead neuron
    /// or where no features come back.
    /// </summary>
    public required bool? Polysemantic { get; init; }

    /// <summary>One minus the largest share of the neuron's variance that one feature explains, in [0, 1]; <c>null</c> for a dead neuron or with too few rows.</summary>
    public required double? Score { get; init; }

    /// <summary>Where the neuron's variance goes; <c>null</c> like the score.</summary>
    public required NeuronBudget? Budget { get; init; }

    /// <summary><c>incidental</c>, <c>loss_induced</c>, <c>unnamed_concept</c>, <c>unnamed_concept_candidate</c>.</summary>
    public required IReadOnlyList<string> Flags { get; init; }

    /// <summary>Concepts that the neuron responds to, strongest first.</summary>
    public required IReadOnlyList<NeuronConcept> Concepts { get; init; }
}

/// <summary>A neuron's variance split into shares that sum to 1.</summary>
public sealed record NeuronBudget(double Aligned, double Rotated, double Superposed, double Multidimensional, double Unstructured);

/// <summary>A concept that a neuron responds to. AUC is the area under the ROC curve of the neuron as a detector, .5 = chance.</summary>
public sealed record NeuronConcept(string Name, double Auc);

/// <summary>How one concept is represented.</summary>
/// <param name="Name">The concept.</param>
/// <param name="Verdict"><c>linear</c>, <c>relu_linear</c>, <c>nonlinear</c>, <c>not_represented</c> or <c>undetermined</c>.</param>
/// <param name="R2Linear">Held-out R² of the linear read-out; <c>null</c> where the concept could not be probed.</param>
/// <param name="R2Best">Held-out R² of the best read-out of the ladder.</param>
/// <param name="Reason">A sentence where it is undetermined.</param>
public sealed record ConceptVerdict(string Name, string Verdict, double? R2Linear, double? R2Best, string? Reason = null);
