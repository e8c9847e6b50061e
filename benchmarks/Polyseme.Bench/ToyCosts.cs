namespace Polyseme.Bench;

/// <summary>How the cost of training grows with models, batch and steps: the slope of log seconds over log size.</summary>
internal static class ToyCosts
{
    private const int Features = 20,
        Hidden = 5,
        Batch = 1024,
        Models = 32;
    private const double Density = 0.05;

    public static IEnumerable<Measurement> Run(BenchOptions options)
    {
        int[] sizes = [16, 32, 64, 128];
        yield return Measure("toy.models", "models", sizes, size => (Batch, size), options);
        sizes = [512, 1024, 2048, 4096];
        yield return Measure("toy.batch", "samples per batch", sizes, size => (size, Models), options);
        yield return Steps(options);
    }

    /// <summary>Seconds per step of all models together.</summary>
    private static Measurement Measure(string name, string what, int[] sizes, Func<int, (int Batch, int Models)> of, BenchOptions options)
    {
        var contenders = sizes.Select(size =>
        {
            var (batch, models) = of(size);
            var training = ToyBench.Training(Features, Hidden, Density, batch);
            var initial = ToyBench.Initial(training, models);
            return (Func<int, double>)(
                steps =>
                {
                    ToyBench.Train(training, initial, steps);
                    return steps;
                }
            );
        });
        var rates = Interleaved.Rates(options.Runs, options.RunSeconds, [.. contenders]);
        return Of(name, what, sizes, [.. rates.Select(rate => 1 / rate)], "seconds per step", [], options);
    }

    /// <summary>Seconds per whole training, and what it allocates and leaves resident.</summary>
    private static Measurement Steps(BenchOptions options)
    {
        int[] sizes = [100, 400, 1600];
        var training = ToyBench.Training(Features, Hidden, Density, Batch);
        var initial = ToyBench.Initial(training, Models);
        var rates = Interleaved.Rates(
            options.Runs,
            options.RunSeconds,
            [
                .. sizes.Select(steps =>
                    (Func<int, double>)(
                        repeats =>
                        {
                            for (var repeat = 0; repeat < repeats; repeat++)
                                ToyBench.Train(training, initial, steps);
                            return repeats;
                        }
                    )
                ),
            ]
        );
        var stages = new Dictionary<string, double>();
        foreach (var steps in sizes)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            ToyBench.Train(training, initial, steps);
            stages[$"allocated_kb_{steps}_steps"] = (GC.GetTotalAllocatedBytes(precise: true) - before) / 1024.0;
            if (ProcessMemory.ResidentMegabytes() is { } resident)
                stages[$"resident_mb_{steps}_steps"] = resident;
        }
        return Of("toy.steps", "steps", sizes, [.. rates.Select(rate => 1 / rate)], "seconds per training", stages, options);
    }

    private static Measurement Of(
        string name,
        string what,
        int[] sizes,
        double[] seconds,
        string unit,
        Dictionary<string, double> stages,
        BenchOptions options
    )
    {
        for (var i = 0; i < sizes.Length; i++)
            stages[$"seconds_at_{sizes[i]}"] = seconds[i];
        return new Measurement
        {
            Name = name,
            Ours = seconds[^1],
            Unit = unit,
            Exponent = Slope(sizes, seconds),
            PeakMb = ProcessMemory.PeakMegabytes(),
            Stages = stages,
            NRuns = options.Runs,
            Notes =
                $"{unit} at {sizes[^1]} {what}; exponent: slope of log seconds over log {what} at {string.Join(", ", sizes)}; n={Features}, m={Hidden}, density {Density}, "
                + $"{(name == "toy.models" ? "" : $"{Models} models, ")}{(name == "toy.batch" ? "" : $"batch {Batch}, ")}Adam",
        };
    }

    /// <summary>Least squares.</summary>
    private static double Slope(int[] sizes, double[] seconds)
    {
        double[] x = [.. sizes.Select(size => Math.Log(size))],
            y = [.. seconds.Select(second => Math.Log(second))];
        double meanX = x.Average(),
            meanY = y.Average();
        return x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum() / x.Sum(a => (a - meanX) * (a - meanX));
    }
}
