using Polyseme.Numerics;

namespace Polyseme.Zoo.Incidental;

/// <summary>Noise on the hidden layer.</summary>
public enum NoiseShape
{
    /// <summary>±σ, each as often: excess kurtosis −2.</summary>
    Bernoulli,

    /// <summary>Normal with standard deviation σ: excess kurtosis 0.</summary>
    Gaussian,
}

/// <summary>
/// Tied weights on one-hot inputs without a penalty, trained by gradient descent with noise on the hidden layer, the same for all inputs of a
/// step: noise with negative excess kurtosis drives weights apart until each feature keeps few neurons.
/// </summary>
/// <param name="Features">n.</param>
/// <param name="Neurons">m.</param>
/// <param name="Shape">The noise.</param>
/// <param name="Deviation">σ.</param>
/// <param name="LearningRate">Of plain gradient descent on Σ_i ‖e_i − y_i‖².</param>
/// <remarks>Lecomte et al. 2024, on noise in the hidden layer; the sizes are those of their published code.</remarks>
public sealed record HiddenNoise(int Features, int Neurons, NoiseShape Shape, double Deviation, double LearningRate = 0.02)
{
    /// <summary>Σ_k W_ik⁴, averaged over features, at some steps.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="model">Model number; model k starts from the same weights for every noise.</param>
    /// <param name="at">Steps at which it is measured, ascending; the last ends it.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public double[] FourthNorms(ulong seed, int model, IReadOnlyList<int> at, CancellationToken cancellation)
    {
        var start = new RandomStream(seed, $"hidden-noise/init/{model}").NormalMatrix(Features, Neurons);
        var noise = new RandomStream(seed, $"hidden-noise/{Shape}/{model}");
        double[] w = [.. start.Data.Select(value => value / Math.Sqrt(Neurons))],
            gradient = new double[w.Length],
            hiddenGradient = new double[Neurons],
            hidden = new double[Neurons],
            xi = new double[Neurons];
        var norms = new double[at.Count];
        for (int step = 0, next = 0; ; step++)
        {
            for (; next < at.Count && at[next] == step; next++)
                norms[next] = w.Sum(value => value * value * value * value) / Features;
            if (next == at.Count)
                return norms;
            if (step % 1024 == 0)
                cancellation.ThrowIfCancellationRequested();
            for (var k = 0; k < Neurons; k++)
                xi[k] =
                    Deviation
                    * (
                        Shape == NoiseShape.Gaussian ? noise.NextNormal()
                        : (noise.NextUInt32() & 1) == 0 ? 1
                        : -1
                    );
            Gradient(w, xi, gradient, hidden, hiddenGradient);
            for (var i = 0; i < w.Length; i++)
                w[i] -= LearningRate * gradient[i];
        }
    }

    /// <summary>Loss and gradient for one draw of the noise; what the tests compare with autograd.</summary>
    internal double Gradient(double[] w, double[] xi, double[] gradient, double[] hidden, double[] hiddenGradient)
    {
        Array.Clear(gradient);
        var loss = 0.0;
        for (var input = 0; input < Features; input++)
        {
            for (var k = 0; k < Neurons; k++)
                hidden[k] = w[(input * Neurons) + k] + xi[k];
            Array.Clear(hiddenGradient);
            for (var i = 0; i < Features; i++)
            {
                var row = w.AsSpan(i * Neurons, Neurons);
                var before = 0.0;
                for (var k = 0; k < row.Length; k++)
                    before += row[k] * hidden[k];
                var error = Math.Max(before, 0) - (i == input ? 1 : 0);
                loss += error * error;
                if (before <= 0)
                    continue;
                var gradientRow = gradient.AsSpan(i * Neurons, Neurons);
                for (var k = 0; k < row.Length; k++)
                {
                    gradientRow[k] += 2 * error * hidden[k];
                    hiddenGradient[k] += 2 * error * row[k];
                }
            }
            for (var k = 0; k < Neurons; k++)
                gradient[(input * Neurons) + k] += hiddenGradient[k];
        }
        return loss;
    }
}
