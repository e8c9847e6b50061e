using System.Security.Cryptography;
using System.Text;

namespace Polyseme.Verdicts;

/// <summary>The judge's weights: natural-log likelihood ratios of one argument, and when a posterior counts as a decision.</summary>
public sealed record JudgeCalibration
{
    /// <summary>The weights in use.</summary>
    public static JudgeCalibration Current { get; } = new();

    /// <summary>Named after how it was made: from principle, fitted to nothing.</summary>
    public string Version { get; init; } = "principled-1";

    /// <summary>An argument that leaves no room: e⁸.</summary>
    public double Decisive { get; init; } = 8;

    /// <summary>An argument with its own null and a wide margin: e⁵.</summary>
    public double Strong { get; init; } = 5;

    /// <summary>An argument that a known exception can imitate: e³.</summary>
    public double Medium { get; init; } = 3;

    /// <summary>A hint: e¹·⁵.</summary>
    public double Weak { get; init; } = 1.5;

    /// <summary>Posterior from which the judge decides.</summary>
    public double Decide { get; init; } = 0.8;

    /// <summary>Version and hash of the weights.</summary>
    public CalibrationId Id =>
        new(
            Version,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Version} {Decisive} {Strong} {Medium} {Weak} {Decide}")))
        );
}
