using Polyseme.Runs;

namespace Polyseme.Tests.Runs;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_is_written_in_full_and_alone()
    {
        AtomicFile.WriteText(_folder.File("a.txt"), "R² ≥ .9\n");
        Assert.Equal("R² ≥ .9\n"u8.ToArray(), File.ReadAllBytes(_folder.File("a.txt")));
        Assert.Equal<string>(["a.txt"], _folder.Entries());
    }

    [Fact]
    public void A_failure_leaves_the_old_file_and_nothing_else()
    {
        AtomicFile.WriteText(_folder.File("a.txt"), "old");
        Assert.Throws<OperationCanceledException>(() =>
            AtomicFile.Write(
                _folder.File("a.txt"),
                stream =>
                {
                    stream.Write("new"u8);
                    throw new OperationCanceledException();
                }
            )
        );
        Assert.Equal("old", File.ReadAllText(_folder.File("a.txt")));
        Assert.Equal<string>(["a.txt"], _folder.Entries());
    }

    [Fact]
    public void A_link_is_followed_not_replaced()
    {
        AtomicFile.WriteText(_folder.File("real"), "old");
        File.CreateSymbolicLink(_folder.File("link"), _folder.File("real"));
        AtomicFile.WriteText(_folder.File("link"), "new");
        Assert.Equal("new", File.ReadAllText(_folder.File("real")));
        Assert.NotNull(new FileInfo(_folder.File("link")).LinkTarget);
    }

    [Fact]
    public void A_device_is_written_to_not_replaced()
    {
        AtomicFile.EnsureWritable("/dev/null");
        AtomicFile.WriteText("/dev/null", "gone");
        Assert.Equal("", File.ReadAllText("/dev/null"));
        var error = Assert.Throws<OutputException>(() => AtomicFile.WriteText("/dev/full", "does not fit"));
        Assert.Equal("/dev/full: cannot be written: No space left on device", error.Message);
    }

    [Fact]
    public void The_check_says_why_and_leaves_nothing_behind()
    {
        AtomicFile.EnsureWritable(_folder.File("new.json"));
        Assert.Empty(_folder.Entries());

        Assert.Contains(
            "there is no directory",
            Assert.Throws<OutputException>(() => AtomicFile.EnsureWritable(_folder.File("missing/new.json"))).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "it is a directory",
            Assert.Throws<OutputException>(() => AtomicFile.EnsureWritable(_folder.Path)).Message,
            StringComparison.Ordinal
        );
        AtomicFile.WriteText(_folder.File("plain"), "");
        Assert.Throws<OutputException>(() => AtomicFile.EnsureWritable(_folder.File("plain/below")));
    }
}
