using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="LibraryBooks"/>.</summary>
public sealed record LibraryBooksConfig : ZooConfig
{
    /// <summary>Genres. In 2 … 32.</summary>
    public int Genres
    {
        get;
        init => field = Allowed.Between(value, 2, 32);
    } = 3;

    /// <summary>Languages. In 2 … 32.</summary>
    public int Languages
    {
        get;
        init => field = Allowed.Between(value, 2, 32);
    } = 4;

    /// <summary>Whether genres and languages lie along random orthogonal directions instead of the neurons.</summary>
    public bool Rotated { get; init; }
}

/// <summary>The numbers of things that a layer about books represents.</summary>
/// <param name="BinaryFeatures">Indicators such as "in English" that are read linearly.</param>
/// <param name="LatentVariables">Groups of indicators of which exactly one is on: genre, language.</param>
/// <param name="Conjunctions">Distinct rows of activations.</param>
/// <param name="LinearDimensions">Rank of the centred activations.</param>
internal sealed record BookCounts(int BinaryFeatures, int LatentVariables, int Conjunctions, int LinearDimensions);

/// <summary>Books with a genre and a language: seven binary features, two latent variables, twelve conjunctions, all of the same layer.</summary>
public sealed class LibraryBooks : ZooMember
{
    /// <inheritdoc/>
    public override string Name => "library-books";

    /// <inheritdoc/>
    public override string Summary => "a genre and a language per book: three counts of what the same layer represents";

    /// <inheritdoc/>
    public override string Source =>
        "LawrenceC 2024, Superposition is not \"just\" neuron polysemanticity, on sparse features and latent variables";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new LibraryBooksConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var library = Of<LibraryBooksConfig>(config);
        cancellation.ThrowIfCancellationRequested();
        var network = Layer(library);
        var books = Sample(library, library.Samples);
        var (genres, languages) = (library.Genres, library.Languages);
        var features = Indicators(library, books);
        var counts = Count(network, books, features);
        return new ZooRun
        {
            Member = Name,
            Config = library,
            Network = network,
            Hook = "hook_hidden",
            Truth = new GroundTruth
            {
                Cause = library.Rotated ? Cause.Rotated : Cause.Monosemantic,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = library.Rotated ? ["rotated", "compositional", "undetermined"] : ["monosemantic", "undetermined"],
                    [AccessLevel.C] = library.Rotated ? ["rotated", "undetermined"] : ["monosemantic"],
                    [AccessLevel.T] = [library.Rotated ? "rotated" : "monosemantic"],
                },
                Reason =
                    $"{genres} genres and {languages} languages have a direction each, {(library.Rotated ? "none of them a neuron" : "each a neuron")}. Counted as binary features they are {genres + languages}, as latent variables two, as conjunctions {genres * languages}: no count is the layer's own.",
                Directions = network.Weights["directions"],
            },
            Activations = ActivationSet.FromMatrix(network.Hidden(books)),
            Features = new ConceptTable(
                books.Rows,
                [
                    .. Enumerable
                        .Range(0, genres + languages)
                        .Select(k => new Concept(
                            k < genres ? $"genre_{k}" : $"language_{k - genres}",
                            ConceptKind.Binary,
                            features.Column(k)
                        )),
                ]
            ),
            Acceptances =
            [
                Exactly("binary features read linearly", counts.BinaryFeatures, genres + languages),
                Exactly("latent variables", counts.LatentVariables, 2),
                Exactly("conjunctions", counts.Conjunctions, genres * languages),
            ],
        };
        static Acceptance Exactly(string claim, int value, int expected) => new(claim, value, expected, expected, "derived");
    }

    /// <summary>The layer: a genre and a language, numbered from 0, to the neurons.</summary>
    internal static CodeLayer Layer(LibraryBooksConfig config)
    {
        var width = config.Genres + config.Languages;
        return new CodeLayer(
            2,
            (input, code) =>
            {
                code[(int)Math.Clamp(Math.Round(input[0]), 0, config.Genres - 1)] = 1;
                code[config.Genres + (int)Math.Clamp(Math.Round(input[1]), 0, config.Languages - 1)] = 1;
            },
            config.Rotated
                ? Rotations.OrthonormalRows(width, width, new RandomStream(config.Seed, "library/rotation"))
                : Matrix.Identity(width)
        );
    }

    /// <summary>Books drawn evenly. Shape: <c>[count, 2]</c>: genre, language.</summary>
    internal static Matrix Sample(LibraryBooksConfig config, int count)
    {
        var stream = new RandomStream(config.Seed, "library/sample");
        var books = new Matrix(count, 2);
        for (var row = 0; row < count; row++)
            (books[row, 0], books[row, 1]) = (stream.NextInt(config.Genres), stream.NextInt(config.Languages));
        return books;
    }

    /// <summary>The binary features. Shape: <c>[books, genres + languages]</c>.</summary>
    internal static Matrix Indicators(LibraryBooksConfig config, Matrix books)
    {
        var features = new Matrix(books.Rows, config.Genres + config.Languages);
        for (var row = 0; row < books.Rows; row++)
            features[row, (int)books[row, 0]] = features[row, config.Genres + (int)books[row, 1]] = 1;
        return features;
    }

    /// <summary>Counts each kind of thing from activations and indicators.</summary>
    internal static BookCounts Count(CodeLayer network, Matrix books, Matrix indicators)
    {
        var hidden = network.Hidden(books);
        var linear = Readouts.R2(indicators, Readouts.Linear(hidden, indicators, hidden, ridge: 1e-10)).Count(r2 => r2 > 0.99);
        // Indicators that are never on together belong to one variable.
        var variable = Enumerable.Range(0, indicators.Columns).ToArray();
        var together = LinearAlgebra.TransposeMultiply(indicators, indicators);
        for (var i = 0; i < variable.Length; i++)
        for (var j = 0; j < i; j++)
        {
            if (together[i, j] == 0)
            {
                var (from, to) = (variable[i], variable[j]);
                variable = Array.ConvertAll(variable, label => label == from ? to : label);
            }
        }
        var distinct = new HashSet<string>();
        for (var row = 0; row < hidden.Rows; row++)
            distinct.Add(string.Join(' ', hidden.Row(row).ToArray().Select(value => Math.Round(value, 6) + 0.0)));
        return new BookCounts(linear, variable.Distinct().Count(), distinct.Count, Readouts.Whitened(hidden).Columns);
    }
}
