using Polyseme.Numerics;

namespace Polyseme.Zoo.Arithmetic;

/// <summary>What a neuron does over all pairs, by frequency.</summary>
/// <param name="Neuron">Its index.</param>
/// <param name="Live">Whether its pre-activation varies: at least a thousandth of the largest variance in the layer.</param>
/// <param name="Frequency">The frequency with the largest share of the pre-activation's variance, 1 … (p−1)/2.</param>
/// <param name="PreShare">That share. In [0, 1].</param>
/// <param name="PostShare">Share of the activation's variance in polynomials of second degree of that frequency's cosines and sines. In [0, 1].</param>
public sealed record NeuronFrequency(int Neuron, bool Live, int Frequency, double PreShare, double PostShare);

/// <summary>Fourier analysis of networks on pairs modulo p.</summary>
public static class ModularFourier
{
    /// <summary>Every neuron's frequency.</summary>
    /// <param name="network">The network; every neuron is seen on all p² pairs.</param>
    /// <remarks>Nanda et al. 2023, the section on neurons: most are a polynomial of second degree of one frequency.</remarks>
    public static NeuronFrequency[] Neurons(ModularNetwork network)
    {
        int p = network.Modulus,
            frequencies = (p - 1) / 2;
        // Power of u(a) = A[a] and v(b) = B[b] per frequency; over the grid both add up.
        var power = new double[network.Neurons, frequencies + 1];
        var variance = new double[network.Neurons];
        for (var f = 1; f <= frequencies; f++)
        {
            foreach (var weights in new[] { network.First, network.Second })
            {
                for (var k = 0; k < network.Neurons; k++)
                {
                    double cosine = 0,
                        sine = 0;
                    for (var v = 0; v < p; v++)
                    {
                        var (s, c) = Math.SinCos(2 * Math.PI * f * v / p);
                        cosine += c * weights[v, k];
                        sine += s * weights[v, k];
                    }
                    power[k, f] += 2 * ((cosine * cosine) + (sine * sine)) / p / p;
                }
            }
        }
        for (var k = 0; k < network.Neurons; k++)
            variance[k] = Enumerable.Range(1, frequencies).Sum(f => power[k, f]);
        var largest = variance.Max();
        var post = network.Run(ModularNetwork.AllPairs(p), ["hook_post"]).Recorded["hook_post"];
        var result = new NeuronFrequency[network.Neurons];
        for (var k = 0; k < network.Neurons; k++)
        {
            var frequency = Enumerable.Range(1, frequencies).MaxBy(f => power[k, f]);
            result[k] = new NeuronFrequency(
                k,
                variance[k] >= 1e-3 * largest,
                frequency,
                variance[k] > 0 ? power[k, frequency] / variance[k] : 0,
                PostShare(post, k, p, frequency)
            );
        }
        return result;
    }

    /// <summary>Frequencies that at least <paramref name="share"/> of the live neurons have, in order.</summary>
    public static int[] KeyFrequencies(IReadOnlyList<NeuronFrequency> neurons, double share = 0.03)
    {
        var live = neurons.Where(neuron => neuron.Live).ToArray();
        return
        [
            .. live.GroupBy(neuron => neuron.Frequency)
                .Where(group => group.Count() >= share * live.Length)
                .Select(group => group.Key)
                .Order(),
        ];
    }

    /// <summary>The four products cos wa·cos wb, cos wa·sin wb, sin wa·cos wb, sin wa·sin wb of each frequency over all pairs. Shape: <c>[p², 4·n_frequencies]</c>.</summary>
    public static Matrix Products(int modulus, IReadOnlyList<int> frequencies)
    {
        var products = new Matrix(modulus * modulus, 4 * frequencies.Count);
        for (var row = 0; row < products.Rows; row++)
        {
            for (var f = 0; f < frequencies.Count; f++)
            {
                var (sinA, cosA) = Math.SinCos(2 * Math.PI * frequencies[f] * (row / modulus) / modulus);
                var (sinB, cosB) = Math.SinCos(2 * Math.PI * frequencies[f] * (row % modulus) / modulus);
                (products[row, 4 * f], products[row, (4 * f) + 1]) = (cosA * cosB, cosA * sinB);
                (products[row, (4 * f) + 2], products[row, (4 * f) + 3]) = (sinA * cosB, sinA * sinB);
            }
        }
        return products;
    }

