using System.Text.Json.Nodes;
using Polyseme.Cli;
using Polyseme.PolyBench;

namespace Polyseme.Tests.Cli;

public sealed class BenchmarkCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Cases_are_judged_summed_up_and_not_judged_again()
    {
        string[] command =
        [
            "benchmark",
            "--families",
            "noise-sphere",
            "--families",
            "harmoni*",
            "--cases",
            "2",
            "--out",
            _folder.File("run"),
            "--quiet",
        ];
        var run = CommandLineRun.InProcess(command);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("noise called a cause", run.Out, StringComparison.Ordinal);
        var cases = Directory.GetFiles(_folder.File("run/cases"));
        Assert.Equal(4, cases.Length);
        var summary = JsonNode.Parse(File.ReadAllText(_folder.File("run/summary.json")))!;
        Assert.Equal((4, 2), ((int)summary["cases"]!, (int)summary["families"]!));

        // What is there is read: a verdict changed by hand is believed.
        var path = cases.First(file => file.Contains("noise", StringComparison.Ordinal));
        var before = JsonNode.Parse(File.ReadAllText(path))!;
        Assert.Equal(["undetermined"], before["accepted"]!.AsArray().Select(accepted => (string)accepted!));
        before["verdict"] = "superposition";
        File.WriteAllText(path, before.ToJsonString());
        var again = CommandLineRun.InProcess(command);
        Assert.Equal(0, again.Code);
        Assert.Contains("superposition 1", again.Out, StringComparison.Ordinal);
        Assert.Equal(0.5, (double)JsonNode.Parse(File.ReadAllText(_folder.File("run/summary.json")))!["nulls_called_a_cause"]!);
    }

    [Fact]
    public void Families_are_listed_and_unknown_ones_refused()
    {
        var list = CommandLineRun.InProcess("benchmark", "--list");
        Assert.Equal(0, list.Code);
        foreach (var family in BenchmarkCatalogue.Families)
            Assert.Contains(family.Name, list.Out, StringComparison.Ordinal);
        CommandLineRun
            .InProcess("benchmark", "--families", "rotated", "--out", _folder.File("run"))
            .AssertRefused(ExitCode.Usage, "no family 'rotated'", "rotated-sparse");
        CommandLineRun.InProcess("benchmark", "--cases", "0").AssertRefused(ExitCode.Usage, "--cases", "100000");
        Assert.False(Directory.Exists(_folder.File("run")));
    }
}
