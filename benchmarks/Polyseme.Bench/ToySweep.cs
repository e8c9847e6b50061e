using Polyseme.Zoo.Training;

namespace Polyseme.Bench;

/// <summary>A phase diagram of two features in one dimension: every fifth cell of each axis is trained for some of the steps, and the whole is that times the rest.</summary>
internal static class ToySweep
{
    private const int Cells = 50,
        Every = 5,
        Seeds = 10,
        Steps = 2000,
        Batch = 1024;

    /// <summary>Ours in one go: what a model costs before its first step must weigh no more than in the whole, where it is spread over all steps.</summary>
    private const int StepsAtLeast = 100;

    public static Measurement Run(BenchOptions options)
    {
        double[] axis = [.. Enumerable.Range(0, Cells / Every).Select(k => ((k * Every) + (Every / 2)) / (Cells - 1.0))];
        // Densities from 1 to .01, importances of the second feature from .1 to 10.
        var cells = axis.SelectMany(p => axis.Select(r => (Density: Math.Pow(10, -2 * p), Importance: Math.Pow(10, (2 * r) - 1))))
            .ToArray();
        var jobs = cells
            .SelectMany(
                (cell, number) =>
                {
                    var training = ToyBench.Training(2, 1, cell.Density, Batch) with { LearningRate = 1e-2 };
                    training = training with { Shape = training.Shape with { Importance = [1, (float)cell.Importance] } };
                    return Enumerable.Range(0, Seeds).Select(seed => new ToyJob(training, 0, (number * Seeds) + seed));
                }
            )
            .ToArray();
        EagerToyModels Peer(int seeds, bool einsum) =>
            new(
                cells.Length * seeds,
                2,
                1,
                Batch,
                [.. cells.SelectMany(cell => Enumerable.Repeat((float)cell.Density, seeds))],
                [.. cells.SelectMany(cell => Enumerable.Repeat<float[]>([1, (float)cell.Importance], seeds)).SelectMany(pair => pair)],
                einsum
            );
        using EagerToyModels einsum = Peer(Seeds, true),
            bmm = Peer(Seeds, false),
            few = Peer(1, false);
        var threads = new[] { 1, Environment.ProcessorCount }.Distinct().ToArray();
        var peers = (
            from way in new[]
            {
                (Name: "einsum_1000_models", Run: einsum),
                (Name: "bmm_1000_models", Run: bmm),
                (Name: "bmm_100_models", Run: few),
            }
            from count in threads
            select (Name: $"{way.Name}_{count}_threads", Rate: (Func<int, double>)(steps => way.Run.Run(count, steps)))
        ).ToArray();
        var rates = Interleaved.Rates(
            options.Runs,
            options.RunSeconds,
            [repeats => Train(jobs, StepsAtLeast * repeats), .. peers.Select(peer => peer.Rate)]
        );
        var best = Array.IndexOf(rates, rates[1..].Max(), 1);
        var whole = (double)Cells * Cells * Seeds * Steps;
        var stages = new Dictionary<string, double>
        {
            ["model_steps_of_the_whole"] = whole,
            ["model_steps_per_s"] = rates[0],
            ["libtorch_model_steps_per_s"] = rates[best],
        };
        for (var i = 0; i < peers.Length; i++)
            stages[$"libtorch_{peers[i].Name}"] = rates[1 + i];
        return new Measurement
        {
            Name = "toy.sweep",
            Ours = whole / rates[0],
            Peer = whole / rates[best],
            Unit = "s",
            Ratio = rates[0] / rates[best],
            PeakMb = ProcessMemory.PeakMegabytes(),
            Stages = stages,
            NRuns = options.Runs,
            Notes =
                $"a phase diagram of {Cells} x {Cells} cells with {Seeds} seeds each, n=2, m=1, batch {Batch}, {Steps} steps; extrapolated on both sides from "
                + $"{cells.Length} cells with {Seeds} seeds for as many steps as fit a run; peer: eager libtorch, {peers[best - 1].Name}; {Environment.ProcessorCount} workers",
        };
    }

    private static double Train(ToyJob[] jobs, int steps)
    {
        // Cells share their training: one object each, so that it is checked once.
        var trainings = jobs.Select(job => job.Training)
            .Distinct()
            .ToDictionary(training => training, training => training with { Steps = steps });
        PopulationTrainer.Train([.. jobs.Select(job => job with { Training = trainings[job.Training] })], Environment.ProcessorCount);
        return (double)jobs.Length * steps;
    }
}
