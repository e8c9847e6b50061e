using System.CommandLine;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Cli;

/// <summary><c>polyseme zoo</c>: networks whose cause is known.</summary>
internal static class ZooCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "zoo",
            "Networks whose cause is known: lists them, shows one, trains one and writes what 'diagnose' reads, or reproduces the published numbers.",
            "polyseme zoo list",
            "polyseme zoo train tms --set features=40 --set hidden=4 --out runs/toy"
        )
        {
            List(context),
            Show(context),
            Train(context),
            ReproduceCommand.Create(context),
        };
        command.SetAction(int (_) => throw new UsageException("zoo what? Try 'polyseme zoo list' or 'polyseme zoo --help'."));
        return command;
    }

    private static DocumentedCommand List(CommandContext context)
    {
        var command = new DocumentedCommand("list", "Lists the networks of the zoo.", "polyseme zoo list");
        command.SetAction(_ =>
        {
            var table = new TextTable("name", "shows");
            foreach (var member in ZooCatalogue.Members)
                table.Add(member.Name, member.Summary);
            table.Write(context.Terminal);
            return ExitCode.Done;
        });
        return command;
    }

    private static DocumentedCommand Show(CommandContext context)
    {
        var name = Name();
        var command = new DocumentedCommand(
            "show",
            "Shows a network of the zoo: what it is, where it comes from, and every setting with its default.",
            "polyseme zoo show tms"
        )
        {
            name,
        };
        command.SetAction(parsed =>
        {
            var member = ZooCatalogue.Find(parsed.GetRequiredValue(name));
            var output = context.Terminal.Out;
            output.WriteLine(member.Name);
            output.WriteLine(member.Summary);
            output.WriteLine($"Source: {member.Source}");
            output.WriteLine();
            var table = new TextTable("setting", "default");
            foreach (var (key, value) in ZooConfigs.Values(member.DefaultConfig))
                table.Add(key, value);
            table.Write(context.Terminal);
            return ExitCode.Done;
        });
        return command;
    }

    private static DocumentedCommand Train(CommandContext context)
    {
        var name = Name();
        var set = new Option<string[]>("--set")
        {
            HelpName = "KEY=VALUE",
            Description = "Change a setting; may be given many times. 'polyseme zoo show NAME' lists them.",
            DefaultValueFactory = _ => [],
        };
        CommonOptions.Require(set, text => text.IndexOf('=', StringComparison.Ordinal) > 0, "KEY=VALUE");
        var common = new CommonOptions();
        var command = new DocumentedCommand(
            "train",
            "Trains or constructs a network of the zoo, checks the numbers it must reproduce, and writes its activations, features, weights and truth to a run folder.",
            "polyseme zoo train tms --set features=40 --set hidden=4 --out runs/toy",
            "polyseme diagnose runs/toy/activations.safetensors --concepts runs/toy/concepts.safetensors"
        )
        {
            name,
            set,
        };
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var member = ZooCatalogue.Find(parsed.GetRequiredValue(name));
            var settings = parsed.GetValue(set)!.ToList();
            if (parsed.GetValue(common.Seed) is { } seed)
                settings.Add($"seed={seed}");
            return Run(context, member, settings, parsed.GetValue(common.Out), common.ThreadsOf(parsed), parsed.GetValue(common.Quiet));
        });
        return command;
    }

    private static int Run(CommandContext context, ZooMember member, IReadOnlyList<string> settings, string? path, int threads, bool quiet)
    {
        var (terminal, cancellation) = context;
        var config = Configured(member, settings);
        var manifest = new RunManifest
        {
            Command = "zoo train",
            Name = member.Name,
            Seed = config.Seed,
            Threads = threads,
            Config = Json.ToObject(config),
        };
        var folder = RunFolder.Open(path ?? RunFolder.DefaultPath(manifest));
        try
        {
            var run = Made(terminal, quiet, progress => member.Run(config, progress, cancellation), member);
            cancellation.ThrowIfCancellationRequested();
            ZooRunFiles.Write(folder, run);
            folder.WriteManifest(manifest);
            Report(terminal, run, folder);
            return run.Acceptances.All(acceptance => acceptance.Passed) ? ExitCode.Done : ExitCode.Failed;
        }
        finally
        {
            folder.RemoveIfEmpty();
        }
    }

    private static ZooConfig Configured(ZooMember member, IReadOnlyList<string> settings)
    {
        try
        {
            return ZooConfigs.With(
                member.DefaultConfig,
                settings.Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], pair[1]))
            );
        }
        catch (ArgumentException e)
        {
            throw Wrong(e, member);
        }
    }

    private static ZooRun Made(Terminal terminal, bool quiet, Func<IProgress<Step>, ZooRun> make, ZooMember member)
    {
        try
        {
            return ProgressDisplay.Run(terminal, quiet, make);
        }
        // Settings that do not fit each other; any other wrong argument is a fault of ours.
        catch (ArgumentException e) when (e.ParamName == "config")
        {
            throw Wrong(e, member);
        }
    }

    private static UsageException Wrong(ArgumentException e, ZooMember member) =>
        new($"{FirstLine(e)}; see 'polyseme zoo show {member.Name}' or 'polyseme zoo train --help'.");

    private static void Report(Terminal terminal, ZooRun run, RunFolder folder)
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
        terminal.Out.WriteLine(Terminal.Escape($"hook: {run.Hook}"));
        terminal.Out.WriteLine(Terminal.Escape($"wrote {folder.Path}"));
        var failed = run.Acceptances.Where(acceptance => !acceptance.Passed).ToList();
        if (failed.Count > 0)
            terminal.Error.WriteLine(
                Terminal.Escape(
                    $"polyseme: {failed.Count} of {run.Acceptances.Count} numbers not reproduced: {string.Join("; ", failed.Select(a => a.Claim))}"
                )
            );
    }

    private static Argument<string> Name()
    {
        var name = new Argument<string>("name") { HelpName = "NAME", Description = "The network; 'polyseme zoo list' names them all." };
        name.CompletionSources.Add(_ =>
            ZooCatalogue.Members.Select(member => new System.CommandLine.Completions.CompletionItem(member.Name))
        );
        name.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(token => !ZooCatalogue.Members.Any(member => member.Name == token.Value)))
                result.AddError(
                    $"no network '{token.Value}'; the zoo has {string.Join(", ", ZooCatalogue.Members.Select(member => member.Name))}."
                );
        });
        return name;
    }

    // The runtime adds "(Parameter 'x')" on the same line, which says nothing to whoever typed the value.
    private static string FirstLine(ArgumentException e)
    {
        var message = e.Message.ReplaceLineEndings(" ");
        var parameter = message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        return parameter < 0 ? message : message[..parameter];
    }
}
