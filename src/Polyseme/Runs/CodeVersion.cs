using System.Reflection;

namespace Polyseme.Runs;

/// <summary>Which build of the library is running.</summary>
public static class CodeVersion
{
    /// <summary>Version and, where the build knew it, the git commit: <c>0.1.0+3f2a…</c>. A build from uncommitted changes names the commit below them.</summary>
    public static string Full { get; } =
        typeof(CodeVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? Short;

    /// <summary>The version without the commit: <c>0.1.0</c>.</summary>
    public static string Short => typeof(CodeVersion).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";
}
