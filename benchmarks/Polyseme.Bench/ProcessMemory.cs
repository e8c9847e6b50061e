using System.Globalization;

namespace Polyseme.Bench;

/// <summary>Memory of the whole process, mapped pages and native libraries included.</summary>
internal static class ProcessMemory
{
    /// <summary>VmHWM: the most that was ever resident, megabytes. <c>null</c> where the system does not say.</summary>
    public static double? PeakMegabytes()
    {
        const string status = "/proc/self/status";
        if (!File.Exists(status))
            return null;
        foreach (var line in File.ReadLines(status))
        {
            if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
                return double.Parse(line[6..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) / 1024;
        }
        return null;
    }
}
