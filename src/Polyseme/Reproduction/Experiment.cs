using Polyseme.Reports.Figures;
using Polyseme.Runs;

namespace Polyseme.Reproduction;

/// <summary>How much of an experiment is run.</summary>
public enum ReproductionSize
{
    /// <summary>The smallest configuration that still says something: all experiments together within four minutes on two cores.</summary>
    Quick,

    /// <summary>The reference configuration: all experiments together within half an hour on two cores.</summary>
    Default,

    /// <summary>The papers' sizes: hours.</summary>
    Full,
}

/// <summary>How a reproduction is run.</summary>
/// <param name="Size">How much of it.</param>
/// <param name="Seed">The one seed.</param>
public sealed record ReproductionConfig(ReproductionSize Size, ulong Seed = 0)
{
    /// <summary>The value for this size.</summary>
    public T Choose<T>(T quick, T standard, T full) =>
        Size switch
        {
            ReproductionSize.Quick => quick,
            ReproductionSize.Default => standard,
            ReproductionSize.Full => full,
            _ => throw new InvalidOperationException($"no such size: {Size}"),
        };
}

/// <summary>What an experiment found.</summary>
/// <param name="Ran">The configuration that ran, in words: sizes, seeds, steps, samples.</param>
/// <param name="Rows">Its claims.</param>
/// <param name="Figures">Its figures.</param>
public sealed record ExperimentResult(string Ran, IReadOnlyList<ClaimRow> Rows, IReadOnlyList<Figure> Figures);

/// <summary>A published experiment done again: its networks are trained or built, its numbers measured, its figures drawn.</summary>
/// <remarks>
/// Most belong to a member of the zoo and have its name; <c>polyseme zoo reproduce NAME</c> runs it. Same configuration, machine and thread
/// count: same rows and figures.
/// </remarks>
public abstract class Experiment
{
    /// <summary>Its name on the command line, in kebab-case: the zoo member's where it is about one.</summary>
    public abstract string Name { get; }

    /// <summary>What it reproduces, a few words.</summary>
    public abstract string Title { get; }

    /// <summary>Author, year, title.</summary>
    public abstract string Source { get; }

    /// <summary>Runs it.</summary>
    /// <param name="config">How.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public abstract ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation);
}
