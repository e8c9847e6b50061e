using System.Diagnostics;
using Polyseme.Runs;
using Spectre.Console;

namespace Polyseme.Cli;

/// <summary>Shows how far the work has come: bars on a terminal, now and then a line elsewhere, nothing when quiet.</summary>
internal static class ProgressDisplay
{
    /// <summary>Runs <paramref name="work"/>, showing the steps that it reports.</summary>
    public static T Run<T>(Terminal terminal, bool quiet, Func<IProgress<Step>, T> work)
    {
        if (quiet)
            return work(new Silence());
        if (!terminal.ErrorIsTerminal)
            return work(new Lines(terminal.Error));
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(terminal.Error) });
        return console
            .Progress()
            .AutoClear(true)
            .HideCompleted(false)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn(),
                new ElapsedTimeColumn()
            )
            .Start(context => work(new Bars(context)));
    }

    private static string Describe(Step step) => Terminal.Escape(step.Note is null ? step.Stage : $"{step.Stage} · {step.Note}");

    private sealed class Silence : IProgress<Step>
    {
        public void Report(Step value) { }
    }

    private sealed class Lines(TextWriter writer) : IProgress<Step>
    {
        private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);
        private readonly Lock _lock = new();
        private readonly Stopwatch _sinceLine = Stopwatch.StartNew();
        private string? _stage;

        public void Report(Step value)
        {
            lock (_lock)
            {
                if (value.Stage == _stage && _sinceLine.Elapsed < s_interval)
                    return;
                var share = value.Total > 0 && value.Done > 0 ? $" {100.0 * value.Done / value.Total:0} %" : "";
                writer.WriteLine($"{Terminal.Escape(value.Stage)}{share}{(value.Note is null ? "" : " · " + Terminal.Escape(value.Note))}");
                _stage = value.Stage;
                _sinceLine.Restart();
            }
        }
    }

    private sealed class Bars(ProgressContext context) : IProgress<Step>
    {
        private readonly Lock _lock = new();
        private ProgressTask? _task;
        private string? _stage;

        public void Report(Step value)
        {
            lock (_lock)
            {
                if (value.Stage != _stage || _task is null)
                {
                    if (_task is not null)
                    {
                        _task.IsIndeterminate = false;
                        _task.Value = _task.MaxValue;
                        _task.StopTask();
                    }
                    _task = context.AddTask(Markup.Escape(Describe(value)), maxValue: Math.Max(value.Total, 1));
                    _stage = value.Stage;
                }
                _task.Description = Markup.Escape(Describe(value));
                _task.IsIndeterminate = value.Total == 0;
                if (value.Total > 0)
                {
                    _task.MaxValue = value.Total;
                    _task.Value = value.Done;
                }
            }
        }
    }
}
