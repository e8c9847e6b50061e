using System.Globalization;

namespace Polyseme.Bench;

/// <summary>Memory of the whole process, mapped pages and native libraries included.</summary>
internal static class ProcessMemory
{
    /// <summary>VmHWM: the most that was ever resident, megabytes. <c>null</c> where the system does not say.</summary>
    public static double? PeakMegabytes() => Megabytes("VmHWM:");

    /// <summary>VmRSS: what is resident now, megabytes. <c>null</c> where the system does not say.</summary>
    public static double? ResidentMegabytes() => Megabytes("VmRSS:");

    private static double? Megabytes(string name)
    {
        const string status = "/proc/self/status";
        if (!File.Exists(status))
            return null;
        foreach (var line in File.ReadLines(status))
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
                return double.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) / 1024;
        }
        return null;
    }
}
