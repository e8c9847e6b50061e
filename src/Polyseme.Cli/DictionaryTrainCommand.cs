using System.CommandLine;
using Polyseme.Dictionaries.Training;

namespace Polyseme.Cli;

/// <summary><c>polyseme dictionary train</c>: a sparse autoencoder or transcoder from a file of activations.</summary>
internal static class DictionaryTrainCommand
{
    private const string Transcoder = "transcoder",
        SkipTranscoder = "skip-transcoder";

    public static Command Create(CommandContext context)
    {
        var activations = new Argument<string>("acts")
        {
            HelpName = "ACTS",
            Description = "Activations [n_samples, n_neurons]: a file or a store.",
        };
        var kind = new Option<string>("--kind")
        {
            HelpName = "KIND",
            Description = $"{string.Join(", ", DictionaryKinds.Names)}, {Transcoder} or {SkipTranscoder}.",
            Required = true,
        };
        kind.AcceptOnlyFromAmong([.. DictionaryKinds.Names, Transcoder, SkipTranscoder]);
        var inner = new Option<string>("--activation")
        {
            HelpName = "KIND",
            Description = "Of a transcoder, which kind its latents are.",
            DefaultValueFactory = _ => "relu",
        };
        inner.AcceptOnlyFromAmong([.. DictionaryKinds.WithEncoder]);
        var targets = new Option<string?>("--targets")
        {
            HelpName = "FILE",
            Description = "Of a transcoder, what it is to give for each row.",
        };
        var tensor = new Option<string?>("--tensor")
        {
            HelpName = "NAME",
            Description = "Which tensor of the file, where it holds several 2-D ones.",
        };
        var set = new Option<string[]>("--set")
        {
            HelpName = "KEY=VALUE",
            Description = "A setting; may be given many times. latents has to be given.",
            DefaultValueFactory = _ => [],
        };
        CommonOptions.Require(set, text => text.IndexOf('=', StringComparison.Ordinal) > 0, "KEY=VALUE");
        var sweep = new Option<string[]>("--sweep")
        {
            HelpName = "KEY=VALUE,…",
            Description =
                "Values of a setting to train a dictionary with each; may be given for several settings, whose every combination trains, all in one pass over the rows.",
            DefaultValueFactory = _ => [],
        };
        CommonOptions.Require(sweep, text => text.IndexOf('=', StringComparison.Ordinal) > 0, "KEY=VALUE,VALUE…");
        var shuffle = new Option<string>("--shuffle")
        {
            HelpName = "HOW",
            Description =
                "Rows in random order: read, each from where it lies; disk, from a shuffled copy in the run's folder, deleted when done, in the same order every epoch; "
                + "auto, a copy where the files are larger than memory, compressed, or column by column.",
            DefaultValueFactory = _ => TrainingRows.Ways[0],
        };
        shuffle.AcceptOnlyFromAmong([.. TrainingRows.Ways]);
        var common = new CommonOptions();
        var command = new DocumentedCommand(
            "train",
            "Trains a sparse autoencoder or transcoder; every row is seen once an epoch, in an order that is random over all rows. "
                + "Interrupted or killed, it goes on with 'polyseme resume' to the same bytes.",
            "polyseme dictionary train acts.safetensors --kind topk --set latents=4096 --set k=32 --out runs/sae",
            "polyseme dictionary train acts.safetensors --kind topk --set latents=4096 --sweep k=16,32,64 --sweep seed=0,1 --out runs/sweep",
            "polyseme dictionary train in.npy --targets out.npy --kind skip-transcoder --activation topk --set latents=4096"
        )
        {
            activations,
            kind,
            inner,
            targets,
            tensor,
            set,
            sweep,
            shuffle,
        };
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var name = parsed.GetRequiredValue(kind);
            var transcodes = name is Transcoder or SkipTranscoder;
            if (transcodes != parsed.GetValue(targets) is not null)
                throw new UsageException($"--targets goes with --kind {Transcoder} and --kind {SkipTranscoder}, and they with it.");
            var settings = parsed
                .GetValue(set)!
                .Select(setting => setting.Split('=', 2))
                .Select(pair => KeyValuePair.Create(pair[0], pair[1]))
                .ToList();
            if (parsed.GetValue(common.Seed) is { } seed)
                settings.Add(KeyValuePair.Create("seed", $"{seed}"));
            if (name == SkipTranscoder)
                settings.Add(KeyValuePair.Create("skip", "true"));
            var swept = parsed
                .GetValue(sweep)!
                .Select(setting => setting.Split('=', 2))
                .Select(pair => KeyValuePair.Create(pair[0], (IReadOnlyList<string>)pair[1].Split(',')))
                .ToList();
            IReadOnlyList<SweptDictionary> dictionaries;
            try
            {
                dictionaries = DictionarySweep.Of(transcodes ? parsed.GetValue(inner)! : name, settings, swept);
            }
            catch (ArgumentException e)
            {
                throw new UsageException(e.Message.ReplaceLineEndings(" "));
            }
            return DictionaryTrainRun.Start(
                context,
                new DictionaryTrainRun.Request(
                    dictionaries,
                    parsed.GetRequiredValue(activations),
                    parsed.GetValue(targets),
                    parsed.GetValue(tensor),
                    parsed.GetRequiredValue(shuffle)
                ),
                parsed.GetValue(common.Out),
                common.ThreadsOf(parsed),
                parsed.GetValue(common.Quiet)
            );
        });
        return command;
    }
}
