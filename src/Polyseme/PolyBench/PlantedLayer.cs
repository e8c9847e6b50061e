using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.PolyBench;

/// <summary>A layer as its generator leaves it: rows, what is in them, and what may be said of them with and without labels.</summary>
public sealed record PlantedLayer
{
    private const int MostConcepts = 10;

    /// <summary>The activations. Shape: <c>[n_samples, n_neurons]</c>.</summary>
    public required Matrix Rows { get; init; }

    /// <summary>What is there to be labelled, a column each; <c>null</c> where nothing is. Shape: <c>[n_samples, n_attributes]</c>.</summary>
    public Matrix? Attributes { get; init; }

    /// <summary>Which rows are the same item; <c>null</c> where that is not known. Shape: <c>[n_samples]</c>.</summary>
    public long[]? Items { get; init; }

    /// <summary>The cause; <c>null</c> where there is nothing to find.</summary>
    public required Cause? Cause { get; init; }

    /// <summary>The causes that are there together; <c>null</c> = <see cref="Cause"/> alone, or of noise any.</summary>
    public IReadOnlyList<Cause>? Possible { get; init; }

    /// <summary>What may be said with true labels.</summary>
    public required Answer WithLabels { get; init; }

    /// <summary>What may be said without, which is also what may be said with labels that mean nothing.</summary>
    public required Answer Without { get; init; }

    /// <summary>Feature directions up to sign; <c>null</c> where features are no directions.</summary>
    public int? NLine { get; init; }

    /// <summary>See <see cref="CaseTruth.Budget"/>.</summary>
    public Matrix? Budget { get; init; }

    /// <summary>Why, in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>What may be said.</summary>
    /// <param name="Sufficient">Whether the cause can be told.</param>
    /// <param name="Accepted">Verdicts that are right.</param>
    public sealed record Answer(bool Sufficient, params IReadOnlyList<string> Accepted)
    {
        /// <summary>The cause, or nothing else.</summary>
        public static Answer Of(Cause cause) => new(true, Causes.Id(cause));

        /// <summary>It cannot be told: a decision for the cause is a guess that comes out right.</summary>
        public static Answer Untold(params IReadOnlyList<Cause> besides) => new(false, ["undetermined", .. besides.Select(Causes.Id)]);
    }

    internal BenchmarkCase ToCase(BenchmarkFamily family, CaseDraw draw)
    {
        var labelled = draw.Labels == CaseConcepts.True && Attributes is not null;
        var answer = labelled ? WithLabels : Without;
        var concepts = draw.Labels switch
        {
            CaseConcepts.None => null,
            CaseConcepts.True when labelled => Labels(Attributes!, draw.Random),
            _ => Meaningless(draw.Random),
        };
        draw.Settings["d"] = Rows.Columns;
        draw.Settings["n"] = Rows.Rows;
        draw.Settings["labels"] = $"{draw.Labels}";
        draw.Settings["items"] = Items is not null;
        return new BenchmarkCase
        {
            Family = family.Name,
            Mechanism = family.Mechanism,
            Index = draw.Index,
            Activations = ActivationSet.FromMatrix(Rows, new RowIdentities { Item = Items }),
            Concepts = concepts,
            Labels = draw.Labels == CaseConcepts.True && !labelled ? CaseConcepts.Random : draw.Labels,
            Truth = new CaseTruth
            {
                Cause = Cause,
                Accepted = answer.Accepted,
                Possible = Possible ?? (Cause is { } cause ? [cause] : Causes.All),
                Sufficient = answer.Sufficient,
                NLine = NLine,
                Budget = Budget,
                Reason = Reason,
            },
            Settings = draw.Settings,
        };
    }

    /// <summary>Some of the attributes: on or off where most rows have none, else as numbers.</summary>
    private static ConceptTable Labels(Matrix attributes, RandomStream random)
    {
        var chosen = random.Permutation(attributes.Columns).Take(MostConcepts).Order();
        return new ConceptTable(
            attributes.Rows,
            [
                .. chosen.Select(column =>
                {
                    var values = attributes.Column(column);
                    var on = values.Count(value => value != 0) / (double)values.Length;
                    var sparse = on < 0.6 && random.NextDouble() < 0.5;
                    var (two, least) = (values.Distinct().Take(3).Count() <= 2, values.Min());
                    return sparse ? new Concept($"attribute {column}", ConceptKind.Binary, Array.ConvertAll(values, v => v != 0 ? 1.0 : 0))
                        : two ? new Concept($"attribute {column}", ConceptKind.Binary, Array.ConvertAll(values, v => v > least ? 1.0 : 0))
                        : new Concept($"attribute {column}", ConceptKind.Numeric, values);
                }),
            ]
        );
    }

    /// <summary>Labels that know nothing of the rows; of items, one an item.</summary>
    private ConceptTable Meaningless(RandomStream random)
    {
        var concepts = new List<Concept>();
        for (var c = 0; c < 5; c++)
        {
            var share = 0.1 + (0.4 * random.NextDouble());
            var ofItem = new Dictionary<long, double>();
            var values = new double[Rows.Rows];
            for (var i = 0; i < values.Length; i++)
            {
                var item = Items?[i] ?? i;
                if (!ofItem.TryGetValue(item, out var value))
                    ofItem[item] = value = random.NextDouble() < share ? 1 : 0;
                values[i] = value;
            }
            concepts.Add(new Concept($"label {c}", ConceptKind.Binary, values));
        }
        return new ConceptTable(Rows.Rows, concepts);
    }
}
