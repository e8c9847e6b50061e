using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Classical;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Species or attributes: both describe the same activations; length, rank and the next species tell what each is worth.</summary>
public sealed class FatGiraffeExperiment : Experiment
{
    private const int Rows = 1000;

    /// <inheritdoc/>
    public override string Name => "fat-giraffe";

    /// <inheritdoc/>
    public override string Title => "fifty species or eight attributes";

    /// <inheritdoc/>
    public override string Source => new FatGiraffe().Source;

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var giraffe = new FatGiraffeConfig { Seed = config.Seed };
        var attributes = FatGiraffe.SpeciesAttributes(giraffe);
        var network = FatGiraffe.Layer(giraffe, attributes);
        var sample = FatGiraffe.Sample(giraffe, config.Choose(2000, 5000, 20_000));
        var hidden = network.Hidden(sample);
        var labels = attributes.SelectRows([.. sample.Column(0).Select(species => (int)species)]);
        var whitened = Readouts.Whitened(hidden);
        var components = FastIca
            .Fit(whitened, new FastIcaConfig { MaxIterations = 500 }, new RandomStream(config.Seed, "giraffe/ica"), cancellation)
            .Components(whitened);
        var correlations = Readouts.AbsoluteCorrelations(labels, components);
        var found = Enumerable.Range(0, giraffe.Attributes).Select(k => correlations.Row(k).ToArray().Max()).ToArray();

