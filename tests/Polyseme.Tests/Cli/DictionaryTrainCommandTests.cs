using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Polyseme.Activations;
using Polyseme.Cli;
using Polyseme.Numerics;
using Polyseme.Runs;
using Polyseme.Tests.Activations;

namespace Polyseme.Tests.Cli;

public sealed partial class DictionaryTrainCommandTests : IDisposable
{
    private const string Checkpoint = "checkpoint.safetensors";
    private const int Rows = 500,
        Width = 24;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_sweep_trains_each_dictionary_as_alone_and_goes_on_bit_for_bit()
    {
        string[] sweep = [.. Training(), "--sweep", "k=2,4", "--sweep", "learning-rate=1e-3,1e-4", "--sweep", "steps=60,120"];
        var whole = CommandLineRun.InProcess([.. sweep, "--out", In("whole"), "--quiet"]);
        Assert.Equal((0, ""), (whole.Code, whole.Error));
        Assert.Equal(8, Directory.GetDirectories(In("whole")).Length);
        Assert.Contains("topk k-4_learning-rate-1e-3_steps-120: 48 latents, 120 steps", whole.Out, StringComparison.Ordinal);
        var points = JsonNode.Parse(File.ReadAllText(In("whole/k-4_learning-rate-1e-3_steps-60/curve.json")))!["points"]!.AsArray();
        Assert.Equal([0, 50, 59], points.Select(point => (int)point!["step"]!));

        var alone = CommandLineRun.InProcess([
            .. Training(120),
            "--set",
            "k=4",
            "--set",
            "learning-rate=1e-3",
            "--out",
            In("alone"),
            "--quiet",
        ]);
        Assert.Equal((0, ""), (alone.Code, alone.Error));
        foreach (var file in new[] { "dictionary.safetensors", "dictionary.json", "curve.json" })
            Assert.Equal<byte>(
                File.ReadAllBytes(In($"alone/{file}")),
                File.ReadAllBytes(In($"whole/k-4_learning-rate-1e-3_steps-120/{file}"))
            );

        var run = Interrupted([.. sweep, "--out", In("stopped")]);
        Assert.Equal(ExitCode.Interrupted, run.Code);
        Assert.Contains($"polyseme resume {In("stopped")}", run.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(In($"stopped/{Checkpoint}")));
        var resumed = CommandLineRun.InProcess("resume", In("stopped"), "--quiet");
        Assert.Equal((0, ""), (resumed.Code, resumed.Error));
        AssertSameFiles(In("whole"), In("stopped"));
        Assert.Contains("is finished", CommandLineRun.InProcess("resume", In("stopped")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sweep_that_cannot_train_is_refused_before_anything_is_made()
    {
        void Refused(string[] arguments, params string[] mentions)
        {
            CommandLineRun.InProcess([.. Training(10), .. arguments, "--out", In("run")]).AssertRefused(ExitCode.Usage, mentions);
            Assert.False(Directory.Exists(In("run")));
        }
        CommandLineRun
            .InProcess("dictionary", "train", In("absent"), "--kind", "relu", "--set", "latents=8", "--sweep", "batch=16,64")
            .AssertRefused(ExitCode.Usage, "one batch size", "16, 64");
        Refused(["--sweep", "k=4,99"], "k=99", "48 latents");
        Refused(["--sweep", "k=4,4"], "twice");
        Refused(["--sweep", "k=4,"], "empty");
        Refused(["--sweep", "seed=0,1", "--seed", "2"], "seed", "twice");
        Refused(["--sweep", "steps=10,20", "--set", "k=3"], "steps", "twice");
        Refused(["--sweep", "depth=1,2"], "depth", "known");
        Refused(["--sweep", "k"], "KEY=VALUE");
        Refused(["--set", "k=49"], "k is 49", "48 latents");
        Refused(["--sweep", "l=" + string.Join(',', Enumerable.Range(0, 1001))], "1001", "1000");
    }

    [Fact]
    public async Task A_killed_training_goes_on_to_the_same_bytes()
    {
        var token = TestContext.Current.CancellationToken;
        // Killed when some have done all their steps and others have not.
        string[] command = [.. Training(), "--sweep", "k=2,4", "--sweep", "steps=20,3000"];
        CommandLineRun.InProcess([.. command, "--out", In("whole"), "--quiet"]);
        Directory.CreateDirectory(In("killed"));
        using (var watcher = new FileSystemWatcher(In("killed"), Checkpoint))
        {
            var saves = new SemaphoreSlim(0);
            watcher.Renamed += (_, _) => saves.Release();
            watcher.Created += (_, _) => saves.Release();
            watcher.EnableRaisingEvents = true;
            var environment = KeyValuePair.Create(KeptTraining.IntervalVariable, "0");
            using var process = CommandLineRun.Start(_folder.Path, environment, [.. command, "--out", In("killed"), "--quiet"]);
            for (var save = 0; save < 30; save++)
                Assert.True(await saves.WaitAsync(TimeSpan.FromMinutes(2), token), "nothing was saved");
            process.Kill();
            await process.WaitForExitAsync(token);
        }
        Assert.True(File.Exists(In($"killed/{Checkpoint}")));
        Assert.False(File.Exists(In("killed/k-2_steps-20/dictionary.json")));
        // What was being written when it died is no file of the run.
        var hidden = new EnumerationOptions { AttributesToSkip = FileAttributes.None, RecurseSubdirectories = true };
        foreach (var partial in Directory.GetFiles(In("killed"), "*.partial", hidden))
            File.Delete(partial);
        var resumed = CommandLineRun.InProcess("resume", In("killed"), "--quiet");
        Assert.Equal((0, ""), (resumed.Code, resumed.Error));
        AssertSameFiles(In("whole"), In("killed"));
    }

    [Fact]
    public void A_disk_that_is_full_at_a_checkpoint_is_one_error_and_leaves_the_one_before()
    {
        string[] command = [.. Training(120), "--set", "k=2"];
        CommandLineRun.InProcess([.. command, "--out", In("whole"), "--quiet"]);
        Assert.Equal(ExitCode.Interrupted, Interrupted([.. command, "--out", In("full")]).Code);
        var before = File.ReadAllBytes(In($"full/{Checkpoint}"));
        // No file may pass 8 blocks of 1,024 bytes: the curve fits, the checkpoint does not.
        Assert.True(before.Length > 8192);
        const string limited =
            """trap '' XFSZ; ulimit -f 8; export DOTNET_EnableWriteXorExecute=0 POLYSEME_SAVE_SECONDS=0; exec dotnet "$@" """;
        using var process = CommandLineRun.Start(
            _folder.Path,
            "bash",
            ["-c", limited, "bash", Path.Combine(AppContext.BaseDirectory, "Polyseme.Cli.dll"), "resume", In("full"), "--quiet"]
        );
        CommandLineRun.ToTheEnd(process).AssertRefused(ExitCode.Failed, $"{In($"full/{Checkpoint}")}: cannot be written");
        Assert.Equal<byte>(before, File.ReadAllBytes(In($"full/{Checkpoint}")));
        Assert.Equal(0, CommandLineRun.InProcess("resume", In("full"), "--quiet").Code);
        AssertSameFiles(In("whole"), In("full"));
    }

    [Fact]
    public void Activations_that_changed_under_a_resume_are_refused()
    {
        Assert.Equal(ExitCode.Interrupted, Interrupted([.. Training(120), "--out", In("run")]).Code);
        var bytes = File.ReadAllBytes(In("acts.safetensors"));
        var checkpoint = File.ReadAllBytes(In($"run/{Checkpoint}"));
        bytes[^3] ^= 1;
        File.WriteAllBytes(In("acts.safetensors"), bytes);
        CommandLineRun
            .InProcess("resume", In("run"), "--quiet")
            .AssertRefused(ExitCode.Input, "acts.safetensors: changed since the run began", "sha256");
        Assert.Equal<byte>(checkpoint, File.ReadAllBytes(In($"run/{Checkpoint}")));
    }

    [Fact]
    public void Activations_with_NaN_are_refused_with_the_place()
    {
        var values = Values();
        values[(123 * Width) + 7] = float.NaN;
        SafetensorsFile.Write(In("nan.safetensors"), [SafetensorsTensor.Of("activations", values, Rows, Width)]);
        var run = CommandLineRun.InProcess([.. Training(120, "nan.safetensors"), "--out", In("run"), "--quiet"]);
        run.AssertRefused(ExitCode.Input, "nan.safetensors: holds a value that is not finite", "NaN in row 123, column 7");
        Assert.False(File.Exists(In("run/dictionary.json")));
    }

    [Fact]
    public void Targets_of_another_length_are_refused()
    {
        SafetensorsFile.Write(In("short.safetensors"), [SafetensorsTensor.Of("activations", new float[20], 10, 2)]);
        var command = Training(10);
        command[Array.IndexOf(command, "topk")] = "transcoder";
        CommandLineRun
            .InProcess([.. command, "--activation", "topk", "--targets", In("short.safetensors"), "--quiet"])
            .AssertRefused(ExitCode.Input, "short.safetensors", "10 rows", "500");
    }

    [Fact]
    public void Progress_says_loss_L0_dead_latents_speed_and_time_left()
    {
        var run = CommandLineRun.InProcess([.. Training(60), "--sweep", "k=2,4", "--out", In("run")]);
        Assert.Matches(Progress(), run.Error);
    }

    [Theory]
    [InlineData("matching-pursuit", "max-iterations=3", "input-scale=sae_lens", "matching-pursuit: 48 latents")]
    [InlineData("topk", "k-anneal-steps=90", "input-scale=mean_square", "topk: 48 latents")]
    [InlineData("batchtopk", "k-anneal-steps=90", "k-anneal-start=40", "batchtopk: 48 latents")]
    public void What_changes_with_the_step_or_the_rows_goes_on_to_the_same_bytes(string kind, string first, string second, string summary)
    {
        string[] training =
        [
            .. Training(120).Select(argument => argument == "topk" ? kind : argument),
            "--set",
            first,
            "--set",
            second,
            "--set",
            "input-scale-batches=5",
            .. kind == "matching-pursuit" ? Array.Empty<string>() : ["--set", "k=2"],
        ];
        var whole = CommandLineRun.InProcess([.. training, "--out", In("whole"), "--quiet"]);
        Assert.Equal((0, ""), (whole.Code, whole.Error));
        Assert.Contains(summary, whole.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Interrupted, Interrupted([.. training, "--out", In("stopped")]).Code);
        var resumed = CommandLineRun.InProcess("resume", In("stopped"), "--quiet");
        Assert.Equal((0, ""), (resumed.Code, resumed.Error));
        AssertSameFiles(In("whole"), In("stopped"));
        var evaluated = CommandLineRun.InProcess("dictionary", "eval", In("whole"), In("acts.safetensors"), "--quiet");
        Assert.Equal((0, ""), (evaluated.Code, evaluated.Error));
    }

    [Fact]
    public void A_shuffled_copy_is_trained_on_to_the_same_bytes_and_taken_away()
    {
        string[] training = [.. Training(120), "--set", "k=2", "--shuffle", "disk"];
        var whole = CommandLineRun.InProcess([.. training, "--out", In("whole"), "--quiet"]);
        Assert.Equal((0, ""), (whole.Code, whole.Error));
        Assert.Empty(Directory.GetDirectories(In("whole")));

        // The first line of progress is that of shuffling: nothing is trained, and what is there is no store.
        var shuffling = Interrupted([.. training, "--out", In("shuffling")]);
        Assert.Equal(ExitCode.Interrupted, shuffling.Code);
        Assert.Contains("nothing is trained yet; go on with: polyseme resume", shuffling.Error, StringComparison.Ordinal);
        Assert.Equal(0, CommandLineRun.InProcess("resume", In("shuffling"), "--quiet").Code);
        AssertSameFiles(In("whole"), In("shuffling"));

        // A copy that is there is used; one that was damaged is not.
        Assert.Equal(ExitCode.Interrupted, Interrupted([.. training, "--out", In("training")], lines: 3).Code);
        var shard = In("training/shuffled/shard-00000.safetensors");
        var bytes = File.ReadAllBytes(shard);
        bytes[^3] ^= 1;
        File.WriteAllBytes(shard, bytes);
        CommandLineRun.InProcess("resume", In("training"), "--quiet").AssertRefused(ExitCode.Input, "shard-00000", "sha256");
        bytes[^3] ^= 1;
        File.WriteAllBytes(shard, bytes);
        Assert.Equal(0, CommandLineRun.InProcess("resume", In("training"), "--quiet").Code);
        AssertSameFiles(In("whole"), In("training"));
    }

    [Fact]
    public void What_is_slow_to_read_at_random_is_copied_unless_told_otherwise()
    {
        string ShuffleOf(string run) =>
            (string)JsonNode.Parse(File.ReadAllText(In($"{run}/{RunFolder.ManifestName}")))!["config"]!["shuffle"]!;
        foreach (var (name, expected) in new[] { ("deflated.npz", "disk"), ("little-f4-fortran.npy", "disk"), ("big-f2.npy", "read") })
        {
            var path = RepositoryFile.Golden(name);
            string[] training =
            [
                "dictionary",
                "train",
                path,
                "--kind",
                "topk",
                .. new[] { "latents=8", "k=2", "batch=8", "steps=5" }.SelectMany(setting => new[] { "--set", setting }),
            ];
            foreach (var way in new[] { null, "read" })
            {
                var run = $"{name} {way}";
                var result = CommandLineRun.InProcess([
                    .. training,
                    .. way is null ? Array.Empty<string>() : ["--shuffle", way],
                    "--out",
                    In(run),
                    "--quiet",
                ]);
                Assert.Equal((0, ""), (result.Code, result.Error));
                Assert.Equal(way ?? expected, ShuffleOf(run));
            }
        }
    }

    [Fact]
    public void A_disk_that_is_full_at_a_copy_is_one_error()
    {
        string[] command = [.. Training(120), "--set", "k=2", "--shuffle", "disk", "--out", In("full"), "--quiet"];
        // No file may pass 8 blocks of 1,024 bytes; the copy has 48,000.
        const string limited = """trap '' XFSZ; ulimit -f 8; export DOTNET_EnableWriteXorExecute=0; exec dotnet "$@" """;
        using var process = CommandLineRun.Start(
            _folder.Path,
            "bash",
            ["-c", limited, "bash", Path.Combine(AppContext.BaseDirectory, "Polyseme.Cli.dll"), .. command]
        );
        CommandLineRun.ToTheEnd(process).AssertRefused(ExitCode.Failed, In("full/shuffled"), "cannot be written");
        Assert.Equal(0, CommandLineRun.InProcess("resume", In("full"), "--quiet").Code);
        Assert.Empty(Directory.GetDirectories(In("full")));
    }

    [Fact]
    public void A_transcoder_without_an_encoder_is_refused_before_anything_is_made()
    {
        string[] training = [.. Training(10).Select(argument => argument == "topk" ? "transcoder" : argument)];
        CommandLineRun
            .InProcess([.. training, "--targets", In("acts.safetensors"), "--activation", "matching-pursuit", "--out", In("run")])
            .AssertRefused(ExitCode.Usage, "matching-pursuit", "'relu'");
        Assert.False(Directory.Exists(In("run")));
    }

    [Fact]
    public void A_manifest_that_names_folders_outside_of_the_run_is_refused()
    {
        Interrupted([.. Training(120), "--sweep", "k=2,4", "--out", In("run")]);
        var manifest = In($"run/{RunFolder.ManifestName}");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"k-2\"", "\"../k-2\"", StringComparison.Ordinal));
        CommandLineRun.InProcess("resume", In("run"), "--quiet").AssertRefused(ExitCode.Input, RunFolder.ManifestName, "../k-2");
    }

    [GeneratedRegex(@"training.*2 dictionaries, loss [0-9.]+ to [0-9.]+, L0 2 to 4, dead 0, [0-9]+ samples/s, 0:00:[0-9]{2} left")]
    private static partial Regex Progress();

    private string In(string name) => Path.Combine(_folder.Path, name);

    private string[] Training(int? steps = null, string activations = "acts.safetensors")
    {
        if (!File.Exists(In(activations)))
            SafetensorsFile.Write(In(activations), [SafetensorsTensor.Of("activations", Values(), Rows, Width)]);
        return
        [
            "dictionary",
            "train",
            In(activations),
            "--kind",
            "topk",
            .. new[] { "latents=48", "batch=32", "dead-after-steps=20" }.SelectMany(setting => new[] { "--set", setting }),
            .. steps is { } count ? new[] { "--set", $"steps={count}" } : [],
        ];
    }

    private static float[] Values()
    {
        var random = new RandomStream(0, "tests/train");
        return [.. Enumerable.Range(0, Rows * Width).Select(_ => (float)random.NextNormal())];
    }

    /// <summary>A run that is interrupted by a line of progress, by default the first.</summary>
    private static CommandLineRun Interrupted(string[] args, int lines = 1)
    {
        using var interrupt = new CancellationTokenSource();
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new InterruptingWriter(interrupt, lines) { NewLine = "\n" };
        var code = CommandLine.Run(args, new Terminal { Out = output, Error = error }, interrupt.Token);
        return new CommandLineRun(code, output.ToString(), error.ToString());
    }

    private static void AssertSameFiles(string expected, string actual)
    {
        string[] Files(string path) =>
            [
                .. Directory
                    .GetFiles(path, "*", SearchOption.AllDirectories)
                    .Select(file => Path.GetRelativePath(path, file))
                    .Order(StringComparer.Ordinal),
            ];
        Assert.Equal(Files(expected), Files(actual));
        foreach (var file in Files(expected))
            Assert.Equal<byte>(File.ReadAllBytes(Path.Combine(expected, file)), File.ReadAllBytes(Path.Combine(actual, file)));
    }

    private sealed class InterruptingWriter(CancellationTokenSource interrupt, int lines) : StringWriter
    {
        private int _left = lines;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (--_left == 0)
                interrupt.Cancel();
        }
    }
}
