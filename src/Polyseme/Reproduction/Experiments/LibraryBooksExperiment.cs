using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Three counts of what the same layer represents: binary features, latent variables, conjunctions.</summary>
public sealed class LibraryBooksExperiment : Experiment
{
    /// <inheritdoc/>
    public override string Name => "library-books";

    /// <inheritdoc/>
    public override string Title => "genre and language of books: three counts of the same layer";

    /// <inheritdoc/>
    public override string Source => new LibraryBooks().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var rows = new List<ClaimRow>();
        var figure = new Figure(
            "counts",
            "The same books in two bases",
            "Activations of the twelve kinds of books (rows) in seven neurons, aligned and along random orthogonal directions. Both hold seven binary features, two latent variables and twelve conjunctions, in five linear dimensions.",
            columns: 2
        );
        foreach (var rotated in (ReadOnlySpan<bool>)[false, true])
        {
            var library = new LibraryBooksConfig { Seed = config.Seed, Rotated = rotated };
            var network = LibraryBooks.Layer(library);
            var books = LibraryBooks.Sample(library, config.Choose(2000, 20_000, 100_000));
            var counts = LibraryBooks.Count(network, books, LibraryBooks.Indicators(library, books));
            var name = rotated ? "rotated" : "aligned";
            Exactly($"{name}: binary features read linearly (R² > .99)", counts.BinaryFeatures, 7);
            Exactly($"{name}: latent variables (sets of indicators of which one is on)", counts.LatentVariables, 2);
            Exactly($"{name}: conjunctions (distinct rows)", counts.Conjunctions, 12);
            Exactly($"{name}: linear dimensions, (3 − 1) + (4 − 1)", counts.LinearDimensions, 5);
            var kinds = new Matrix(12, 2);
            for (var row = 0; row < 12; row++)
                (kinds[row, 0], kinds[row, 1]) = (row / 4, row % 4);
            figure.Heatmap(name, network.Hidden(kinds), 1, "book", "neuron");
        }
        return new ExperimentResult($"{config.Choose(2000, 20_000, 100_000):N0} books, 3 genres, 4 languages", rows, [figure]);
        void Exactly(string claim, int ours, int expected) =>
            rows.Add(ClaimRow.Check(claim, "derived", $"{expected}", ours, expected, expected));
    }
}
