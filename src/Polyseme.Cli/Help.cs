using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Polyseme.Runs;

namespace Polyseme.Cli;

/// <summary>A command whose help ends with examples and the exit codes.</summary>
/// <param name="name">Its name on the command line.</param>
/// <param name="description">What it does.</param>
/// <param name="examples">Whole command lines, with a remark after <c>#</c> where one helps.</param>
internal sealed class DocumentedCommand(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>Whole command lines.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;
}

/// <summary>The <c>--help</c> and <c>--version</c> options.</summary>
internal static class Help
{
    private const string ExitCodes =
        "0 done ('undetermined' is an answer too)   1 failed   2 usage   3 unreadable or invalid input   130 interrupted";

    /// <summary>Extends help by examples and exit codes, and takes the version from the library's own assembly.</summary>
    public static void Install(RootCommand root)
    {
        foreach (var option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction action } help)
            {
                help.Action = new WithExamples(action);
                // Here a leading slash begins a path.
                help.Aliases.Remove("/?");
                help.Aliases.Remove("/h");
            }
            if (option is VersionOption version)
                version.Action = new ShowVersion();
        }
    }

    private sealed class WithExamples(HelpAction inner) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            inner.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            var command = parseResult.CommandResult.Command;
            if (command is DocumentedCommand { Examples.Count: > 0 } documented)
            {
                output.WriteLine("Examples:");
                foreach (var example in documented.Examples)
                    output.WriteLine($"  {example}");
                output.WriteLine();
            }
            output.WriteLine("Exit codes:");
            output.WriteLine($"  {ExitCodes}");
            return ExitCode.Done;
        }
    }

    private sealed class ShowVersion : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(CodeVersion.Full);
            return ExitCode.Done;
        }
    }
}
