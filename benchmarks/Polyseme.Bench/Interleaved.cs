using System.Diagnostics;

namespace Polyseme.Bench;

/// <summary>Measures several things in turn, again and again, so that what else the machine does falls on all of them alike.</summary>
internal static class Interleaved
{
    /// <summary>Units per second of each, the median over the rounds. Every contender is run once before, unmeasured.</summary>
    /// <param name="rounds">Measured runs of each.</param>
    /// <param name="seconds">How long a run should last.</param>
    /// <param name="contenders">Each does the work the number of times it is told, and returns the units of work done.</param>
    public static double[] Rates(int rounds, double seconds, params Func<int, double>[] contenders)
    {
        var repeats = new int[contenders.Length];
        for (var i = 0; i < contenders.Length; i++)
            repeats[i] = Calibrate(contenders[i], seconds);
        var rates = new double[contenders.Length][];
        for (var i = 0; i < contenders.Length; i++)
            rates[i] = new double[rounds];
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < contenders.Length; i++)
            {
                var clock = Stopwatch.StartNew();
                var units = contenders[i](repeats[i]);
                rates[i][round] = units / clock.Elapsed.TotalSeconds;
            }
        }
        return [.. rates.Select(Median)];
    }

    /// <summary>The middle value; of an even number, the mean of the two in the middle.</summary>
    public static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static int Calibrate(Func<int, double> contender, double seconds)
    {
        contender(1);
        for (var repeats = 1; ; repeats *= 2)
        {
            var clock = Stopwatch.StartNew();
            contender(repeats);
            var took = clock.Elapsed.TotalSeconds;
            if (took > seconds / 4)
                return Math.Max(1, (int)Math.Round(repeats * seconds / took));
        }
    }
}
