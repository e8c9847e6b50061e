using System.Runtime.Intrinsics;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Incidental;

/// <summary>The two products of tied weights on one-hot inputs: G = W·Wᵀ, and F·W with F = ReLU(G) − I where G is positive.</summary>
/// <remarks>Rows of W are long and few, F is mostly zero once features have a neuron of their own: its zeros are skipped.</remarks>
internal static class GramKernel
{
    /// <summary>Loss Σ_ij (δ_ij − ReLU(G_ij))², and its gradient 4·F·W.</summary>
    /// <param name="w">W, row by row. Shape: <c>[n, m]</c>.</param>
    /// <param name="gram">Scratch. Shape: <c>[n, n]</c>.</param>
    /// <param name="gradient">Filled. Shape: <c>[n, m]</c>.</param>
    /// <param name="n">Features.</param>
    /// <param name="m">Neurons, a multiple of 16.</param>
    /// <param name="instructions">Registers.</param>
    public static double Gradient(ReadOnlySpan<float> w, Span<float> gram, Span<float> gradient, int n, int m, InstructionSet instructions)
    {
        if (m % 16 != 0 || w.Length != n * m || gradient.Length != n * m || gram.Length != n * n)
            throw new ArgumentException(
                $"{w.Length} weights, {gradient.Length} gradients, {gram.Length} products for {n} × {m}",
                nameof(w)
            );
        return instructions switch
        {
            InstructionSet.Vector512 => Run<Vector512<float>, Simd512>(w, gram, gradient, n, m),
            InstructionSet.Vector256 => Run<Vector256<float>, Simd256>(w, gram, gradient, n, m),
            InstructionSet.Scalar => Run<float, SimdScalar>(w, gram, gradient, n, m),
            _ => throw new ArgumentOutOfRangeException(nameof(instructions), instructions, "no such registers"),
        };
    }

    private static unsafe double Run<TVector, TSimd>(ReadOnlySpan<float> weights, Span<float> products, Span<float> gradients, int n, int m)
        where TVector : struct
        where TSimd : struct, ISimd<TVector>
    {
        fixed (
            float* w = weights,
                gram = products,
                gradient = gradients
        )
        {
            Products<TVector, TSimd>(w, gram, n, m);
            var loss = 0.0;
            for (var i = 0; i < n; i++)
            {
                for (var j = 0; j < n; j++)
                {
                    var g = Math.Max(gram[(i * n) + j], 0);
                    var error = i == j ? g - 1 : g;
                    loss += (double)error * error;
                    gram[(i * n) + j] = g > 0 ? 4 * error : 0;
                }
            }
            Weighted<TVector, TSimd>(w, gram, gradient, n, m);
            return loss;
        }
    }

