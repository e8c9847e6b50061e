using System.Text.Json.Serialization;

namespace Polyseme.Bench;

/// <summary>One line of the benchmark, and one object of its JSON array. What does not apply is <c>null</c>.</summary>
internal sealed record Measurement
{
    /// <summary><c>group.name</c>.</summary>
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    /// <summary>Ours, in <see cref="Unit"/>: the median of the runs.</summary>
    [JsonPropertyName("ours")]
    public required double Ours { get; init; }

    /// <summary>What it is compared with, in the same unit, measured in between.</summary>
    [JsonPropertyName("peer")]
    public double? Peer { get; init; }

    /// <summary>For instance <c>model-steps/s</c>.</summary>
    [JsonPropertyName("unit")]
    public required string Unit { get; init; }

    /// <summary>Above 1 ours is better, whether the unit is a rate or a time.</summary>
    [JsonPropertyName("ratio")]
    public double? Ratio { get; init; }

    /// <summary>Share of the machine's own limit, measured in between.</summary>
    [JsonPropertyName("limit_fraction")]
    public double? LimitFraction { get; init; }

    /// <summary>How the cost grows with the size that the notes name.</summary>
    [JsonPropertyName("exponent")]
    public double? Exponent { get; init; }

    /// <summary>Highest resident memory of the whole process so far, megabytes.</summary>
    [JsonPropertyName("peak_mb")]
    public double? PeakMb { get; init; }

    /// <summary>Parts of ours, as the notes say.</summary>
    [JsonPropertyName("stages")]
    public IReadOnlyDictionary<string, double> Stages { get; init; } = new Dictionary<string, double>();

    /// <summary>Runs behind each median.</summary>
    [JsonPropertyName("n_runs")]
    public required int NRuns { get; init; }

    /// <summary>What a reader must know.</summary>
    [JsonPropertyName("notes")]
    public required string Notes { get; init; }
}
