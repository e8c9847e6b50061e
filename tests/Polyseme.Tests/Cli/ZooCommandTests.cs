using System.Diagnostics;
using System.Text.Json.Nodes;
using Polyseme.Activations;
using Polyseme.Cli;
using Polyseme.Runs;
using Polyseme.Tests.Runs;
using Polyseme.Zoo;
using Polyseme.Zoo.Training;

namespace Polyseme.Tests.Cli;

public sealed class ZooCommandTests : IDisposable
{
    /// <summary>A constructed network: made in no time.</summary>
    private const string Constructed = "mixed-radix";

    /// <summary>A trained network, with as many steps as never end while a test waits.</summary>
    private const string Trained = "tms";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void List_names_every_network()
    {
        var run = CommandLineRun.InProcess("zoo", "list");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.All(ZooCatalogue.Members, member => Assert.Contains(member.Name, run.Out, StringComparison.Ordinal));
    }

    [Fact]
    public void Show_names_every_setting_with_its_default()
    {
        foreach (var member in ZooCatalogue.Members)
        {
            var run = CommandLineRun.InProcess("zoo", "show", member.Name);
            Assert.Equal((0, ""), (run.Code, run.Error));
            Assert.Contains(member.Source, run.Out, StringComparison.Ordinal);
            Assert.All(ZooConfigs.Values(member.DefaultConfig), setting => Assert.Matches($@"(?m)^{setting.Key}\s+\S", run.Out));
        }
    }

    [Fact]
    public void Training_writes_a_run_that_diagnose_reads()
    {
        var path = Train("a");
        Assert.Equal<string>(
            [
                "activations.safetensors",
                "concepts.safetensors",
                "config.json",
                "result.json",
                "run.json",
                "truth.json",
                "weights.safetensors",
            ],
            Directory.GetFiles(path).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)
        );
        var acceptances = JsonNode.Parse(File.ReadAllText(Path.Combine(path, "result.json")))!["acceptances"]!.AsArray();
        Assert.NotEmpty(acceptances);
        Assert.All(acceptances, acceptance => Assert.True((bool)acceptance!["passed"]!));

