using System.CommandLine;
using System.Globalization;
using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Formats;

namespace Polyseme.Cli;

/// <summary><c>polyseme dictionary convert</c>: from one tool's files to another's, with a proof.</summary>
internal static class DictionaryConvertCommand
{
    public static Command Create(CommandContext context)
    {
        var input = new Argument<string>("in") { HelpName = "IN", Description = "The dictionary: a directory, a .pt file or a .npz file." };
        var output = new Argument<string>("out") { HelpName = "OUT", Description = "The directory to write." };
        var to = FormatOption("--to", "The format to write", required: true);
        var from = FormatOption("--from", "The format to read (default: by the files there are)", required: false);
        var seed = new CommonOptions().Seed;
        var command = new DocumentedCommand(
            "convert",
            "Converts a dictionary to another tool's format, reads it back, and compares what the two make of random rows. Formats: "
                + string.Join("; ", DictionaryFormats.All.Select(format => $"{format.Name} ({Direction(format)})"))
                + ".",
            "polyseme dictionary convert trainer_0 out/sae --to saelens",
            "polyseme dictionary convert sae.pt out/sae --from openai --to polyseme"
        )
        {
            input,
            output,
            to,
            from,
            seed,
        };
        command.SetAction(parsed =>
        {
            var source = parsed.GetRequiredValue(input);
            var target = parsed.GetRequiredValue(output);
            if (Path.TrimEndingDirectorySeparator(Path.GetFullPath(source)) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(target)))
                throw new UsageException($"{target} is both read and written");
            var result = DictionaryConversion.Run(
                source,
                target,
                Find(parsed.GetValue(to)!),
                parsed.GetValue(from) is { } name ? Find(name) : null,
                parsed.GetValue(seed) ?? 0
            );
            Print(context.Terminal, source, target, result);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Print(Terminal terminal, string source, string target, ConversionResult result)
    {
        var dictionary = result.Dictionary;
        var table = new TextTable("what", "value");
        table.Add("read", $"{source} ({result.From.Name})");
        table.Add("written", $"{target} ({result.To.Name})");
        table.Add("activation", Name(dictionary.Activation, dictionary.DIn));
        table.Add("shape", $"{dictionary.DIn} -> {dictionary.NLatents} -> {dictionary.DOut}");
        if (result.Proof is { } proof)
        {
            table.Add("rows compared", $"{proof.Rows}, {proof.ActiveShare:p1} of latents active");
            table.Add("largest difference, encode", $"{proof.LatentDifference:g3} of {proof.LatentScale:g3}");
            table.Add("largest difference, decode", $"{proof.RowDifference:g3} of {proof.RowScale:g3}");
        }
        else
            table.Add("rows compared", "none: this format is written only");
        table.Write(terminal);
    }

    private static string Name(LatentActivation activation, int dIn) =>
        activation switch
        {
            LatentActivation.Relu => "relu",
            LatentActivation.TopK { RescaleByDecoderNorm: true } top => $"topk, k = {top.K}, rescaled by decoder norm",
            LatentActivation.TopK top => $"topk, k = {top.K}",
            LatentActivation.BatchTopK batch => $"batchtopk, k = {batch.K}",
            LatentActivation.JumpRelu => "jumprelu",
            LatentActivation.Gated => "gated",
            LatentActivation.ProLu => "prolu",
            LatentActivation.GroupMax group => $"groupmax, k = {group.K}",
            LatentActivation.MatchingPursuit pursuit => string.Create(
                CultureInfo.InvariantCulture,
                $"matching pursuit, at most {pursuit.MaxIterations ?? dIn} steps, until a residual of {pursuit.ResidualThreshold:g3}"
                    + $"{(pursuit.StopOnDuplicateSupport ? " or a latent that is on already" : "")}"
            ),
            _ => throw new InvalidOperationException($"unknown activation {activation}"),
        };

    private static string Direction(DictionaryFormat format) =>
        !format.IsRead && format.WhyNotWritten is not null ? "by an evaluation"
        : !format.IsRead ? "written"
        : format.WhyNotWritten is not null ? "read"
        : "read and written";

    private static DictionaryFormat Find(string name) =>
        DictionaryFormats.Find(name)
        ?? throw new UsageException(
            $"there is no format '{name}'; there are {string.Join(", ", DictionaryFormats.All.Select(format => format.Name))}"
        );

    private static Option<string> FormatOption(string name, string description, bool required)
    {
        var names = DictionaryFormats.All.Select(format => format.Name).ToArray();
        var option = new Option<string>(name)
        {
            Description = $"{description}: {string.Join(", ", names)}.",
            HelpName = "FORMAT",
            Required = required,
        };
        option.CompletionSources.Add(names);
        return option;
    }
}
