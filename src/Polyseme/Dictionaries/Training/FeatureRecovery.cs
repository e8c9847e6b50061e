using System.Numerics.Tensors;
using System.Runtime.InteropServices;
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
        int d = rows.DIn,
            n = rows.Features.Rows,
            latents = dictionary.NLatents;
        var x = new float[count * d];
        var on = new bool[count * n];
        rows.Fill(-1, x, (row, feature) => on[(row * n) + feature] = true);
        using var scope = torch.NewDisposeScope();
        var tensor = torch.tensor(x, [count, d]);
        var codes = dictionary.Encode(tensor);
        var f = MemoryMarshal.Cast<byte, float>(codes.contiguous().bytes).ToArray();
        var reconstructed = MemoryMarshal.Cast<byte, float>(dictionary.Decode(codes).contiguous().bytes).ToArray();
        var mean = new double[d];
        for (var i = 0; i < x.Length; i++)
            mean[i % d] += (double)x[i] / count;
        double error = 0,
            spread = 0,
            norm = 0,
            product = 0;
        for (var i = 0; i < x.Length; i++)
        {
            double value = x[i],
                given = reconstructed[i];
            error += (value - given) * (value - given);
            spread += (value - mean[i % d]) * (value - mean[i % d]);
            norm += given * given;
            product += value * given;
        }
        var best = new double[n];
        Array.Fill(best, -1);
        var closest = new int[latents];
        for (var latent = 0; latent < latents; latent++)
        {
            var most = double.NegativeInfinity;
            for (var feature = 0; feature < n; feature++)
            {
                var cosine = Cosine(dictionary.Decoder.Row(latent), rows.Features.Row(feature));
                best[feature] = Math.Max(best[feature], cosine);
                if (cosine > most)
                    (most, closest[latent]) = (cosine, feature);
            }
        }
        long active = 0,
            wrong = 0;
        for (var i = 0; i < f.Length; i++)
        {
            if (f[i] <= 0)
                continue;
            active++;
            if (!on[(i / latents * n) + closest[i % latents]])
                wrong++;
        }
        return new FeatureRecovery(
            (double)active / count,
            error / spread,
            norm / product,
            best.Average(),
            best.Count(cosine => cosine > 0.9),
            (double)wrong / Math.Max(active, 1),
            count
        );
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var norms = TensorPrimitives.Norm(a) * TensorPrimitives.Norm(b);
        return norms > 0 ? TensorPrimitives.Dot(a, b) / norms : 0;
    }
}
