using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Incidental;

/// <summary>AdamW's numbers at one step of a training with an L1 penalty.</summary>
/// <param name="Penalty">λ.</param>
/// <param name="Keep">What weights are multiplied by: one less the decay.</param>
/// <param name="Rate">The learning rate over the correction of the first moment.</param>
/// <param name="Unbias">One over the correction of the second.</param>
internal sealed record AdamWStep(float Penalty, float Keep, float Rate, float Unbias);

/// <summary>Tied weights on one-hot inputs: G = W·Wᵀ, the gradient 4·F·W with F = ReLU(G) − I where G is positive, and the step along it.</summary>
/// <remarks>Rows of W are long and few, and half of F is zero: its zeros are skipped.</remarks>
internal static unsafe class GramKernel
{
    /// <summary>Loss Σ_ij (δ_ij − ReLU(G_ij))², and its gradient.</summary>
    public static double Gradient(GramMemory memory, InstructionSet instructions) => Run(memory, null, true, instructions)!.Value;

    /// <summary>The gradient and AdamW's step along it, piece by piece; the gradient is not kept.</summary>
    /// <returns>The loss before the step, where it was asked for.</returns>
    public static double? Step(GramMemory memory, AdamWStep step, bool withLoss, InstructionSet instructions) =>
        Run(memory, step, withLoss, instructions);

    private static double? Run(GramMemory memory, AdamWStep? step, bool withLoss, InstructionSet instructions) =>
        instructions switch
        {
            InstructionSet.Vector512 => Run<Vector512<float>, Simd512>(memory, step, withLoss),
            InstructionSet.Vector256 => Run<Vector256<float>, Simd256>(memory, step, withLoss),
            InstructionSet.Scalar => Run<float, SimdScalar>(memory, step, withLoss),
            _ => throw new ArgumentOutOfRangeException(nameof(instructions), instructions, "no such registers"),
        };

    private static double? Run<TVector, TSimd>(GramMemory memory, AdamWStep? step, bool withLoss)
        where TVector : struct
        where TSimd : struct, ISimd<TVector>
    {
        Products<TVector, TSimd>(memory.W, memory.Gram, memory.N, memory.M);
        var loss = withLoss ? Loss(memory) : (double?)null;
        for (var i = 0; i < memory.N; i++)
            FindFactors(memory, i);
        for (var first = 0; first < memory.M; first += GramMemory.Piece)
        {
            var length = Math.Min(GramMemory.Piece, memory.M - first);
            for (var i = 0; i < memory.N; i++)
                Unsafe.CopyBlock(memory.Packed + (i * length), memory.W + ((nint)i * memory.M) + first, (uint)length * sizeof(float));
            for (var i = 0; i < memory.N; i++)
            {
                var at = ((nint)i * memory.M) + first;
                var gradient = step is null ? memory.Gradient + at : memory.GradientPiece;
                Weighted<TVector, TSimd>(memory, i, length, gradient);
                if (step is not null)
                    AdamW<TVector, TSimd>(step, memory.W + at, memory.First + at, memory.Second + at, gradient, length);
            }
        }
        return loss;
    }

    private static double Loss(GramMemory memory)
    {
        var loss = 0.0;
        for (var i = 0; i < memory.N; i++)
        {
            for (var j = 0; j < memory.N; j++)
            {
                var g = Math.Max(memory.Gram[(i * memory.N) + j], 0);
                var error = i == j ? g - 1 : g;
                loss += (double)error * error;
            }
        }
        return loss;
    }

    /// <summary>The entries of row i of 4·F where G is positive. No branch: which they are cannot be foreseen.</summary>
    private static void FindFactors(GramMemory memory, int i)
    {
        float* gram = memory.Gram + (i * memory.N),
            factors = memory.Factors + (i * memory.N);
        var rows = memory.Rows + (i * memory.N);
        var count = 0;
        for (var j = 0; j < i; j++)
        {
            (rows[count], factors[count]) = (j, 4 * gram[j]);
            count += gram[j] > 0 ? 1 : 0;
        }
        (rows[count], factors[count]) = (i, 4 * (gram[i] - 1));
        count += gram[i] > 0 ? 1 : 0;
        for (var j = i + 1; j < memory.N; j++)
        {
            (rows[count], factors[count]) = (j, 4 * gram[j]);
            count += gram[j] > 0 ? 1 : 0;
        }
        memory.Counts[i] = count;
    }

    /// <summary>The upper triangle, four by two dot products at a time, then mirrored.</summary>
    private static void Products<TVector, TSimd>(float* w, float* gram, int n, int m)
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

