using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Polyseme.Numerics.Simd;

namespace Polyseme.Bench;

/// <summary>The most float32 operations a second that this machine does: independent multiply-adds that stay in registers, a thread per core.</summary>
internal static class MultiplyAddPeak
{
    private const int Chains = 12,
        Length = 1 << 20;

    /// <summary>Does the loop on every core; returns the floating-point operations done, two per multiply-add.</summary>
    public static double Run(int repeats)
    {
        var sums = new float[Environment.ProcessorCount];
        Parallel.For(
            0,
            sums.Length,
            new ParallelOptions { MaxDegreeOfParallelism = sums.Length },
            core =>
                sums[core] = Vector512.IsHardwareAccelerated
                    ? Loop<Simd512, Vector512<float>>(repeats)
                    : Loop<Simd256, Vector256<float>>(repeats)
        );
        if (sums.Any(float.IsNaN))
            throw new InvalidOperationException("the chains left the range of a float");
        var width = Vector512.IsHardwareAccelerated ? Simd512.Width : Simd256.Width;
        return 2.0 * width * Chains * Length * repeats * sums.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Loop<TSimd, TVector>(int repeats)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector factor = TSimd.Broadcast(0.999f),
            term = TSimd.Broadcast(0.001f);
        TVector a = TSimd.Zero,
            b = term,
            c = term,
            d = term,
            e = term,
            f = term,
            g = term,
            h = term,
            i = term,
            j = term,
            k = term,
            l = term;
        for (var repeat = 0; repeat < repeats; repeat++)
        {
            for (var n = 0; n < Length; n++)
            {
                a = TSimd.MultiplyAdd(a, factor, term);
                b = TSimd.MultiplyAdd(b, factor, term);
                c = TSimd.MultiplyAdd(c, factor, term);
                d = TSimd.MultiplyAdd(d, factor, term);
                e = TSimd.MultiplyAdd(e, factor, term);
                f = TSimd.MultiplyAdd(f, factor, term);
                g = TSimd.MultiplyAdd(g, factor, term);
                h = TSimd.MultiplyAdd(h, factor, term);
                i = TSimd.MultiplyAdd(i, factor, term);
                j = TSimd.MultiplyAdd(j, factor, term);
                k = TSimd.MultiplyAdd(k, factor, term);
                l = TSimd.MultiplyAdd(l, factor, term);
            }
        }
        var sum = TSimd.Add(TSimd.Add(TSimd.Add(a, b), TSimd.Add(c, d)), TSimd.Add(TSimd.Add(e, f), TSimd.Add(g, h)));
        return TSimd.Sum(TSimd.Add(sum, TSimd.Add(TSimd.Add(i, j), TSimd.Add(k, l))));
    }
}
