using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>How much of the sum x_2k + x_2k+1 of each correlated pair can be read out of the hidden layer of a toy model.</summary>
/// <param name="Linear">R² of the best linear read-out, in population covariance. In [0, 1]; they add up to the rank at most. Shape: <c>[n_pairs]</c>.</param>
/// <param name="Rectified">R² of the model's own read-out, the sum of the pair's outputs behind their ReLUs, on fresh rows; at most 1. Shape: <c>[n_pairs]</c>.</param>
internal sealed record PairSums(double[] Linear, double[] Rectified)
{
    private const int Rows = 100_000;

    /// <summary>Reads both out.</summary>
    /// <param name="parameters">A model of two hidden units and ReLU outputs.</param>
    /// <param name="density">Probability p that a pair is active.</param>
    /// <param name="seed">The seed of the fresh rows.</param>
    public static PairSums ReadOut(ToyParameters parameters, double density, ulong seed) =>
        new(FromCovariance(parameters.W, density), FromOutputs(parameters, density, seed));

    /// <summary>c_kᵀ Σ_h⁻¹ c_k / var(s_k) with c_k = cov(h, s_k).</summary>
    private static double[] FromCovariance(Matrix w, double density)
    {
        // x is uniform in [0, 1) with probability p, the members of a pair together.
        double variance = (density / 3) - (density * density / 4),
            covariance = (density / 4) - (density * density / 4);
        var pairs = w.Rows / 2;
        double a = 0,
            b = 0,
            c = 0; // Σ_h = [a b; b c]
        for (var i = 0; i < w.Rows; i++)
        {
            var partner = w.Row(i ^ 1);
            a += w[i, 0] * ((variance * w[i, 0]) + (covariance * partner[0]));
            b += w[i, 0] * ((variance * w[i, 1]) + (covariance * partner[1]));
            c += w[i, 1] * ((variance * w[i, 1]) + (covariance * partner[1]));
        }
        var determinant = (a * c) - (b * b);
        var explained = new double[pairs];
        for (var k = 0; k < pairs; k++)
        {
            double u = (variance + covariance) * (w[2 * k, 0] + w[(2 * k) + 1, 0]),
                v = (variance + covariance) * (w[2 * k, 1] + w[(2 * k) + 1, 1]);
            explained[k] = ((c * u * u) - (2 * b * u * v) + (a * v * v)) / determinant / (2 * (variance + covariance));
        }
        return explained;
    }

    private static double[] FromOutputs(ToyParameters parameters, double density, ulong seed)
    {
        var (shape, inputs) = CorrelatedPairs.Setting(density);
        var x = ZooSample.Inputs(inputs, shape.Features, Rows, seed, "toy/pair-sums").ToMatrix(0, Rows);
        var output = new ToyNetwork(shape, parameters).Run(x).Output;
        var explained = new double[shape.Features / 2];
        for (var k = 0; k < explained.Length; k++)
        {
            double sum = 0,
                squares = 0,
                errors = 0;
            for (var row = 0; row < Rows; row++)
            {
                var truth = x[row, 2 * k] + x[row, (2 * k) + 1];
                var error = truth - output[row, 2 * k] - output[row, (2 * k) + 1];
                sum += truth;
                squares += truth * truth;
                errors += error * error;
            }
            explained[k] = 1 - (errors / (squares - (sum * sum / Rows)));
        }
        return explained;
    }
}