        var run = CommandLineRun.InProcess(
            "diagnose",
            Path.Combine(path, "activations.safetensors"),
            "--concepts",
            Path.Combine(path, "concepts.safetensors"),
            "--json",
            "-",
            "--quiet"
        );
        Assert.Equal(0, run.Code);
        var features = SafetensorsFile
            .Open(Path.Combine(path, "concepts.safetensors"))
            .Arrays.Select(array => array.Name)
            .Order(StringComparer.Ordinal);
        Assert.Equal(
            features,
            DiagnosisContract.AssertKept(run.Out)["concepts"]!
                .AsArray()
                .Select(concept => (string)concept!["name"]!)
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void The_same_configuration_writes_the_same_bytes()
    {
        var (a, b) = (Train("a"), Train("b"));
        foreach (var file in Directory.GetFiles(a))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(b, Path.GetFileName(file))));
    }

    [Fact]
    public void The_network_comes_back_and_computes_the_same()
    {
        var path = Train("a");
        var hook = (string)JsonNode.Parse(File.ReadAllText(Path.Combine(path, "result.json")))!["hook"]!;
        var member = ZooCatalogue.Find(Constructed);
        var expected = member.Run(member.DefaultConfig with { Samples = 500 }, null, CancellationToken.None).Network;
        var network = ZooRunFiles.ReadNetwork(path, hook, null, CancellationToken.None);
        var inputs = new Polyseme.Numerics.RandomStream(1, "inputs").NormalMatrix(20, network.InputWidth);
        Assert.Equal(expected.Run(inputs, [hook]).Recorded[hook].Data, network.Run(inputs, [hook]).Recorded[hook].Data);

        Assert.Contains(
            "no hook 'nowhere'",
            Assert.Throws<InputException>(() => ZooRunFiles.ReadNetwork(path, "nowhere", null, CancellationToken.None)).Message,
            StringComparison.Ordinal
        );
        File.WriteAllText(Path.Combine(path, "config.json"), """{"sedes": 3}""");
        Assert.Throws<InputException>(() => ZooRunFiles.ReadNetwork(path, hook, null, CancellationToken.None));
    }

    [Fact]
    public void A_network_of_another_width_is_not_where_the_activations_come_from()
    {
        var path = Train("a");
        var hook = (string)JsonNode.Parse(File.ReadAllText(Path.Combine(path, "result.json")))!["hook"]!;
        SafetensorsFile.Write(_folder.File("narrow.safetensors"), [SafetensorsTensor.Of("activations", new float[30], 10, 3)]);
        CommandLineRun
            .InProcess("diagnose", _folder.File("narrow.safetensors"), "--model", path, "--hook", hook, "--json", "-", "--quiet")
            .AssertRefused(ExitCode.Input, hook, "3, as in");
    }

    [Fact]
    public void Seeds_that_diverged_are_shown_with_their_step_and_kept_in_the_result()
    {
        var member = ZooCatalogue.Find(Constructed);
        var run = member.Run(member.DefaultConfig with { Samples = 500 }, null, CancellationToken.None) with
        {
            SeedLosses = [0.1, 0.2],
            Diverged = [new Divergence(1, 37), new Divergence(3, 40)],
        };
        using var output = new StringWriter();
        ZooTraining.Report(new Terminal { Out = output, Error = output }, run, "runs/a");
        Assert.Contains(
            "2 of 4 models did not count: seed 1 diverged at step 37, seed 3 diverged at step 40",
            output.ToString(),
            StringComparison.Ordinal
        );
        ZooRunFiles.Write(RunFolder.Open(_folder.File("a")), run);
        var kept = JsonNode.Parse(File.ReadAllText(Path.Combine(_folder.File("a"), "result.json")))!["diverged"]!;
        Assert.Equal((3, 40), ((int)kept[1]!["seed"]!, (int)kept[1]!["step"]!));
    }

    [Fact]
    public void When_every_seed_diverges_each_is_named_and_nothing_is_left() =>
        CommandLineRun
            .InProcess([
                .. new[] { "zoo", "train", "tms-memorised", "--quiet", "--out", _folder.File("a") },
                .. new[] { "features=20", "seeds=2", "weight-decay=10", "learning-rate=1", "samples=200" }.SelectMany(setting =>
                    new[] { "--set", setting }
                ),
            ])
            .AssertRefused(ExitCode.Failed, "no model is left of 2: seed 0 diverged at step ", ", seed 1 diverged at step ");

    [Theory]
    [InlineData("tms", "hidden=80", "Hidden is 80; it stays below Features, 80")]
    [InlineData("tms", "density=0", "Density is 0; it ranges from 1E-05 to 1")]
    [InlineData("tms", "density=1.2", "Density is 1.2; it ranges from 1E-05 to 1")]
    [InlineData("tms", "density=NaN", "NaN")]
    [InlineData("tms-pairs", "density=0", "Density is 0; it ranges from 1E-05 to 1")]
    [InlineData("tms-privileged", "density=-0.5", "Density is -0.5; it ranges from 1E-05 to 1")]
    [InlineData("tms-memorised", "density=2", "Density is 2; it ranges from 1E-05 to 1")]
    [InlineData("tms-memorised", "features=10 hidden=10", "Hidden is 10; it stays below Features, 10")]
    [InlineData("tms", "steps=0", "Steps is 0; it ranges from 1 to 1000000")]
    [InlineData("tms", "learning-rate=-1", "LearningRate is -1; it ranges from 1E-06 to 1")]
    public void Impossible_settings_of_toy_models_are_refused_at_the_door(string name, string settings, string mention)
    {
        CommandLineRun
            .InProcess([
                .. new[] { "zoo", "train", name, "--out", _folder.File("a") },
                .. settings.Split(' ').SelectMany(setting => new[] { "--set", setting }),
            ])
            .AssertRefused(ExitCode.Usage, mention);
        Assert.Empty(_folder.Entries());
    }

    [Theory]
    [InlineData("nonsense=1", "nonsense")]
    [InlineData("samples=-1", "samples")]
    [InlineData("samples=many", "many")]
    public void A_wrong_setting_is_a_usage_error(string setting, string mention) =>
        CommandLineRun
            .InProcess("zoo", "train", Constructed, "--set", setting, "--out", _folder.File("a"))
            .AssertRefused(ExitCode.Usage, mention);

    [Fact]
    public void An_unwritable_folder_is_code_1()
    {
        File.WriteAllText(_folder.File("file"), "");
        CommandLineRun
            .InProcess("zoo", "train", Constructed, "--out", _folder.File("file"))
            .AssertRefused(ExitCode.Failed, "cannot be written");
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task A_signal_stops_training_with_code_130_and_keeps_what_is_trained(string signal)
    {
        var token = TestContext.Current.CancellationToken;
        using var process = CommandLineRun.Start(_folder.Path, "zoo", "train", Trained, "--set", "steps=1000000");
        // The first line of progress says that the work has begun.
        Assert.NotNull(await process.StandardError.ReadLineAsync(token));
        // Twice, as timeout and others do.
        for (var i = 0; i < 2; i++)
        {
            using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
            await kill.WaitForExitAsync(token);
        }
        var error = await process.StandardError.ReadToEndAsync(token);
        await process.WaitForExitAsync(token);
        Assert.Equal(ExitCode.Interrupted, process.ExitCode);
        var path = Path.GetRelativePath(_folder.Path, Assert.Single(Directory.GetDirectories(_folder.File("runs"))));
        Assert.EndsWith(
            $"polyseme: interrupted: what is trained is kept; go on with: polyseme resume {path}\n",
            error,
            StringComparison.Ordinal
        );
        Assert.Equal<string>(
            ["runs", path, Path.Combine(path, "checkpoint.safetensors"), Path.Combine(path, "run.json")],
            _folder.Entries()
        );
    }

    private string Train(string name)
    {
        var run = CommandLineRun.InProcess("zoo", "train", Constructed, "--set", "samples=500", "--out", _folder.File(name), "--quiet");
        Assert.True(run.Code == 0, run.Out + run.Error);
        return _folder.File(name);
    }
}
