using Polyseme.Numerics.Simd;
using Polyseme.Zoo.Training;

namespace Polyseme.Bench;

/// <summary>Training steps of populations of toy models: ours, the same in eager libtorch, and the machine's limit.</summary>
internal static class ToyBench
{
    private const int Models = 64,
        Batch = 1024;
    private const double Density = 0.05;

    public static IEnumerable<Measurement> Run(BenchOptions options)
    {
        yield return Measure("toy.n20", 20, 5, options);
        yield return Measure("toy.n80", 80, 8, options);
        yield return Measure("toy.n200", 200, 20, options);
        foreach (var measurement in ToyCosts.Run(options))
            yield return measurement;
        yield return ToySweep.Run(options);
    }

    private static Measurement Measure(string name, int features, int hidden, BenchOptions options)
    {
        var training = Training(features, hidden, Density, Batch);
        var initial = Initial(training, Models);
        using var einsum = new EagerToyModels(Models, features, hidden, Batch, [(float)Density], null, einsum: true);
        using var bmm = new EagerToyModels(Models, features, hidden, Batch, [(float)Density], null, einsum: false);
        var threads = new[] { 1, Environment.ProcessorCount }.Distinct().ToArray();
        var peers = (
            from way in new[] { (Name: "einsum", Run: einsum), (Name: "bmm", Run: bmm) }
            from count in threads
            select (Name: $"{way.Name}_{count}_threads", Rate: (Func<int, double>)(steps => way.Run.Run(count, steps)))
        ).ToArray();
        var rates = Interleaved.Rates(
            options.Runs,
            options.RunSeconds,
            [
                steps => Train(training, initial, steps),
                steps => Train(training with { Inputs = new ToyInputs.Fresh(1) }, initial, steps),
                steps => MakeData(features, Density, steps),
                MultiplyAddPeak.Run,
                .. peers.Select(peer => peer.Rate),
            ]
        );
        var (ours, dense, data, peak) = (rates[0], rates[1], rates[2], rates[3]);
        var best = Array.IndexOf(rates, rates[4..].Max(), 4);
        var operations = 10.0 * Batch * features * hidden;
        var stages = new Dictionary<string, double>
        {
            ["dense_model_steps_per_s"] = dense,
            ["multiply_add_peak_gflops"] = peak / 1e9,
            ["dense_equivalent_gflops"] = ours * operations / 1e9,
            ["data_share"] = ours / data,
        };
        for (var i = 0; i < peers.Length; i++)
            stages[$"libtorch_{peers[i].Name}"] = rates[4 + i];
        return new Measurement
        {
            Name = name,
            Ours = ours,
            Peer = rates[best],
            Unit = "model-steps/s",
            Ratio = ours / rates[best],
            LimitFraction = dense * operations / peak,
            PeakMb = ProcessMemory.PeakMegabytes(),
            Stages = stages,
            NRuns = options.Runs,
            Notes =
                $"n={features}, m={hidden}, {Models} models, batch {Batch}, Adam, density {Density}, data made in the step (sixteen streams of xoshiro128++, seeded per step by Philox4x32-10); "
                + $"peer: eager libtorch, {peers[best - 4].Name}; limit_fraction: the same at density 1 over the float32 multiply-add peak; "
                + $"dense-equivalent rate at density {Density}: {ours * operations / peak:P0} of that peak; {InstructionSets.Widest}, {Environment.ProcessorCount} workers",
        };
    }

    /// <summary>Equally important features, as all of these models have them.</summary>
    internal static ToyTraining Training(int features, int hidden, double density, int batch) =>
        new()
        {
            Shape = new ToyShape(features, hidden, HiddenRelu: false, OutputRelu: true, ToyShape.Uniform(features)),
            Inputs = new ToyInputs.Fresh(density),
            Batch = batch,
            Steps = 1,
            LearningRate = 1e-3,
            CurvePoints = 1,
        };

    /// <summary>Where models start; drawn once, outside what is measured, on both sides.</summary>
    internal static ToyParameters[] Initial(ToyTraining training, int models) =>
        [.. Enumerable.Range(0, models).Select(model => ToyParameters.Initial(training.Shape, 0, model))];

    internal static double Train(ToyTraining training, ToyParameters[] initial, int steps)
    {
        PopulationTrainer.Train(training with { Steps = steps }, 0, initial);
        return (double)initial.Length * steps;
    }

    /// <summary>The data of the same steps and nothing else, in as many workers.</summary>
    private static double MakeData(int features, double density, int steps)
    {
        Parallel.For(
            0,
            Models,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            model =>
            {
                var batch = new ToyBatch(new ToyInputs.Fresh(density), features, Batch, 0, (ulong)model);
                for (var step = 0; step < steps; step++)
                    batch.Make(step);
            }
        );
        return (double)Models * steps;
    }
}
