using System.Diagnostics;
using Polyseme.Cli;

namespace Polyseme.Tests.Cli;

/// <summary>What one run of the command line did.</summary>
public sealed record CommandLineRun(int Code, string Out, string Error)
{
    /// <summary>The lines on stderr, without the last line's end.</summary>
    public string[] ErrorLines => Error.Length == 0 ? [] : Error.TrimEnd('\n').Split('\n');

    /// <summary>Runs in this process.</summary>
    public static CommandLineRun InProcess(params string[] args) => InProcessUntil(CancellationToken.None, args);

    /// <summary>Runs in this process, interrupted by the token.</summary>
    public static CommandLineRun InProcessUntil(CancellationToken cancellation, params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = CommandLine.Run(args, new Terminal { Out = output, Error = error }, cancellation);
        return new CommandLineRun(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs as a process of its own, in a directory.</summary>
    public static CommandLineRun Process(string directory, params string[] args)
    {
        using var process = Start(directory, args);
        return ToTheEnd(process);
    }

    /// <summary>Reads both outputs of a process that has both redirected, until it ends.</summary>
    public static CommandLineRun ToTheEnd(Process process)
    {
        // Both at once: a process that fills one pipe waits for its reader.
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new CommandLineRun(process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    /// <summary>Starts a process of its own, both outputs redirected.</summary>
    public static Process Start(string directory, params string[] args) =>
        Start(directory, "dotnet", [Path.Combine(AppContext.BaseDirectory, "Polyseme.Cli.dll"), .. args]);

    /// <summary>Starts a process of its own with one more variable in its environment.</summary>
    public static Process Start(string directory, KeyValuePair<string, string> variable, IReadOnlyList<string> args) =>
        Start(directory, "dotnet", [Path.Combine(AppContext.BaseDirectory, "Polyseme.Cli.dll"), .. args], variable);

    /// <summary>Starts any program, both outputs redirected.</summary>
    public static Process Start(string directory, string program, IReadOnlyList<string> args, KeyValuePair<string, string>? variable = null)
    {
        var start = new ProcessStartInfo(program)
        {
            WorkingDirectory = directory,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (variable is { } set)
            start.Environment[set.Key] = set.Value;
        foreach (var arg in args)
            start.ArgumentList.Add(arg);
        return System.Diagnostics.Process.Start(start)!;
    }

    /// <summary>One clear line on stderr, nothing on stdout, this exit code.</summary>
    public void AssertRefused(int code, params string[] mentions)
    {
        Assert.Equal(code, Code);
        Assert.Equal("", Out);
        Assert.StartsWith("polyseme: ", Assert.Single(ErrorLines), StringComparison.Ordinal);
        Assert.All(mentions, mention => Assert.Contains(mention, Error, StringComparison.Ordinal));
    }
}
