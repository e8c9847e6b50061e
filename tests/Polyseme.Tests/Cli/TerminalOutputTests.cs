using Polyseme.Cli;
using Polyseme.Runs;

namespace Polyseme.Tests.Cli;

public sealed class TerminalOutputTests : IDisposable
{
    private readonly StringWriter _out = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };

    public void Dispose()
    {
        _out.Dispose();
        _error.Dispose();
    }

    [Fact]
    public void Elsewhere_than_on_a_terminal_progress_is_a_line_a_stage_not_a_line_a_step()
    {
        var answer = ProgressDisplay.Run(
            Plain(),
            quiet: false,
            progress =>
            {
                for (var i = 0; i <= 1000; i++)
                    progress.Report(new Step("training", i, 1000, $"loss {1.0 / (i + 1):0.00}"));
                progress.Report(new Step("odd\u001bname", 1, 2));
                return 7;
            }
        );
        Assert.Equal(7, answer);
        Assert.Equal("training · loss 1.00\nodd\\u001bname 50 %\n", _error.ToString());
        Assert.Equal("", _out.ToString());
    }

    [Fact]
    public void Quiet_is_quiet()
    {
        ProgressDisplay.Run(
            Plain(),
            quiet: true,
            progress =>
            {
                progress.Report(new Step("training", 1, 2));
                return 0;
            }
        );
        Assert.Equal("", _error.ToString());
    }

    [Fact]
    public void On_a_terminal_progress_is_drawn_and_markup_in_names_is_text()
    {
        ProgressDisplay.Run(
            new Terminal
            {
                Out = _out,
                Error = _error,
                ErrorIsTerminal = true,
            },
            quiet: false,
            progress =>
            {
                progress.Report(new Step("[red]first[/", 1, 2));
                progress.Report(new Step("second", 0, 0));
                progress.Report(new Step("second", 5, 3));
                return 0;
            }
        );
        Assert.Equal("", _out.ToString());
    }

    [Fact]
    public void A_failure_under_a_progress_bar_is_the_failure()
    {
        var terminal = new Terminal
        {
            Out = _out,
            Error = _error,
            ErrorIsTerminal = true,
        };
        Assert.Throws<UsageException>(() => ProgressDisplay.Run<int>(terminal, quiet: false, _ => throw new UsageException("no")));
    }

    [Fact]
    public void A_table_for_scripts_is_aligned_with_a_line_a_row()
    {
        Table().Write(Plain());
        Assert.Equal("network   seconds\ntoy; 2        1.5\na\\u0007b       10\n", _out.ToString());
    }

    [Fact]
    public void A_table_for_people_is_drawn()
    {
        Table()
            .Write(
                new Terminal
                {
                    Out = _out,
                    Error = _error,
                    OutIsTerminal = true,
                }
            );
        Assert.Contains("a\\u0007b", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("│", _out.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "–")]
    [InlineData(0.0, "0")]
    [InlineData(0.0001234, "1.2e-4")]
    [InlineData(-0.25, "-0.25")]
    [InlineData(0.98765, "0.988")]
    [InlineData(12345.6, "12346")]
    public void Numbers_are_short(double? value, string expected) => Assert.Equal(expected, VerdictText.Number(value));

    private Terminal Plain() => new() { Out = _out, Error = _error };

    private static TextTable Table()
    {
        var table = new TextTable("network", ">seconds");
        table.Add("toy\n2", "1.5");
        table.Add("a\u0007b", "10");
        return table;
    }
}
