using Polyseme.Networks;
using Polyseme.Numerics;
using Polyseme.Zoo.Attention;

namespace Polyseme.Tests.Zoo.Attention;

public sealed class GateHeadTests
{
    [Fact]
    public void Half_the_payload_is_the_best_that_a_sum_can_do()
    {
        var (_, x, b) = GateHead.Contexts(40_000, 1, new RandomStream(0, "test"));
        double[] target = [.. x.Zip(b, (payload, gate) => payload * (1 - gate))];
        double R2(double share) => GateHead.R2(target, [.. x.Select(payload => share * payload)]);
        // The standard error of a share of 40,000 contexts is .0025.
        Assert.Equal(0.5, R2(0.5), 0.01);
        Assert.True(R2(0.4) < R2(0.5) && R2(0.6) < R2(0.5));
    }

    [Fact]
    public void Contexts_hold_what_they_say()
    {
        var (contexts, x, b) = GateHead.Contexts(500, 0.9, new RandomStream(1, "test"));
        for (var row = 0; row < contexts.Rows; row++)
        {
            var tokens = contexts.Row(row).ToArray();
            // What follows the query is not seen, so nothing of the task stands there.
            var query = GateHead.QueryAt(tokens);
            Assert.InRange(query, 2, 7);
            Assert.All(tokens[(query + 1)..], token => Assert.True(token >= GateHead.FirstFiller));
            Assert.Equal(x[row] == 1 ? 1 : 0, tokens.Count(token => token == GateHead.Plus));
            Assert.Equal(x[row] == -1 ? 1 : 0, tokens.Count(token => token == GateHead.Minus));
            Assert.Equal(b[row], tokens.Count(token => token == GateHead.B));
        }
        Assert.InRange(x.Count(payload => payload == 0), 20, 90);
    }

    [Fact]
    public void Additive_attention_has_no_second_difference_and_softmax_attention_has()
    {
        double Worst(AttentionWeights attention)
        {
            var network = SmallTransformerOf(attention);
            var (mean, worst) = GateHead.SecondDifference(network, 50, 0);
            // Distances are from −1, so a sum has all of them at 1.
            return Math.Max(Math.Abs(mean), Math.Abs(worst - 1));
        }
        Assert.True(Worst(AttentionWeights.Linear) < 1e-9);
        Assert.True(Worst(AttentionWeights.Softmax) > 1e-3);
    }

    [Fact]
    public void The_circuit_computes_what_the_head_does()
    {
        var network = SmallTransformerOf(AttentionWeights.Softmax);
        var circuit = GateHead.Circuit(network);
        // With one filler only and payloads that differ in sign alone, kinds of source are all there is.
        var circuits = new HeadCircuits(network);
        var direct = circuits.Direct[GateHead.Query, 0];
        Assert.Equal(circuits.Ov[0][GateHead.B, 0] + direct, circuit.ValueB, 1e-12);
        Assert.Equal(Math.Exp(circuits.Qk[0][GateHead.Query, GateHead.B]), circuit.WeightB, 1e-12);
        Assert.Equal((circuits.Ov[0][GateHead.Plus, 0] - circuits.Ov[0][GateHead.Minus, 0]) / 2, circuit.ValueA, 1e-12);
        var empty = circuit with { WeightA = 0 };
        Assert.Equal(empty.Output(1, 0), empty.Output(-1, 0));
        Assert.Equal(circuit.Output(1, 1), circuit.Output(1, 2));
    }

    [Fact]
    public void The_member_meets_its_numbers_and_a_half_trained_one_does_not()
    {
        var member = new SoftmaxInhibition();
        var run = member.Run(new SoftmaxInhibitionConfig { Samples = 2000 }, null, TestContext.Current.CancellationToken);
        Assert.All(run.Acceptances, acceptance => Assert.True(acceptance.Passed, $"{acceptance.Claim}: {acceptance.Value}"));
        Assert.Equal(run.Activations.NNeurons, run.Network.Hooks.Single(hook => hook.Name == run.Hook).Width);
        Assert.Equal(6, run.Features.Concepts.Count);
        var early = member.Run(new SoftmaxInhibitionConfig { Samples = 200, Steps = 20 }, null, TestContext.Current.CancellationToken);
        Assert.Contains(early.Acceptances, acceptance => !acceptance.Passed);
        var refused = Assert.Throws<ArgumentException>(() =>
            member.Run(new SoftmaxInhibitionConfig { Gates = 9 }, null, TestContext.Current.CancellationToken)
        );
        Assert.Contains("Gates is 9", refused.Message, StringComparison.Ordinal);
    }

    private static SmallTransformer SmallTransformerOf(AttentionWeights attention)
    {
        var shape = new TransformerShape
        {
            Vocabulary = GateHead.Vocabulary,
            Context = GateHead.Context,
            ModelWidth = 8,
            HeadWidth = 4,
            Outputs = 1,
            Positions = false,
            Attention = attention,
            DoublePrecision = true,
        };
        var weights = TransformerWeights.Start(shape, 2, "test");
        // Scores of order one, so that sources compete.
        foreach (var weight in weights.Values)
        {
            for (var i = 0; i < weight.Data.Length; i++)
                weight.Data[i] *= 3;
        }
        return new SmallTransformer(shape, weights);
    }
}
