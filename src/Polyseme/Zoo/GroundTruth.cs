using Polyseme.Numerics;

namespace Polyseme.Zoo;

/// <summary>What is true of a zoo network, written down before any judge runs on it.</summary>
public sealed record GroundTruth
{
    /// <summary>The cause, as the table of the tour shows it.</summary>
    public required Cause Cause { get; init; }

    /// <summary>
    /// Verdicts that are right at each access level: ids of causes, <c>mixed</c> or <c>undetermined</c>. A level that is missing accepts
    /// what the level below it accepts.
    /// </summary>
    public required IReadOnlyDictionary<AccessLevel, IReadOnlyList<string>> Accepted { get; init; }

    /// <summary>Why these and no others, in a sentence or two.</summary>
    public required string Reason { get; init; }

    /// <summary>Subtypes that are right, or <c>null</c> where none is scored.</summary>
    public IReadOnlyList<string>? Subtypes { get; init; }

    /// <summary>Feature directions in the hooked layer, one row per feature; <c>null</c> where features are not directions. Shape: <c>[n_features, d]</c>.</summary>
    public Matrix? Directions { get; init; }

    /// <summary>Distinct represented feature directions up to sign.</summary>
    public int? NLine { get; init; }

    /// <summary>The same, counted with sign.</summary>
    public int? NRay { get; init; }

    /// <summary>Flags that hold, such as <c>incidental</c>.</summary>
    public IReadOnlyList<string> Flags { get; init; } = [];

    /// <summary>The verdicts accepted at <paramref name="level"/>: its own, or those of the nearest level below it that has some.</summary>
    public IReadOnlyList<string> AcceptedAt(AccessLevel level)
    {
        for (var at = level; at >= AccessLevel.A; at--)
        {
            if (Accepted.TryGetValue(at, out var verdicts))
                return verdicts;
        }
        throw new ArgumentException($"no accepted verdicts at level {level} or below", nameof(level));
    }
}
