using Polyseme.Dictionaries.Classical;
using Polyseme.Dictionaries.Metrics;
using Polyseme.Networks;
using Polyseme.Numerics;

namespace Polyseme.Tests.Dictionaries.Metrics;

public sealed class LossRecoveredTests
{
    private static readonly double s_log3 = Math.Log(3);

    [Fact]
    public void A_model_of_two_tokens_worked_by_hand()
    {
        // The token before has three times the odds: probabilities ¾ and ¼. Halved activations: √3 : 1.
        var loss = LossRecovered.Measure(new Echo(), "h", Times(0.5f), Texts([0, 0, 1], [1, 1, 1]), Token);
        Assert.Equal(4, loss.Positions);
        Assert.Equal((3 * Math.Log(4.0 / 3)) + Math.Log(4), 4 * loss.CrossEntropy, 1e-12);
        var likely = Math.Sqrt(3) / (1 + Math.Sqrt(3));
        Assert.Equal(-((3 * Math.Log(likely)) + Math.Log(1 - likely)) / 4, loss.Reconstructed.CrossEntropy, 1e-6);
        Assert.Equal((0.75 * Math.Log(0.75 / likely)) + (0.25 * Math.Log(0.25 / (1 - likely))), loss.Reconstructed.Divergence, 1e-6);
        Assert.Equal(Math.Log(2), loss.Zero.CrossEntropy, 1e-12);
        var divergence = (0.75 * Math.Log(1.5)) + (0.25 * Math.Log(0.5));
        Assert.Equal(divergence, loss.Zero.Divergence, 1e-12);
        // Two positions of each token: the mean activation says nothing of which.
        Assert.Equal(Math.Log(2), loss.Mean.CrossEntropy, 1e-12);
        Assert.Equal(divergence, loss.Mean.Divergence, 1e-12);
        Assert.Equal(
            (loss.Zero.CrossEntropy - loss.Reconstructed.CrossEntropy) / (loss.Zero.CrossEntropy - loss.CrossEntropy),
            loss.CrossEntropyScore!.Value,
            1e-12
        );
        Assert.Equal(1 - (loss.Reconstructed.Divergence / divergence), loss.DivergenceScore!.Value, 1e-12);
    }

    [Fact]
    public void All_is_recovered_by_a_dictionary_that_gives_everything_back_and_nothing_by_one_that_gives_zeros()
    {
        var texts = Texts([0, 0, 1], [0, 0, 0], [1, 0, 0]);
        var all = LossRecovered.Measure(new Echo(), "h", Times(1), texts, Token);
        Assert.Equal(1, all.CrossEntropyScore!.Value, 1e-6); // a dictionary computes in float32
        Assert.Equal(1, all.DivergenceScore!.Value, 1e-6);
        var nothing = LossRecovered.Measure(new Echo(), "h", Times(0), texts, Token);
        Assert.Equal(0, nothing.DivergenceScore!.Value, 1e-12);
        // The mean knows the odds of the tokens, zeros do not; and where zeros do no harm there is nothing to recover.
        Assert.True(nothing.DivergenceScoreOfMean < 0);
        Assert.Null(LossRecovered.Measure(new Echo(strength: 0), "h", Times(1), texts, Token).CrossEntropyScore);
    }

    [Fact]
    public void The_mean_is_that_of_positions_whose_next_token_is_known()
    {
        // Of two tokens the first alone is scored: the mean is its activation, and replacing by it changes nothing.
        var loss = LossRecovered.Measure(new Echo(), "h", Times(0), Texts([0, 1], [0, 0]), Token);
        Assert.Equal(2, loss.Positions);
        Assert.Equal(loss.CrossEntropy, loss.Mean.CrossEntropy, 1e-12);
        Assert.Equal(0, loss.Mean.Divergence, 1e-12);
        Assert.Null(loss.DivergenceScoreOfMean);
    }

    [Fact]
    public void What_does_not_go_together_is_refused()
    {
        void Refused(string mention, Network network, string hook, int width, Matrix texts) =>
            Assert.Contains(
                mention,
                Assert.Throws<ArgumentException>(() => LossRecovered.Measure(network, hook, Times(1, width), texts, Token)).Message,
                StringComparison.Ordinal
            );
        Refused("no hook 'g'", new Echo(), "g", 2, Texts([0, 1]));
        Refused("h is 2 wide", new Echo(), "h", 3, Texts([0, 1]));
        Refused("[1, 4]", new Echo(), "h", 2, Texts([0, 1, 0, 1]));
        Refused("[1, 1]", new Echo(), "h", 2, Texts([0]));
        Refused("token 7", new Echo(), "h", 2, Texts([0, 1, 7]));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Matrix Texts(params double[][] texts) => Matrix.FromRows(texts);

    /// <summary>Gives rows back times a number.</summary>
    private static LinearDictionary Times(float factor, int width = 2)
    {
        FloatMatrix Diagonal(float value) =>
            new(width, width, [.. Enumerable.Range(0, width * width).Select(i => i % (width + 1) == 0 ? value : 0)]);
        return new LinearDictionary(Diagonal(1), Diagonal(factor), new float[width]);
    }

    /// <summary>Two positions, two tokens; the logits are the activations: ln 3 for the token that was read.</summary>
    private sealed class Echo(double strength = 1) : Network
    {
        public override int InputWidth => 2;

        public override int RowsPerInput => 2;

        public override IReadOnlyList<Hook> Hooks => [new Hook("h", 2)];

        public override IReadOnlyDictionary<string, Matrix> Weights => new Dictionary<string, Matrix>();

        protected override Matrix Forward(Matrix inputs, Func<string, Matrix, Matrix> at)
        {
            var rows = new Matrix(inputs.Rows * 2, 2);
            for (var i = 0; i < rows.Rows; i++)
                rows[i, (int)inputs.Data[i]] = strength * s_log3;
            return at("h", rows);
        }
    }
}
