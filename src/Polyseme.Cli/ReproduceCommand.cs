using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Polyseme.Activations;
using Polyseme.Reproduction;
using Polyseme.Runs;

namespace Polyseme.Cli;

/// <summary><c>polyseme zoo reproduce</c>: published experiments done again, claim by claim.</summary>
internal static class ReproduceCommand
{
    /// <summary>The command's name in a run's manifest.</summary>
    public const string ManifestCommand = "zoo reproduce";

    public static Command Create(CommandContext context)
    {
        var names = new Argument<string[]>("names")
        {
            HelpName = "NAME",
            Arity = ArgumentArity.ZeroOrMore,
            Description = "Experiments; all of them when none is named.",
        };
        names.CompletionSources.Add(_ =>
            Reproductions.All.Select(experiment => new System.CommandLine.Completions.CompletionItem(experiment.Name))
        );
        names.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(token => Reproductions.All.All(experiment => experiment.Name != token.Value)))
                result.AddError(
                    $"nothing to reproduce is called '{token.Value}'; there are {string.Join(", ", Reproductions.All.Select(experiment => experiment.Name))}."
                );
        });
        var quick = new Option<bool>("--quick") { Description = "The smallest configurations that still say something: minutes for all." };
        var full = new Option<bool>("--full") { Description = "The papers' sizes: hours for all." };
        var common = new CommonOptions();
        var command = new DocumentedCommand(
            "reproduce",
            "Runs published experiments again and prints a table: claim, source, reference, ours, accepted range, result. Writes the records and figures "
                + "(SVG, PNG) into the folder of the run, and the table beside it: docs/reproduction.md when everything is reproduced at its default size.",
            "polyseme zoo reproduce --quick",
            "polyseme zoo reproduce tms-memorised --out runs/memorised"
        )
        {
            names,
            quick,
            full,
        };
        foreach (var option in new Option[] { common.Seed, common.Threads, common.Out, common.Quiet })
            command.Add(option);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(quick) && parsed.GetValue(full))
                throw new UsageException("--quick and --full exclude each other.");
            var size =
                parsed.GetValue(quick) ? ReproductionSize.Quick
                : parsed.GetValue(full) ? ReproductionSize.Full
                : ReproductionSize.Default;
            var chosen = parsed.GetValue(names) ?? [];
            var plan = new Plan(
                [.. (chosen.Length == 0 ? Reproductions.All.Select(experiment => experiment.Name) : chosen.Distinct())],
                new ReproductionConfig(size, parsed.GetValue(common.Seed) ?? 0)
            );
            var everything = chosen.Length == 0 && size != ReproductionSize.Quick;
            var manifest = plan.Manifest(common.ThreadsOf(parsed));
            var path = parsed.GetValue(common.Out) ?? (everything ? Path.Combine("docs", "reproduction") : RunFolder.DefaultPath(manifest));
            return Run(context, plan, manifest, path, again: true, parsed.GetValue(common.Quiet));
        });
        return command;
    }

    /// <summary>Goes on with a run that was stopped: experiments that this version has finished are not run again.</summary>
    public static int Resume(CommandContext context, RunManifest manifest, string path, bool quiet)
    {
        Plan plan;
        try
        {
            plan = Json.Read<Plan>(manifest.Config.ToJsonString());
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InputException(
                Path.Combine(path, RunFolder.ManifestName),
                "holds no plan of experiments",
                e.Message.ReplaceLineEndings(" "),
                inner: e
            );
        }
        foreach (var name in plan.Names.Where(name => Reproductions.All.All(experiment => experiment.Name != name)))
            throw new UsageException($"{path} is a run of '{name}', which this version does not know.");
        return Run(context, plan, plan.Manifest(manifest.Threads), path, again: false, quiet);
    }

    private static int Run(CommandContext context, Plan plan, RunManifest manifest, string path, bool again, bool quiet)
    {
        var (terminal, cancellation) = context;
        var folder = RunFolder.Open(path);
        // First, so that a run that is killed can be resumed.
        folder.WriteManifest(manifest);
        var files = new ReproductionFiles(folder);
        var records = new List<ReproductionRecord>();
        var ran = 0;
        try
        {
            ProgressDisplay.Run(
                terminal,
                quiet,
                progress =>
                {
                    foreach (var name in plan.Names)
                    {
                        cancellation.ThrowIfCancellationRequested();
                        var record = again ? null : files.Read(name, plan.Config);
                        records.Add(
                            record ?? RunOne(Reproductions.Find(name), plan, manifest.Threads, files, progress, records.Count, cancellation)
                        );
                        ran += record is null ? 1 : 0;
                    }
                    return records;
                }
            );
        }
        catch (OperationCanceledException e) when (cancellation.IsCancellationRequested)
        {
            throw new ResumableException($"{records.Count} of {plan.Names.Count} experiments are kept", path, e);
        }
        files.WriteTable(records);
        Show(terminal, records);
        terminal.Out.WriteLine(Terminal.Escape($"wrote {files.TablePath}"));
        if (ran == 0)
        {
            terminal.Out.WriteLine(Terminal.Escape($"{path} is finished: there was nothing to go on with"));
            return ExitCode.Done;
        }
        return records.TrueForAll(record => record.Count(ClaimStatus.Failed) == 0) ? ExitCode.Done : ExitCode.Failed;
    }

    private static ReproductionRecord RunOne(
        Experiment experiment,
        Plan plan,
        int threads,
        ReproductionFiles files,
        IProgress<Step> progress,
        int done,
        CancellationToken cancellation
    )
    {
        var prefix = $"{done + 1}/{plan.Names.Count} {experiment.Name}";
        progress.Report(new Step(prefix, 0, 0));
        var clock = Stopwatch.StartNew();
        ExperimentResult result;
        try
        {
            result = experiment.Run(plan.Config, new Prefixed(progress, prefix), cancellation);
        }
        catch (DivergenceException e)
        {
            result = new ExperimentResult(
                "stopped",
                [ClaimRow.Check("training does not diverge", experiment.Source, false, e.Message)],
                []
            );
        }
        return files.Write(experiment, plan.Config, result, threads, Math.Round(clock.Elapsed.TotalSeconds, 1));
    }

    private static void Show(Terminal terminal, IReadOnlyList<ReproductionRecord> records)
    {
        var table = new TextTable("experiment", "claim", "source", "reference", ">ours", "accepted", "", "size", ">seconds");
        foreach (var record in records)
        {
            foreach (var row in record.Rows)
            {
                table.Add(
                    record.Name,
                    row.Claim,
                    row.Source,
                    row.Reference ?? "",
                    ReproductionTable.Ours(row),
                    ReproductionTable.Tolerance(row),
                    ReproductionTable.Status(row.Status) + (row.Status is ClaimStatus.Pending ? $" ({row.Note})" : ""),
                    ReproductionTable.SizeName(record.Size),
                    ReferenceEquals(row, record.Rows[0]) ? record.Seconds.ToString("0.0") : ""
                );
            }
        }
        table.Write(terminal);
        terminal.Out.WriteLine(ReproductionTable.Summary(records));
        foreach (var record in records)
        {
            foreach (var row in record.Rows.Where(row => row.Status == ClaimStatus.Failed))
                terminal.Error.WriteLine(
                    Terminal.Escape(
                        $"polyseme: {record.Name}: {row.Claim}: {ReproductionTable.Ours(row)}, accepted {ReproductionTable.Tolerance(row)} ({row.Source})"
                    )
                );
        }
    }

    /// <summary>What is to be run.</summary>
    /// <param name="Names">The experiments, in order.</param>
    /// <param name="Config">How.</param>
    internal sealed record Plan(IReadOnlyList<string> Names, ReproductionConfig Config)
    {
        public RunManifest Manifest(int threads) =>
            new()
            {
                Command = ManifestCommand,
                Name = "reproduce",
                Seed = Config.Seed,
                Threads = threads,
                Config = Json.ToObject(this),
            };
    }
}
