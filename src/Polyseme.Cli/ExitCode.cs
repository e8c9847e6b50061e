namespace Polyseme.Cli;

/// <summary>What the program says to the script that called it. Fixed: other people's scripts rely on them.</summary>
internal static class ExitCode
{
    /// <summary>Done; a verdict of <c>undetermined</c> is an answer too.</summary>
    public const int Done = 0;

    /// <summary>Failed: an unwritable output, a full disk, divergence, a reference number that was not reproduced.</summary>
    public const int Failed = 1;

    /// <summary>The command line itself is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Unreadable or invalid input.</summary>
    public const int Input = 3;

    /// <summary>Stopped by Ctrl-C or SIGTERM.</summary>
    public const int Interrupted = 130;
}

/// <summary>The command line asks for something that does not exist or does not fit together.</summary>
/// <param name="message">What, and what would be right.</param>
internal sealed class UsageException(string message) : Exception(message);
