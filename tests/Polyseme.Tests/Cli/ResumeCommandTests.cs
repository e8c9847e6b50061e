using System.Text.Json.Nodes;
using Polyseme.Cli;
using Polyseme.Runs;
using Polyseme.Zoo;

namespace Polyseme.Tests.Cli;

public sealed class ResumeCommandTests : IDisposable
{
    private static readonly string[] s_training =
    [
        "zoo",
        "train",
        "tms",
        .. new[] { "features=10", "hidden=3", "density=0.1", "seeds=3", "steps=700", "batch=64", "samples=200" }.SelectMany(setting =>
            new[] { "--set", setting }
        ),
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_that_is_interrupted_again_and_again_ends_with_the_files_of_one_that_was_not()
    {
        var whole = _folder.File("whole");
        var (code, _, _) = CommandLineRun.InProcess([.. s_training, "--out", whole, "--quiet"]);
        var path = _folder.File("a b");
        var run = Interrupted([.. s_training, "--out", path]);
        var interruptions = 0;
        for (; run.Code == ExitCode.Interrupted; run = Interrupted(["resume", path]))
        {
            interruptions++;
            Assert.EndsWith($"go on with: polyseme resume '{path}'", run.ErrorLines[^1], StringComparison.Ordinal);
            Assert.Single(run.ErrorLines, line => line.StartsWith("polyseme: ", StringComparison.Ordinal));
            Assert.Equal(["checkpoint.safetensors", "run.json"], Files(path));
        }
        Assert.True(interruptions >= 2, $"interrupted {interruptions} times");
        Assert.Equal(code, run.Code);
        AssertSameFiles(whole, path);

        var before = Directory.GetFiles(path).Select(File.GetLastWriteTimeUtc).ToList();
        var finished = CommandLineRun.InProcess("resume", path);
        Assert.Equal((0, $"{path} is finished: there is nothing to go on with\n", ""), (finished.Code, finished.Out, finished.Error));
        Assert.Equal(before, Directory.GetFiles(path).Select(File.GetLastWriteTimeUtc));
    }

    [Fact]
    public async Task A_killed_process_goes_on_from_what_it_had_saved()
    {
        var token = TestContext.Current.CancellationToken;
        string[] longer = [.. s_training, "--set", "seeds=100"];
        var (whole, path) = (_folder.File("whole"), _folder.File("killed"));
        CommandLineRun.InProcess([.. longer, "--out", whole, "--quiet"]);
        Directory.CreateDirectory(path);
        using (var watcher = new FileSystemWatcher(path, ZooRunFiles.Checkpoint))
        {
            var saves = new SemaphoreSlim(0);
            watcher.Renamed += (_, _) => saves.Release();
            watcher.Created += (_, _) => saves.Release();
            watcher.EnableRaisingEvents = true;
            var environment = KeyValuePair.Create(KeptTraining.IntervalVariable, "0");
            using var process = CommandLineRun.Start(_folder.Path, environment, [.. longer, "--out", path, "--quiet"]);
            // The first may hold no trained model yet.
            for (var save = 0; save < 4; save++)
                Assert.True(await saves.WaitAsync(TimeSpan.FromMinutes(2), token), "nothing was saved");
            process.Kill();
            await process.WaitForExitAsync(token);
        }
        Assert.Contains(ZooRunFiles.Checkpoint, Files(path));
        // What was being written when it died is no file of the run.
        foreach (var partial in Directory.GetFiles(path, "*.partial", new EnumerationOptions { AttributesToSkip = FileAttributes.None }))
            File.Delete(partial);
        CommandLineRun.InProcess("resume", path, "--quiet");
        AssertSameFiles(whole, path);
    }

    [Fact]
    public void A_torn_checkpoint_and_that_of_another_configuration_are_refused()
    {
        var path = _folder.File("run");
        Assert.Equal(ExitCode.Interrupted, Interrupted([.. s_training, "--out", path]).Code);
        var (checkpoint, manifest) = (Path.Combine(path, ZooRunFiles.Checkpoint), Path.Combine(path, RunFolder.ManifestName));
        var (bytes, text) = (File.ReadAllBytes(checkpoint), File.ReadAllText(manifest));

        File.WriteAllText(manifest, text.Replace("\"steps\": 700", "\"steps\": 800", StringComparison.Ordinal));
        CommandLineRun.InProcess("resume", path).AssertRefused(ExitCode.Input, checkpoint, "found steps 700", "expected steps 800");
        File.WriteAllText(manifest, text.Replace("\"density\": 0.1", "\"density\": 0", StringComparison.Ordinal));
        CommandLineRun.InProcess("resume", path).AssertRefused(ExitCode.Input, manifest, "Density is 0; it ranges from 1E-05 to 1");

        File.WriteAllText(manifest, text);
        File.WriteAllBytes(checkpoint, bytes[..(bytes.Length / 2)]);
        CommandLineRun.InProcess("resume", path).AssertRefused(ExitCode.Input, checkpoint, "cut off");
        Assert.Equal(["checkpoint.safetensors", "run.json"], Files(path));
    }

    [Fact]
    public void A_reproduction_does_not_run_its_finished_experiments_again()
    {
        var path = _folder.File("reproduction");
        string[] command = ["zoo", "reproduce", "xy", "mixed-radix", "bit-extraction", "--quick", "--out", path];
        var run = Interrupted(command, at: "2/3");
        Assert.Equal(ExitCode.Interrupted, run.Code);
        Assert.EndsWith($"go on with: polyseme resume {path}", run.ErrorLines[^1], StringComparison.Ordinal);
        // Seconds that no run of it takes tell the record from one that was made again.
        var record = Path.Combine(path, "xy.json");
        var node = JsonNode.Parse(File.ReadAllText(record))!;
        node["seconds"] = 12345;
        File.WriteAllText(record, node.ToJsonString());

        var resumed = CommandLineRun.InProcess("resume", path);
        Assert.Equal(0, resumed.Code);
        Assert.Equal(12345, (double)JsonNode.Parse(File.ReadAllText(record))!["seconds"]!);
        Assert.Contains("bit-extraction.json", Files(path));
        Assert.Contains("3 experiments", File.ReadAllText(path + ".md"), StringComparison.Ordinal);
        Assert.DoesNotContain("1/3", resumed.Error, StringComparison.Ordinal);

        var finished = CommandLineRun.InProcess("resume", path);
        Assert.Equal((0, ""), (finished.Code, finished.Error));
        Assert.Contains("is finished", finished.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_folders_are_refused_with_what_can_be_resumed()
    {
        CommandLineRun.InProcess("resume", _folder.Path).AssertRefused(ExitCode.Input, "run.json", "does not exist");
        CommandLineRun.InProcess("resume").AssertRefused(ExitCode.Usage, "resume --help");
        var manifest = _folder.File(RunFolder.ManifestName);
        File.WriteAllText(manifest, "{");
        CommandLineRun.InProcess("resume", _folder.Path).AssertRefused(ExitCode.Input, "run.json");
        File.WriteAllText(manifest, Json.Write(Manifest("diagnose", "tms")));
        CommandLineRun.InProcess("resume", _folder.Path).AssertRefused(ExitCode.Usage, "'diagnose'", "'zoo train'", "'zoo reproduce'");
        File.WriteAllText(manifest, Json.Write(Manifest("zoo train", "no-such-network")));
        CommandLineRun.InProcess("resume", _folder.Path).AssertRefused(ExitCode.Input, "no-such-network");
        File.WriteAllText(manifest, Json.Write(Manifest("zoo reproduce", "reproduce")));
        CommandLineRun.InProcess("resume", _folder.Path).AssertRefused(ExitCode.Input, "plan of experiments");
    }

    [Fact]
    public void The_threads_of_a_run_are_those_it_goes_on_with()
    {
        File.WriteAllText(_folder.File(RunFolder.ManifestName), Json.Write(Manifest("zoo train", "tms") with { Threads = 77 }));
        Assert.Equal(77, ResumeCommand.ThreadsOf(["resume", "--quiet", _folder.Path]));
        Assert.Null(ResumeCommand.ThreadsOf(["resume", _folder.File("absent")]));
        Assert.Null(ResumeCommand.ThreadsOf(["diagnose", _folder.Path]));
    }

    private static RunManifest Manifest(string command, string name) =>
        new()
        {
            Command = command,
            Name = name,
            Seed = 0,
            Threads = 1,
            Config = new JsonObject { ["nonsense"] = 1 },
        };

    /// <summary>A run that is interrupted by its first line of progress, or by the first that begins as said.</summary>
    private static CommandLineRun Interrupted(string[] args, string at = "")
    {
        using var interrupt = new CancellationTokenSource();
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new InterruptingWriter(interrupt, at) { NewLine = "\n" };
        var code = CommandLine.Run(args, new Terminal { Out = output, Error = error }, interrupt.Token);
        return new CommandLineRun(code, output.ToString(), error.ToString());
    }

    private static string[] Files(string path) =>
        [.. Directory.GetFiles(path).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    private static void AssertSameFiles(string expected, string actual)
    {
        Assert.Contains("result.json", Files(expected));
        Assert.Equal(Files(expected), Files(actual));
        foreach (var file in Files(expected))
            Assert.Equal<byte>(File.ReadAllBytes(Path.Combine(expected, file)), File.ReadAllBytes(Path.Combine(actual, file)));
    }

    private sealed class InterruptingWriter(CancellationTokenSource interrupt, string at) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value!.StartsWith(at, StringComparison.Ordinal))
                interrupt.Cancel();
        }
    }
}
