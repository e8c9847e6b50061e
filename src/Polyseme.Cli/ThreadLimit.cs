using System.Runtime.InteropServices;

namespace Polyseme.Cli;

/// <summary>
/// <c>--threads</c>: the runtime and OpenMP read their number of threads once, from the environment, before any code of ours runs. So the
/// process starts itself again, in place, with the environment set. Everything downstream that asks for the number of processors is told N.
/// </summary>
internal static partial class ThreadLimit
{
    private const string RuntimeVariable = "DOTNET_PROCESSOR_COUNT";
    private const string OpenMpVariable = "OMP_NUM_THREADS";

    /// <summary>Returns when the limit holds or there is none; otherwise this process becomes one where it holds.</summary>
    /// <param name="limit">The threads to use; <c>null</c> = as many as there are.</param>
    public static void Apply(int? limit)
    {
        if (!OperatingSystem.IsLinux() || limit is not { } threads)
            return;
        var text = $"{threads}";
        if (Environment.GetEnvironmentVariable(RuntimeVariable) == text && Environment.GetEnvironmentVariable(OpenMpVariable) == text)
            return;
        string[] argv = File.ReadAllText("/proc/self/cmdline").TrimEnd('\0').Split('\0');
        // The runtime keeps its own copy of the environment; what the next process sees is the C library's.
        if (SetEnvironment(RuntimeVariable, text, 1) == 0 && SetEnvironment(OpenMpVariable, text, 1) == 0)
            _ = Execute(Environment.ProcessPath!, [.. argv, null]);
        throw new IOException($"{threads} threads: the program could not be started again with that many threads");
    }

    /// <summary>The number asked for, if it is one that the command line will accept.</summary>
    public static int? Asked(string[] args)
    {
        for (var i = 0; i < args.Length && args[i] != "--"; i++)
        {
            var text =
                args[i] == "--threads" && i + 1 < args.Length ? args[i + 1]
                : args[i].StartsWith("--threads=", StringComparison.Ordinal) ? args[i]["--threads=".Length..]
                : null;
            if (int.TryParse(text, out var threads) && threads is >= 1 and <= CommonOptions.MostThreads)
                return threads;
        }
        return null;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "execv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] arguments);
}
