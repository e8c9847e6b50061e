using System.Diagnostics;
using Polyseme.Dictionaries.Benchmark;
using Polyseme.Dictionaries.Training;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Bench;

/// <summary>
/// Training of a TopK autoencoder against eager libtorch: the time to the held-out FVU that the peer has after its last step. Both start from the same
/// weights and see the same rows; they take turns of a few steps, so that what else the machine does falls on both alike.
/// </summary>
internal static class SaeBench
{
    private const int Width = 512,
        Latents = 4096,
        Batch = 4096,
        Turns = 20;

    public static IEnumerable<Measurement> Run(BenchOptions options)
    {
        var steps = options.Quick ? 40 : 2000;
        var generator = new SyntheticBenchmark(new SyntheticConfig { Width = Width, Features = 8192 });
        var rows = ShuffledRows.Of(Made(generator, options.Quick ? 8 : 128, "train"), null, 0);
        var heldOut = Made(generator, 4, "held-out");
        var dense = DenseShare(options);
        yield return Against(steps, rows, heldOut, ProductPrecision.Float32, dense);
        if (HasBFloat16)
            yield return Against(steps, rows, heldOut, ProductPrecision.Bfloat16, dense);
    }

    /// <summary>Whether the processor multiplies bfloat16; where it does not, libtorch's products in it are many times slower than in float32.</summary>
    private static bool HasBFloat16 =>
        File.Exists("/proc/cpuinfo")
        && File.ReadLines("/proc/cpuinfo")
            .Any(line => line.StartsWith("flags", StringComparison.Ordinal) && line.Contains("bf16", StringComparison.Ordinal));

    /// <summary>Σ‖x − x̂‖² / Σ‖x − x̄‖².</summary>
    internal static double Fvu(torch.Tensor x, torch.Tensor reconstruction) =>
        (x - reconstruction).square().sum(torch.float64).item<double>()
        / (x - x.mean([0L], keepdim: true)).square().sum(torch.float64).item<double>();

    private static Measurement Against(
        int steps,
        ShuffledRows rows,
        FloatMatrix heldOut,
        ProductPrecision products,
        Dictionary<string, double> dense
    )
    {
        var kind = new TopKKind { K = 32 };
        var config = new DictionaryConfig
        {
            Latents = Latents,
            Batch = Batch,
            Steps = 2 * steps,
            LearningRate = 4e-4,
            DeadAfterSteps = 200,
            DecoderBiasStart = DecoderBiasStart.GeometricMedian,
            Products = products,
        };
        using var ours = new DictionaryTraining(kind, config, rows);
        using var peer = new EagerTopK(ours, kind);
        using var held = torch.tensor(heldOut.Data, [heldOut.Rows, Width]);
        double OurFvu()
        {
            using var scope = torch.NewDisposeScope();
            using var noGradient = torch.no_grad();
            return Fvu(held, ours.Result().Reconstruct(held));
        }
        var curve = new List<(double Seconds, double Fvu)> { (0, OurFvu()) };
        double seconds = 0,
            peerSeconds = 0;
        var turn = Math.Max(1, steps / Turns);
        var batch = new float[Batch * Width];
        CurvePoint? last = null;
        double Timed(long first, Action<torch.Tensor> step)
        {
            double took = 0;
            for (var i = first; i < first + turn; i++)
            {
                rows.Fill(i, batch, []);
                using var scope = torch.NewDisposeScope();
                var x = torch.tensor(batch, [Batch, Width]);
                var clock = Stopwatch.StartNew();
                step(x);
                took += clock.Elapsed.TotalSeconds;
            }
            return took;
        }
        for (long at = 0; at < steps; at += turn)
        {
            peerSeconds += Timed(at, peer.Step);
            seconds += Timed(at, x => last = ours.Step(x, x));
            curve.Add((seconds, OurFvu()));
        }
        var (ourStep, peerStep) = (seconds / steps, peerSeconds / steps);
        var goal = peer.Fvu(held);
        for (long at = steps; curve[^1].Fvu > goal && at < 2 * steps; at += turn)
        {
            seconds += Timed(at, x => last = ours.Step(x, x));
            curve.Add((seconds, OurFvu()));
        }
        var reached = TimeTo(goal, curve);
        return new Measurement
        {
            Name = $"sae.topk.{(products == ProductPrecision.Float32 ? "f32" : "bf16")}",
            Ours = reached ?? double.NaN,
            Peer = peerSeconds,
            Unit = "s",
            Ratio = peerSeconds / reached,
            PeakMb = ProcessMemory.PeakMegabytes(),
            NRuns = 1,
            Stages = new Dictionary<string, double>(dense)
            {
                ["step_s"] = ourStep,
                ["peer_step_s"] = peerStep,
                ["step_ratio"] = peerStep / ourStep,
                ["goal_fvu"] = goal,
                ["dead"] = last!.Dead,
            },
            Notes =
                $"{Width} wide, {Latents} latents, k 32, batch {Batch}, synthetic benchmark of 8,192 features: time to the held-out FVU that eager libtorch float32 has "
                + $"after {steps} steps; taking turns of {turn} steps; making batches is not counted on either side; {Environment.ProcessorCount} threads"
                + (HasBFloat16 ? "" : "; bfloat16 not measured: this processor has no units for it"),
        };
    }

    /// <summary>When a curve first comes down to a value, linear between its points.</summary>
    private static double? TimeTo(double goal, List<(double Seconds, double Fvu)> curve)
    {
        for (var i = 1; i < curve.Count; i++)
        {
            if (curve[i].Fvu > goal)
                continue;
            var share = (curve[i - 1].Fvu - goal) / (curve[i - 1].Fvu - curve[i].Fvu);
            return curve[i - 1].Seconds + (share * (curve[i].Seconds - curve[i - 1].Seconds));
        }
        return null;
    }

    /// <summary>The encoder's product in pieces, as a training takes it, beside the same product alone.</summary>
    private static Dictionary<string, double> DenseShare(BenchOptions options)
    {
        const int rows = TopKGradient.ChunkRows;
        using var scope = torch.NewDisposeScope();
        var (x, w) = (torch.randn(Batch, Width), torch.randn(Latents, Width).t());
        var team = WorkerTeam.Shared;
        var outputs = Enumerable.Range(0, team.Workers).Select(_ => torch.empty(rows, Latents)).ToArray();
        var rates = Interleaved.Rates(
            options.Runs,
            options.RunSeconds,
            times =>
            {
                for (var i = 0; i < times; i++)
                    torch.mm(x, w).Dispose();
                return times;
            },
            times =>
            {
                for (var i = 0; i < times; i++)
                    team.Run(
                        Batch / rows,
                        (worker, piece) =>
                        {
                            using var piecewise = torch.NewDisposeScope();
                            outputs[worker].addmm_(x.narrow(0, piece * rows, rows), w, 0, 1);
                        }
                    );
                return times;
            }
        );
        return new Dictionary<string, double>
        {
            ["product_gflops"] = rates[0] * 2e-9 * Batch * Width * Latents,
            ["product_in_pieces_share"] = rates[1] / rates[0],
        };
    }

    private static FloatMatrix Made(SyntheticBenchmark generator, int blocks, string stream)
    {
        var size = SyntheticBenchmark.BlockRows * Width;
        var values = new float[blocks * size];
        Parallel.For(0, blocks, block => generator.Block(block, stream).Rows.Data.CopyTo(values.AsSpan(block * size)));
        return new FloatMatrix(blocks * SyntheticBenchmark.BlockRows, Width, values);
    }
}