    /// <summary>The upper triangle, four by two dot products at a time, then mirrored.</summary>
    private static unsafe void Products<TVector, TSimd>(float* w, float* gram, int n, int m)
        where TVector : struct
        where TSimd : struct, ISimd<TVector>
    {
        for (var i = 0; i < n; i += 4)
        {
            for (var j = i; j < n; j += 2)
            {
                if (i + 4 <= n && j + 2 <= n)
                {
                    float* a0 = w + (i * m),
                        a1 = a0 + m,
                        a2 = a1 + m,
                        a3 = a2 + m,
                        b0 = w + (j * m),
                        b1 = b0 + m;
                    TVector s00 = TSimd.Zero,
                        s10 = TSimd.Zero,
                        s20 = TSimd.Zero,
                        s30 = TSimd.Zero,
                        s01 = TSimd.Zero,
                        s11 = TSimd.Zero,
                        s21 = TSimd.Zero,
                        s31 = TSimd.Zero;
                    for (var k = 0; k < m; k += TSimd.Width)
                    {
                        TVector y0 = TSimd.Load(b0 + k),
                            y1 = TSimd.Load(b1 + k);
                        var x = TSimd.Load(a0 + k);
                        s00 = TSimd.MultiplyAdd(x, y0, s00);
                        s01 = TSimd.MultiplyAdd(x, y1, s01);
                        x = TSimd.Load(a1 + k);
                        s10 = TSimd.MultiplyAdd(x, y0, s10);
                        s11 = TSimd.MultiplyAdd(x, y1, s11);
                        x = TSimd.Load(a2 + k);
                        s20 = TSimd.MultiplyAdd(x, y0, s20);
                        s21 = TSimd.MultiplyAdd(x, y1, s21);
                        x = TSimd.Load(a3 + k);
                        s30 = TSimd.MultiplyAdd(x, y0, s30);
                        s31 = TSimd.MultiplyAdd(x, y1, s31);
                    }
                    (gram[(i * n) + j], gram[(i * n) + j + 1]) = (TSimd.Sum(s00), TSimd.Sum(s01));
                    (gram[((i + 1) * n) + j], gram[((i + 1) * n) + j + 1]) = (TSimd.Sum(s10), TSimd.Sum(s11));
                    (gram[((i + 2) * n) + j], gram[((i + 2) * n) + j + 1]) = (TSimd.Sum(s20), TSimd.Sum(s21));
                    (gram[((i + 3) * n) + j], gram[((i + 3) * n) + j + 1]) = (TSimd.Sum(s30), TSimd.Sum(s31));
                }
                else
                {
                    for (var row = i; row < Math.Min(i + 4, n); row++)
                    {
                        for (var column = j; column < Math.Min(j + 2, n); column++)
                        {
                            var sum = TSimd.Zero;
                            for (var k = 0; k < m; k += TSimd.Width)
                                sum = TSimd.MultiplyAdd(TSimd.Load(w + (row * m) + k), TSimd.Load(w + (column * m) + k), sum);
                            gram[(row * n) + column] = TSimd.Sum(sum);
                        }
                    }
                }
            }
        }
        for (var i = 0; i < n; i++)
        {
            for (var j = i + 1; j < n; j++)
                gram[(j * n) + i] = gram[(i * n) + j];
        }
    }

    /// <summary>F·W, eight registers of a row at a time, over the entries of F that are not zero.</summary>
    private static unsafe void Weighted<TVector, TSimd>(float* w, float* factor, float* result, int n, int m)
        where TVector : struct
        where TSimd : struct, ISimd<TVector>
    {
        var nonZero = stackalloc int[n];
        var block = 4 * TSimd.Width;
        for (var i = 0; i < n; i++)
        {
            var count = 0;
            for (var j = 0; j < n; j++)
            {
                if (factor[(i * n) + j] != 0)
                    nonZero[count++] = j;
            }
            var k = 0;
            for (; k + block <= m; k += block)
            {
                TVector s0 = TSimd.Zero,
                    s1 = TSimd.Zero,
                    s2 = TSimd.Zero,
                    s3 = TSimd.Zero;
                for (var e = 0; e < count; e++)
                {
                    var f = TSimd.Broadcast(factor[(i * n) + nonZero[e]]);
                    var row = w + (nonZero[e] * m) + k;
                    s0 = TSimd.MultiplyAdd(f, TSimd.Load(row), s0);
                    s1 = TSimd.MultiplyAdd(f, TSimd.Load(row + TSimd.Width), s1);
                    s2 = TSimd.MultiplyAdd(f, TSimd.Load(row + (2 * TSimd.Width)), s2);
                    s3 = TSimd.MultiplyAdd(f, TSimd.Load(row + (3 * TSimd.Width)), s3);
                }
                var to = result + (i * m) + k;
                TSimd.Store(to, s0);
                TSimd.Store(to + TSimd.Width, s1);
                TSimd.Store(to + (2 * TSimd.Width), s2);
                TSimd.Store(to + (3 * TSimd.Width), s3);
            }
            for (; k < m; k += TSimd.Width)
            {
                var sum = TSimd.Zero;
                for (var e = 0; e < count; e++)
                    sum = TSimd.MultiplyAdd(TSimd.Broadcast(factor[(i * n) + nonZero[e]]), TSimd.Load(w + (nonZero[e] * m) + k), sum);
                TSimd.Store(result + (i * m) + k, sum);
            }
        }
    }
}
