using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Classical;

/// <summary>What a classical method learned.</summary>
/// <param name="Dictionary">The dictionary.</param>
/// <param name="Iterations">Iterations done; 0 for a closed form.</param>
/// <param name="Converged">Whether the method's own tolerance was reached; <c>null</c> for methods that run a fixed number of iterations.</param>
/// <param name="Curve">What the method lowers, once an iteration; empty for a closed form.</param>
public sealed record ClassicalFit(FeatureDictionary Dictionary, int Iterations, bool? Converged, IReadOnlyList<double> Curve);

/// <summary>A way to learn a dictionary without gradients through a network: the record is its configuration.</summary>
public abstract record ClassicalMethod
{
    /// <summary>Draws whatever is random.</summary>
    public ulong Seed { get; init; }

    /// <summary>As on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>What it finds, in a sentence.</summary>
    public abstract string Summary { get; }

    /// <summary>Where it is published.</summary>
    public abstract string Source { get; }

    /// <summary>Learns a dictionary.</summary>
    /// <param name="rows">Finite. Shape: <c>[n_samples, d]</c>, at least 2 rows.</param>
    /// <param name="progress">Told the share done, in [0, 1].</param>
    /// <param name="cancellation">Checked once an iteration.</param>
    /// <exception cref="ArgumentException">The rows do not allow it: too few, or of a sign that the method cannot have.</exception>
    public abstract ClassicalFit Fit(FloatMatrix rows, IProgress<double>? progress = null, CancellationToken cancellation = default);

    /// <summary>Every method, with its defaults.</summary>
    public static IReadOnlyList<ClassicalMethod> All { get; } =
    [
        new Pca(),
        new FastIcaMethod(),
        new OvercompleteIca(),
        new Nmf(),
        new KSvd(),
        new OnlineDictionaryLearning(),
        new SparsePca(),
        new KMeans(),
    ];

    private protected RandomStream Random(string consumer) => new(Seed, $"{Name}/{consumer}");

    private protected static void CheckRows(FloatMatrix rows, int latents)
    {
        if (rows.Rows < 2)
            throw new ArgumentException($"there are {rows.Rows} rows, but a dictionary needs at least 2", nameof(rows));
        if (latents > rows.Rows)
            throw new ArgumentException($"there are {rows.Rows} rows, but {latents} latents to learn from them", nameof(rows));
    }
}