        var all = network.Hidden(
            new Matrix(giraffe.Species, 1, [.. Enumerable.Range(0, giraffe.Species).Select(species => (double)species)])
        );
        var (matched, fvu) = Species(hidden, all, config, cancellation);
        var (species, attribute) = (FatGiraffe.BySpecies(giraffe), FatGiraffe.ByAttributes(giraffe, attributes));
        var crossing = (species.Dictionary - attribute.Dictionary) / (attribute.PerRow - species.PerRow);
        // Species that the dictionary of species has not seen: the nearest known one, against the sum of attribute directions.
        var (known, next) = (Enumerable.Range(0, 40).ToArray(), Enumerable.Range(40, 10).ToArray());
        var nearest = NearestFvu(all.SelectRows(known), all.SelectRows(next));
        var span = SpanFvu(all.SelectRows(known), all.SelectRows(next));
        const string source = "Bushnaq 2024; derived";
        List<ClaimRow> rows =
        [
            ClaimRow.Check("dimensions found by principal components", source, "8", whitened.Columns, 8, 8),
            ClaimRow.Check(
                "|correlation| of an attribute with the nearest independent component, mean over eight",
                source,
                "1",
                found.Average(),
                0.9,
                1,
                $"lowest {found.Min():0.000}; fifty species are fifty points in eight dimensions, so the attributes are correlated by chance"
            ),
            ClaimRow.Check(
                "species matched by a latent (cos > .95) of a TopK autoencoder with 50 latents, one active",
                source,
                "50",
                matched,
                40,
                50,
                $"FVU {fvu:0.000}; centred on the dictionary's origin"
            ),
            ClaimRow.Check(
                $"description length of {Rows:N0} rows, species over attributes",
                "Ayonrinde et al. 2024; derived",
                "> 1",
                species.At(Rows) / attribute.At(Rows),
                1,
                double.PositiveInfinity,
                $"bits a row: species {species.At(Rows):0.0} (code {species.PerRow:0.00}), attributes {attribute.At(Rows):0.0} (code {attribute.PerRow:0.00}); dictionary at 8 bits a number"
            ),
            ClaimRow.Measure(
                "rows from which species are the shorter description",
                source,
                null,
                crossing,
                "fifty of 256 sets of attributes take fewer bits than eight attributes, once the dictionary is paid for"
            ),
            ClaimRow.Check("FVU of ten new species from forty known ones, attributes (the span)", source, "0", span, 0, 1e-9),
            ClaimRow.Check("the same, species (the nearest known one)", source, "large", nearest, 0.2, double.PositiveInfinity),
        ];
        return new ExperimentResult(
            $"50 species of 8 attributes in 16 neurons, {hidden.Rows:N0} rows; autoencoder 50 latents, k = 1",
            rows,
            [Picture(correlations, species, attribute)]
        );
    }

    /// <summary>Species whose row, seen from the dictionary's origin, has a latent at cosine above .95, and the dictionary's FVU.</summary>
    private static (int Matched, double Fvu) Species(
        Matrix hidden,
        Matrix species,
        ReproductionConfig config,
        CancellationToken cancellation
    )
    {
        var means = Readouts.Means(hidden);
        var scale = 1 / Math.Sqrt(Readouts.Less(hidden, means).Data.Sum(value => value * value) / hidden.Rows);
        Matrix Scaled(Matrix rows) => new(rows.Rows, rows.Columns, [.. rows.Data.Select(value => value * scale)]);
        var dictionary = TopKAutoencoder.Fit(
            Scaled(hidden),
            new TopKConfig
            {
                NLatents = species.Rows,
                K = 1,
                Steps = config.Choose(1500, 4000, 10_000),
            },
            new RandomStream(config.Seed, "giraffe/sae"),
            cancellation
        );
        var rows = Scaled(species);
        var seen = Readouts.Less(rows, dictionary.DecoderBias.Row(0).ToArray());
        var matched = 0;
        for (var row = 0; row < seen.Rows; row++)
        {
            var best = 0.0;
            for (var latent = 0; latent < dictionary.Decoder.Rows; latent++)
                best = Math.Max(
                    best,
                    System.Numerics.Tensors.TensorPrimitives.CosineSimilarity<double>(seen.Row(row), dictionary.Decoder.Row(latent))
                );
            matched += best > 0.95 ? 1 : 0;
        }
        var rebuilt = dictionary.Decode(dictionary.Encode(rows));
        double residual = rows.Data.Zip(rebuilt.Data, (a, b) => (a - b) * (a - b)).Sum(),
            total = Readouts.Less(rows, Readouts.Means(rows)).Data.Sum(value => value * value);
        return (matched, residual / total);
    }

    private static double NearestFvu(Matrix known, Matrix next)
    {
        var means = Readouts.Means(known);
        double residual = 0,
            total = 0;
        for (var row = 0; row < next.Rows; row++)
        {
            var best = double.PositiveInfinity;
            for (var k = 0; k < known.Rows; k++)
                best = Math.Min(best, SquaredDistance(next.Row(row), known.Row(k)));
            (residual, total) = (residual + best, total + SquaredDistance(next.Row(row), means));
        }
        return residual / total;
    }

    private static double SpanFvu(Matrix known, Matrix next)
    {
        var means = Readouts.Means(known);
        var (_, s, vt) = LinearAlgebra.Svd(Readouts.Less(known, means));
        var basis = vt.SelectRows([.. Enumerable.Range(0, s.Length).Where(i => s[i] > 1e-8 * s[0])]);
        var centred = Readouts.Less(next, means);
        var inside = LinearAlgebra.Multiply(LinearAlgebra.MultiplyTranspose(centred, basis), basis);
        return centred.Data.Zip(inside.Data, (a, b) => (a - b) * (a - b)).Sum() / centred.Data.Sum(value => value * value);
    }

    private static double SquaredDistance(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var distance = System.Numerics.Tensors.TensorPrimitives.Distance(a, b);
        return distance * distance;
    }

    private static Figure Picture(Matrix correlations, DescriptionLength species, DescriptionLength attributes)
    {
        var figure = new Figure(
            "descriptions",
            "Two descriptions of the same activations",
            "Left: |correlation| of the eight attributes with the eight independent components. Right: bits a row of both descriptions by the number of rows that share the dictionary.",
            columns: 2
        );
        figure.Heatmap("attributes and components", correlations, 1, "attribute", "independent component");
        var panel = figure.Panel("description length", "rows", "bits a row");
        var xs = Enumerable.Range(0, 41).Select(k => 2 + (k / 10.0)).ToArray();
        foreach (var (length, name, colour) in new[] { (species, "fifty species", 0), (attributes, "eight attributes", 1) })
        {
            var line = panel.Add.Scatter(xs, xs.Select(x => Math.Log10(length.At((int)Math.Pow(10, x)))).ToArray());
            (line.Color, line.MarkerSize, line.LegendText, line.LineWidth) = (FigurePalette.Category(colour), 0, name, 2);
        }
        panel.LogTicksX(PlotAxes.Decades(2, 6));
        panel.LogTicksY([5, 10, 20, 50]);
        panel.ShowLegend(ScottPlot.Alignment.UpperRight);
        return figure;
    }
}
