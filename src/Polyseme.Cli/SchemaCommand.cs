using System.CommandLine;
using Polyseme.Dictionaries.Metrics;
using Polyseme.Runs;

namespace Polyseme.Cli;

/// <summary><c>polyseme schema</c>: the JSON Schemas of what is written with <c>--json</c>.</summary>
internal static class SchemaCommand
{
    public static Command Create(CommandContext context)
    {
        var of = new Argument<string>("of")
        {
            HelpName = "OF",
            Description = "diagnosis: what 'polyseme diagnose --json' writes (the default); evaluation: 'polyseme dictionary eval --json'.",
            DefaultValueFactory = _ => "diagnosis",
        };
        of.AcceptOnlyFromAmong("diagnosis", "evaluation");
        var command = new DocumentedCommand(
            "schema",
            "Prints the JSON Schema of what 'polyseme diagnose --json' or 'polyseme dictionary eval --json' writes.",
            "polyseme schema > polyseme.diagnosis-1.json",
            "polyseme schema evaluation > polyseme.dictionary-evaluation-1.json"
        )
        {
            of,
        };
        command.SetAction(parsed =>
        {
            context.Terminal.Out.Write(parsed.GetValue(of) == "evaluation" ? DictionaryEvaluationSchema.Text : DiagnosisSchema.Text);
            return ExitCode.Done;
        });
        return command;
    }
}
