using System.CommandLine;
using System.Text.Json;
using Polyseme.Activations;
using Polyseme.Runs;

namespace Polyseme.Cli;

/// <summary><c>polyseme resume</c>: goes on with a run that was interrupted or killed.</summary>
internal static class ResumeCommand
{
    private const string CommandName = "resume";

    public static Command Create(CommandContext context)
    {
        var path = new Argument<string>("run")
        {
            HelpName = "RUN",
            Description = "The folder of a run of 'zoo train', 'zoo reproduce' or 'dictionary train'; what stopped says its name.",
        };
        var quiet = new CommonOptions().Quiet;
        var command = new DocumentedCommand(
            CommandName,
            "Goes on with a run of 'zoo train', 'zoo reproduce' or 'dictionary train' that was interrupted or killed, to the same files as without the "
                + "interruption, with the configuration, seed and threads of its run.json. A finished run is left as it is.",
            "polyseme resume runs/toy",
            "polyseme resume runs/sae"
        )
        {
            path,
            quiet,
        };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetRequiredValue(path);
            var manifest = Read(folder);
            return manifest.Command switch
            {
                ZooTraining.ManifestCommand => ZooTraining.Resume(context, manifest, folder, parsed.GetValue(quiet)),
                ReproduceCommand.ManifestCommand => ReproduceCommand.Resume(context, manifest, folder, parsed.GetValue(quiet)),
                DictionaryTrainRun.ManifestCommand => DictionaryTrainRun.Resume(context, manifest, folder, parsed.GetValue(quiet)),
                _ => throw new UsageException(
                    $"{folder} is a run of '{manifest.Command}'; runs of '{ZooTraining.ManifestCommand}', '{ReproduceCommand.ManifestCommand}' and '{DictionaryTrainRun.ManifestCommand}' can be resumed, others are run again."
                ),
            };
        });
        return command;
    }

    /// <summary>The threads of the run that is to go on, where they differ from what this process has.</summary>
    /// <returns><c>null</c> when they do not differ, or no run is resumed, or it cannot be read, which the command itself then reports.</returns>
    public static int? ThreadsOf(string[] args)
    {
        if (args is not [CommandName, ..])
            return null;
        foreach (var folder in args.Skip(1).Where(arg => File.Exists(Path.Combine(arg, RunFolder.ManifestName))))
        {
            try
            {
                var threads = Read(folder).Threads;
                return threads != Environment.ProcessorCount && threads is >= 1 and <= CommonOptions.MostThreads ? threads : null;
            }
            catch (InputException)
            {
                return null;
            }
        }
        return null;
    }

    private static RunManifest Read(string folder)
    {
        var path = Path.Combine(folder, RunFolder.ManifestName);
        try
        {
            var manifest = Json.Read<RunManifest>(File.ReadAllText(path));
            return manifest is { Command: not null, Name: not null, Config: not null }
                ? manifest
                : throw new JsonException("a value is null");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException(path, "does not exist", expected: "the manifest of a run", hint: "name the folder of a run", inner: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or ArgumentException)
        {
            throw new InputException(path, "is not the manifest of a run", e.Message.ReplaceLineEndings(" "), inner: e);
        }
    }
}
