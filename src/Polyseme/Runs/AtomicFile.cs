namespace Polyseme.Runs;

/// <summary>Files that are there in full or not at all: written under another name in the same directory, then renamed.</summary>
public static class AtomicFile
{
    private const string TemporarySuffix = ".partial";

    /// <summary>Writes a file through <paramref name="write"/>. When that throws, the old file is untouched and nothing is left behind.</summary>
    /// <param name="path">The file; a link is followed, and a device or pipe under <c>/dev</c> or <c>/proc</c> is written to, not replaced.</param>
    /// <param name="write">Writes the whole content.</param>
    /// <exception cref="IOException">It cannot be written; says where and why.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        try
        {
            var target = Target(path);
            if (IsDevice(target))
            {
                using var device = new FileStream(target, FileMode.Open, FileAccess.Write);
                write(device);
                return;
            }
            var temporary = Temporary(target);
            try
            {
                using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
                {
                    write(stream);
                    stream.Flush(flushToDisk: true);
                }
                File.Move(temporary, target, overwrite: true);
            }
            catch
            {
                File.Delete(temporary);
                throw;
            }
        }
        catch (Exception e) when (IsRefusal(e))
        {
            throw new OutputException(path, e);
        }
    }

    /// <summary>Whether the system would not have a file written: no room, no right, too large.</summary>
    internal static bool IsRefusal(Exception e) =>
        e is not OutputException && (e is IOException or UnauthorizedAccessException || IsTooLarge(e));

    // How the runtime passes on EFBIG: the file would be larger than the user or the file system may have.
    private static bool IsTooLarge(Exception e) =>
        e is ArgumentOutOfRangeException { ParamName: "value", Source: "System.Private.CoreLib" }
        && e.StackTrace?.Contains("RandomAccess", StringComparison.Ordinal) == true;

    /// <summary>Writes a text file, UTF-8 without a byte order mark.</summary>
    /// <exception cref="IOException">It cannot be written; says where and why.</exception>
    public static void WriteText(string path, string text) =>
        Write(
            path,
            stream =>
            {
                using var writer = new StreamWriter(stream, leaveOpen: true);
                writer.Write(text);
            }
        );

    /// <summary>Checks that a file could be written here, before the work whose result it is to hold. Leaves nothing behind.</summary>
    /// <exception cref="IOException">It could not; says where and why.</exception>
    public static void EnsureWritable(string path)
    {
        try
        {
            var target = Target(path);
            if (Directory.Exists(target))
                throw new IOException("it is a directory");
            if (IsDevice(target))
            {
                new FileStream(target, FileMode.Open, FileAccess.Write).Dispose();
                return;
            }
            var temporary = Temporary(target);
            new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
            if (File.Exists(target) && new FileInfo(target).IsReadOnly)
                throw new IOException("it is read-only");
        }
        catch (Exception e) when (IsRefusal(e))
        {
            throw new OutputException(path, e);
        }
    }

    private static string Target(string path)
    {
        var full = Path.GetFullPath(path);
        // /dev/stdout is a link to a pipe that has no name of its own.
        if (IsDevice(full) || new FileInfo(full).LinkTarget is null)
            return full;
        return File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
    }

    // Renaming onto a device would replace it for the whole machine.
    private static bool IsDevice(string target) =>
        File.Exists(target)
        && (target.StartsWith("/dev/", StringComparison.Ordinal) || target.StartsWith("/proc/", StringComparison.Ordinal))
        && !target.StartsWith("/dev/shm/", StringComparison.Ordinal);

    private static string Temporary(string target)
    {
        var directory = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(directory))
            throw new IOException($"there is no directory {directory}");
        return Path.Combine(directory, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}{TemporarySuffix}");
    }
}

/// <summary>An output cannot be written. The command line exits with 1.</summary>
public sealed class OutputException : IOException
{
    /// <summary>One line from where and why.</summary>
    public OutputException(string path, Exception inner)
        : base($"{path}: cannot be written: {Reason(inner)}", inner) { }

    private static string Reason(Exception inner)
    {
        // The runtime's messages end with the path again: "No space left on device : '/x/y'".
        var message = inner.Message.ReplaceLineEndings(" ");
        var path = message.IndexOf(" : '", StringComparison.Ordinal);
        return path < 0 ? message : message[..path];
    }
}
