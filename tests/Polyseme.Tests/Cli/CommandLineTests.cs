using Polyseme.Cli;
using Polyseme.Runs;

namespace Polyseme.Tests.Cli;

public sealed class CommandLineTests
{
    [Fact]
    public void Version_is_the_assemblys() =>
        Assert.Equal(new CommandLineRun(0, CodeVersion.Full + "\n", ""), CommandLineRun.InProcess("--version"));

    [Theory]
    [InlineData("--help", "tour", "diagnose", "zoo", "Exit codes:")]
    [InlineData("diagnose --help", "--concepts", "--json", "--neurons", "Examples:", "polyseme diagnose")]
    [InlineData("zoo --help", "list", "show", "train")]
    [InlineData("zoo train --help", "--set", "Examples:")]
    [InlineData("zoo list --help", "Examples:")]
    [InlineData("zoo show --help", "Examples:")]
    [InlineData("tour --help", "--out", "Examples:")]
    [InlineData("completion --help", "bash", "Examples:")]
    [InlineData("schema --help", "Examples:")]
    [InlineData("resume --help", "RUN", "zoo train", "zoo reproduce", "Examples:")]
    // Help is given whatever else is wrong with the line.
    [InlineData("diagnose --nonsense --help", "--concepts")]
    public void Help_is_everywhere(string line, params string[] mentions)
    {
        var run = CommandLineRun.InProcess(line.Split(' '));
        Assert.Equal(0, run.Code);
        Assert.Equal("", run.Error);
        Assert.All(mentions, mention => Assert.Contains(mention, run.Out, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_command_option_and_argument_is_described()
    {
        using var nowhere = new StringWriter();
        var root = CommandLine.Root(new CommandContext(new Terminal { Out = nowhere, Error = nowhere }, CancellationToken.None));
        var commands = new Queue<System.CommandLine.Command>([root]);
        var count = 0;
        while (commands.TryDequeue(out var command))
        {
            count++;
            Assert.All(command.Options.Cast<System.CommandLine.Symbol>().Concat(command.Arguments).Append(command), Described);
            foreach (var child in command.Subcommands)
                commands.Enqueue(child);
        }
        Assert.True(count >= 8, $"only {count} commands");

        static void Described(System.CommandLine.Symbol symbol) =>
            Assert.True(symbol.Description?.Length > 10, $"'{symbol.Name}' has no description");
    }

    [Theory]
    [InlineData("")]
    [InlineData("harvest")]
    [InlineData("--nonsense")]
    [InlineData("zoo")]
    [InlineData("zoo show")]
    [InlineData("zoo show no-such-network")]
    [InlineData("zoo train no-such-network")]
    [InlineData("zoo list surplus")]
    [InlineData("diagnose")]
    [InlineData("diagnose a.npy surplus")]
    [InlineData("diagnose a.npy --neurons 5")]
    [InlineData("diagnose a.npy --neurons 5-3")]
    [InlineData("diagnose a.npy --neurons -1-3")]
    [InlineData("diagnose a.npy --budget 0")]
    [InlineData("diagnose a.npy --budget soon")]
    [InlineData("diagnose a.npy --nulls some")]
    [InlineData("diagnose a.npy --groups colour")]
    [InlineData("diagnose a.npy --device cuda")]
    [InlineData("diagnose a.npy --threads 0")]
    [InlineData("diagnose a.npy --seed -1")]
    [InlineData("diagnose a.npy --model runs/x")]
    [InlineData("diagnose a.npy --hook hidden")]
    [InlineData("diagnose a.npy --json - --json -")]
    [InlineData("completion tcsh")]
    public void A_wrong_line_is_a_usage_error(string line) =>
        CommandLineRun.InProcess(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).AssertRefused(ExitCode.Usage, "--help");

    [Fact]
    public void An_argument_that_begins_with_an_at_sign_is_not_a_file_of_arguments() =>
        CommandLineRun.InProcess("@somewhere").AssertRefused(ExitCode.Usage, "@somewhere");

    [Fact]
    public void Text_from_outside_cannot_steer_the_terminal()
    {
        CommandLineRun.InProcess("\u001b[31mred\u0007\nsecond").AssertRefused(ExitCode.Usage, "\\u001b[31mred\\u0007");
        Assert.Equal("a\\u0000\\u009b\\u202e\\u2028\\ud800b", Terminal.Escape("a\0\u009b\u202e\u2028\ud800b"));
        Assert.Equal("R² ≥ .9 – 猫 😀 café", Terminal.Escape("R² ≥ .9 – 猫 😀 café"));
    }

    [Fact]
    public void Completion_answers_with_what_fits_at_the_cursor()
    {
        Assert.Equal("diagnose\n", CommandLineRun.InProcess("[suggest:3]", "dia").Out);
        Assert.Contains("--concepts\n", CommandLineRun.InProcess("[suggest:13]", "diagnose --co").Out, StringComparison.Ordinal);
        Assert.Contains("zsh\n", CommandLineRun.InProcess("[suggest:11]", "completion ").Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _polyseme polyseme")]
    [InlineData("zsh", "#compdef polyseme")]
    [InlineData("fish", "complete -c polyseme")]
    public void Completion_scripts_are_printed(string shell, string mentions) =>
        Assert.Contains(mentions, CommandLineRun.InProcess("completion", shell).Out, StringComparison.Ordinal);

    [Fact]
    public void The_schema_is_printed_as_it_is_shipped() =>
        Assert.Equal(File.ReadAllText(Repository.File("schemas/polyseme.diagnosis-1.json")), CommandLineRun.InProcess("schema").Out);

    [Theory]
    [InlineData("diagnose a.npy --threads 3", 3)]
    [InlineData("--threads=1 tour", 1)]
    [InlineData("tour --threads 0", null)]
    [InlineData("tour --threads", null)]
    [InlineData("tour -- --threads 2", null)]
    [InlineData("tour", null)]
    public void The_number_of_threads_is_seen_before_the_runtime_starts(string line, int? expected) =>
        Assert.Equal(expected, ThreadLimit.Asked(line.Split(' ')));

    [Fact]
    public void A_process_of_its_own_says_the_same()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(new CommandLineRun(0, CodeVersion.Full + "\n", ""), CommandLineRun.Process(folder.Path, "--version"));
        CommandLineRun.Process(folder.Path, "nonsense").AssertRefused(ExitCode.Usage, "nonsense");
    }
}