    /// <summary>R² of each target, read linearly from the activations over all pairs. Both have mean-free columns afterwards; targets that are constant give 0.</summary>
    /// <param name="activations">Shape: <c>[p², n_neurons]</c>.</param>
    /// <param name="targets">Shape: <c>[p², n_targets]</c>.</param>
    public static double[] LinearFit(Matrix activations, Matrix targets)
    {
        Matrix x = Centred(activations),
            y = Centred(targets);
        var ridge = 1e-9 * x.Data.Sum(value => value * value) / x.Columns;
        var fitted = LinearAlgebra.Multiply(x, LinearAlgebra.Ridge(x, y, Math.Max(ridge, 1e-12)));
        var r2 = new double[y.Columns];
        for (var target = 0; target < y.Columns; target++)
        {
            double residual = 0,
                total = 0;
            for (var row = 0; row < y.Rows; row++)
            {
                var error = y[row, target] - fitted[row, target];
                residual += error * error;
                total += y[row, target] * y[row, target];
            }
            r2[target] = total > 0 ? 1 - (residual / total) : 0;
        }
        return r2;
    }

    /// <summary>
    /// Distance irrelevance: the standard deviation of the correct logit within pairs of equal a − b, averaged over differences, over its
    /// standard deviation. In [0, 1]; near .17 for a pizza, near .85 for a clock.
    /// </summary>
    /// <remarks>Zhong et al. 2023, "The clock and the pizza", on distance irrelevance.</remarks>
    public static double DistanceIrrelevance(ModularNetwork network)
    {
        var p = network.Modulus;
        var logits = network.Run(ModularNetwork.AllPairs(p)).Output;
        var correct = new double[p, p]; // by difference, then by a
        for (var row = 0; row < logits.Rows; row++)
        {
            int a = row / p,
                b = row % p;
            correct[(a - b + p) % p, a] = logits[row, (a + b) % p];
        }
        double[] all = [.. correct.Cast<double>()];
        var within = Enumerable.Range(0, p).Average(d => Deviation([.. Enumerable.Range(0, p).Select(a => correct[d, a])]));
        return within / Deviation(all);
    }

    /// <summary>Circularity: how much of each leading principal component of the embedding is one frequency, averaged over the first four. In [0, 1]; near 1 for circles.</summary>
    /// <param name="embedding">E. Shape: <c>[p, d_embed]</c>.</param>
    /// <remarks>Zhong et al. 2023, "The clock and the pizza", on circularity.</remarks>
    public static double Circularity(Matrix embedding)
    {
        // Principal components of the embedding over tokens; how much of each is one frequency.
        var p = embedding.Rows;
        var centred = Centred(embedding);
        var (u, _, _) = LinearAlgebra.Svd(centred);
        var components = Math.Min(4, u.Columns);
        var sum = 0.0;
        for (var component = 0; component < components; component++)
        {
            double best = 0,
                total = 0;
            for (var v = 0; v < p; v++)
                total += u[v, component] * u[v, component];
            for (var f = 1; f <= (p - 1) / 2; f++)
            {
                double cosine = 0,
                    sine = 0;
                for (var v = 0; v < p; v++)
                {
                    var (s, c) = Math.SinCos(2 * Math.PI * f * v / p);
                    cosine += c * u[v, component];
                    sine += s * u[v, component];
                }
                best = Math.Max(best, 2 * ((cosine * cosine) + (sine * sine)) / p / total);
            }
            sum += best;
        }
        return sum / components;
    }

