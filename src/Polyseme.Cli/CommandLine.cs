using System.CommandLine;
using System.CommandLine.Invocation;
using Polyseme.Activations;
using Polyseme.Dictionaries.Formats;

namespace Polyseme.Cli;

/// <summary>What every command is handed.</summary>
/// <param name="Terminal">Where it writes.</param>
/// <param name="Cancellation">Cancelled by Ctrl-C and SIGTERM.</param>
internal sealed record CommandContext(Terminal Terminal, CancellationToken Cancellation);

/// <summary>From arguments to an exit code. Every error is one line on stderr.</summary>
internal static class CommandLine
{
    /// <summary>Set to 1, the environment variable adds the stack trace to an unexpected error.</summary>
    public const string TraceVariable = "POLYSEME_TRACE";

    /// <summary>Runs one command.</summary>
    public static int Run(string[] args, Terminal terminal, CancellationToken cancellation)
    {
        try
        {
            var root = Root(new CommandContext(terminal, cancellation));
            // No response files: a file name may begin with @.
            var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Action is ParseErrorAction)
            {
                var message = string.Join(' ', parsed.Errors[0].Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
                throw new UsageException($"{message} Try '{Path(parsed.CommandResult.Command)} --help'.");
            }
            return parsed.Invoke(
                new InvocationConfiguration
                {
                    Output = terminal.Out,
                    Error = terminal.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                }
            );
        }
        catch (OperationCanceledException e) when (cancellation.IsCancellationRequested)
        {
            return Report(e is ResumableException ? e.Message : "interrupted", ExitCode.Interrupted);
        }
        catch (UsageException e)
        {
            return Report(e.Message, ExitCode.Usage);
        }
        catch (InputException e)
        {
            return Report(e.Message, ExitCode.Input);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DivergenceException or ConversionException)
        {
            return Report(e.Message, ExitCode.Failed);
        }
        catch (Exception e)
        {
            var code = Report(
                $"failed unexpectedly: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")} ({TraceVariable}=1 shows where)",
                ExitCode.Failed
            );
            if (Environment.GetEnvironmentVariable(TraceVariable) == "1")
                terminal.Error.WriteLine(e);
            return code;
        }

        int Report(string message, int code)
        {
            terminal.Error.WriteLine(Terminal.Escape($"polyseme: {message}"));
            return code;
        }
    }

    internal static RootCommand Root(CommandContext context)
    {
        var root = new RootCommand(
            "Why does a neuron fire on unrelated concepts? Polyseme names the cause — monosemantic, rotated, superposition, nonlinear or "
                + "compositional — with the evidence, and says 'undetermined' where the data cannot decide."
        )
        {
            TourCommand.Create(context),
            BenchmarkCommand.Create(context),
            DiagnoseCommand.Create(context),
            ZooCommand.Create(context),
            DictionaryCommand.Create(context),
            ResumeCommand.Create(context),
            SchemaCommand.Create(context),
            CompletionCommand.Create(context),
        };
        root.HelpName = "polyseme";
        root.SetAction(int (_) => throw new UsageException("no command given. Try 'polyseme tour' or 'polyseme --help'."));
        Help.Install(root);
        return root;
    }

    private static string Path(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{Path(parent)} {command.Name}" : "polyseme";
}
