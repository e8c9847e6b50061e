using System.CommandLine;

namespace Polyseme.Cli;

/// <summary><c>polyseme completion</c>: a shell script that completes commands and options by asking the program itself.</summary>
internal static class CompletionCommand
{
    // Each script hands over the line without its first word, up to the cursor; [suggest:N] answers with one candidate a line.
    // Words that are no command or option of ours complete as file names.
    private const string Bash = """
        _polyseme() {
            local line="${COMP_LINE:0:COMP_POINT}"
            local rest="${line#*[[:space:]]}"
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${#rest}]" "$rest" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _polyseme polyseme ./polyseme
        """;

    private const string Zsh = """
        #compdef polyseme ./polyseme
        _polyseme() {
            local rest="${LBUFFER#*[[:space:]]}"
            local -a candidates
            candidates=("${(@f)$("${words[1]}" "[suggest:${#rest}]" "$rest" 2>/dev/null)}")
            compadd -- $candidates || _files
        }
        compdef _polyseme polyseme ./polyseme
        """;

    private const string Fish = """
        function __polyseme_complete
            set -l line (commandline -cp)
            set -l program (string split -m 1 ' ' -- $line)[1]
            set -l rest (string replace -r '^\S+\s' '' -- $line)
            $program "[suggest:"(string length -- $rest)"]" "$rest" 2>/dev/null
        end
        complete -c polyseme -a '(__polyseme_complete)'
        """;

    public static Command Create(CommandContext context)
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new DocumentedCommand(
            "completion",
            "Prints a script that completes commands and options in your shell.",
            "source <(./polyseme completion bash)",
            "./polyseme completion fish > ~/.config/fish/completions/polyseme.fish"
        )
        {
            shell,
        };
        command.SetAction(parsed =>
        {
            context.Terminal.Out.WriteLine(
                parsed.GetRequiredValue(shell) switch
                {
                    "bash" => Bash,
                    "zsh" => Zsh,
                    "fish" => Fish,
                    var other => throw new UsageException($"there is no completion for {other}"),
                }
            );
            return ExitCode.Done;
        });
        return command;
    }
}
