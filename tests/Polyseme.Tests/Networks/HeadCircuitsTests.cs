using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Tests.Networks;

public sealed class HeadCircuitsTests
{
    private static readonly TransformerShape s_shape = new()
    {
        Vocabulary = 9,
        Context = 5,
        ModelWidth = 9,
        HeadWidth = 9,
        Heads = 2,
        Positions = false,
        DoublePrecision = true,
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Circuits_and_attention_make_the_outputs(bool causal)
    {
        var network = SmallTransformerTests.Random(s_shape with { Causal = causal });
        var contexts = SmallTransformerTests.Contexts(network.Shape, 7);
        var trace = network.Run(contexts, ["blocks.0.attn.hook_pattern"]);
        var circuits = new HeadCircuits(network);
        Near(trace.Recorded["blocks.0.attn.hook_pattern"], circuits.Patterns(contexts));
        Near(trace.Output, circuits.Outputs(contexts, circuits.Patterns(contexts)));

        static void Near(Matrix expected, Matrix actual)
        {
            for (var i = 0; i < expected.Data.Length; i++)
                Assert.Equal(expected.Data[i], actual.Data[i], 1e-12);
        }
    }

    [Fact]
    public void Copying_score_tells_copying_from_its_opposite_and_from_moving_tokens_around()
    {
        Assert.Equal(1, Score((i, j) => i == j ? 2 : 0), 1e-9);
        Assert.Equal(-1, Score((i, j) => i == j ? -2 : 0), 1e-9);
        // A cycle of nine tokens: its eigenvalues are the ninth roots of one, which sum to zero.
        Assert.Equal(0, Score((i, j) => j == (i + 1) % 9 ? 1 : 0), 1e-9);
        Assert.Null(new HeadCircuits(WithOv((_, _) => 0)).CopyingScore(0));

        static double Score(Func<int, int, double> ov) => new HeadCircuits(WithOv(ov)).CopyingScore(0)!.Value;
    }

    [Fact]
    public void Networks_that_are_more_than_circuits_over_tokens_are_refused()
    {
        foreach (var shape in new[] { s_shape with { Positions = true }, s_shape with { MlpWidth = 3 }, s_shape with { Layers = 2 } })
            Assert.Throws<ArgumentException>(() => new HeadCircuits(SmallTransformerTests.Random(shape)));
        var regression = new HeadCircuits(SmallTransformerTests.Random(s_shape with { Outputs = 1 }));
        Assert.Throws<ArgumentException>(() => regression.CopyingScore(0));
    }

    /// <summary>A head with this OV circuit: every other matrix is the identity.</summary>
    private static SmallTransformer WithOv(Func<int, int, double> ov)
    {
        var shape = s_shape with { Heads = 1 };
        var weights = TransformerWeights.Start(shape, 0, "test").ToDictionary(pair => pair.Key, _ => Matrix.Identity(9));
        var value = new Matrix(9, 9);
        for (var i = 0; i < 9; i++)
        for (var j = 0; j < 9; j++)
            value[i, j] = ov(i, j);
        weights["blocks.0.attn.W_V"] = value;
        return new SmallTransformer(shape, weights);
    }
}
