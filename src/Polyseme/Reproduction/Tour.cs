using Polyseme.Evidence;
using Polyseme.Reports;
using Polyseme.Runs;
using Polyseme.Verdicts;
using Polyseme.Zoo;

namespace Polyseme.Reproduction;

/// <summary>How the tour is taken.</summary>
public sealed record TourConfig
{
    /// <summary>The one seed, for training and for diagnosing.</summary>
    public ulong Seed { get; init; }

    /// <summary>The folder of the real layer: <c>ffn0.npz</c>, <c>concepts.safetensors</c>, <c>tokens.json</c>.</summary>
    public required string RealLayer { get; init; }

    /// <summary>The neurons of the real layer that are reported; it is analysed whole.</summary>
    public (int First, int Last) RealNeurons { get; init; } = (0, 511);
}

/// <summary>A stop of the tour.</summary>
/// <param name="Name">Its name in files, in kebab-case.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Run">Makes or reads the network and diagnoses it.</param>
public sealed record TourStage(string Name, string Title, Func<IProgress<Step>?, CancellationToken, ReportEntry> Run);

/// <summary>Networks whose cause is known, then a real layer: each made or read, diagnosed, and held against its truth.</summary>
public static class Tour
{
    /// <summary>The stops, in order. They share nothing and may be run one by one.</summary>
    public static IReadOnlyList<TourStage> Stages(TourConfig config) =>
        [
            .. ZooCatalogue.TourVariants.Select(variant => new TourStage(
                FileName(variant.DisplayName),
                variant.DisplayName,
                (progress, cancellation) => Known(variant, config, progress, cancellation)
            )),
            new TourStage("real-layer", "Real transformer layer", (progress, cancellation) => Real(config, progress, cancellation)),
        ];

    /// <summary>
    /// The layer-wide evidence that lies furthest from its null, in standard deviations of the null; what favours the verdict first.
    /// </summary>
    public static IReadOnlyList<EvidenceItem> StrongestEvidence(DiagnosisResult result, int count) =>
        [
            .. result
                .Evidence.Where(item => item.Scope == "layer" && item.Value is not null)
                .OrderByDescending(item => item.Favours is { } cause && Causes.Id(cause) == result.Layer.Verdict)
                .ThenByDescending(item => item.Favours is not null)
                .ThenByDescending(Distance)
                .Take(count),
        ];

    private static ReportEntry Known(ZooVariant variant, TourConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var run = variant.Member.Run(variant.Config with { Seed = config.Seed }, progress, cancellation);
        var input = new DiagnosisInput
        {
            Activations = run.Activations,
            Concepts = run.Features,
            // Rows have norm one, so that a loss is a fraction of the input's second moment.
            Reconstruction = run.Fresh is { } fresh ? new Reconstruction(fresh.TrainLoss, fresh.FreshLoss, run.Activations.NSamples) : null,
        };
        return ReportEntry.Of(
            variant.DisplayName,
            run,
            Diagnosis.Run(input, new DiagnosisConfig { Seed = config.Seed }, progress, cancellation)
        );
    }

    private static ReportEntry Real(TourConfig config, IProgress<Step>? progress, CancellationToken cancellation)
    {
        var files = new DiagnosisFiles
        {
            Activations = Path.Combine(config.RealLayer, "ffn0.npz"),
            Concepts = Path.Combine(config.RealLayer, "concepts.safetensors"),
            Tokens = Path.Combine(config.RealLayer, "tokens.json"),
        };
        var diagnosis = new DiagnosisConfig { Seed = config.Seed, Neurons = config.RealNeurons };
        var input = files.Read(diagnosis, progress, cancellation);
        return ReportEntry.Of("Real transformer layer", input, Diagnosis.Run(input, diagnosis, progress, cancellation));
    }

    private static string FileName(string title) =>
        string.Join(
            '-',
            title.ToLowerInvariant().Split([.. title.Where(c => !char.IsAsciiLetterOrDigit(c))], StringSplitOptions.RemoveEmptyEntries)
        );

    // A null without spread is as far away as any measure gets.
    private static double Distance(EvidenceItem item) =>
        item is { Value: { } value, NullMean: { } mean, NullSd: { } sd } ? Math.Min(Math.Abs(value - mean) / Math.Max(sd, 1e-9), 1e6) : 0;
}
