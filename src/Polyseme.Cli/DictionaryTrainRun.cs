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
    /// <param name="Dictionaries">
    /// At least one; its name is that of its folder below the run's, and of a single dictionary empty: the run's own folder. The first one's seed
    /// orders the rows.
    /// </param>
    /// <param name="Activations">What they are trained on.</param>
    /// <param name="Targets">What transcoders are to give.</param>
    /// <param name="Tensor">Which tensor of the file.</param>
    /// <param name="Shuffle">One of <see cref="TrainingRows.Ways"/>.</param>
    public sealed record Request(
        IReadOnlyList<SweptDictionary> Dictionaries,
        string Activations,
        string? Targets,
        string? Tensor,
        string Shuffle
    );

    private sealed record CurveFile(IReadOnlyList<CurvePoint> Points);

    /// <summary>Trains from the beginning.</summary>
    public static int Start(CommandContext context, Request request, string? path, int threads, bool quiet)
    {
        var rows = TrainingRows.Open(request.Activations, request.Tensor, request.Targets, context.Cancellation);
        request = request with { Shuffle = rows.Decide(request.Shuffle) };
        var manifest = Manifest(request, rows.Identity, threads);
        return Run(context, request, rows, manifest, path ?? RunFolder.DefaultPath(manifest), resumed: false, quiet);
    }

    /// <summary>Goes on with a run that was stopped. A finished one is left as it is.</summary>
    public static int Resume(CommandContext context, RunManifest manifest, string path, bool quiet)
    {
        var request = Requested(manifest, Path.Combine(path, RunFolder.ManifestName));
        if (
            request.Dictionaries.All(one => File.Exists(Path.Combine(path, one.Name, Result)))
            && !File.Exists(Path.Combine(path, Checkpoint))
        )
        {
            context.Terminal.Out.WriteLine(Terminal.Escape($"{path} is finished: there is nothing to go on with"));
            return ExitCode.Done;
        }
        var rows = TrainingRows.Open(request.Activations, request.Tensor, request.Targets, context.Cancellation);
        var expected = string.Join(' ', manifest.Inputs.Select(input => input.Sha256));
        if (rows.Identity != expected)
            throw new InputException(
                request.Activations,
                "changed since the run began",
                $"sha256 {rows.Identity}",
                $"sha256 {expected}",
                "train again, or put back the activations that the run began with"
            );
        return Run(context, request, rows, Manifest(request, rows.Identity, manifest.Threads), path, resumed: true, quiet);
    }

    private static int Run(
        CommandContext context,
        Request request,
        TrainingRows source,
        RunManifest manifest,
        string path,
        bool resumed,
        bool quiet
    )
    {
        var folder = RunFolder.Open(path);
        var goesOn = resumed && File.Exists(folder.File(Checkpoint));
        if (!goesOn)
            Begin(folder, request, manifest);
        var rows = Rows(context, request, source, folder, quiet);
        var trainings = new List<DictionaryTraining>();
        try
        {
            foreach (var one in request.Dictionaries)
                trainings.Add(new DictionaryTraining(one.Kind, one.Config, rows));
            var folders = request.Dictionaries.Select(one => one.Name == "" ? folder : RunFolder.Open(folder.File(one.Name))).ToList();
            var curves = trainings.ConvertAll(_ => new List<CurvePoint>());
            if (goesOn)
            {
                DictionaryCheckpoint.Restore(folder.File(Checkpoint), trainings, rows);
                for (var i = 0; i < trainings.Count; i++)
                {
                    if (File.Exists(folders[i].File(Curve)))
                        curves[i]
                            .AddRange(
                                Json.Read<CurveFile>(File.ReadAllText(folders[i].File(Curve)))
                                    .Points.Where(point => point.Step < trainings[i].StepsDone)
                            );
                }
            }
            Train(context, rows, trainings, curves, folder, folders, quiet);
            for (var i = 0; i < trainings.Count; i++)
                DictionaryFormats.Find("polyseme")!.Write(trainings[i].Result(), folders[i].Path);
            File.Delete(folder.File(Checkpoint));
            TrainingRows.DeleteCopies(folder.Path);
            for (var i = 0; i < trainings.Count; i++)
                context.Terminal.Out.WriteLine(Terminal.Escape(Summary(request.Dictionaries[i], curves[i][^1])));
        }
        finally
        {
            trainings.ForEach(training => training.Dispose());
        }
        context.Terminal.Out.WriteLine(Terminal.Escape($"wrote {folder.Path}"));
        return ExitCode.Done;
    }

    /// <summary>Leaves nothing of a run before.</summary>
    private static void Begin(RunFolder folder, Request request, RunManifest manifest)
    {
        File.Delete(folder.File(Checkpoint));
        foreach (var result in request.Dictionaries.Select(one => Path.Combine(folder.Path, one.Name, Result)).Where(File.Exists))
            File.Delete(result);
        folder.WriteManifest(manifest);
    }

    private static RowStream Rows(CommandContext context, Request request, TrainingRows source, RunFolder folder, bool quiet)
    {
        var seed = request.Dictionaries[0].Config.Seed;
        if (request.Shuffle == TrainingRows.Read)
            return source.AtRandom(seed);
        try
        {
            return ProgressDisplay.Run(
                context.Terminal,
                quiet,
                progress => source.Copied(folder.Path, seed, progress, context.Cancellation)
            );
        }
        catch (OperationCanceledException e) when (context.Cancellation.IsCancellationRequested)
        {
            throw new ResumableException("the rows were being shuffled, nothing is trained yet", folder.Path, e);
        }
    }

    private static void Train(
        CommandContext context,
        RowStream rows,
        List<DictionaryTraining> trainings,
        List<List<CurvePoint>> curves,
        RunFolder folder,
        List<RunFolder> folders,
        bool quiet
    )
    {
        void SaveCurves()
        {
            for (var i = 0; i < folders.Count; i++)
                folders[i].WriteJson(Curve, new CurveFile(curves[i]));
        }
        void Save()
        {
            // The curves first: what they have beyond the checkpoint is dropped when the run goes on.
            SaveCurves();
            DictionaryCheckpoint.Write(folder.File(Checkpoint), trainings, rows);
        }
        var interval = KeptTraining.Interval;
        var sinceSave = Stopwatch.StartNew();
        void AfterStep(IReadOnlyList<CurvePoint?> latest)
        {
            for (var i = 0; i < trainings.Count; i++)
            {
                if (latest[i] is { } point && (point.Step % CurveEvery == 0 || point.Step + 1 == trainings[i].Config.Steps))
                    curves[i].Add(point);
            }
            if (sinceSave.Elapsed < interval)
                return;
            Save();
            sinceSave.Restart();
        }
        try
        {
            _ = ProgressDisplay.Run(
                context.Terminal,
                quiet,
                progress =>
                {
                    DictionaryTrainer.Run(trainings, rows, AfterStep, progress, context.Cancellation);
                    return true;
                }
            );
        }
        catch (OperationCanceledException e) when (context.Cancellation.IsCancellationRequested)
        {
            Save();
            throw new ResumableException("what is trained is kept", folder.Path, e);
        }
        SaveCurves();
    }

    private static string Summary(SweptDictionary dictionary, CurvePoint last) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{DictionaryKinds.NameOf(dictionary.Kind)}{(dictionary.Name == "" ? "" : $" {dictionary.Name}")}: {dictionary.Config.Latents} latents, {dictionary.Config.Steps} steps; loss {last.Loss:0.####}, L0 {last.L0:0.##}, {last.Dead} dead"
        );

    private static RunManifest Manifest(Request request, string identity, int threads)
    {
        var hashes = identity.Split(' ');
        List<RunInput> inputs = [new("activations", request.Activations, hashes[0])];
        if (request.Targets is { } targets)
            inputs.Add(new("targets", targets, hashes[1]));
        var config = request.Dictionaries is [{ Name: "" } single]
            ? Settings(single)
            : new JsonObject
            {
                ["dictionaries"] = new JsonObject(
                    request.Dictionaries.Select(one => KeyValuePair.Create(one.Name, (JsonNode?)Settings(one)))
                ),
            };
        config["tensor"] = request.Tensor;
        config["shuffle"] = request.Shuffle;
        return new RunManifest
        {
            Command = ManifestCommand,
            Name = DictionaryKinds.NameOf(request.Dictionaries[0].Kind),
            Seed = request.Dictionaries[0].Config.Seed,
            Threads = threads,
            Config = config,
            Inputs = inputs,
        };
    }

    private static JsonObject Settings(SweptDictionary dictionary) =>
        new() { ["kind"] = Json.ToObject(dictionary.Kind), ["training"] = Json.ToObject(dictionary.Config) };

    private static Request Requested(RunManifest manifest, string file)
    {
        try
        {
            SweptDictionary Dictionary(string name, JsonNode? settings)
            {
                if (name != Path.GetFileName(name) || name is "." or "..")
                    throw new ArgumentException($"{InputException.Quote(name)} names no folder of it");
                var (kind, config) = DictionaryKinds.Read(
                    manifest.Name,
                    settings?["kind"] as JsonObject ?? throw new ArgumentException("it has no kind"),
                    settings!["training"] as JsonObject ?? throw new ArgumentException("it has no training")
                );
                return new SweptDictionary(name, kind, config);
            }
            string? PathOf(string role) => manifest.Inputs.FirstOrDefault(input => input.Role == role)?.Path;
            var dictionaries = manifest.Config["dictionaries"] is JsonObject { Count: > 0 } swept
                ? swept.Select(one => Dictionary(one.Key, one.Value)).ToList()
                : [Dictionary("", manifest.Config)];
            return new Request(
                dictionaries,
                PathOf("activations") ?? throw new ArgumentException("it names no activations"),
                PathOf("targets"),
                (string?)manifest.Config["tensor"],
                (string?)manifest.Config["shuffle"] is TrainingRows.Disk ? TrainingRows.Disk : TrainingRows.Read
            );
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new InputException(file, "holds no training of a dictionary", e.Message.ReplaceLineEndings(" "), inner: e);
        }
    }
}
