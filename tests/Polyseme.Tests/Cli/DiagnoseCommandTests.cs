using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Polyseme.Cli;
using Polyseme.Numerics;
using Polyseme.Tests.Runs;

namespace Polyseme.Tests.Cli;

public sealed class DiagnoseCommandTests : IDisposable
{
    private const int Rows = 400;
    private const int Neurons = 6;
    private readonly TemporaryFolder _folder = new();

    public DiagnoseCommandTests()
    {
        // Sparse features along turned axes: small, and something to say about.
        var stream = new RandomStream(5, "cli-tests");
        var features = new Matrix(Rows, Neurons);
        for (var i = 0; i < features.Data.Length; i++)
            features.Data[i] = stream.NextDouble() < 0.2 ? 0.2 + stream.NextDouble() : 0;
        var values = LinearAlgebra.Multiply(features, stream.NormalMatrix(Neurons, Neurons));
        File.WriteAllBytes(Acts, Npy(values));
        File.WriteAllLines(Concepts, ["first,kind", .. Enumerable.Range(0, Rows).Select(i => $"{(features[i, 0] > 0 ? 1 : 0)},k{i % 3}")]);
        var broken = values.Copy();
        (broken[7, 2], broken[9, 0]) = (double.NaN, double.PositiveInfinity);
        File.WriteAllBytes(Broken, Npy(broken));
    }

    private string Acts => _folder.File("acts.npy");

    private string Concepts => _folder.File("concepts.csv");

    private string Broken => _folder.File("broken.npy");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void With_a_dash_stdout_is_the_object_alone()
    {
        var run = CommandLineRun.InProcess("diagnose", Acts, "--concepts", Concepts, "--json", "-");
        Assert.Equal(0, run.Code);
        var result = DiagnosisContract.AssertKept(run.Out);
        Assert.NotEmpty(run.ErrorLines); // progress
        Assert.Equal(Rows, (int)result["input"]!["n_samples"]!);
        Assert.Equal(Neurons, (int)result["layer"]!["d"]!);
        Assert.Equal(Neurons, result["neurons"]!.AsArray().Count);
        Assert.Equal(Acts, (string?)result["input"]!["path"]);
        Assert.Equal("""["A","C"]""", result["input"]!["access"]!.ToJsonString());
        Assert.Equal<string>(["first", "kind"], result["concepts"]!.AsArray().Select(concept => (string)concept!["name"]!));
        Assert.Equal<string>(["acts.npy", "broken.npy", "concepts.csv"], _folder.Entries());
    }

    [Fact]
    public void Quiet_says_nothing_on_stderr() =>
        Assert.Equal("", CommandLineRun.InProcess("diagnose", Acts, "--json", "-", "--quiet").Error);

