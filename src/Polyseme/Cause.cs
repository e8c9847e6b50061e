using System.Text.Json.Serialization;

namespace Polyseme;

/// <summary>Why a layer's neurons fire on unrelated concepts; defined in <c>docs/glossary.md</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Cause>))]
public enum Cause
{
    /// <summary>Each live neuron carries one feature, or one group of related ones.</summary>
    [JsonStringEnumMemberName("monosemantic")]
    Monosemantic,

    /// <summary>No more lines than rank: one invertible linear map recovers every feature, and most neurons mix features.</summary>
    [JsonStringEnumMemberName("rotated")]
    Rotated,

    /// <summary>More lines than rank, and features are directions that add.</summary>
    [JsonStringEnumMemberName("superposition")]
    Superposition,

    /// <summary>Information is decodable, and no linear, ReLU-linear or sparse-code read-out gets it.</summary>
    [JsonStringEnumMemberName("nonlinear")]
    Nonlinear,

    /// <summary>Items are decodable, but nothing learned on some items explains others.</summary>
    [JsonStringEnumMemberName("compositional")]
    Compositional,
}

/// <summary>What the judge was given. Each level includes the activations; the rest is independent.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AccessLevel>))]
public enum AccessLevel
{
    /// <summary>Activations only.</summary>
    A,

    /// <summary>With concepts.</summary>
    C,

    /// <summary>With the network: weights and interventions.</summary>
    W,

    /// <summary>With ground truth: the zoo.</summary>
    T,
}

/// <summary>The causes' names and spellings.</summary>
public static class Causes
{
    /// <summary>All five, in the order every file and screen uses.</summary>
    public static IReadOnlyList<Cause> All { get; } =
    [Cause.Monosemantic, Cause.Rotated, Cause.Superposition, Cause.Nonlinear, Cause.Compositional];

    /// <summary>The id written to files: <c>superposition</c>.</summary>
    public static string Id(Cause cause) =>
        cause switch
        {
            Cause.Monosemantic => "monosemantic",
            Cause.Rotated => "rotated",
            Cause.Superposition => "superposition",
            Cause.Nonlinear => "nonlinear",
            Cause.Compositional => "compositional",
            _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "not a cause"),
        };

    /// <summary>The name shown to people.</summary>
    public static string DisplayName(Cause cause) =>
        cause switch
        {
            Cause.Monosemantic => "Monosemantic",
            Cause.Rotated => "Non-neuron-aligned orthogonal features",
            Cause.Superposition => "Superposition",
            Cause.Nonlinear => "Non-linear feature representation",
            Cause.Compositional => "Compositional representation without features",
            _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "not a cause"),
        };
}
