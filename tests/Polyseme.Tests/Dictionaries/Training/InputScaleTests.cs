using Polyseme.Dictionaries.Training;
using Polyseme.Numerics;
using TorchSharp;
using static Polyseme.Tests.Dictionaries.Training.DictionaryTrainingTests;

namespace Polyseme.Tests.Dictionaries.Training;

public sealed class InputScaleTests
{
    [Theory]
    [InlineData(InputScale.None, 1)]
    [InlineData(InputScale.MeanSquare, 0.28284271247461903)] // √(2 / ((9 + 16 + 25) / 2))
    [InlineData(InputScale.SaeLens, 0.28284271247461903)] // √2 / 5
    [InlineData(InputScale.DictionaryLearning, 0.2)]
    public void The_constant_is_as_defined(InputScale scale, double expected)
    {
        var rows = ShuffledRows.Of(new FloatMatrix(2, 2, [3, 4, -5, 0]), null, 0);
        Assert.Equal(expected, InputScales.Of(Scaling(scale) with { Batch = 2 }, rows).Inputs, 1e-12);
    }

    /// <summary>Norms 1 and 7: the mean is 4, the mean square 25.</summary>
    [Theory]
    [InlineData(InputScale.MeanSquare, 1.4142135623730951 / 5)]
    [InlineData(InputScale.SaeLens, 1.4142135623730951 / 4)]
    public void Norms_that_differ_tell_the_definitions_apart(InputScale scale, double expected)
    {
        var rows = ShuffledRows.Of(new FloatMatrix(2, 2, [1, 0, 0, 7]), new FloatMatrix(2, 2, [0, 0, 0, 0]), 0);
        var scales = InputScales.Of(Scaling(scale) with { Batch = 2 }, rows);
        Assert.Equal(expected, scales.Inputs, 1e-12);
        Assert.Equal(1, scales.Targets); // rows of zeros have no scale
    }

    [Fact]
    public void Only_the_batches_asked_for_count_and_none_beyond_the_training()
    {
        var rows = Rows();
        double Of(int batches, int steps) =>
            InputScales.Of(Scaling(InputScale.MeanSquare) with { InputScaleBatches = batches, Steps = steps }, rows).Inputs;
        Assert.NotEqual(Of(1, 50), Of(2, 50));
        Assert.Equal(Of(2, 50), Of(100, 2));
    }

    /// <summary>Sixteen is exact in binary, so that the scaled rows are the same to the bit.</summary>
    [Theory]
    [InlineData("relu saelens")]
    [InlineData("topk")]
    [InlineData("jumprelu")]
    [InlineData("matching-pursuit")]
    public void The_unit_of_the_rows_does_not_matter(string name)
    {
        var config = Scaling(InputScale.MeanSquare) with
        {
            Batch = 32,
            DecoderBiasStart = DecoderBiasStart.Mean,
            ResampleEvery = 7,
            DeadAfterSteps = 5,
        };
        var small = Normals(1200, 2);
        var rows = new[] { small, Array.ConvertAll(small, value => 16 * value) }.Select(values =>
            ShuffledRows.Of(new FloatMatrix(100, 12, values), null, 0)
        );
        var trained = rows.Select(one =>
            {
                using var training = new DictionaryTraining(Kind(name), config, one);
                for (var i = 0; i < 30; i++)
                    Step(training, one);
                return (training.Weights.Tensors.Select(pair => DictionaryWeights.Values(pair.Tensor)).ToList(), training.Result());
            })
            .ToList();
        Assert.Equal(trained[0].Item1, trained[1].Item1);
        Assert.Equal(trained[0].Item2.DecoderBias.Select(value => 16 * value), trained[1].Item2.DecoderBias);
        using var scope = torch.NewDisposeScope();
        var x = torch.tensor(small, [100, 12]);
        Assert.Equal(
            DictionaryWeights.Values(trained[0].Item2.Reconstruct(x) * 16),
            DictionaryWeights.Values(trained[1].Item2.Reconstruct(x * 16))
        );
    }

