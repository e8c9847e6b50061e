using System.Globalization;
using System.Runtime.InteropServices;
using Polyseme.Dictionaries.Training;
using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Reports.Figures;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Attention;
using TorchSharp;

namespace Polyseme.Reproduction.Experiments;

/// <summary>Dictionary learning on a one-layer transformer whose features are known: latents are the planted classes, neurons are not, and shuffled weights have none.</summary>
public sealed class TokenClassesExperiment : Experiment
{
    private const string Bricken = "Bricken et al. 2023",
        Privileged = "Elhage et al. 2023",
        Stream = "blocks.0.hook_resid_post";

    /// <inheritdoc/>
    public override string Name => "token-classes";

    /// <inheritdoc/>
    public override string Title => "dictionary learning on a one-layer transformer";

    /// <inheritdoc/>
    public override string Source =>
        "Bricken et al. 2023, Towards Monosemanticity; Elhage et al. 2023, Privileged Bases in the Transformer Residual Stream; the grammar is our design";

    /// <inheritdoc/>
    public override ExperimentResult Run(ReproductionConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var settings = new TokenClassesConfig { Seed = config.Seed, Steps = config.Choose(300, 2_000, 16_000) };
        var size = new Judging(config.Choose(300, 6_000, 32_000), config.Choose(200, 2_000, 12_000), config.Choose(200, 3_000, 16_000));
        var planted = new TokenClassCorpus { Classes = settings.Classes };
        var varying = planted with { ClassesOfText = null };
        List<(string Name, TokenClassCorpus Corpus, TokenClassesConfig Settings)> jobs = [("", planted, settings)];
        if (config.Size != ReproductionSize.Quick)
            jobs.AddRange([
                ("longer-training control: ", planted, settings with { Steps = 2 * settings.Steps }),
                ("other start: ", planted, settings with { Seed = settings.Seed + 1 }),
                ("layer normalisation: ", planted, settings with { LayerNorm = true }),
                ("number of classes of a text varies: ", varying, settings),
            ]);
        var networks = Train(jobs, progress, cancellation);
        var layers = jobs.Select((job, i) => Layer.Of(networks[i], job.Corpus, config.Seed, size, cancellation)).ToList();
        var shuffled = Layer.Of(Shuffled(networks[0], config.Seed), planted, config.Seed, size, cancellation);

        var rows = new List<ClaimRow>();
        for (var i = 0; i < jobs.Count; i++)
            rows.AddRange(Rows(jobs[i].Name, layers[i], config.Size, asserted: jobs[i].Corpus == planted));
        rows.AddRange(
            layers[0]
                .Latents.Zip(
                    shuffled.Latents,
                    (trained, control) =>
                    {
                        var claim =
                            $"weights shuffled within each matrix, {control.Name}: median over classes of a latent's best |correlation|, less that of the trained neurons";
                        return config.Size == ReproductionSize.Quick
                            ? ClaimRow.Measure(claim, Bricken, "no better", control.Median - layers[0].NeuronMedian)
                            : ClaimRow.Check(claim, Bricken, "no better", control.Median - layers[0].NeuronMedian, -1, 0);
                    }
                )
        );
        if (config.Size != ReproductionSize.Quick)
        {
            rows.AddRange(Universality(layers[0], layers[2]));
            rows.AddRange(Kurtosis(networks[0], networks[3], planted, config.Seed));
        }
        return new ExperimentResult(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{settings.Classes} classes of {TokenClassCorpus.PerClass} tokens, two in a text of {TokenClassCorpus.Context}; d_model {settings.ModelWidth}, 2 heads, {settings.Neurons} neurons, {settings.Steps:N0} steps of 64 texts; dictionaries of {2 * settings.Classes} latents on the MLP's neurons, {size.Steps:N0} steps of 256 rows out of {size.Train:N0} texts; judged on {size.Judge:N0} fresh texts; one seed"
            ),
            rows,
            [Draw(layers[0], shuffled)]
        );
    }

    private static SmallTransformer[] Train(
        List<(string Name, TokenClassCorpus Corpus, TokenClassesConfig Settings)> jobs,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var done = 0;
        return WorkerTeam.Shared.Map(
            jobs,
            job =>
            {
                var network = job.Corpus.Train(job.Settings, null, cancellation).RequireAll()[0];
                progress?.Report(new Step("training transformers", Interlocked.Increment(ref done), jobs.Count));
                return network;
            }
        );
    }

    /// <summary>The network with the entries of each weight in a random order.</summary>
    private static SmallTransformer Shuffled(SmallTransformer network, ulong seed) =>
        new(
            network.Shape,
            network.Weights.ToDictionary(
                weight => weight.Key,
                weight =>
                {
                    var order = new RandomStream(seed, $"token-classes/shuffle/{weight.Key}").Permutation(weight.Value.Data.Length);
                    return new Matrix(weight.Value.Rows, weight.Value.Columns, [.. order.Select(i => weight.Value.Data[i])]);
                }
            )
        );

    private static IEnumerable<ClaimRow> Rows(string name, Layer layer, ReproductionSize size, bool asserted)
    {
        yield return ClaimRow.Check(
            $"{name}neurons: median over classes of the best |correlation| with a class",
            Bricken,
            "≤ .6",
            layer.NeuronMedian,
            0,
            0.6
        );
        foreach (var latents in layer.Latents)
        {
            var claim = $"{name}latents, {latents.Name}: median over classes of the best |correlation| with a class";
            var note = string.Create(CultureInfo.InvariantCulture, $"L0 {latents.L0:0.00}");
            yield return asserted && size != ReproductionSize.Quick
                ? ClaimRow.Check(claim, Bricken, "≥ .9", latents.Median, 0.9, 1, note)
                : ClaimRow.Measure(claim, Bricken, asserted ? "≥ .9" : null, latents.Median, note);
        }
        var told = $"{name}classes that a direction tells, AUROC ≥ .95";
        var sum = string.Create(CultureInfo.InvariantCulture, $"their linear R² add up to {layer.Readout.SumR2:0.0}");
        yield return asserted && size != ReproductionSize.Quick
            ? ClaimRow.Check(
                told,
                "derived",
                $"more than the {layer.Readout.Neurons} neurons",
                layer.Readout.ClassesTold,
                layer.Readout.Neurons + 1,
                double.PositiveInfinity,
                sum
            )
            : ClaimRow.Measure(told, "derived", $"{layer.Readout.Neurons} neurons", layer.Readout.ClassesTold, sum);
    }

    /// <summary>How well latents, and neurons, of one network are matched by those of another that started elsewhere, on the same texts.</summary>
    private static IEnumerable<ClaimRow> Universality(Layer one, Layer other)
    {
        yield return ClaimRow.Measure(
            "other start: median over neurons of the best correlation with a neuron of the other network",
            Bricken,
            ".46",
            Matched(one.Neurons, other.Neurons),
            "on the same texts"
        );
        for (var i = 0; i < one.Latents.Count; i++)
            yield return ClaimRow.Measure(
                $"other start: median over latents, {one.Latents[i].Name}, of the best correlation with a latent of the other network",
                Bricken,
                ".72",
                Matched(one.Latents[i].Codes, other.Latents[i].Codes),
                "on the same texts; latents that are never on are left out"
            );
    }

    private static double Matched(Matrix one, Matrix other)
    {
        var live = Enumerable.Range(0, one.Columns).Where(column => one.Column(column).Any(value => value != 0)).ToArray();
        return TokenClassReadout.Median(TokenClassReadout.BestCorrelations(other, one.SelectColumns(live)));
    }

    private static IEnumerable<ClaimRow> Kurtosis(SmallTransformer plain, SmallTransformer normalised, TokenClassCorpus corpus, ulong seed)
    {
        var texts = TokenClassCorpus.Contexts(corpus.Texts(500, new RandomStream(seed, "token-classes/kurtosis")));
        var width = plain.Shape.ModelWidth;
        // The mean over all rotations of a row's kurtosis does not depend on the row.
        var rotated = 3.0 * width / (width + 2);
        var reference = "> 3";
        var note = string.Create(
            CultureInfo.InvariantCulture,
            $"d·Σx⁴/(Σx²)² of each row, averaged; over all rotations of it the mean is 3d/(d + 2) = {rotated:0.000}"
        );
        var rows = normalised.Run(texts, [Stream]).Recorded[Stream];
        yield return ClaimRow.Check(
            "residual stream trained by Adam, layer normalisation: kurtosis of its coordinates",
            Privileged,
            reference,
            MeanKurtosis(rows),
            3,
            double.PositiveInfinity,
            note
        );
        var rotation = Rotations.OrthonormalRows(width, width, new RandomStream(seed, "token-classes/rotation"));
        yield return ClaimRow.Measure(
            "the same after a random rotation",
            Privileged,
            "3",
            MeanKurtosis(LinearAlgebra.Multiply(rows, rotation)),
            note
        );
        yield return ClaimRow.Measure(
            "residual stream trained by Adam, no normalisation: kurtosis of its coordinates",
            Privileged,
            reference,
            MeanKurtosis(plain.Run(texts, [Stream]).Recorded[Stream]),
            note
        );
    }

    private static double MeanKurtosis(Matrix rows) =>
        Enumerable
            .Range(0, rows.Rows)
            .Average(row =>
            {
                var squares = rows.Row(row).ToArray().Select(value => value * value).ToArray();
                return squares.Length * squares.Sum(square => square * square) / Math.Pow(squares.Sum(), 2);
            });

    private static Figure Draw(Layer trained, Layer shuffled)
    {
        var figure = new Figure(
            "correlations",
            "classes in neurons and in latents",
            "For every planted class the best |correlation| of a neuron and of a latent with it, sorted; left, the trained network, right, the same network with the entries of each weight shuffled. The line is at .9.",
            columns: 2
        );
        foreach (var (title, layer) in new[] { ("trained", trained), ("shuffled weights", shuffled) })
        {
            var panel = figure.Panel(title, "class, sorted", "best |correlation|");
            var curves = layer.Latents.Select(latents => (latents.Name, latents.Best)).Prepend(("neurons", layer.NeuronBest)).ToList();
            for (var i = 0; i < curves.Count; i++)
            {
                var sorted = curves[i].Item2.Order().ToArray();
                var line = panel.Add.Scatter(sorted.Select((_, k) => (double)k).ToArray(), sorted);
                (line.LegendText, line.Color, line.LineWidth) = (curves[i].Item1, FigurePalette.Category(i), 2);
            }
            panel.Add.HorizontalLine(0.9, 1, FigurePalette.Reference, ScottPlot.LinePattern.Solid);
            panel.Axes.SetLimitsY(0, 1.02);
            if (layer == shuffled)
                panel.ShowLegend(ScottPlot.Alignment.UpperLeft);
            else
                panel.HideLegend();
        }
        return figure;
    }

    /// <summary>How much a layer is judged by: texts for dictionaries and for judging, steps of dictionaries.</summary>
    private sealed record Judging(int Train, int Judge, int Steps);

    /// <summary>A dictionary's latents on fresh texts.</summary>
    /// <param name="Name">Its kind.</param>
    /// <param name="L0">Latents on, mean over rows.</param>
    /// <param name="Best">The best |correlation| with each class.</param>
    /// <param name="Codes">Shape: <c>[rows, latents]</c>.</param>
    private sealed record Latents(string Name, double L0, double[] Best, Matrix Codes)
    {
        public double Median => TokenClassReadout.Median(Best);
    }

    /// <summary>The MLP's neurons on fresh texts, with dictionaries of them.</summary>
    private sealed record Layer(Matrix Neurons, double[] NeuronBest, TokenClassReadout Readout, IReadOnlyList<Latents> Latents)
    {
        public double NeuronMedian => TokenClassReadout.Median(NeuronBest);

        public static Layer Of(SmallTransformer network, TokenClassCorpus corpus, ulong seed, Judging size, CancellationToken cancellation)
        {
            var (learn, _) = TokenClasses.Rows(
                network,
                corpus,
                corpus.Texts(size.Train, new RandomStream(seed, "token-classes/dictionary"))
            );
            var (test, seen) = TokenClasses.Rows(network, corpus, corpus.Texts(size.Judge, new RandomStream(seed, "token-classes/fresh")));
            var deviation = Math.Sqrt(learn.Data.Average(value => value * value));
            FloatMatrix Scaled(Matrix rows) =>
                new(rows.Rows, rows.Columns, Array.ConvertAll(rows.Data, value => (float)(value / deviation)));
            var data = ShuffledRows.Of(Scaled(learn), null, seed);
            (string Name, DictionaryKind Kind)[] kinds =
            [
                ("TopK, k = 2", new TopKKind { K = 2 }),
                ("ReLU, λ = 0.5", new ReluKind { L1 = 0.5, Variant = PenaltyVariant.DictionaryLearning }),
            ];
            var trainings = kinds
                .Select(kind => new DictionaryTraining(
                    kind.Kind,
                    new DictionaryConfig
                    {
                        Latents = 2 * corpus.Classes,
                        Steps = size.Steps,
                        Batch = 256,
                        LearningRate = 2e-3,
                        DeadAfterSteps = size.Steps / 8,
                        ResampleEvery = kind.Kind is ReluKind ? size.Steps / 4 : 0,
                        Seed = seed,
                    },
                    data
                ))
                .ToList();
            try
            {
                DictionaryTrainer.Run(trainings, data, null, null, cancellation);
                var rows = Scaled(test);
                return new Layer(
                    test,
                    TokenClassReadout.BestCorrelations(test, seen),
                    TokenClassReadout.Of(network, corpus, size.Judge, seed),
                    [.. kinds.Zip(trainings, (kind, training) => Read(kind.Name, training, rows, seen))]
                );
            }
            finally
            {
                trainings.ForEach(training => training.Dispose());
            }
        }

        private static Latents Read(string name, DictionaryTraining training, FloatMatrix rows, Matrix seen)
        {
            using var scope = torch.NewDisposeScope();
            var codes = training.Result().Encode(torch.tensor(rows.Data, [rows.Rows, rows.Columns])).contiguous();
            var values = MemoryMarshal.Cast<byte, float>(codes.bytes).ToArray();
            var matrix = new Matrix(rows.Rows, (int)codes.shape[1], Array.ConvertAll(values, value => (double)value));
            return new Latents(
                name,
                values.Count(value => value != 0) / (double)rows.Rows,
                TokenClassReadout.BestCorrelations(matrix, seen),
                matrix
            );
        }
    }
}
