using Microsoft.Win32.SafeHandles;

namespace Polyseme.Activations;

/// <summary>Opening and reading files that a user brought. What the system refuses becomes an <see cref="InputException"/>.</summary>
internal static class InputFile
{
    /// <summary>Opens a file for reading; it exists, is a regular file and is not empty.</summary>
    public static SafeFileHandle Open(string path)
    {
        try
        {
            if (Directory.Exists(path))
                throw new InputException(path, "is a directory", expected: "a file");
            // Pipes and devices report a length of zero too, and opening a pipe would wait for its writer.
            if (new FileInfo(path).Length == 0)
                throw new InputException(path, "is empty or not a regular file", "0 bytes", "a file with data");
            return File.OpenHandle(path);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            throw Refused(path, e);
        }
    }

    /// <summary>The whole file, whose size is checked against <paramref name="largest"/> first.</summary>
    public static byte[] ReadAll(string path, long largest)
    {
        using var handle = Open(path);
        var length = RandomAccess.GetLength(handle);
        if (length > largest)
            throw new InputException(path, "is too large to be read whole", $"{length} bytes", $"at most {largest} bytes");
        var bytes = new byte[length];
        Read(handle, path, 0, bytes);
        return bytes;
    }

    /// <summary>Fills <paramref name="destination"/> from the file at <paramref name="offset"/>.</summary>
    public static void Read(SafeFileHandle handle, string path, long offset, Span<byte> destination)
    {
        try
        {
            for (var done = 0; done < destination.Length; )
            {
                var n = RandomAccess.Read(handle, destination[done..], offset + done);
                if (n == 0)
                    throw new InputException(
                        path,
                        "ends early",
                        $"{offset + done} bytes",
                        $"at least {offset + destination.Length} bytes",
                        "was it cut off while it was copied or written?"
                    );
                done += n;
            }
        }
        catch (Exception e) when (IsRefusal(e))
        {
            throw Refused(path, e);
        }
    }

    /// <summary>Whether the exception is the system's way to say that a path cannot be used.</summary>
    public static bool IsRefusal(Exception e) =>
        e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException or System.Security.SecurityException;

    /// <summary>The same as an error of the user's input.</summary>
    public static InputException Refused(string path, Exception e) =>
        e is FileNotFoundException or DirectoryNotFoundException
            ? new InputException(path, "does not exist", hint: "check the path", inner: e)
        : e is UnauthorizedAccessException ? new InputException(path, "may not be read", hint: "check its permissions", inner: e)
        : new InputException(path, "cannot be read", e.Message, inner: e);
}