    /// <summary>A piece of row i of 4·F·W, eight registers at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Weighted<TVector, TSimd>(GramMemory memory, int i, int length, float* result)
        where TVector : struct
        where TSimd : struct, ISimd<TVector>
    {
        var count = memory.Counts[i];
        var factors = memory.Factors + (i * memory.N);
        var rows = memory.Rows + (i * memory.N);
        var packed = memory.Packed;
        var k = 0;
        for (; k + (8 * TSimd.Width) <= length; k += 8 * TSimd.Width)
        {
            TVector s0 = TSimd.Zero,
                s1 = TSimd.Zero,
                s2 = TSimd.Zero,
                s3 = TSimd.Zero,
                s4 = TSimd.Zero,
                s5 = TSimd.Zero,
                s6 = TSimd.Zero,
                s7 = TSimd.Zero;
            for (var e = 0; e < count; e++)
            {
                var f = TSimd.Broadcast(factors[e]);
                var row = packed + (rows[e] * length) + k;
                s0 = TSimd.MultiplyAdd(f, TSimd.Load(row), s0);
                s1 = TSimd.MultiplyAdd(f, TSimd.Load(row + TSimd.Width), s1);
                s2 = TSimd.MultiplyAdd(f, TSimd.Load(row + (2 * TSimd.Width)), s2);
                s3 = TSimd.MultiplyAdd(f, TSimd.Load(row + (3 * TSimd.Width)), s3);
                s4 = TSimd.MultiplyAdd(f, TSimd.Load(row + (4 * TSimd.Width)), s4);
                s5 = TSimd.MultiplyAdd(f, TSimd.Load(row + (5 * TSimd.Width)), s5);
                s6 = TSimd.MultiplyAdd(f, TSimd.Load(row + (6 * TSimd.Width)), s6);
                s7 = TSimd.MultiplyAdd(f, TSimd.Load(row + (7 * TSimd.Width)), s7);
            }
            TSimd.Store(result + k, s0);
            TSimd.Store(result + k + TSimd.Width, s1);
            TSimd.Store(result + k + (2 * TSimd.Width), s2);
            TSimd.Store(result + k + (3 * TSimd.Width), s3);
            TSimd.Store(result + k + (4 * TSimd.Width), s4);
            TSimd.Store(result + k + (5 * TSimd.Width), s5);
            TSimd.Store(result + k + (6 * TSimd.Width), s6);
            TSimd.Store(result + k + (7 * TSimd.Width), s7);
        }
        for (; k + (4 * TSimd.Width) <= length; k += 4 * TSimd.Width)
        {
            TVector s0 = TSimd.Zero,
                s1 = TSimd.Zero,
                s2 = TSimd.Zero,
                s3 = TSimd.Zero;
            for (var e = 0; e < count; e++)
            {
                var f = TSimd.Broadcast(factors[e]);
                var row = packed + (rows[e] * length) + k;
                s0 = TSimd.MultiplyAdd(f, TSimd.Load(row), s0);
                s1 = TSimd.MultiplyAdd(f, TSimd.Load(row + TSimd.Width), s1);
                s2 = TSimd.MultiplyAdd(f, TSimd.Load(row + (2 * TSimd.Width)), s2);
                s3 = TSimd.MultiplyAdd(f, TSimd.Load(row + (3 * TSimd.Width)), s3);
            }
            TSimd.Store(result + k, s0);
            TSimd.Store(result + k + TSimd.Width, s1);
            TSimd.Store(result + k + (2 * TSimd.Width), s2);
            TSimd.Store(result + k + (3 * TSimd.Width), s3);
        }
        for (; k < length; k += TSimd.Width)
        {
            var sum = TSimd.Zero;
            for (var e = 0; e < count; e++)
                sum = TSimd.MultiplyAdd(TSimd.Broadcast(factors[e]), TSimd.Load(packed + (rows[e] * length) + k), sum);
            TSimd.Store(result + k, sum);
        }
    }

    /// <summary>Decay rates .9 and .999, ε = 1e-8; the penalty's gradient is λ·sign(w).</summary>
    /// <remarks>Loshchilov and Hutter 2019, "Decoupled weight decay regularization".</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AdamW<TVector, TSimd>(AdamWStep step, float* w, float* first, float* second, float* gradient, int count)
        where TVector : struct
        where TSimd : struct, ISimd<TVector>
    {
        TVector lambda = TSimd.Broadcast(step.Penalty),
            keep = TSimd.Broadcast(step.Keep),
            rate = TSimd.Broadcast(step.Rate),
            unbias = TSimd.Broadcast(step.Unbias),
            firstDecay = TSimd.Broadcast(0.9f),
            firstShare = TSimd.Broadcast(0.1f),
            secondDecay = TSimd.Broadcast(0.999f),
            secondShare = TSimd.Broadcast(0.001f),
            epsilon = TSimd.Broadcast(1e-8f);
        for (var i = 0; i < count; i += TSimd.Width)
        {
            var value = TSimd.Load(w + i);
            var sign = TSimd.Subtract(TSimd.WherePositive(value, lambda), TSimd.WherePositive(TSimd.Subtract(TSimd.Zero, value), lambda));
            var g = TSimd.Add(TSimd.Load(gradient + i), sign);
            var a = TSimd.Add(TSimd.Multiply(firstDecay, TSimd.Load(first + i)), TSimd.Multiply(firstShare, g));
            var b = TSimd.Add(TSimd.Multiply(secondDecay, TSimd.Load(second + i)), TSimd.Multiply(TSimd.Multiply(secondShare, g), g));
            TSimd.Store(first + i, a);
            TSimd.Store(second + i, b);
            var change = TSimd.Divide(TSimd.Multiply(rate, a), TSimd.Add(TSimd.Sqrt(TSimd.Multiply(unbias, b)), epsilon));
            TSimd.Store(w + i, TSimd.Subtract(TSimd.Multiply(keep, value), change));
        }
    }
}
