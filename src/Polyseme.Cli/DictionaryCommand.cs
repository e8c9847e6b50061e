using System.CommandLine;

namespace Polyseme.Cli;

/// <summary><c>polyseme dictionary</c>: dictionaries of directions in activation space.</summary>
internal static class DictionaryCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "dictionary",
            "Dictionaries of directions in activation space.",
            "polyseme dictionary fit acts.npy --method ksvd --set latents=512 --out runs/ksvd",
            "polyseme dictionary convert ae.pt out/sae --to saelens"
        )
        {
            DictionaryFitCommand.Create(context),
            DictionaryEvalCommand.Create(context),
            DictionaryConvertCommand.Create(context),
            DictionaryTrainCommand.Create(context),
        };
        command.SetAction(int (_) => throw new UsageException("dictionary what? Try 'polyseme dictionary --help'."));
        return command;
    }
}
