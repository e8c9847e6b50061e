using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Formats;
using Polyseme.Dictionaries.Training;
using Polyseme.Numerics;
using Polyseme.Tests.Dictionaries.Training;
using TorchSharp;

namespace Polyseme.Tests.Dictionaries;

/// <summary>Matching pursuit beside a plain one, a row at a time in double precision; then as a kind that is trained.</summary>
public sealed class MatchingPursuitTests : IDisposable
{
    private const int DIn = 12,
        Latents = 40,
        Count = 200;

    private readonly TemporaryFolder _files = new();

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData(0.01, null, true)]
    [InlineData(0, 5, false)]
    [InlineData(0, 30, true)]
    [InlineData(0.8, 30, false)]
    [InlineData(1.5, null, true)]
    [InlineData(1e9, 3, false)]
    public void Many_rows_at_once_are_coded_as_one_after_the_other(double threshold, int? most, bool stop)
    {
        var settings = new LatentActivation.MatchingPursuit(threshold, most, stop);
        var (rows, dictionary) = (Normals(Count * DIn, 1), Random(settings));
        var found = Encode(dictionary, rows);
        var scale = found.Max();
        for (var i = 0; i < Count; i++)
        {
            var (expected, _) = Plain(rows.AsSpan(i * DIn, DIn), dictionary, settings);
            for (var j = 0; j < Latents; j++)
                // Thirty steps in single precision; each rounds by 1e-7 of the row.
                Assert.Equal(expected[j], found[(i * Latents) + j], 1e-5 * scale);
        }
    }

    [Fact]
    public void Each_rule_ends_some_rows_and_not_others()
    {
        var rows = Normals(Count * DIn, 1);
        int On(LatentActivation.MatchingPursuit settings) => Encode(Random(settings), rows).Count(value => value > 0);
        var free = On(new(0, 30, false));
        Assert.InRange(On(new(0, 5, false)), Count, (5 * Count) - 1); // a latent chosen twice is one latent
        Assert.InRange(On(new(0, 30, true)), Count, free - Count);
        Assert.InRange(On(new(0.8, 30, false)), Count, free - Count);
        Assert.Equal(Count, On(new(1e9, 30, false))); // one step is always taken
    }

    [Fact]
    public void A_row_scaled_has_latents_scaled()
    {
        var (rows, settings) = (Normals(Count * DIn, 1), new LatentActivation.MatchingPursuit(0.8, 20));
        var dictionary = Random(settings);
        // Made for 4·x, exact in binary: b and the threshold become quarters, and so do the latents of a quarter of the rows.
        var unscaled = dictionary.Unscaled(4, 4);
        Assert.Equal(Encode(dictionary, rows), Encode(unscaled, Array.ConvertAll(rows, value => value / 4)).Select(value => 4 * value));
    }

    [Fact]
    public void Two_matrices_a_bias_or_a_skip_path_are_refused()
    {
        var (rows, other) = (new FloatMatrix(2, 2, [1, 0, 0, 1]), new FloatMatrix(2, 2, [1, 0, 0, 2]));
        LatentActivation activation = new LatentActivation.MatchingPursuit();
        Assert.Throws<ArgumentException>(() => new SparseAutoencoder(activation, rows, [0, 0], other, [0, 0]));
        Assert.Throws<ArgumentException>(() => new SparseAutoencoder(activation, rows, [0, 1], rows, [0, 0]));
        Assert.Throws<ArgumentException>(() => new SparseAutoencoder(activation, rows, [0, 0], rows, [0, 0], rows));
        Assert.Throws<ArgumentException>(() => SparseAutoencoder.ByPursuit(new(-1), rows, [0, 0]));
        Assert.Throws<ArgumentException>(() => SparseAutoencoder.ByPursuit(new(0, 0), rows, [0, 0]));
    }

    [Fact]
    public void Formats_without_matching_pursuit_say_so()
    {
        var dictionary = Random(new LatentActivation.MatchingPursuit());
        Assert.Equal(
            ["polyseme", "saelens"],
            DictionaryFormats.All.Where(format => format.IsRead && format.WhyNot(dictionary) is null).Select(format => format.Name)
        );
        foreach (var name in (string[])["sparsify", "gemma-scope"])
        {
            var refused = Assert.Throws<ConversionException>(() => DictionaryFormats.Find(name)!.Write(dictionary, _files.File("out")));
            Assert.DoesNotContain('\n', refused.Message);
            Assert.False(Directory.Exists(_files.File("out")));
        }
    }

    /// <summary>The choices are held, as the gradient holds them: where a step changes one of them the loss may jump.</summary>
    [Fact]
    public void The_gradient_is_that_of_finite_differences_along_the_chosen_directions()
    {
        var kind = new MatchingPursuitKind { ResidualThreshold = 0.3, MaxIterations = 6 };
        var rows = DictionaryTrainingTests.Rows();
        using var training = new DictionaryTraining(kind, DictionaryTrainingTests.Config, rows);
        using var scope = torch.NewDisposeScope();
        var x = DictionaryTrainingTests.Batch(rows, 64);
        var loss = training.Gradient(x, x).Loss;
        var found = DictionaryWeights.Values(training.Weights.Decoder.grad!);
        var foundBias = DictionaryWeights.Values(training.Weights.DecoderBias.grad!);
        var values = x.data<float>().ToArray();
        var settings = (LatentActivation.MatchingPursuit)training.Result().Activation;
        var dictionary = training.Result();
        var chosen = Enumerable.Range(0, 64).Select(i => Plain(values.AsSpan(i * DIn, DIn), dictionary, settings).Chosen).ToArray();
        Assert.Contains(chosen, one => one.Count > 2);
        double LossWith(double[] directions, double[] bias)
        {
            var sum = 0.0;
            for (var i = 0; i < 64; i++)
            {
                var left = Enumerable.Range(0, DIn).Select(j => values[(i * DIn) + j] - bias[j]).ToArray();
                foreach (var latent in chosen[i])
                    TakeOut(left, directions.AsSpan(latent * DIn, DIn));
                sum += left.Sum(value => value * value);
            }
            return sum / 64;
        }
        var decoder = Array.ConvertAll(dictionary.Decoder.Data, value => (double)value);
        Assert.Equal(LossWith(decoder, new double[DIn]), loss, 1e-5);
        double Slope(double[] at, int i, Func<double> lossThere)
        {
            const double Step = 1e-6;
            var before = at[i];
            at[i] = before + Step;
            var up = lossThere();
            at[i] = before - Step;
            var slope = (up - lossThere()) / (2 * Step);
            at[i] = before;
            return slope;
        }
        var start = new double[DIn];
        var scale = found.Max(Math.Abs);
        Assert.True(scale > 1e-3);
        for (var i = 0; i < found.Length; i++)
            Assert.Equal(Slope(decoder, i, () => LossWith(decoder, start)), found[i], 1e-4 * scale);
        for (var i = 0; i < DIn; i++)
            Assert.Equal(Slope(start, i, () => LossWith(decoder, start)), foundBias[i], 1e-4 * scale);
    }

    [Fact]
    public void A_trained_one_keeps_unit_norm_has_no_encoder_and_explains_more_than_it_did_at_the_start()
    {
        var rows = DictionaryTrainingTests.Rows();
        var config = DictionaryTrainingTests.Config with { Steps = 400, Batch = 128, LearningRate = 5e-3 };
        using var training = new DictionaryTraining(new MatchingPursuitKind { MaxIterations = 4 }, config, rows);
        Assert.DoesNotContain(training.Weights.Tensors, pair => pair.Name.StartsWith("encoder", StringComparison.Ordinal));
        var losses = Enumerable.Range(0, 400).Select(_ => DictionaryTrainingTests.Step(training, rows).Loss).ToList();
        Assert.True(losses[^20..].Average() < 0.7 * losses[..20].Average(), $"{losses[..20].Average()} to {losses[^20..].Average()}");
        var result = training.Result();
        Assert.Equal(result.Decoder.Data, result.Encoder.Data);
        for (var i = 0; i < result.NLatents; i++)
            Assert.Equal(1, System.Numerics.Tensors.TensorPrimitives.Norm<float>(result.Decoder.Row(i)), 1e-5f);
        var saeLens = DictionaryFormats.Find("saelens")!;
        saeLens.Write(result, _files.File("out"));
        var values = Normals(Count * DIn, 3);
        Assert.Equal(Encode(result, values), Encode(saeLens.Read(_files.File("out")), values));
    }

    [Fact]
    public void A_transcoder_cannot_be_one()
    {
        var rows = ShuffledRows.Of(new FloatMatrix(10, 2, new float[20]), new FloatMatrix(10, 2, new float[20]), 0);
        Assert.Contains(
            "encoder",
            Assert
                .Throws<ArgumentException>(() => new DictionaryTraining(new MatchingPursuitKind(), DictionaryTrainingTests.Config, rows))
                .Message
        );
        Assert.Throws<ArgumentException>(() =>
            DictionaryKinds.With("matching-pursuit", [KeyValuePair.Create("latents", "4"), KeyValuePair.Create("skip", "true")])
        );
        Assert.DoesNotContain("matching-pursuit", DictionaryKinds.WithEncoder);
    }

    [Fact]
    public void Its_settings_are_read_from_text()
    {
        var (kind, _) = DictionaryKinds.With(
            "matching-pursuit",
            [
                KeyValuePair.Create("latents", "4"),
                KeyValuePair.Create("max-iterations", "3"),
                KeyValuePair.Create("residual_threshold", "0.5"),
                KeyValuePair.Create("stop-on-duplicate-support", "false"),
            ]
        );
        Assert.Equal(
            new MatchingPursuitKind
            {
                MaxIterations = 3,
                ResidualThreshold = 0.5,
                StopOnDuplicateSupport = false,
            },
            kind
        );
    }

    /// <summary>Unit directions, and a bias that is subtracted.</summary>
    private static SparseAutoencoder Random(LatentActivation.MatchingPursuit settings)
    {
        var directions = new FloatMatrix(Latents, DIn, Normals(Latents * DIn, 0));
        for (var i = 0; i < Latents; i++)
        {
            var row = directions.Row(i);
            System.Numerics.Tensors.TensorPrimitives.Divide(row, System.Numerics.Tensors.TensorPrimitives.Norm<float>(row), row);
        }
        return SparseAutoencoder.ByPursuit(settings, directions, Normals(DIn, 2));
    }

    /// <summary>One row in double precision, with its choices in their order: those with a share of 0 too.</summary>
    private static (double[] Latents, List<int> Chosen) Plain(
        ReadOnlySpan<float> row,
        SparseAutoencoder dictionary,
        LatentActivation.MatchingPursuit settings
    )
    {
        var directions = dictionary.DirectionsInDouble();
        var left = new double[row.Length];
        for (var j = 0; j < left.Length; j++)
            left[j] = row[j] - dictionary.DecoderBias[j];
        var latents = new double[dictionary.NLatents];
        var chosen = new List<int>();
        var support = new HashSet<int>();
        for (var step = 0; step < (settings.MaxIterations ?? row.Length); step++)
        {
            var best = 0;
            for (var i = 1; i < latents.Length; i++)
                if (Inner(left, directions.Row(i)) > Inner(left, directions.Row(best)))
                    best = i;
            latents[best] += TakeOut(left, directions.Row(best));
            chosen.Add(best);
            var grew = latents[best] != 0 && support.Add(best);
            if ((settings.StopOnDuplicateSupport && !grew) || Math.Sqrt(left.Sum(value => value * value)) < settings.ResidualThreshold)
                break;
        }
        return (latents, chosen);
    }

    private static double TakeOut(double[] left, ReadOnlySpan<double> direction)
    {
        var share = Math.Max(Inner(left, direction), 0);
        for (var j = 0; j < left.Length; j++)
            left[j] -= share * direction[j];
        return share;
    }

    private static double Inner(ReadOnlySpan<double> a, ReadOnlySpan<double> b) => System.Numerics.Tensors.TensorPrimitives.Dot(a, b);

    private static float[] Encode(SparseAutoencoder dictionary, float[] rows) => Formats.GoldenDictionary.Encode(dictionary, rows);

    private static float[] Normals(int count, ulong seed) => DictionaryTrainingTests.Normals(count, seed);
}
