using System.Diagnostics;
using System.Globalization;
using Polyseme.Numerics;
using Polyseme.Runs;
using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>Trains dictionaries on a stream of rows: several in one pass over the data, each batch read once.</summary>
public static class DictionaryTrainer
{
    /// <summary>Elements below which libtorch does not divide an operation among threads.</summary>
    private const int LibtorchGrain = 1 << 15;

    private static CultureInfo Plain => CultureInfo.InvariantCulture;

    /// <summary>Goes on from the steps that are done to the last.</summary>
    /// <param name="trainings">Dictionaries of one batch size that have done the same steps, or all of theirs.</param>
    /// <param name="rows">What they are trained on.</param>
    /// <param name="afterStep">
    /// Called after each step with a point for each dictionary, <c>null</c> for one that had done all its steps before, to keep curves and
    /// checkpoints; may be <c>null</c>.
    /// </param>
    /// <param name="progress">Told loss, L0, dead latents (of several dictionaries, from the least to the most), rows a second and time left.</param>
    /// <param name="cancellation">Checked before each step; what is done stays done.</param>
    /// <exception cref="ArgumentException">The dictionaries do not go together.</exception>
    public static void Run(
        IReadOnlyList<DictionaryTraining> trainings,
        RowStream rows,
        Action<IReadOnlyList<CurvePoint?>>? afterStep = null,
        IProgress<Step>? progress = null,
        CancellationToken cancellation = default
    )
    {
        if (trainings.Count == 0)
            return;
        var (batch, start) = (trainings[0].Config.Batch, trainings.Max(training => training.StepsDone));
        if (trainings.Any(training => training.Config.Batch != batch || training.StepsDone != Math.Min(start, training.Config.Steps)))
            throw new ArgumentException(
                "dictionaries that train in one pass have one batch size and have done the same steps",
                nameof(trainings)
            );
        float[] inputs = new float[batch * rows.DIn],
            targets = rows.HasTargets ? new float[batch * rows.DOut] : [];
        var last = trainings.Max(training => training.Config.Steps);
        var clock = Stopwatch.StartNew();
        for (var step = start; step < last; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            rows.Fill(step, inputs, targets);
            using var scope = torch.NewDisposeScope();
            var x = torch.tensor(inputs, [batch, rows.DIn]);
            var y = rows.HasTargets ? torch.tensor(targets, [batch, rows.DOut]) : x;
            var points = new CurvePoint?[trainings.Count];
            void Advance(int i) => points[i] = trainings[i].StepsDone < trainings[i].Config.Steps ? trainings[i].Step(x, y) : null;
            if (trainings.All(training => IsSmall(training.Config, rows)))
            {
                WorkerTeam.Shared.Run(points.Length, (_, i) => Advance(i));
            }
            else
            {
                for (var i = 0; i < points.Length; i++)
                    Advance(i);
            }
            afterStep?.Invoke(points);
            if (progress is not null && (step % 50 == 0 || step + 1 == last))
            {
                var rate = (step + 1 - start) * batch / Math.Max(clock.Elapsed.TotalSeconds, 1e-9);
                var left = TimeSpan.FromSeconds((last - step - 1) * batch / rate);
                progress.Report(new Step("training", step + 1, last, Note([.. points.OfType<CurvePoint>()], rate, left)));
            }
        }
    }

    /// <summary>Whether libtorch would leave all but one core idle, so that dictionaries had better train side by side; the results are the same.</summary>
    private static bool IsSmall(DictionaryConfig config, RowStream rows) =>
        (long)config.Batch * Math.Max(config.Latents, Math.Max(rows.DIn, rows.DOut)) <= LibtorchGrain;

    private static string Note(IReadOnlyList<CurvePoint> points, double rate, TimeSpan left)
    {
        string Range(Func<CurvePoint, double> value, string format)
        {
            var (least, most) = (points.Min(value).ToString(format, Plain), points.Max(value).ToString(format, Plain));
            return least == most ? least : $"{least} to {most}";
        }
        var several = points.Count == 1 ? "" : $"{points.Count} dictionaries, ";
        return string.Create(
            Plain,
            $"{several}loss {Range(point => point.Loss, "0.####")}, L0 {Range(point => point.L0, "0.##")}, dead {Range(point => point.Dead, "0")}, {rate:0} samples/s, {(long)left.TotalHours}:{left:mm\\:ss} left"
        );
    }
}
