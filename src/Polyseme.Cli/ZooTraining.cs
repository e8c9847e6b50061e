using System.Text.Json;
using Polyseme.Activations;
using Polyseme.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Cli;

/// <summary>Runs of <c>polyseme zoo train</c>, from their beginning or from where they stopped.</summary>
internal static class ZooTraining
{
    /// <summary>The command's name in a run's manifest.</summary>
    public const string ManifestCommand = "zoo train";

    /// <summary>Trains from the beginning.</summary>
    /// <param name="context">Where it writes, and what stops it.</param>
    /// <param name="member">What is trained.</param>
    /// <param name="config">How.</param>
    /// <param name="path">The folder; <c>null</c> = the one that the configuration names.</param>
    /// <param name="threads">Threads used.</param>
    /// <param name="quiet">No progress.</param>
    public static int Run(CommandContext context, ZooMember member, ZooConfig config, string? path, int threads, bool quiet)
    {
        var manifest = Manifest(member, config, threads);
        return Run(context, member, config, manifest, path ?? RunFolder.DefaultPath(manifest), [], quiet);
    }

    /// <summary>Goes on with a run that was stopped. A finished one is left as it is.</summary>
    public static int Resume(CommandContext context, RunManifest manifest, string path, bool quiet)
    {
        var (member, config) = Configured(manifest, path);
        var checkpoint = Path.Combine(path, ZooRunFiles.Checkpoint);
        var stopped = File.Exists(checkpoint);
        if (!stopped && File.Exists(Path.Combine(path, ZooRunFiles.Result)))
        {
            context.Terminal.Out.WriteLine(Terminal.Escape($"{path} is finished: there is nothing to go on with"));
            return ExitCode.Done;
        }
        // This version's: a checkpoint of another one is refused.
        var now = Manifest(member, config, manifest.Threads);
        return Run(context, member, config, now, path, stopped ? PopulationStateFile.Read(checkpoint, now) : [], quiet);
    }

    /// <summary>Prints what was made: its truth, its numbers, and the seeds that diverged.</summary>
    internal static void Report(Terminal terminal, ZooRun run, string path)
    {
        terminal.Out.WriteLine($"{run.Member}: {Causes.DisplayName(run.Truth.Cause)}. {run.Truth.Reason}");
        terminal.Out.WriteLine();
        var table = new TextTable("must reproduce", ">measured", ">from", ">to", "", "source");
        foreach (var acceptance in run.Acceptances)
            table.Add(
                acceptance.Claim,
                VerdictText.Number(acceptance.Value),
                VerdictText.Number(acceptance.Low),
                VerdictText.Number(acceptance.High),
                acceptance.Passed ? "✓" : "✗",
                acceptance.Source
            );
        table.Write(terminal);
        if (run.Diverged.Count > 0)
            terminal.Out.WriteLine(
                $"{run.Diverged.Count} of {run.Diverged.Count + run.SeedLosses.Count} models did not count: {string.Join(", ", run.Diverged)}"
            );
        terminal.Out.WriteLine(Terminal.Escape($"hook: {run.Hook}"));
        terminal.Out.WriteLine(Terminal.Escape($"wrote {path}"));
        var failed = run.Acceptances.Where(acceptance => !acceptance.Passed).ToList();
        if (failed.Count > 0)
            terminal.Error.WriteLine(
                Terminal.Escape(
                    $"polyseme: {failed.Count} of {run.Acceptances.Count} numbers not reproduced: {string.Join("; ", failed.Select(a => a.Claim))}"
                )
            );
    }

    private static RunManifest Manifest(ZooMember member, ZooConfig config, int threads) =>
        new()
        {
            Command = ManifestCommand,
            Name = member.Name,
            Seed = config.Seed,
            Threads = threads,
            Config = Json.ToObject(config),
        };

    private static (ZooMember Member, ZooConfig Config) Configured(RunManifest manifest, string path)
    {
        var file = Path.Combine(path, RunFolder.ManifestName);
        var member =
            ZooCatalogue.Members.FirstOrDefault(member => member.Name == manifest.Name)
            ?? throw new InputException(file, "is a run of a network that this version does not know", InputException.Quote(manifest.Name));
        try
        {
            return (member, ZooRunFiles.ReadConfig(member, manifest.Config.ToJsonString()));
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InputException(
                file,
                $"holds no configuration of {member.Name}",
                e.Message.ReplaceLineEndings(" "),
                hint: $"see 'polyseme zoo show {member.Name}'",
                inner: e
            );
        }
    }

    private static int Run(
        CommandContext context,
        ZooMember member,
        ZooConfig config,
        RunManifest manifest,
        string path,
        IReadOnlyList<PopulationState> from,
        bool quiet
    )
    {
        var (terminal, cancellation) = context;
        var folder = RunFolder.Open(path);
        var kept = new KeptTraining(folder, manifest, from);
        try
        {
            var run = ProgressDisplay.Run(terminal, quiet, progress => member.Run(config, kept.Checkpoint, progress, cancellation));
            cancellation.ThrowIfCancellationRequested();
            kept.Begin();
            ZooRunFiles.Write(folder, run);
            kept.Remove();
            Report(terminal, run, folder.Path);
            return run.Acceptances.All(acceptance => acceptance.Passed) ? ExitCode.Done : ExitCode.Failed;
        }
        catch (OperationCanceledException e) when (cancellation.IsCancellationRequested)
        {
            throw kept.Save() ? new ResumableException("what is trained is kept", path, e) : e;
        }
        catch (DivergenceException)
        {
            kept.Remove();
            throw;
        }
        // Settings that do not fit each other; any other wrong argument is a fault of ours.
        catch (ArgumentException e) when (e.ParamName == "config")
        {
            throw ZooCommand.Wrong(e, member);
        }
        finally
        {
            folder.RemoveIfEmpty();
        }
    }
}
