using System.CommandLine;
using System.Diagnostics;
using Polyseme.Reports;
using Polyseme.Runs;
using Polyseme.Verdicts;

namespace Polyseme.Cli;

/// <summary><c>polyseme diagnose</c>: from a file of activations to a verdict.</summary>
internal static class DiagnoseCommand
{
    private static readonly string[] s_groups = ["item", "document", "sentence", "position", "token_id"];

    /// <summary>What is asked, checked as far as the line alone can be.</summary>
    private sealed record Request(
        DiagnosisFiles Files,
        DiagnosisConfig Config,
        string? Json,
        string? Report,
        string? Out,
        int Threads,
        bool Quiet
    )
    {
        /// <summary>Without a file to write, or with a folder named, the result goes to a run folder.</summary>
        public bool WantsFolder => Out is not null || (Json is null && Report is null);
    }

    public static Command Create(CommandContext context)
    {
        var activations = new Argument<string>("acts")
        {
            HelpName = "ACTS",
            Description = "Activations [n_samples, n_neurons]: .safetensors, .npy, .npz, or a directory of shards.",
        };
        var concepts = new Option<string?>("--concepts")
        {
            HelpName = "FILE",
            Description = "What people labelled, one value a row: .safetensors, .npz, .csv or .parquet, a tensor or column per concept.",
        };
        var tokens = new Option<string?>("--tokens")
        {
            HelpName = "FILE",
            Description = "A JSON array of strings, one token a row, for the report.",
        };
        var groups = new Option<string?>("--groups")
        {
            HelpName = "NAME",
            Description =
                "What is never split between training and testing: item, document, position or token_id (default: item, else document, else exact duplicates).",
        };
        groups.AcceptOnlyFromAmong(s_groups);
        var model = new Option<string?>("--model")
        {
            HelpName = "RUN",
            Description = "The network the activations come from: a folder that 'polyseme zoo train' wrote.",
        };
        var hook = new Option<string?>("--hook") { HelpName = "NAME", Description = "The place in that network; see 'polyseme zoo show'." };
        var json = new Option<string?>("--json")
        {
            HelpName = "FILE",
            Description = "Write the result as JSON (schema polyseme.diagnosis/1); - is stdout.",
        };
        var report = new Option<string?>("--report")
        {
            HelpName = "FILE",
            Description = "Write the report: one HTML file that opens offline.",
        };
        var budget = new Option<double?>("--budget")
        {
            HelpName = "SECONDS",
            Description = "Time to spend: fewer null draws and smaller dictionaries when short, and the verdict says so.",
        };
        var nulls = new Option<string?>("--nulls")
        {
            HelpName = "full",
            Description = "full: run every null of every measure, not only those that decide.",
        };
        nulls.AcceptOnlyFromAmong("full");
        var tensor = new Option<string?>("--tensor")
        {
            HelpName = "NAME",
            Description = "Which tensor of the file, where it holds several 2-D ones.",
        };
        var allowNan = new Option<bool>("--allow-nan")
        {
            Description = "Drop rows that hold NaN or infinity, and say how many, instead of refusing the file.",
        };
        var neurons = new Option<string?>("--neurons")
        {
            HelpName = "A-B",
            Description = "Report neurons A to B only, counted from 0. The layer is always analysed whole.",
        };
        var common = new CommonOptions();
        CommonOptions.Require(budget, text => double.TryParse(text, out var seconds) && seconds > 0, "a number of seconds above 0");
        CommonOptions.Require(neurons, text => ParseRange(text) is not null, "A-B, the first and the last neuron, such as 0-511");

        var command = new DocumentedCommand(
            "diagnose",
            "Says why the neurons of a layer fire on unrelated concepts, from a file of their activations.",
            "polyseme diagnose acts.npy                                    # activations alone; the result goes to runs/",
            "polyseme diagnose acts.safetensors --concepts labels.csv --json out.json --report out.html",
            "polyseme diagnose acts.npz --tensor layer3 --neurons 0-511 --json - | jq .layer.verdict"
        )
        {
            activations,
            concepts,
            tokens,
            groups,
            model,
            hook,
            json,
            report,
            budget,
            nulls,
            tensor,
            allowNan,
            neurons,
        };
        common.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(model) is null != result.GetResult(hook) is null)
                result.AddError("--model and --hook go together.");
            if (new[] { json, report }.All(option => result.GetResult(option)?.Tokens.Any(token => token.Value == "-") == true))
                result.AddError("only one of --json and --report can be stdout.");
        });
        command.SetAction(parsed =>
        {
            var seed = parsed.GetValue(common.Seed) ?? 0;
            var unit = parsed.GetValue(groups);
            return Run(
                context,
                new Request(
                    new DiagnosisFiles
                    {
                        Activations = parsed.GetRequiredValue(activations),
                        Tensor = parsed.GetValue(tensor),
                        Concepts = parsed.GetValue(concepts),
                        Tokens = parsed.GetValue(tokens),
                        AllowNan = parsed.GetValue(allowNan),
                        ModelRun = parsed.GetValue(model),
                        Hook = parsed.GetValue(hook),
                    },
                    new DiagnosisConfig
                    {
                        Seed = seed,
                        Groups = unit,
                        Neurons = ParseRange(parsed.GetValue(neurons)),
                        FullNulls = parsed.GetValue(nulls) == "full",
                        BudgetSeconds = parsed.GetValue(budget),
                    },
                    parsed.GetValue(json),
                    parsed.GetValue(report),
                    parsed.GetValue(common.Out),
                    common.ThreadsOf(parsed),
                    parsed.GetValue(common.Quiet)
                )
            );
        });
        return command;
    }

    private static int Run(CommandContext context, Request request)
    {
        var (terminal, cancellation) = context;
        CheckOutputs(request);
        var clock = Stopwatch.StartNew();
        var (input, result) = ProgressDisplay.Run(
            terminal,
            request.Quiet,
            progress =>
            {
                var read = request.Files.Read(request.Config, progress, cancellation);
                if (request.Config.Neurons is { } range && range.Last >= read.Activations.NNeurons)
                    throw new UsageException(
                        $"--neurons {range.First}-{range.Last} reaches beyond the last neuron, {read.Activations.NNeurons - 1}; see 'polyseme diagnose --help'."
                    );
                return (read, Diagnosis.Run(read, request.Config, progress, cancellation));
            }
        );
        cancellation.ThrowIfCancellationRequested();
        result = result with { Seconds = Math.Round(clock.Elapsed.TotalSeconds, 3) };

        // Everything is made before anything is written: an error here leaves no half of the results.
        var json = Json.Write(result);
        var title = Path.GetFileName(Path.TrimEndingDirectorySeparator(request.Files.Activations));
        var html = request.Report is null && !request.WantsFolder ? null : HtmlReport.Write([ReportEntry.Of(title, input, result)], title);
        var folder = request.WantsFolder ? WriteFolder(request, input, json, html!) : null;
        if (request.Report is { } report && report != "-")
            AtomicFile.WriteText(report, html!);
        if (request.Json is { } file && file != "-")
            AtomicFile.WriteText(file, json);

        if (request.Json == "-")
            terminal.Out.Write(json);
        else if (request.Report == "-")
            terminal.Out.Write(html);
        else
        {
            VerdictText.Write(terminal, title, result);
            foreach (var written in new[] { request.Json, request.Report, folder })
            {
                if (written is not null)
                    terminal.Out.WriteLine(Terminal.Escape($"wrote {written}"));
            }
        }
        return ExitCode.Done;
    }

    private static void CheckOutputs(Request request)
    {
        foreach (var file in new[] { request.Json, request.Report })
        {
            if (file is not null && file != "-")
                AtomicFile.EnsureWritable(file);
        }
        if (request.Out is { } named)
            RunFolder.Open(named).RemoveIfEmpty();
        else if (request.WantsFolder)
            RunFolder.EnsureDefaultWritable();
    }

    private static string WriteFolder(Request request, DiagnosisInput input, string json, string html)
    {
        var manifest = new RunManifest
        {
            Command = "diagnose",
            Name = request.Files.RunName,
            Seed = request.Config.Seed,
            Threads = request.Threads,
            Config = Json.ToObject(request.Config),
            Inputs = request.Files.Inputs(input),
        };
        var folder = RunFolder.Open(request.Out ?? RunFolder.DefaultPath(manifest));
        folder.WriteText("diagnosis.json", json);
        folder.WriteText("report.html", html);
        folder.WriteManifest(manifest);
        return folder.Path;
    }

    private static (int First, int Last)? ParseRange(string? text) =>
        text?.Split('-') is [var a, var b] && Number(a) is { } first && Number(b) is { } last && first <= last ? (first, last) : null;

    private static int? Number(string text) => text.All(char.IsAsciiDigit) && int.TryParse(text, out var number) ? number : null;
}
