using Polyseme.Numerics;
using Polyseme.Verdicts;
using Polyseme.Zoo;

namespace Polyseme.Reports;

/// <summary>One network of a report: its diagnosis, and whatever else is known of it. What is absent is left out of the page.</summary>
public sealed record ReportEntry
{
    /// <summary>The network's name as people read it.</summary>
    public required string Title { get; init; }

    /// <summary>The diagnosis.</summary>
    public required DiagnosisResult Result { get; init; }

    /// <summary>The cause it was made to have; <c>null</c> where nobody knows.</summary>
    public Cause? TrueCause { get; init; }

    /// <summary>Why that is the truth, in a sentence or two.</summary>
    public string? TruthReason { get; init; }

    /// <summary>Whether the verdict is in the set that was accepted beforehand; <c>null</c> where nobody knows.</summary>
    public bool? Right { get; init; }

    /// <summary>Where its features lie, as far as known.</summary>
    public ReportGeometry? Geometry { get; init; }

    /// <summary>How it was trained; <c>null</c> where it was constructed or loaded.</summary>
    public ReportTraining? Training { get; init; }

    /// <summary>The numbers it had to reproduce.</summary>
    public IReadOnlyList<Acceptance> Acceptances { get; init; } = [];

    /// <summary>A closer look at some neurons: usually <see cref="NeuronDetail.MostPolysemantic"/>.</summary>
    public IReadOnlyList<NeuronDetail> Neurons { get; init; } = [];

    /// <summary>The entry of a zoo network: truth at the access level that the diagnosis had, directions, training and accepted numbers.</summary>
    public static ReportEntry Of(string title, ZooRun run, DiagnosisResult result) =>
        new()
        {
            Title = title,
            Result = result,
            TrueCause = run.Truth.Cause,
            TruthReason = run.Truth.Reason,
            Right = run.Truth.AcceptedAt(result.Input.Access.DefaultIfEmpty(AccessLevel.A).Max()).Contains(result.Layer.Verdict),
            Geometry = run.Truth.Directions is { } directions ? new ReportGeometry { Directions = directions } : null,
            Training =
                run.Curve.Count + run.SeedLosses.Count == 0 ? null : new ReportTraining { Curve = run.Curve, SeedLosses = run.SeedLosses },
            Acceptances = run.Acceptances,
        };

    /// <summary>The entry of a layer that a user brought, with its most polysemantic neurons.</summary>
    public static ReportEntry Of(string title, DiagnosisInput input, DiagnosisResult result) =>
        new()
        {
            Title = title,
            Result = result,
            Geometry = input.Covariance is { } covariance ? new ReportGeometry { Spectrum = ReportGeometry.SpectrumOf(covariance) } : null,
            Neurons = NeuronDetail.MostPolysemantic(result, input.Activations, input.Tokens),
        };
}

/// <summary>Where features lie. Give the directions where they are known, else the spectrum of the activations.</summary>
public sealed record ReportGeometry
{
    /// <summary>Feature directions as rows. Shape: <c>[n_features, d]</c>.</summary>
    public Matrix? Directions { get; init; }

    /// <summary>One name per direction; <c>null</c> numbers them from 0.</summary>
    public IReadOnlyList<string>? Names { get; init; }

    /// <summary>Gram matrix of the directions, where the directions themselves are not at hand; else computed from them. Shape: <c>[n_features, n_features]</c>.</summary>
    public Matrix? Gram { get; init; }

    /// <summary>Eigenvalues of the activations' covariance, largest first. Shape: <c>[d]</c>.</summary>
    public IReadOnlyList<double>? Spectrum { get; init; }

    /// <summary>The eigenvalues of a covariance matrix, largest first; rounding below zero is taken as zero.</summary>
    public static IReadOnlyList<double> SpectrumOf(Matrix covariance) =>
        [.. LinearAlgebra.SymmetricEigen(covariance).Values.Select(value => Math.Max(0, value))];
}

/// <summary>How a network was trained.</summary>
public sealed record ReportTraining
{
    /// <summary>Steps taken; <c>null</c> takes the last step of the curve.</summary>
    public int? Steps { get; init; }

    /// <summary>Final loss of every seed, in seed order. The lowest is the network shown.</summary>
    public IReadOnlyList<double> SeedLosses { get; init; } = [];

    /// <summary>The loss that theory or the paper gives; <c>null</c> where there is none.</summary>
    public double? ReferenceLoss { get; init; }

    /// <summary>The training curve of the network shown.</summary>
    public IReadOnlyList<CurvePoint> Curve { get; init; } = [];
}
