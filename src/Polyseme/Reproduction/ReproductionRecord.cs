using Polyseme.Runs;

namespace Polyseme.Reproduction;

/// <summary>A figure as it lies in files.</summary>
/// <param name="File">File name without extension; an SVG and a PNG lie there.</param>
/// <param name="Title">What it shows.</param>
/// <param name="Caption">What to see in it.</param>
public sealed record FigureFile(string File, string Title, string Caption);

/// <summary>An experiment that has been run, as it is kept: what the table is made from.</summary>
public sealed record ReproductionRecord
{
    /// <summary>The contract this file follows.</summary>
    public string Schema { get; init; } = "polyseme.reproduction/1";

    /// <summary>The version of the library that ran it, with the git commit.</summary>
    public string Polyseme { get; init; } = CodeVersion.Full;

    /// <summary>The experiment's name.</summary>
    public required string Name { get; init; }

    /// <summary>What it reproduces.</summary>
    public required string Title { get; init; }

    /// <summary>Author, year, title.</summary>
    public required string Source { get; init; }

    /// <summary>How much of it ran.</summary>
    public required ReproductionSize Size { get; init; }

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Threads used.</summary>
    public required int Threads { get; init; }

    /// <summary>The configuration that ran, in words.</summary>
    public required string Ran { get; init; }

    /// <summary>How long it took, its figures included.</summary>
    public required double Seconds { get; init; }

    /// <summary>Its claims.</summary>
    public required IReadOnlyList<ClaimRow> Rows { get; init; }

    /// <summary>Its figures.</summary>
    public required IReadOnlyList<FigureFile> Figures { get; init; }

    /// <summary>Claims with this status.</summary>
    public int Count(ClaimStatus status) => Rows.Count(row => row.Status == status);
}
