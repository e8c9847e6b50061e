using System.Text.RegularExpressions;

namespace Polyseme.Cli;

/// <summary>Interrupted, and what is done is kept.</summary>
/// <param name="kept">What, in words.</param>
/// <param name="path">The folder of the run.</param>
/// <param name="inner">The cancellation.</param>
internal sealed partial class ResumableException(string kept, string path, OperationCanceledException inner)
    : OperationCanceledException($"interrupted: {kept}; go on with: polyseme resume {Quoted(path)}", inner, inner.CancellationToken)
{
    // So that the line can be copied into a shell.
    private static string Quoted(string path) => Plain().IsMatch(path) ? path : $"'{path.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"^[\w./+,:@%][\w./+,:@%=-]*$")]
    private static partial Regex Plain();
}
