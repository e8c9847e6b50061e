using Polyseme.Numerics;

namespace Polyseme.Zoo.Arithmetic;

/// <summary>Modular addition solved by hand, with quadratic neurons of one frequency each.</summary>
public static class AnalyticModularAddition
{
    /// <summary>
    /// pre_k = cos(2πf_k a/p + φ¹_k) + cos(2πf_k b/p + φ²_k), h = pre², out_c = Σ_k cos(2πf_k c/p + φ¹_k + φ²_k)·h_k, f_k = 1 + k mod (p−1)/2, phases uniform.
    /// </summary>
    /// <param name="modulus">p, odd, at least 3.</param>
    /// <param name="neurons">At least 1; from about 3.5 per residue on it is exact.</param>
    /// <param name="seed">Of the phases.</param>
    /// <remarks>Gromov 2023, "Grokking modular arithmetic", equations of the analytic solution.</remarks>
    public static ModularNetwork Build(int modulus, int neurons, ulong seed)
    {
        if (modulus < 3 || modulus % 2 == 0)
            throw new ArgumentException($"modulus is {modulus}; it is odd and at least 3", nameof(modulus));
        ArgumentOutOfRangeException.ThrowIfLessThan(neurons, 1);
        var random = new RandomStream(seed, "modular/phases");
        Matrix first = new(modulus, neurons),
            second = new(modulus, neurons),
            output = new(neurons, modulus);
        for (var k = 0; k < neurons; k++)
        {
            var frequency = 2 * Math.PI * (1 + (k % ((modulus - 1) / 2))) / modulus;
            double phase1 = 2 * Math.PI * random.NextDouble(),
                phase2 = 2 * Math.PI * random.NextDouble();
            for (var v = 0; v < modulus; v++)
            {
                first[v, k] = Math.Cos((frequency * v) + phase1);
                second[v, k] = Math.Cos((frequency * v) + phase2);
                output[k, v] = Math.Cos((frequency * v) + phase1 + phase2);
            }
        }
        return new ModularNetwork(first, second, new double[neurons], output, ModularActivation.Square);
    }
}
