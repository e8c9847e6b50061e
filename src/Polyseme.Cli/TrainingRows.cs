using Polyseme.Activations;
using Polyseme.Dictionaries.Training;
using Polyseme.Runs;

namespace Polyseme.Cli;

/// <summary>
/// The rows of <c>polyseme dictionary train</c>: read at random from where they lie, or from a copy in the run's folder that is shuffled first and read in
/// its order. The copy is deleted when the training is done.
/// </summary>
internal sealed class TrainingRows
{
    /// <summary>Each row from where it lies.</summary>
    public const string Read = "read";

    /// <summary>From a shuffled copy.</summary>
    public const string Disk = "disk";

    private const string Auto = "auto";

    private readonly ActivationSource _activations;
    private readonly ActivationSource? _targets;

    private TrainingRows(ActivationSource activations, ActivationSource? targets, string identity) =>
        (_activations, _targets, Identity) = (activations, targets, identity);

    /// <summary>How rows may be shuffled.</summary>
    public static IReadOnlyList<string> Ways { get; } = [Auto, Read, Disk];

    /// <summary><see cref="RowStream.IdentityOf"/>.</summary>
    public string Identity { get; }

    private IEnumerable<ActivationSource> Sources => _targets is null ? [_activations] : [_activations, _targets];

    /// <summary>Opens and hashes them.</summary>
    /// <exception cref="InputException">They cannot be read, or do not go together.</exception>
    public static TrainingRows Open(string path, string? tensor, string? targetPath, CancellationToken cancellation)
    {
        var activations = ActivationFile.Open(path, tensor);
        var targets = targetPath is null ? null : ActivationFile.Open(targetPath);
        if (targets is not null && targets.NSamples != activations.NSamples)
            throw new InputException(
                targets.Path,
                "has another length than the activations",
                $"{targets.NSamples} rows",
                $"{activations.NSamples}"
            );
        return new TrainingRows(activations, targets, RowStream.IdentityOf(activations, targets, cancellation));
    }

    /// <summary>
    /// What <c>auto</c> means: a copy where the files are larger than memory, so that a row at random waits for the disk, and where a row at random costs more
    /// than its bytes, as in compressed files and those whose columns lie together.
    /// </summary>
    public string Decide(string way)
    {
        if (way != Auto)
            return way;
        var bytes = Sources.Sum(source => source.NSamples * source.NNeurons * (double)source.DType.Size());
        return bytes > GC.GetGCMemoryInfo().TotalAvailableMemoryBytes || !Sources.All(source => source.CheapRows) ? Disk : Read;
    }

    /// <summary>The rows from where they lie.</summary>
    public RowStream AtRandom(ulong seed) => ShuffledRows.Of(_activations, _targets, seed, Identity);

    /// <summary>The rows from copies in the run's folder; copies that are there from before are held against their hashes and used.</summary>
    /// <exception cref="InputException">The rows cannot be read.</exception>
    /// <exception cref="OutputException">There is no room for the copies.</exception>
    public RowStream Copied(string folder, ulong seed, IProgress<Step> progress, CancellationToken cancellation)
    {
        // Dealt to equally many parts, rows and targets keep company.
        var parts = Sources.Max(source => StoreShuffle.PartsOf(source.NSamples, source.NNeurons));
        var copies = new List<ActivationSource>();
        foreach (var (source, hash, directory) in Sources.Zip(Identity.Split(' '), CopiesIn(folder)))
        {
            if (!StoreShuffle.IsAt(directory, hash, parts, seed))
                StoreShuffle.Write(source, hash, directory, parts, seed, progress, cancellation);
            copies.Add(ActivationFile.Open(directory));
            _ = copies[^1].ComputeSha256(cancellation);
        }
        return new OrderedRows(copies[0], _targets is null ? null : copies[1], Identity);
    }

    /// <summary>Takes the copies away.</summary>
    public static void DeleteCopies(string folder)
    {
        foreach (var directory in CopiesIn(folder).Where(Directory.Exists))
            Directory.Delete(directory, recursive: true);
    }

    private static string[] CopiesIn(string folder) => [Path.Combine(folder, "shuffled"), Path.Combine(folder, "shuffled-targets")];
}