    /// <summary>The best AUROC with which a neuron tells one residue from the rest, over all residues. In [.5, 1].</summary>
    /// <param name="activations">Over all pairs. Shape: <c>[p², n_neurons]</c>.</param>
    /// <param name="neuron">Which.</param>
    /// <param name="modulus">p.</param>
    /// <param name="residue">From (a, b) to the residue that is told: a, b, or their sum.</param>
    public static double BestAuroc(Matrix activations, int neuron, int modulus, Func<int, int, int> residue)
    {
        var order = Enumerable.Range(0, activations.Rows).OrderBy(row => activations[row, neuron]).ToArray();
        var rankSums = new double[modulus];
        var counts = new int[modulus];
        for (var first = 0; first < order.Length; )
        {
            var last = first;
            while (last + 1 < order.Length && activations[order[last + 1], neuron] == activations[order[first], neuron])
                last++;
            for (var k = first; k <= last; k++)
            {
                var value = residue(order[k] / modulus, order[k] % modulus);
                rankSums[value] += ((first + last) / 2.0) + 1; // ties share their mean rank
                counts[value]++;
            }
            first = last + 1;
        }
        var best = 0.5;
        for (var value = 0; value < modulus; value++)
        {
            double positives = counts[value],
                negatives = order.Length - positives;
            var auroc = (rankSums[value] - (positives * (positives + 1) / 2)) / (positives * negatives);
            best = Math.Max(best, Math.Max(auroc, 1 - auroc));
        }
        return best;
    }

    private static double PostShare(Matrix post, int neuron, int p, int frequency)
    {
        var mean = 0.0;
        for (var row = 0; row < post.Rows; row++)
            mean += post[row, neuron] / post.Rows;
        var variance = 0.0;
        for (var row = 0; row < post.Rows; row++)
            variance += (post[row, neuron] - mean) * (post[row, neuron] - mean) / post.Rows;
        if (variance < 1e-15)
            return 0;
        var w = 2 * Math.PI * frequency / p;
        // An orthogonal basis of the second-degree polynomials without the constant: each function's mean square is norm.
        (Func<double, double, double> Function, double Norm)[] basis =
        [
            ((a, _) => Math.Cos(a), 0.5),
            ((a, _) => Math.Sin(a), 0.5),
            ((_, b) => Math.Cos(b), 0.5),
            ((_, b) => Math.Sin(b), 0.5),
            ((a, _) => Math.Cos(2 * a), 0.5),
            ((a, _) => Math.Sin(2 * a), 0.5),
            ((_, b) => Math.Cos(2 * b), 0.5),
            ((_, b) => Math.Sin(2 * b), 0.5),
            ((a, b) => Math.Cos(a) * Math.Cos(b), 0.25),
            ((a, b) => Math.Cos(a) * Math.Sin(b), 0.25),
            ((a, b) => Math.Sin(a) * Math.Cos(b), 0.25),
            ((a, b) => Math.Sin(a) * Math.Sin(b), 0.25),
        ];
        var explained = 0.0;
        foreach (var (function, norm) in basis)
        {
            var product = 0.0;
            for (var row = 0; row < post.Rows; row++)
                product += post[row, neuron] * function(w * (row / p), w * (row % p)) / post.Rows;
            explained += product * product / norm;
        }
        return explained / variance;
    }

    private static Matrix Centred(Matrix matrix)
    {
        var centred = matrix.Copy();
        for (var column = 0; column < matrix.Columns; column++)
        {
            var mean = 0.0;
            for (var row = 0; row < matrix.Rows; row++)
                mean += matrix[row, column] / matrix.Rows;
            for (var row = 0; row < matrix.Rows; row++)
                centred[row, column] -= mean;
        }
        return centred;
    }

    private static double Deviation(double[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }
}
