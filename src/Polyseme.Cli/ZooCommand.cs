using System.CommandLine;
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
            "Trains or constructs a network of the zoo, checks the numbers it must reproduce, and writes its activations, features, weights and truth to a run folder. "
                + "Interrupted, it keeps what it has trained for 'polyseme resume'.",
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
            return ZooTraining.Run(
                context,
                member,
                Configured(member, settings),
                parsed.GetValue(common.Out),
                common.ThreadsOf(parsed),
                parsed.GetValue(common.Quiet)
            );
        });
        return command;
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

    /// <summary>A configuration that a member refuses, as an error of the command line.</summary>
    internal static UsageException Wrong(ArgumentException e, ZooMember member) =>
        new($"{FirstLine(e)}; see 'polyseme zoo show {member.Name}' or 'polyseme zoo train --help'.");

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
