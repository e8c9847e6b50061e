using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Zoo;

/// <summary>Configuration of <see cref="FatGiraffe"/>.</summary>
public sealed record FatGiraffeConfig : ZooConfig
{
    /// <summary>Species, each a random set of attributes, no two alike. In 10 … 200.</summary>
    public int Species
    {
        get;
        init => field = Allowed.Between(value, 10, 200);
    } = 50;

    /// <summary>Attributes. In 4 … 32.</summary>
    public int Attributes
    {
        get;
        init => field = Allowed.Between(value, 4, 32);
    } = 8;

    /// <summary>Neurons; at least as many as attributes. In 4 … 256.</summary>
    public int Neurons
    {
        get;
        init => field = Allowed.Between(value, 4, 256);
    } = 16;
}

/// <summary>Bits that it takes to write the rows of a sample in one vocabulary.</summary>
/// <param name="PerRow">Bits a row: the entropy of its code.</param>
/// <param name="Dictionary">Bits of the dictionary's directions, once.</param>
internal sealed record DescriptionLength(double PerRow, double Dictionary)
{
    /// <summary>Bits a row with the dictionary shared among the rows.</summary>
    public double At(int rows) => PerRow + (Dictionary / rows);
}

/// <summary>Species that are sums of attributes: fifty one-hot features or eight additive ones describe the same activations.</summary>
public sealed class FatGiraffe : ZooMember
{
    /// <summary>Bits that a number of a direction is written with.</summary>
    internal const int BitsPerNumber = 8;

    /// <inheritdoc/>
    public override string Name => "fat-giraffe";

    /// <inheritdoc/>
    public override string Summary => "fifty species that are sums of eight attributes: two vocabularies for the same activations";

    /// <inheritdoc/>
    public override string Source =>
        "Bushnaq 2024, in the comments on Superposition is not \"just\" neuron polysemanticity; Ayonrinde et al. 2024 on description length";

    /// <inheritdoc/>
    public override ZooConfig DefaultConfig => new FatGiraffeConfig();

    /// <inheritdoc/>
    public override ZooRun Run(ZooConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var giraffe = Of<FatGiraffeConfig>(config);
        cancellation.ThrowIfCancellationRequested();
        var attributes = SpeciesAttributes(giraffe);
        var network = Layer(giraffe, attributes);
        var inputs = Sample(giraffe, giraffe.Samples);
        var hidden = network.Hidden(inputs);
        return new ZooRun
        {
            Member = Name,
            Config = giraffe,
            Network = network,
            Hook = "hook_hidden",
            Truth = new GroundTruth
            {
                Cause = Cause.Rotated,
                Accepted = new Dictionary<AccessLevel, IReadOnlyList<string>>
                {
                    [AccessLevel.A] = ["rotated", "compositional", "undetermined"],
                    [AccessLevel.C] = ["rotated"],
                },
                Reason =
                    $"{giraffe.Attributes} attributes have orthogonal directions in {giraffe.Neurons} neurons and every species is a sum of them. One feature per species describes the same rows, with more features than dimensions; it says nothing about the next species.",
                Directions = network.Weights["directions"],
                NLine = giraffe.Attributes,
                NRay = giraffe.Attributes,
            },
            Activations = ActivationSet.FromMatrix(
                hidden,
                new RowIdentities { Item = [.. inputs.Column(0).Select(species => (long)species)] }
            ),
            Features = new ConceptTable(
                inputs.Rows,
                [
                    .. Enumerable
                        .Range(0, giraffe.Attributes)
                        .Select(k => new Concept(
                            $"attribute_{k}",
                            ConceptKind.Binary,
                            [.. inputs.Column(0).Select(species => attributes[(int)species, k])]
                        )),
                ]
            ),
            Acceptances =
            [
                new("rank of the activations", Readouts.Whitened(hidden).Columns, giraffe.Attributes, giraffe.Attributes, "derived"),
            ],
        };
    }

    /// <summary>The attributes of every species, each with probability ½, no two species alike. Shape: <c>[species, attributes]</c>.</summary>
    /// <exception cref="ArgumentException">More species than half of the sets of attributes, or more attributes than neurons.</exception>
    internal static Matrix SpeciesAttributes(FatGiraffeConfig config)
    {
        if (config.Species > 1L << (config.Attributes - 1))
            throw new ArgumentException(
                $"Species is {config.Species}; with {config.Attributes} attributes there are at most {1L << (config.Attributes - 1)}",
                nameof(config)
            );
        if (config.Attributes > config.Neurons)
            throw new ArgumentException($"Attributes is {config.Attributes}; it is at most Neurons, {config.Neurons}", nameof(config));
        var stream = new RandomStream(config.Seed, "giraffe/species");
        var seen = new HashSet<long>();
        var attributes = new Matrix(config.Species, config.Attributes);
        for (var species = 0; species < config.Species; )
        {
            var set = (long)(stream.NextUInt64() & ((1UL << config.Attributes) - 1));
            if (set == 0 || !seen.Add(set))
                continue;
            for (var k = 0; k < config.Attributes; k++)
                attributes[species, k] = (set >> k) & 1;
            species++;
        }
        return attributes;
    }

    /// <summary>The layer: a species' number to the neurons.</summary>
    internal static CodeLayer Layer(FatGiraffeConfig config, Matrix attributes) =>
        new(
            1,
            (input, code) => attributes.Row((int)Math.Clamp(Math.Round(input[0]), 0, attributes.Rows - 1)).CopyTo(code),
            Rotations.OrthonormalRows(config.Attributes, config.Neurons, new RandomStream(config.Seed, "giraffe/directions"))
        );

    /// <summary>Animals: the number of a species each, drawn evenly. Shape: <c>[count, 1]</c>.</summary>
    internal static Matrix Sample(FatGiraffeConfig config, int count)
    {
        var stream = new RandomStream(config.Seed, "giraffe/sample");
        var inputs = new Matrix(count, 1);
        for (var row = 0; row < count; row++)
            inputs[row, 0] = stream.NextInt(config.Species);
        return inputs;
    }

    /// <summary>One latent per species, exactly one on: log₂ of their number a row.</summary>
    internal static DescriptionLength BySpecies(FatGiraffeConfig config) =>
        new(Math.Log2(config.Species), (double)config.Species * config.Neurons * BitsPerNumber);

    /// <summary>One latent per attribute: the entropies of the attributes a row.</summary>
    internal static DescriptionLength ByAttributes(FatGiraffeConfig config, Matrix attributes) =>
        new(
            Readouts.Means(attributes).Sum(p => p is <= 0 or >= 1 ? 0 : -((p * Math.Log2(p)) + ((1 - p) * Math.Log2(1 - p)))),
            (double)config.Attributes * config.Neurons * BitsPerNumber
        );
}