    [Fact]
    public void Files_are_written_where_they_are_asked_for_and_nowhere_else()
    {
        var run = CommandLineRun.InProcess("diagnose", Acts, "--json", _folder.File("out.json"), "--report", _folder.File("out.html"));
        Assert.Equal(0, run.Code);
        Assert.Contains("d 6, r ", run.Out, StringComparison.Ordinal);
        DiagnosisContract.AssertKept(File.ReadAllText(_folder.File("out.json")));
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(_folder.File("out.html")), StringComparison.OrdinalIgnoreCase);
        Assert.Equal<string>(["acts.npy", "broken.npy", "concepts.csv", "out.html", "out.json"], _folder.Entries());
    }

    [Fact]
    public void Without_a_file_to_write_the_result_goes_to_a_run_folder()
    {
        var run = CommandLineRun.Process(_folder.Path, "diagnose", "acts.npy", "--quiet");
        Assert.Equal(0, run.Code);
        Assert.Equal("", run.Error);
        var folder = Assert.Single(Directory.GetDirectories(_folder.File("runs")));
        Assert.Matches("/acts-[0-9a-f]{10}$", folder);
        Assert.Equal<string>(
            ["diagnosis.json", "report.html", "run.json"],
            Directory.GetFiles(folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)
        );
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "run.json")))!;
        Assert.Equal("diagnose", (string?)manifest["command"]);
        Assert.Matches("^[0-9a-f]{64}$", (string?)manifest["inputs"]![0]!["sha256"]);
    }

    [Fact]
    public void The_same_question_gets_the_same_bytes_but_for_the_time()
    {
        string Ask(string name)
        {
            Assert.Equal(
                0,
                CommandLineRun
                    .InProcess("diagnose", Acts, "--concepts", Concepts, "--seed", "3", "--out", _folder.File(name), "--quiet")
                    .Code
            );
            var result = JsonNode.Parse(File.ReadAllText(_folder.File($"{name}/diagnosis.json")))!.AsObject();
            result["seconds"] = 0;
            return result.ToJsonString();
        }
        Assert.Equal(Ask("a"), Ask("b"));
        Assert.Equal(File.ReadAllText(_folder.File("a/run.json")), File.ReadAllText(_folder.File("b/run.json")));
    }

    [Fact]
    public void Neurons_chooses_what_is_reported_not_what_is_analysed()
    {
        var all = JsonNode.Parse(CommandLineRun.InProcess("diagnose", Acts, "--json", "-", "--quiet").Out)!;
        var some = JsonNode.Parse(CommandLineRun.InProcess("diagnose", Acts, "--json", "-", "--quiet", "--neurons", "2-3").Out)!;
        Assert.Equal<int>([2, 3], some["neurons"]!.AsArray().Select(neuron => (int)neuron!["index"]!));
        Assert.Equal(all["layer"]!.ToJsonString(), some["layer"]!.ToJsonString());
        CommandLineRun
            .InProcess("diagnose", Acts, "--neurons", "2-6", "--quiet", "--json", "-")
            .AssertRefused(ExitCode.Usage, "--neurons 2-6", "5");
    }

    [Fact]
    public void Rows_that_hold_no_number_are_refused_or_dropped_and_counted()
    {
        CommandLineRun.InProcess("diagnose", Broken, "--json", "-", "--quiet").AssertRefused(ExitCode.Input, "broken.npy", "--allow-nan");
        var run = CommandLineRun.InProcess("diagnose", Broken, "--concepts", Concepts, "--allow-nan", "--json", "-", "--quiet");
        var input = DiagnosisContract.AssertKept(run.Out)["input"]!;
        Assert.Equal((2, Rows - 2), ((int)input["n_dropped"]!, (int)input["n_samples"]!));
    }

    [Fact]
    public void Unusable_input_is_code_3_one_line_and_no_file()
    {
        File.WriteAllText(_folder.File("text.npy"), "not an array");
        File.WriteAllBytes(_folder.File("short.npy"), File.ReadAllBytes(Acts)[..^5]);
        File.WriteAllText(_folder.File("few.csv"), "first\n1\n0\n");
        File.WriteAllText(_folder.File("tokens.json"), """["a", "b"]""");
        Directory.CreateDirectory(_folder.File("empty"));
        var before = _folder.Entries();
        string[] output = ["--json", _folder.File("out.json"), "--report", _folder.File("out.html"), "--quiet"];
        void Refused(string mention, params string[] args) =>
            CommandLineRun.InProcess(["diagnose", .. args, .. output]).AssertRefused(ExitCode.Input, mention);

        Refused("missing.npy", _folder.File("missing.npy"));
        Refused("text.npy", _folder.File("text.npy"));
        Refused("short.npy", _folder.File("short.npy"));
        Refused("concepts.csv", Concepts);
        Refused("empty", _folder.File("empty"));
        Refused("few.csv", Acts, "--concepts", _folder.File("few.csv"));
        Refused("missing.csv", Acts, "--concepts", _folder.File("missing.csv"));
        Refused("tokens.json", Acts, "--tokens", _folder.File("tokens.json"));
        Refused("document", Acts, "--groups", "document");
        Refused("no-run", Acts, "--model", _folder.File("no-run"), "--hook", "hidden");
        Assert.Equal(before, _folder.Entries());
    }

    [Fact]
    public void A_name_cannot_steer_the_terminal() =>
        CommandLineRun
            .InProcess("diagnose", _folder.File("\u001b]0;x\u0007\n.npy"), "--json", "-")
            .AssertRefused(ExitCode.Input, "\\u001b]0;x\\u0007\\u000a.npy");

    [Fact]
    public void An_unwritable_output_is_code_1_before_the_input_is_read()
    {
        File.WriteAllText(_folder.File("file"), "");
        void Refused(params string[] output) =>
            CommandLineRun
                .InProcess(["diagnose", _folder.File("missing.npy"), .. output])
                .AssertRefused(ExitCode.Failed, "cannot be written");

        Refused("--json", _folder.File("nowhere/out.json"));
        Refused("--json", _folder.Path);
        Refused("--report", _folder.File("file/out.html"));
        Refused("--out", _folder.File("file"));
        Refused("--json", "/proc/out.json");
    }

    [Fact]
    public void A_full_disk_is_code_1()
    {
        var run = CommandLineRun.InProcess("diagnose", Acts, "--quiet", "--json", "/dev/full");
        run.AssertRefused(ExitCode.Failed, "/dev/full", "No space left");
    }

    [Fact]
    public void An_interruption_is_code_130_one_line_and_no_file()
    {
        var before = _folder.Entries();
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        CommandLineRun
            .InProcessUntil(cancelled.Token, "diagnose", Acts, "--json", _folder.File("out.json"), "--quiet")
            .AssertRefused(ExitCode.Interrupted, "interrupted");
        CommandLineRun
            .InProcessUntil(cancelled.Token, "diagnose", Acts, "--out", _folder.File("run"), "--quiet")
            .AssertRefused(ExitCode.Interrupted, "interrupted");
        Assert.Equal(before, _folder.Entries());
    }

    private static byte[] Npy(Matrix values)
    {
        var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({values.Rows}, {values.Columns}), }}";
        header = header.PadRight(117) + "\n";
        var bytes = new MemoryStream();
        bytes.Write([0x93, .. "NUMPY"u8, 1, 0]);
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16LittleEndian(four, (ushort)header.Length);
        bytes.Write(four[..2]);
        bytes.Write(Encoding.ASCII.GetBytes(header));
        foreach (var value in values.Data)
        {
            BinaryPrimitives.WriteSingleLittleEndian(four, (float)value);
            bytes.Write(four);
        }
        return bytes.ToArray();
    }
}
