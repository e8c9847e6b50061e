using System.CommandLine;
using System.Diagnostics;
using Polyseme.Reports;
using Polyseme.Reproduction;
using Polyseme.Runs;

namespace Polyseme.Cli;

/// <summary><c>polyseme tour</c>: trains the networks of the tour, reads the real layer, diagnoses each, and shows what it found.</summary>
internal static class TourCommand
{
    public static Command Create(CommandContext context)
    {
        var real = new Option<string?>("--real")
        {
            HelpName = "DIR",
            Description = "Where the real layer lies: ffn0.npz, concepts.safetensors, tokens.json (default: beside the program).",
        };
        var common = new CommonOptions();
        var command = new DocumentedCommand(
            "tour",
            "Trains networks whose cause is known, reads 1,536 neurons of a real transformer, diagnoses each, and writes runs/tour/report.html. Takes a few minutes.",
            "polyseme tour",
            "polyseme tour --seed 1 --out runs/tour-1"
        )
        {
            real,
        };
        common.AddTo(command);
        command.SetAction(parsed =>
            Run(
                context,
                new TourConfig
                {
                    Seed = parsed.GetValue(common.Seed) ?? 0,
                    RealLayer = parsed.GetValue(real) ?? Path.Combine(AppContext.BaseDirectory, "data", "real"),
                },
                parsed.GetValue(common.Out) ?? Path.Combine("runs", "tour"),
                common.ThreadsOf(parsed),
                parsed.GetValue(common.Quiet)
            )
        );
        return command;
    }

    private static int Run(CommandContext context, TourConfig config, string path, int threads, bool quiet)
    {
        var (terminal, cancellation) = context;
        var folder = RunFolder.Open(path);
        try
        {
            var stages = Tour.Stages(config);
            var entries = ProgressDisplay.Run(
                terminal,
                quiet,
                progress =>
                {
                    var made = new List<(string Name, ReportEntry Entry)>();
                    foreach (var stage in stages)
                    {
                        cancellation.ThrowIfCancellationRequested();
                        var prefix = $"{made.Count + 1}/{stages.Count} {stage.Title}";
                        progress.Report(new Step(prefix, 0, 0));
                        var clock = Stopwatch.StartNew();
                        var entry = stage.Run(new Prefixed(progress, prefix), cancellation);
                        entry = entry with { Result = entry.Result with { Seconds = Math.Round(clock.Elapsed.TotalSeconds, 1) } };
                        made.Add((stage.Name, entry));
                    }
                    return made;
                }
            );
            foreach (var (name, entry) in entries)
                folder.WriteJson($"{name}.json", entry.Result);
            var report = HtmlReport.Write([.. entries.Select(made => made.Entry)], "Polyseme tour", "polyseme tour");
            folder.WriteText("report.html", report);
            folder.WriteManifest(Manifest(config, threads, entries));
            Show(terminal, [.. entries.Select(made => made.Entry)]);
            terminal.Out.WriteLine(Terminal.Escape($"wrote {folder.File("report.html")}"));
            return entries.TrueForAll(made => made.Entry.Acceptances.All(acceptance => acceptance.Passed))
                ? ExitCode.Done
                : ExitCode.Failed;
        }
        finally
        {
            folder.RemoveIfEmpty();
        }
    }

    private static void Show(Terminal terminal, IReadOnlyList<ReportEntry> entries)
    {
        var table = new TextTable("network", "true cause", "verdict", "prediction set", "strongest evidence", ">seconds");
        foreach (var entry in entries)
        {
            var layer = entry.Result.Layer;
            table.Add(
                entry.Title,
                entry.TrueCause is { } cause ? Causes.Id(cause) : "unknown",
                entry.Right switch
                {
                    true => $"{Verdict(layer.Verdict, layer.Subtype)} ✓",
                    false => $"{Verdict(layer.Verdict, layer.Subtype)} ✗",
                    null => Verdict(layer.Verdict, layer.Subtype),
                } + $"\n{VerdictText.Counts(layer)}",
                VerdictText.Set(layer.Set),
                string.Join('\n', Tour.StrongestEvidence(entry.Result, 3).Select(VerdictText.Evidence)),
                entry.Result.Seconds.ToString("0.0")
            );
        }
        table.Write(terminal);

        var known = entries.Where(entry => entry.Right is not null).ToList();
        terminal.Out.WriteLine(
            $"{known.Count(entry => entry.Right == true)} of {known.Count} verdicts on known networks are among those accepted beforehand (✓)"
        );
        foreach (var entry in entries)
        {
            foreach (var acceptance in entry.Acceptances.Where(acceptance => !acceptance.Passed))
                terminal.Error.WriteLine(
                    Terminal.Escape(
                        $"polyseme: {entry.Title}: {acceptance.Claim} is {VerdictText.Number(acceptance.Value)}, expected {VerdictText.Number(acceptance.Low)} to {VerdictText.Number(acceptance.High)} ({acceptance.Source})"
                    )
                );
        }
    }

    private static string Verdict(string verdict, string? subtype) => subtype is null ? verdict : $"{verdict} ({subtype})";

    private static RunManifest Manifest(TourConfig config, int threads, List<(string Name, ReportEntry Entry)> entries) =>
        new()
        {
            Command = "tour",
            Name = "tour",
            Seed = config.Seed,
            Threads = threads,
            Config = Json.ToObject(config),
            Inputs =
            [
                .. entries
                    .Where(made => made.Entry.Result.Input.Sha256 is not null)
                    .Select(made => new RunInput(made.Name, made.Entry.Result.Input.Path, made.Entry.Result.Input.Sha256!)),
            ],
        };
}
