using System.Runtime.CompilerServices;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>
/// The gradient of a toy model of many features and up to four linear hidden units on sparse inputs. Feature by feature over all samples: a
/// feature's weights stay in registers, the hidden layer and its gradient in the first-level cache, and no error is ever stored.
/// </summary>
/// <remarks>Errors are first taken as if every input were zero; what the few active entries change is added afterwards.</remarks>
internal static unsafe class NarrowKernel<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>The gradient of one batch, into the workspace.</summary>
    /// <returns>The loss, where it was asked for.</returns>
    public static double? Gradient(ToyShape shape, ToyWorkspace space, ToyBatch batch, bool withLoss) =>
        space.Hidden switch
        {
            1 => Gradient<One>(shape, space, batch, withLoss),
            2 => Gradient<Two>(shape, space, batch, withLoss),
            3 => Gradient<Three>(shape, space, batch, withLoss),
            4 => Gradient<Four>(shape, space, batch, withLoss),
            _ => throw new ArgumentOutOfRangeException(nameof(shape), shape.Hidden, "hidden units range from 1 to 4"),
        };

    private static double? Gradient<THidden>(ToyShape shape, ToyWorkspace space, ToyBatch batch, bool withLoss)
        where THidden : struct, ICount
    {
        var narrow = space.Narrow;
        var stride = narrow.Samples;
        new Span<float>(narrow.H, THidden.Value * stride).Clear();
        new Span<float>(narrow.Gradient, THidden.Value * stride).Clear();
        new Span<float>(space.SparseW, space.PaddedFeatures * space.RowStride).Clear();
        Encode<THidden>(space, narrow, batch.Rows);
        var loss = Inactive<THidden>(shape, space, narrow, batch.Size, withLoss);
        loss += Active<THidden>(shape, space, narrow, batch.Rows, withLoss);
        ThroughEncoder<THidden>(space, narrow, batch.Rows);
        var scale = 2f / batch.Size;
        for (var i = 0; i < space.Features; i++)
        {
            for (var k = 0; k < THidden.Value; k++)
                space.GradientW[(i * space.RowStride) + k] = scale * space.SparseW[(i * space.RowStride) + k];
            space.GradientB[i] = scale * narrow.BiasSums[i];
        }
        return withLoss ? loss / batch.Size : null;
    }

    /// <summary>h = Wᵀx.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Encode<THidden>(ToyWorkspace space, NarrowSpace narrow, SparseRows rows)
        where THidden : struct, ICount
    {
        ReadOnlySpan<int> row = rows.Row,
            feature = rows.Feature;
        var value = rows.Value;
        for (var entry = 0; entry < value.Length; entry++)
        {
            float* weights = space.W + ((nint)feature[entry] * space.RowStride),
                at = narrow.H + row[entry];
            for (var k = 0; k < THidden.Value; k++, at += narrow.Samples)
                *at += value[entry] * weights[k];
        }
    }

    /// <summary>Every output as if its input were zero: e = I·x'.</summary>
    /// <returns>Σ I·x'², where it was asked for.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Inactive<THidden>(ToyShape shape, ToyWorkspace space, NarrowSpace narrow, int size, bool withLoss)
        where THidden : struct, ICount
    {
        var lossSum = 0.0;
        var stride = narrow.Samples;
        var bound = TSimd.Broadcast(shape.OutputRelu ? 0 : float.NegativeInfinity);
        var beyond = (((size + TSimd.Width - 1) / TSimd.Width) * TSimd.Width) - size;
        float* h = narrow.H,
            gradient = narrow.Gradient;
        for (var i = 0; i < space.Features; i++)
        {
            var weights = space.W + ((nint)i * space.RowStride);
            TVector b = TSimd.Broadcast(space.B[i]),
                importance = TSimd.Broadcast(space.Importance[i]),
                w0 = TSimd.Broadcast(weights[0]),
                w1 = THidden.Value > 1 ? TSimd.Broadcast(weights[1]) : TSimd.Zero,
                w2 = THidden.Value > 2 ? TSimd.Broadcast(weights[2]) : TSimd.Zero,
                w3 = THidden.Value > 3 ? TSimd.Broadcast(weights[3]) : TSimd.Zero;
            TVector sum = TSimd.Zero,
                s0 = TSimd.Zero,
                s1 = TSimd.Zero,
                s2 = TSimd.Zero,
                s3 = TSimd.Zero,
                loss = TSimd.Zero;
            for (var sample = 0; sample < size; sample += TSimd.Width)
            {
                var h0 = TSimd.Load(h + sample);
                var output = TSimd.MultiplyAdd(w0, h0, b);
                TVector h1 = TSimd.Zero,
                    h2 = TSimd.Zero,
                    h3 = TSimd.Zero;
                if (THidden.Value > 1)
                {
                    h1 = TSimd.Load(h + stride + sample);
                    output = TSimd.MultiplyAdd(w1, h1, output);
                }
                if (THidden.Value > 2)
                {
                    h2 = TSimd.Load(h + (2 * stride) + sample);
                    output = TSimd.MultiplyAdd(w2, h2, output);
                }
                if (THidden.Value > 3)
                {
                    h3 = TSimd.Load(h + (3 * stride) + sample);
                    output = TSimd.MultiplyAdd(w3, h3, output);
                }
                output = TSimd.Max(output, bound);
                var e = TSimd.Multiply(importance, output);
                sum = TSimd.Add(sum, e);
                s0 = TSimd.MultiplyAdd(e, h0, s0);
                AddTo(gradient + sample, w0, e);
                if (THidden.Value > 1)
                {
                    s1 = TSimd.MultiplyAdd(e, h1, s1);
                    AddTo(gradient + stride + sample, w1, e);
                }
                if (THidden.Value > 2)
                {
                    s2 = TSimd.MultiplyAdd(e, h2, s2);
                    AddTo(gradient + (2 * stride) + sample, w2, e);
                }
                if (THidden.Value > 3)
                {
                    s3 = TSimd.MultiplyAdd(e, h3, s3);
                    AddTo(gradient + (3 * stride) + sample, w3, e);
                }
                if (withLoss)
                    loss = TSimd.MultiplyAdd(e, output, loss);
            }
            // Beyond the batch the hidden layer is zero, so that there the output is what the bias lets through.
            var idle = shape.OutputRelu ? Math.Max(space.B[i], 0) : space.B[i];
            narrow.BiasSums[i] = TSimd.Sum(sum) - (beyond * space.Importance[i] * idle);
            var sums = space.SparseW + ((nint)i * space.RowStride);
            sums[0] = TSimd.Sum(s0);
            if (THidden.Value > 1)
                sums[1] = TSimd.Sum(s1);
            if (THidden.Value > 2)
                sums[2] = TSimd.Sum(s2);
            if (THidden.Value > 3)
                sums[3] = TSimd.Sum(s3);
            if (withLoss)
                lossSum += TSimd.Sum(loss) - (beyond * space.Importance[i] * idle * idle);
        }
        return lossSum;
    }

    /// <summary>What active inputs change: e loses I·x where the output lets it through.</summary>
    /// <returns>What that changes in the summed loss, I·(x² − 2·x·x'), where it was asked for.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Active<THidden>(ToyShape shape, ToyWorkspace space, NarrowSpace narrow, SparseRows rows, bool withLoss)
        where THidden : struct, ICount
    {
        var loss = 0.0;
        ReadOnlySpan<int> row = rows.Row,
            feature = rows.Feature;
        var value = rows.Value;
        var everywhere = !shape.OutputRelu;
        for (var entry = 0; entry < value.Length; entry++)
        {
            var (i, x) = (feature[entry], value[entry]);
            float* weights = space.W + ((nint)i * space.RowStride),
                h = narrow.H + row[entry],
                gradient = narrow.Gradient + row[entry],
                sums = space.SparseW + ((nint)i * space.RowStride);
            // The same order of rounding as above, or the two would disagree on which side of the ReLU an output lies.
            var output = space.B[i];
            for (var k = 0; k < THidden.Value; k++)
                output = MathF.FusedMultiplyAdd(weights[k], h[k * narrow.Samples], output);
            var lets = everywhere | output > 0;
            var change = lets ? -space.Importance[i] * x : 0;
            narrow.BiasSums[i] += change;
            for (var k = 0; k < THidden.Value; k++)
            {
                sums[k] += change * h[k * narrow.Samples];
                gradient[k * narrow.Samples] += change * weights[k];
            }
            if (withLoss)
                loss += (space.Importance[i] * x * x) - (lets ? 2 * space.Importance[i] * x * output : 0);
        }
        return loss;
    }

    /// <summary>The encoder's half of the weight gradient: row i gains x_i times the hidden gradient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ThroughEncoder<THidden>(ToyWorkspace space, NarrowSpace narrow, SparseRows rows)
        where THidden : struct, ICount
    {
        ReadOnlySpan<int> row = rows.Row,
            feature = rows.Feature;
        var value = rows.Value;
        for (var entry = 0; entry < value.Length; entry++)
        {
            float* sums = space.SparseW + ((nint)feature[entry] * space.RowStride),
                gradient = narrow.Gradient + row[entry];
            for (var k = 0; k < THidden.Value; k++)
                sums[k] += value[entry] * gradient[k * narrow.Samples];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo(float* at, TVector weight, TVector e) => TSimd.Store(at, TSimd.MultiplyAdd(weight, e, TSimd.Load(at)));
}
