using Polyseme.Runs;
using Polyseme.Verdicts;

namespace Polyseme.Tests.Runs;

public sealed class RunFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static RunManifest Manifest(ulong seed = 1, string sha256 = "ab", string? path = "/a/b") =>
        new()
        {
            Command = "diagnose",
            Name = "layer",
            Seed = seed,
            Threads = 2,
            Config = Json.ToObject(new DiagnosisConfig { Seed = seed }),
            Inputs = [new RunInput("activations", path, sha256)],
        };

    [Fact]
    public void The_default_folder_is_named_by_the_question_not_by_where_its_files_lie()
    {
        var path = RunFolder.DefaultPath(Manifest());
        Assert.Matches("^runs/layer-[0-9a-f]{10}$", path);
        Assert.Equal(path, RunFolder.DefaultPath(Manifest(path: "/elsewhere")));
        Assert.NotEqual(path, RunFolder.DefaultPath(Manifest(seed: 2)));
        Assert.NotEqual(path, RunFolder.DefaultPath(Manifest(sha256: "ac")));
    }

    [Fact]
    public void The_manifest_says_what_made_the_run()
    {
        var run = RunFolder.Open(_folder.File("runs/a"));
        run.WriteManifest(Manifest());
        var text = File.ReadAllText(run.File(RunFolder.ManifestName));
        Assert.Equal(Json.Write(Manifest()), text);
        Assert.Contains(CodeVersion.Full, text, StringComparison.Ordinal);
        Assert.StartsWith(CodeVersion.Short, CodeVersion.Full, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_without_a_result_leaves_no_folder()
    {
        var run = RunFolder.Open(_folder.File("a"));
        run.RemoveIfEmpty();
        Assert.Empty(_folder.Entries());

        Directory.CreateDirectory(_folder.File("mine"));
        RunFolder.Open(_folder.File("mine")).RemoveIfEmpty();
        Assert.Equal<string>(["mine"], _folder.Entries());
    }

    [Fact]
    public void A_folder_that_cannot_be_is_an_error_at_once()
    {
        File.WriteAllText(_folder.File("file"), "");
        Assert.Throws<OutputException>(() => RunFolder.Open(_folder.File("file")));
        Assert.Throws<OutputException>(() => RunFolder.Open(_folder.File("file/below")));
        Assert.Throws<OutputException>(() => RunFolder.Open("/proc/nowhere"));
    }
}
