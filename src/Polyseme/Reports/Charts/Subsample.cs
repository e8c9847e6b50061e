namespace Polyseme.Reports.Charts;

/// <summary>Which of many rows a chart shows.</summary>
internal static class Subsample
{
    /// <summary>All of 0 … count − 1, or <paramref name="most"/> of them spread evenly, the first always among them.</summary>
    public static IReadOnlyList<int> Evenly(int count, int most) =>
        count <= most ? [.. Enumerable.Range(0, count)] : [.. Enumerable.Range(0, most).Select(i => (int)((long)i * count / most))];
}
