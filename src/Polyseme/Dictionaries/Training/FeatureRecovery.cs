using System.Runtime.InteropServices;
using Polyseme.Dictionaries.Metrics;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Training;

/// <summary>A dictionary beside the features that made its data.</summary>
/// <param name="L0">Latents on, mean over rows.</param>
/// <param name="Fvu">Σ‖x − x̂‖² / Σ‖x − x̄‖²; lower is better.</param>
/// <param name="Shrinkage">γ = E‖x̂‖² / E[x·x̂]; 1 = neither shrunk nor stretched.</param>
/// <param name="Mmcs">Mean over features of the largest cosine with a latent's direction.</param>
/// <param name="Recovered">Features with a latent at cosine above 0.9.</param>
/// <param name="FalsePositives">Share of latents that are on while the feature closest to them is off.</param>
/// <param name="Rows">Fresh rows that it was judged on.</param>
public sealed record FeatureRecovery(double L0, double Fvu, double Shrinkage, double Mmcs, int Recovered, double FalsePositives, int Rows)
{
    /// <summary>Judges a dictionary on fresh rows.</summary>
    /// <param name="dictionary">The dictionary.</param>
    /// <param name="rows">The data's features and their statistics.</param>
    /// <param name="count">Rows to judge on.</param>
    public static FeatureRecovery Of(SparseAutoencoder dictionary, SparseFeatureRows rows, int count)
    {
        var (d, n) = (rows.DIn, rows.Features.Rows);
        float[] x = new float[count * d],
            on = new float[count * n];
        rows.Fill(-1, x, (row, feature) => on[(row * n) + feature] = 1);
        using var scope = torch.NewDisposeScope();
        var codes = dictionary.Encode(torch.tensor(x, [count, d]));
        var latents = MemoryMarshal.Cast<byte, float>(codes.contiguous().bytes);
        var truth = new Matrix(n, d, Array.ConvertAll(rows.Features.Data, value => (double)value));
        var directions = DirectionRecovery.Measure(truth, dictionary.DirectionsInDouble(), upToSign: false);
        var detection = new LatentDetectionCounter(directions.NearestFeature, n);
        var activity = new LatentActivityCounter(dictionary.NLatents);
        var reconstruction = new ReconstructionSums(d, count);
        detection.Add(latents, on);
        activity.Add(latents);
        reconstruction.Add(x, MemoryMarshal.Cast<byte, float>(dictionary.Decode(codes).contiguous().bytes));
        var found = reconstruction.Result();
        return new FeatureRecovery(
            activity.Result().L0,
            found.Fvu ?? double.NaN,
            found.RelativeReconstructionBias ?? double.NaN,
            directions.MmcsTruthToDictionary,
            directions.Recovered,
            detection.Result().FalsePositiveShare ?? 0,
            count
        );
    }
}
