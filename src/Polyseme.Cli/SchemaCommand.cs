using System.CommandLine;
using Polyseme.Runs;

namespace Polyseme.Cli;

/// <summary><c>polyseme schema</c>: the JSON Schema of what <c>diagnose --json</c> writes.</summary>
internal static class SchemaCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "schema",
            "Prints the JSON Schema of what 'polyseme diagnose --json' writes.",
            "polyseme schema > polyseme.diagnosis-1.json"
        );
        command.SetAction(_ =>
        {
            context.Terminal.Out.Write(DiagnosisSchema.Text);
            return ExitCode.Done;
        });
        return command;
    }
}
