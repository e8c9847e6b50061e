using System.CommandLine;
using Polyseme.Activations;
using Polyseme.Dictionaries;
using Polyseme.Dictionaries.Formats;
using Polyseme.Dictionaries.Metrics;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Cli;

/// <summary><c>polyseme dictionary eval</c>: what a dictionary is worth, in every measure.</summary>
internal static class DictionaryEvalCommand
{
    private sealed record Request(
        string Dictionary,
        string Activations,
        string? Tensor,
        string? Truth,
        string? Concepts,
        string? Train,
        string[] Against,
        string? Json,
        (string Format, string Path)[] Reports,
        ReportOrigin Origin,
        string? Texts,
        DictionaryEvaluationConfig Config,
        bool Quiet
    );

    public static Command Create(CommandContext context)
    {
        var dictionary = new Argument<string>("dict") { HelpName = "DICT", Description = "The folder of a dictionary." };
        var activations = new Argument<string>("acts")
        {
            HelpName = "ACTS",
            Description = "Activations that it was not fitted on: .safetensors, .npy, .npz, or a directory of shards.",
        };
        var truth = new Option<string?>("--truth")
        {
            HelpName = "FILE",
            Description =
                "What is true, where it is known: .safetensors or .npz with 'directions' [n_features, n_neurons] and, row for row, 'features' [n_samples, n_features].",
        };
        var concepts = new Option<string?>("--concepts")
        {
            HelpName = "FILE",
            Description = "What people labelled, one value a row, for sparse probing and absorption: .safetensors, .npz, .csv or .parquet.",
        };
        var train = new Option<string?>("--train")
        {
            HelpName = "FILE",
            Description = "The activations that it was fitted on, for the gap between the two.",
        };
        var against = new Option<string[]>("--against")
        {
            HelpName = "DICT",
            Description = "A dictionary of another seed, for stability; may be given many times.",
            DefaultValueFactory = _ => [],
        };
        var json = new Option<string?>("--json")
        {
            HelpName = "FILE",
            Description = $"Write the result as JSON (schema {DictionaryEvaluation.SchemaId}); - is stdout.",
        };
        var write = new Option<string[]>("--write")
        {
            HelpName = "FORMAT=PATH",
            Description =
                $"Write the result for another tool too: {string.Join(", ", EvaluationReport.Formats)} (a directory for neuronpedia); may be given many times.",
            DefaultValueFactory = _ => [],
        };
        CommonOptions.Require(
            write,
            text => text.Split('=', 2) is [var format, { Length: > 0 }] && EvaluationReport.Formats.Contains(format),
            $"FORMAT=PATH, with a format of {string.Join(", ", EvaluationReport.Formats)}"
        );
        write.CompletionSources.Add([.. EvaluationReport.Formats.Select(format => $"{format}=")]);
        var model = new Option<string?>("--model")
        {
            HelpName = "NAME",
            Description =
                "The model that the activations are of. For --texts: a folder that 'polyseme zoo train' wrote. For --write: its name (default: as the dictionary's files say).",
        };
        var hook = new Option<string?>("--hook")
        {
            HelpName = "NAME",
            Description =
                "For --texts and --write: where in the model, such as blocks.8.hook_resid_post (for --write by default as the dictionary's files say).",
        };
        var texts = new Option<string?>("--texts")
        {
            HelpName = "FILE",
            Description =
                "Token ids [n_texts, n_tokens] for the model to read: the loss and the divergence with what the dictionary gives back in place of --hook.",
        };
        var tensor = new Option<string?>("--tensor")
        {
            HelpName = "NAME",
            Description = "Which tensor of the file, where it holds several 2-D ones.",
        };
        var common = new CommonOptions();
        var command = new DocumentedCommand(
            "eval",
            "Measures a dictionary on activations: reconstruction under every definition in use, activity, description length, and, where truth or labels are "
                + "given, recovery, detection, probing and absorption.",
            "polyseme dictionary eval runs/ksvd heldout.npy --truth truth.safetensors --json eval.json",
            "polyseme dictionary eval runs/sae heldout.npy --write saebench=core.json",
            "polyseme dictionary eval runs/sae heldout.npy --texts runs/tc/texts.safetensors --model runs/tc --hook blocks.0.mlp.hook_post",
            "polyseme dictionary eval runs/ksvd heldout.npy --train acts.npy --against runs/ksvd-2"
        )
        {
            dictionary,
            activations,
            truth,
            concepts,
            train,
            against,
            json,
            write,
            model,
            hook,
            texts,
            tensor,
            common.Seed,
            common.Threads,
            common.Quiet,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(texts) is not null && (result.GetResult(model) is null || result.GetResult(hook) is null))
                result.AddError("--texts needs the model that reads them and the place in it: --model and --hook.");
        });
        command.SetAction(parsed =>
            Run(
                context,
                new Request(
                    parsed.GetRequiredValue(dictionary),
                    parsed.GetRequiredValue(activations),
                    parsed.GetValue(tensor),
                    parsed.GetValue(truth),
                    parsed.GetValue(concepts),
                    parsed.GetValue(train),
                    parsed.GetValue(against)!,
                    parsed.GetValue(json),
                    [.. parsed.GetValue(write)!.Select(text => text.Split('=', 2)).Select(pair => (pair[0], pair[1]))],
                    new ReportOrigin(
                        parsed.GetValue(model),
                        parsed.GetValue(hook),
                        Path.GetFileName(Path.TrimEndingDirectorySeparator(parsed.GetRequiredValue(activations))),
                        DateTimeOffset.UtcNow
                    ),
                    parsed.GetValue(texts),
                    new DictionaryEvaluationConfig { Seed = parsed.GetValue(common.Seed) ?? 0 },
                    parsed.GetValue(common.Quiet)
                )
            )
        );
        return command;
    }

    private static int Run(CommandContext context, Request request)
    {
        var (terminal, cancellation) = context;
        if (request.Json is { } writable && writable != "-")
            AtomicFile.EnsureWritable(writable);
        var dictionary = DictionaryPath.Read(request.Dictionary);
        foreach (var (format, path) in request.Reports)
        {
            if (EvaluationReport.WhyNot(format, dictionary, request.Origin) is { } reason)
                throw new UsageException($"{format} cannot be written: {reason} (name them with --model and --hook)");
            if (format == EvaluationReport.Directory)
                _ = RunFolder.Open(path);
            else
                AtomicFile.EnsureWritable(path);
        }
        var result = ProgressDisplay.Run(terminal, request.Quiet, progress => Evaluate(request, dictionary, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        foreach (var (format, path) in request.Reports)
            EvaluationReport.Write(format, path, dictionary, result, request.Origin);
        var json = Json.Write(result);
        if (request.Json == "-")
        {
            terminal.Out.Write(json);
            return ExitCode.Done;
        }
        if (request.Json is { } file)
            AtomicFile.WriteText(file, json);
        EvaluationText.Write(terminal, result);
        if (request.Json is not null)
            terminal.Out.WriteLine(Terminal.Escape($"wrote {request.Json}"));
        foreach (var (_, path) in request.Reports)
            terminal.Out.WriteLine(Terminal.Escape($"wrote {path}"));
        return ExitCode.Done;
    }

    private static DictionaryEvaluation Evaluate(
        Request request,
        FeatureDictionary dictionary,
        IProgress<Step> progress,
        CancellationToken cancellation
    )
    {
        progress.Report(new Step("reading", 0, 0));
        var activations = ActivationFile.Open(request.Activations, request.Tensor);
        CheckWidth(dictionary, activations);
        var truth = request.Truth is { } path ? DictionaryTruth.Read(path, activations.NSamples, activations.NNeurons) : null;
        var concepts = request.Concepts is { } labels ? ConceptFile.Read(labels, activations.NSamples).Concepts : null;
        var train = request.Train is { } fitted ? ActivationFile.Open(fitted, request.Tensor) : null;
        if (train is not null)
            CheckWidth(dictionary, train);
        var others = request.Against.Select(DictionaryPath.Read).ToArray();
        foreach (var (other, otherPath) in others.Zip(request.Against))
        {
            if (other.DOut != dictionary.DOut)
                throw new InputException(otherPath, "is of another width", $"{other.DOut}", $"{dictionary.DOut}");
        }
        DictionaryEvaluation result;
        try
        {
            result = DictionaryEvaluation.Run(dictionary, activations, request.Config, truth, concepts, new Rows(progress), cancellation);
        }
        catch (ArgumentException e)
        {
            throw new InputException(request.Dictionary, "cannot be evaluated", e.Message.ReplaceLineEndings(" "));
        }
        return result with
        {
            LossRecovered = request.Texts is { } texts ? InTheModel(request, texts, dictionary, progress, cancellation) : null,
            HeldOut = train is null
                ? null
                : HeldOutGap.Of(DictionaryEvaluation.Reconstruct(dictionary, train, request.Config, cancellation), result.Reconstruction),
            Stability =
                others.Length == 0
                    ? null
                    : SeedStability.Measure(
                        [.. others.Prepend(dictionary).Select(one => one.DirectionsInDouble())],
                        result.Activity.BothSigns
                    ),
        };
    }

    private static LossRecovered InTheModel(
        Request request,
        string texts,
        FeatureDictionary dictionary,
        IProgress<Step> progress,
        CancellationToken cancellation
    )
    {
        var (model, hook) = (request.Origin.Model!, request.Origin.Hook!);
        var network = ZooRunFiles.ReadNetwork(model, hook, progress, cancellation);
        progress.Report(new Step("running the model", 0, 0));
        try
        {
            return LossRecovered.Measure(network, hook, dictionary, TextFile.Read(texts), cancellation);
        }
        catch (ArgumentException e)
        {
            throw new InputException(texts, $"cannot be read by the model in {model}", e.Message.ReplaceLineEndings(" "));
        }
    }

    private static void CheckWidth(FeatureDictionary dictionary, ActivationSource activations)
    {
        if (activations.NNeurons != dictionary.DIn)
            throw new InputException(
                activations.Path,
                "has another width than the dictionary",
                $"{activations.NNeurons} columns",
                $"{dictionary.DIn}"
            );
    }

    private sealed class Rows(IProgress<Step> progress) : IProgress<(long Done, long All)>
    {
        public void Report((long Done, long All) value) => progress.Report(new Step("evaluating", value.Done, value.All));
    }
}
