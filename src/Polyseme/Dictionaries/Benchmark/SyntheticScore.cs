using System.Runtime.InteropServices;
using Polyseme.Dictionaries.Metrics;
using TorchSharp;

namespace Polyseme.Dictionaries.Benchmark;

/// <summary>The four numbers of SynthSAEBench's table, with the L0 that they are to be compared at.</summary>
/// <param name="F1">Mean F1 of latents as detectors of their features, in [0, 1].</param>
/// <param name="Mcc">Mean |cosine| of the best one-to-one matching, in [0, 1].</param>
/// <param name="Uniqueness">Distinct nearest features over latents, in (0, 1].</param>
/// <param name="ExplainedVariance">1 − E‖e‖² / Var(x).</param>
/// <param name="L0">Mean latents of a row.</param>
/// <param name="TrueL0">Mean true features of a row.</param>
/// <param name="Dead">Latents that never fire.</param>
public sealed record SyntheticScore(double F1, double Mcc, double Uniqueness, double ExplainedVariance, double L0, double TrueL0, int Dead)
{
    /// <summary>Scores a dictionary on rows that it was not trained on.</summary>
    /// <param name="dictionary">As wide as the benchmark.</param>
    /// <param name="benchmark">What is true.</param>
    /// <param name="blocks">Held-out blocks of <see cref="SyntheticBenchmark.BlockRows"/> rows, at least 1.</param>
    /// <param name="cancellation">Checked at each block.</param>
    /// <exception cref="ArgumentException">The dictionary is of another width.</exception>
    public static SyntheticScore Of(
        FeatureDictionary dictionary,
        SyntheticBenchmark benchmark,
        int blocks,
        CancellationToken cancellation = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blocks, 1);
        if (dictionary.DIn != benchmark.Config.Width || dictionary.DOut != dictionary.DIn)
            throw new ArgumentException(
                $"the dictionary is {dictionary.DIn} to {dictionary.DOut}, but the benchmark's rows are {benchmark.Config.Width} wide",
                nameof(dictionary)
            );
        var recovery = DirectionRecovery.Measure(benchmark.Directions, dictionary.DirectionsInDouble(), upToSign: true);
        var detection = new LatentDetectionCounter(recovery.NearestFeature, benchmark.Config.Features);
        var reconstruction = new ReconstructionSums(dictionary.DOut, SyntheticBenchmark.BlockRows);
        var activity = new LatentActivityCounter(dictionary.NLatents);
        for (var block = 0; block < blocks; block++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = torch.NewDisposeScope();
            var (rows, features) = benchmark.Block(block, "held-out");
            var inputs = torch.frombuffer(rows.Data, torch.float32).reshape(rows.Rows, rows.Columns);
            var latents = MemoryMarshal.Cast<byte, float>(dictionary.Encode(inputs).contiguous().bytes);
            detection.Add(latents, features.Data);
            activity.Add(latents);
            reconstruction.Add(rows.Data, MemoryMarshal.Cast<byte, float>(dictionary.Reconstruct(inputs).contiguous().bytes));
        }
        var (found, fired) = (detection.Result(), activity.Result());
        return new SyntheticScore(
            found.F1,
            recovery.Mcc,
            recovery.Uniqueness,
            reconstruction.Result().ExplainedVariance!.Value,
            fired.L0,
            found.TrueL0,
            fired.Dead
        );
    }
}
