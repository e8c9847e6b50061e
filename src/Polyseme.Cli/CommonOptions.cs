using System.CommandLine;

namespace Polyseme.Cli;

/// <summary>Options that mean the same wherever they appear. Each command adds those that apply to it.</summary>
internal sealed class CommonOptions
{
    /// <summary>More than any machine here has; a slip of the finger has more.</summary>
    public const int MostThreads = 1024;

    public Option<ulong?> Seed { get; } = new("--seed") { Description = "The seed of everything random (default: 0).", HelpName = "N" };

    public Option<int?> Threads { get; } =
        new("--threads") { Description = "Threads to use (default: one per core). Equal threads, equal bytes.", HelpName = "N" };

    public Option<string> Device { get; } = new("--device") { Description = "Where to compute: cpu.", DefaultValueFactory = _ => "cpu" };

    public Option<string?> Out { get; } =
        new("--out")
        {
            Description = "The folder of this run (default: runs/NAME-HASH, from the configuration and the input).",
            HelpName = "DIR",
        };

    public Option<bool> Quiet { get; } = new("--quiet") { Description = "No progress on stderr." };

    public CommonOptions()
    {
        Require(Threads, text => int.TryParse(text, out var threads) && threads is >= 1 and <= MostThreads, $"from 1 to {MostThreads}");
        Require(Device, text => text == "cpu", "cpu; there is no other device here");
        Device.CompletionSources.Add("cpu");
    }

    /// <summary>Adds every one of them.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { Seed, Threads, Device, Out, Quiet })
            command.Add(option);
    }

    /// <summary>The threads to use.</summary>
    public int ThreadsOf(ParseResult parsed) => parsed.GetValue(Threads) ?? Environment.ProcessorCount;

    /// <summary>A wrong value is a usage error that says what would be right.</summary>
    public static void Require(Option option, Predicate<string> valid, string expected) =>
        option.Validators.Add(result =>
        {
            // The text, not the value: reading a value that does not parse throws.
            foreach (var token in result.Tokens.Where(token => !valid(token.Value)))
                result.AddError($"{option.Name} is {token.Value}, but must be {expected}.");
        });
}