    [Theory]
    [InlineData("relu saelens")]
    [InlineData("gated unit")]
    [InlineData("topk")]
    [InlineData("topk saelens")]
    [InlineData("jumprelu")]
    [InlineData("p-anneal")]
    [InlineData("prolu")]
    [InlineData("matching-pursuit")]
    public void The_trained_dictionary_reads_rows_as_they_are(string name)
    {
        var rows = ShuffledRows.Of(new FloatMatrix(100, 12, Array.ConvertAll(Normals(1200, 2), value => 30 * value)), null, 0);
        var config = Scaling(InputScale.SaeLens) with { Batch = 32, LearningRate = 1e-3 };
        var scale = InputScales.Of(config, rows).Inputs;
        Assert.InRange(scale, 0.02, 0.05);
        using var training = new DictionaryTraining(Kind(name), config, rows);
        for (var i = 0; i < 30; i++)
            Step(training, rows);
        using var scope = torch.NewDisposeScope();
        var x = Batch(rows, 64);
        var expected = DictionaryWeights.Values(training.Loss(x, x).Reconstruction / scale);
        var found = DictionaryWeights.Values(training.Result().Reconstruct(x));
        for (var i = 0; i < found.Length; i++)
            Assert.Equal(expected[i], found[i], 1e-5f * expected.Max(Math.Abs));
    }

    [Fact]
    public void A_transcoder_with_a_skip_path_has_two_constants()
    {
        var inputs = new FloatMatrix(64, 6, Array.ConvertAll(Normals(64 * 6, 1), value => 10 * value));
        var targets = new FloatMatrix(64, 4, Array.ConvertAll(Normals(64 * 4, 2), value => 0.01f * value));
        var rows = ShuffledRows.Of(inputs, targets, 0);
        var config = Scaling(InputScale.MeanSquare) with { Batch = 64, Skip = true };
        var scales = InputScales.Of(config, rows);
        Assert.True(scales.Targets > 100 * scales.Inputs);
        using var training = new DictionaryTraining(new ReluKind { L1 = 0.01 }, config, rows);
        using var scope = torch.NewDisposeScope();
        float[] x = new float[64 * 6],
            y = new float[64 * 4];
        rows.Fill(0, x, y);
        var (xs, ys) = (torch.tensor(x, [64, 6]), torch.tensor(y, [64, 4]));
        for (var i = 0; i < 20; i++)
            training.Step(xs, ys);
        var expected = DictionaryWeights.Values(training.Loss(xs, ys).Reconstruction / scales.Targets);
        var found = DictionaryWeights.Values(training.Result().Reconstruct(xs));
        Assert.True(expected.Max(Math.Abs) > 1e-4);
        for (var i = 0; i < found.Length; i++)
            Assert.Equal(expected[i], found[i], 1e-5f * expected.Max(Math.Abs));
    }

    [Theory]
    [InlineData("relu saelens")]
    [InlineData("topk saelens")]
    [InlineData("batchtopk")]
    [InlineData("matching-pursuit")]
    public void A_training_that_was_stopped_goes_on_bit_for_bit(string name)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "state.safetensors");
        var config = Scaling(InputScale.MeanSquare) with
        {
            Steps = 40,
            Batch = 32,
            DeadAfterSteps = 5,
            ResampleEvery = 7,
            DecoderBiasStart = DecoderBiasStart.GeometricMedian,
        };
        var rows = Stored();
        using var whole = new DictionaryTraining(Kind(name), config, rows);
        DictionaryTrainer.Run([whole], rows, cancellation: TestContext.Current.CancellationToken);
        using var first = new DictionaryTraining(Kind(name), config, rows);
        for (var i = 0; i < 17; i++)
            Step(first, rows);
        DictionaryCheckpoint.Write(path, [first], rows);
        using var second = new DictionaryTraining(Kind(name), config, rows);
        DictionaryCheckpoint.Restore(path, [second], rows);
        DictionaryTrainer.Run([second], rows, cancellation: TestContext.Current.CancellationToken);
        var (a, b) = (whole.Result(), second.Result());
        Assert.Equal(a.Encoder.Data, b.Encoder.Data);
        Assert.Equal(a.Decoder.Data, b.Decoder.Data);
        Assert.Equal(a.DecoderBias, b.DecoderBias);
        Assert.Equal(whole.State.Threshold, second.State.Threshold);
    }

    private static DictionaryConfig Scaling(InputScale scale) => Config with { InputScale = scale };
}
