using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Polyseme.Activations;
using Polyseme.Dictionaries.Formats;
using Polyseme.Dictionaries.Training;
using Polyseme.Runs;

namespace Polyseme.Cli;

/// <summary>Runs of <c>polyseme dictionary train</c>, from their beginning or from where they stopped.</summary>
internal static class DictionaryTrainRun
{
    /// <summary>The command's name in a run's manifest.</summary>
    public const string ManifestCommand = "dictionary train";

    private const string Checkpoint = "checkpoint.safetensors",
        Curve = "curve.json",
        Result = "dictionary.json";
    private const int CurveEvery = 50;

    /// <summary>What is trained, on what.</summary>
    public sealed record Request(DictionaryKind Kind, DictionaryConfig Config, string Activations, string? Targets, string? Tensor);

    private sealed record CurveFile(IReadOnlyList<CurvePoint> Points);

    /// <summary>Trains from the beginning.</summary>
    public static int Start(CommandContext context, Request request, string? path, int threads, bool quiet)
    {
        var rows = Rows(request, context.Cancellation);
        var manifest = Manifest(request, rows, threads);
        return Run(context, request, rows, manifest, path ?? RunFolder.DefaultPath(manifest), resumed: false, quiet);
    }

    /// <summary>Goes on with a run that was stopped. A finished one is left as it is.</summary>
    public static int Resume(CommandContext context, RunManifest manifest, string path, bool quiet)
    {
        if (File.Exists(Path.Combine(path, Result)) && !File.Exists(Path.Combine(path, Checkpoint)))
        {
            context.Terminal.Out.WriteLine(Terminal.Escape($"{path} is finished: there is nothing to go on with"));
            return ExitCode.Done;
        }
        var request = Requested(manifest, Path.Combine(path, RunFolder.ManifestName));
        var rows = Rows(request, context.Cancellation);
        var expected = string.Join(' ', manifest.Inputs.Select(input => input.Sha256));
        if (rows.Identity != expected)
            throw new InputException(
                request.Activations,
                "changed since the run began",
                $"sha256 {rows.Identity}",
                $"sha256 {expected}",
                "train again, or put back the activations that the run began with"
            );
        return Run(context, request, rows, Manifest(request, rows, manifest.Threads), path, resumed: true, quiet);
    }

    private static int Run(
        CommandContext context,
        Request request,
        ShuffledRows rows,
        RunManifest manifest,
        string path,
        bool resumed,
        bool quiet
    )
    {
        var folder = RunFolder.Open(path);
        using var training = new DictionaryTraining(request.Kind, request.Config, rows);
        var points = new List<CurvePoint>();
        if (resumed && File.Exists(folder.File(Checkpoint)))
        {
            DictionaryCheckpoint.Restore(folder.File(Checkpoint), [training], rows);
            if (File.Exists(folder.File(Curve)))
                points.AddRange(
                    Json.Read<CurveFile>(File.ReadAllText(folder.File(Curve))).Points.Where(point => point.Step < training.StepsDone)
                );
        }
        else
        {
            File.Delete(folder.File(Checkpoint));
            File.Delete(folder.File(Result));
            folder.WriteManifest(manifest);
        }
        void Save()
        {
            // The curve first: what it has beyond the checkpoint is dropped when the run goes on.
            folder.WriteJson(Curve, new CurveFile(points));
            DictionaryCheckpoint.Write(folder.File(Checkpoint), [training], rows);
        }
        var interval = KeptTraining.Interval;
        var sinceSave = Stopwatch.StartNew();
        try
        {
            _ = ProgressDisplay.Run(
                context.Terminal,
                quiet,
                progress =>
                {
                    DictionaryTrainer.Run(
                        [training],
                        rows,
                        latest =>
                        {
                            if (latest[0].Step % CurveEvery == 0 || latest[0].Step + 1 == request.Config.Steps)
                                points.Add(latest[0]);
                            if (sinceSave.Elapsed < interval)
                                return;
                            Save();
                            sinceSave.Restart();
                        },
                        progress,
                        context.Cancellation
                    );
                    return true;
                }
            );
        }
        catch (OperationCanceledException e) when (context.Cancellation.IsCancellationRequested)
        {
            Save();
            throw new ResumableException("what is trained is kept", path, e);
        }
        folder.WriteJson(Curve, new CurveFile(points));
        DictionaryFormats.Find("polyseme")!.Write(training.Result(), folder.Path);
        File.Delete(folder.File(Checkpoint));
        var last = points[^1];
        context.Terminal.Out.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{DictionaryKinds.NameOf(request.Kind)}: {request.Config.Latents} latents, {request.Config.Steps} steps; loss {last.Loss:0.####}, L0 {last.L0:0.##}, {last.Dead} dead"
            )
        );
        context.Terminal.Out.WriteLine(Terminal.Escape($"wrote {folder.Path}"));
        return ExitCode.Done;
    }

    private static ShuffledRows Rows(Request request, CancellationToken cancellation) =>
        ShuffledRows.Of(
            ActivationFile.Open(request.Activations, request.Tensor),
            request.Targets is { } targets ? ActivationFile.Open(targets) : null,
            request.Config.Seed,
            cancellation
        );

    private static RunManifest Manifest(Request request, ShuffledRows rows, int threads)
    {
        var hashes = rows.Identity.Split(' ');
        List<RunInput> inputs = [new("activations", request.Activations, hashes[0])];
        if (request.Targets is { } targets)
            inputs.Add(new("targets", targets, hashes[1]));
        return new RunManifest
        {
            Command = ManifestCommand,
            Name = DictionaryKinds.NameOf(request.Kind),
            Seed = request.Config.Seed,
            Threads = threads,
            Config = new JsonObject
            {
                ["kind"] = Json.ToObject(request.Kind),
                ["training"] = Json.ToObject(request.Config),
                ["tensor"] = request.Tensor,
            },
            Inputs = inputs,
        };
    }

    private static Request Requested(RunManifest manifest, string file)
    {
        try
        {
            var (kind, config) = DictionaryKinds.Read(
                manifest.Name,
                manifest.Config["kind"] as JsonObject ?? throw new ArgumentException("it has no kind"),
                manifest.Config["training"] as JsonObject ?? throw new ArgumentException("it has no training")
            );
            string? PathOf(string role) => manifest.Inputs.FirstOrDefault(input => input.Role == role)?.Path;
            return new Request(
                kind,
                config,
                PathOf("activations") ?? throw new ArgumentException("it names no activations"),
                PathOf("targets"),
                (string?)manifest.Config["tensor"]
            );
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new InputException(file, "holds no training of a dictionary", e.Message.ReplaceLineEndings(" "), inner: e);
        }
    }
}
