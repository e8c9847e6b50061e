using Polyseme.Numerics;
using static TorchSharp.torch;

namespace Polyseme.Zoo.MagnitudeCodes;

/// <summary>A network from one start, with the cross-entropy it ended at, nats.</summary>
internal sealed record TopOneTrained(TopOneNetwork Network, double Loss);

/// <summary>Trains <see cref="TopOneNetwork"/>s from several starts side by side, by Adam on the cross-entropy.</summary>
/// <remarks>The gradient goes through the neuron that is let through. One thread: products this small are slower on two.</remarks>
internal static class TopOneTraining
{
    private const int Copies = 8;

    /// <summary>Trains.</summary>
    /// <param name="config">Sizes and schedule.</param>
    /// <param name="cancellation">Checked once a step.</param>
    public static IReadOnlyList<TopOneTrained> Train(ForcedSparsityConfig config, CancellationToken cancellation)
    {
        using var thread = new OneThread();
        using var scope = NewDisposeScope();
        var random = new RandomStream(config.Seed, "forced-sparsity/train");
        var adam = new BatchedAdam(Starts(config, random), config.LearningRate, config.Steps);
        var targets = arange(config.Classes, int64).repeat(Copies);
        var oneHot = eye(config.Classes).repeat(Copies, 1).unsqueeze(0);
        var jitter = new float[Copies * config.Classes * config.Classes];
        var last = new float[config.Seeds];
        for (var step = 0; step < config.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            for (var i = 0; i < jitter.Length; i++)
                jitter[i] = (float)(config.Jitter * random.NextNormal());
            var rows = oneHot + tensor(jitter).view(1, Copies * config.Classes, config.Classes);
            var logits = Logits(adam.Parameters, rows.expand(config.Seeds, -1, -1));
            var index = targets.view(1, -1, 1).expand(config.Seeds, -1, -1);
            var losses = -logits.log_softmax(-1).gather(2, index).mean([1, 2]);
            if (step == config.Steps - 1)
                last = losses.detach().data<float>().ToArray();
            adam.Descend(losses.sum(), step);
        }
        return
        [
            .. Enumerable
                .Range(0, config.Seeds)
                .Select(seed => new TopOneTrained(
                    new TopOneNetwork([
                        .. adam.Parameters.Select(parameter =>
                            LinearAlgebra.ToMatrix(parameter.detach().select(0, seed).to(float64).contiguous())
                        ),
                    ]),
                    last[seed]
                )),
        ];
    }

    /// <summary>Logits. Shape: <c>[seeds, rows, classes]</c>.</summary>
    /// <param name="weights">As those of <see cref="TopOneNetwork"/>. Shape each: <c>[seeds, in, out]</c>, biases <c>[seeds, 1, out]</c>.</param>
    /// <param name="rows">Shape: <c>[seeds, rows, classes]</c>.</param>
    public static Tensor Logits(IReadOnlyList<Tensor> weights, Tensor rows)
    {
        var pre = Through(weights, rows, 0, TopOneNetwork.EncoderLayers);
        var open = pre.detach().eq(pre.detach().amax([-1], keepdim: true)).to(pre.dtype);
        return Through(weights, nn.functional.softplus(pre) * open, TopOneNetwork.EncoderLayers, TopOneNetwork.Layers);
    }

    private static Tensor Through(IReadOnlyList<Tensor> weights, Tensor rows, int first, int end)
    {
        for (var layer = first; layer < end; layer++)
            rows = (layer > first ? rows.relu() : rows).matmul(weights[2 * layer]) + weights[(2 * layer) + 1];
        return rows;
    }

    private static List<Tensor> Starts(ForcedSparsityConfig config, RandomStream random)
    {
        int[] widths = [config.Classes, config.Hidden, config.Neurons, config.Hidden, config.Hidden, config.Classes];
        var starts = new List<Tensor>();
        for (var layer = 0; layer < TopOneNetwork.Layers; layer++)
        {
            var (width, outputs) = (widths[layer], widths[layer + 1]);
            Tensor Normal(int rows, double deviation) =>
                (LinearAlgebra.ToTensor(random.NormalMatrix(config.Seeds * rows, outputs)) * deviation)
                    .to(float32)
                    .view(config.Seeds, rows, outputs);
            starts.Add(Normal(width, Math.Sqrt(2.0 / width)));
            // Kinks in different places: what a decoder of one number needs from the start.
            starts.Add(Normal(1, layer == TopOneNetwork.EncoderLayers ? 1 : 0));
        }
        return starts;
    }
}
