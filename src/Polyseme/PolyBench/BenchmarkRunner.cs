using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Polyseme.Runs;
using Polyseme.Verdicts;

namespace Polyseme.PolyBench;

/// <summary>How a benchmark is run.</summary>
public sealed record BenchmarkConfig
{
    /// <summary>Draws the cases.</summary>
    public ulong Seed { get; init; }

    /// <summary>Names of families, or their beginnings with <c>*</c>; none = all.</summary>
    public IReadOnlyList<string> Families { get; init; } = [];

    /// <summary>Cases of each family.</summary>
    public int Cases
    {
        get;
        init => field = Allowed.Between(value, 1, 100_000);
    } = 30;
}

/// <summary>Judges cases, and keeps each result by what was judged: an interrupted run goes on where it stopped.</summary>
public static class BenchmarkRunner
{
    /// <summary>The folder of the results, a file a case.</summary>
    public const string CasesFolder = "cases";

    /// <summary>Judges every case of the families.</summary>
    /// <param name="config">Which.</param>
    /// <param name="folder">Keeps the results; those that are there already are not taken again.</param>
    /// <param name="progress">Told each case.</param>
    /// <param name="cancellation">Checked between cases and inside them.</param>
    /// <returns>The results, family by family.</returns>
    /// <exception cref="ArgumentException">There is no such family.</exception>
    public static IReadOnlyList<CaseResult> Run(
        BenchmarkConfig config,
        RunFolder folder,
        IProgress<Step>? progress,
        CancellationToken cancellation
    )
    {
        var families = BenchmarkCatalogue.Find(config.Families);
        var results = new List<CaseResult>();
        Directory.CreateDirectory(folder.File(CasesFolder));
        // Numbers before families: what is there when it is interrupted is a smaller benchmark of all.
        for (var index = 0; index < config.Cases; index++)
        {
            foreach (var family in families)
            {
                cancellation.ThrowIfCancellationRequested();
                progress?.Report(new Step("judging", results.Count, (long)config.Cases * families.Count, $"{family.Name} {index}"));
                var one = family.Case(index, config.Seed);
                var file = folder.File(Path.Combine(CasesFolder, $"{family.Name}-{index:0000}-{HashOf(one)}.json"));
                if (File.Exists(file))
                {
                    results.Add(Json.Read<CaseResult>(File.ReadAllText(file)));
                    continue;
                }
                var result = Judge(one, config.Seed, cancellation);
                AtomicFile.WriteText(file, Json.Write(result));
                results.Add(result);
            }
        }
        var order = families.Select((family, i) => (family.Name, i)).ToDictionary(pair => pair.Name, pair => pair.i);
        return [.. results.OrderBy(result => order[result.Family]).ThenBy(result => result.Index)];
    }

    /// <summary>Judges one case.</summary>
    public static CaseResult Judge(BenchmarkCase one, ulong seed, CancellationToken cancellation)
    {
        var input = new DiagnosisInput { Activations = one.Activations, Concepts = one.Concepts };
        return CaseResult.Of(one, Diagnosis.Run(input, new DiagnosisConfig { Seed = seed }, progress: null, cancellation));
    }

    /// <summary>Ten hex digits of what the judge sees, of its calibration, and of the program: another program may measure otherwise.</summary>
    private static string HashOf(BenchmarkCase one)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<float>(one.Activations.Values));
        if (one.Activations.Rows.Item is { } items)
            hash.AppendData(MemoryMarshal.AsBytes<long>(items));
        foreach (var concept in one.Concepts?.Concepts ?? [])
            hash.AppendData(MemoryMarshal.AsBytes<double>(concept.Values));
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes($"{JudgeCalibration.Current.Id.Sha256} {CodeVersion.Full}"));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..10];
    }
}
