namespace Polyseme.Activations;

/// <summary>Writing a file so that it exists whole or not at all.</summary>
public static class OutputFile
{
    /// <summary>Writes to a temporary file beside <paramref name="path"/> and renames it when complete; a failure leaves nothing behind.</summary>
    /// <exception cref="IOException">The file cannot be written; the message starts with the path.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        var full = Path.GetFullPath(path);
        var temporary = Path.Combine(Path.GetDirectoryName(full) ?? full, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, full, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            Remove(temporary);
            throw new IOException($"{path}: cannot be written; {e.Message}", e);
        }
        catch
        {
            Remove(temporary);
            throw;
        }
    }

    private static void Remove(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The first failure is the one to report; where the file never came to be, there is nothing to remove.
        }
    }
}
