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
    private const int RowStride = NarrowEntries.RowStride;

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
        var weights = space.PaddedFeatures * space.RowStride;
        new Span<float>(narrow.Gradient, THidden.Value * narrow.Samples).Clear();
        new Span<float>(space.SparseW, weights).Clear();
        NarrowEntries.Encode<THidden>(space, narrow, batch.Rows);
        var loss = Inactive<THidden>(shape, space, narrow, batch.Size, withLoss);
        loss += NarrowEntries.Active<THidden>(shape, space, narrow, batch.Rows, withLoss);
        NarrowEntries.ThroughEncoder<THidden>(space, narrow, batch.Rows);
        var scale = 2f / batch.Size;
        for (var i = 0; i < weights; i += TSimd.Width)
            TSimd.Store(space.GradientW + i, TSimd.Multiply(TSimd.Broadcast(scale), TSimd.Load(space.SparseW + i)));
        for (var i = 0; i < space.Features; i++)
            space.GradientB[i] = scale * narrow.BiasSums[i];
        return withLoss ? loss / batch.Size : null;
    }

    /// <summary>Every output as if its input were zero: e = I·x'.</summary>
    /// <returns>Σ I·x'², where it was asked for.</returns>
    private static double Inactive<THidden>(ToyShape shape, ToyWorkspace space, NarrowSpace narrow, int size, bool withLoss)
        where THidden : struct, ICount
    {
        var loss = 0.0;
        var bound = shape.OutputRelu ? 0 : float.NegativeInfinity;
        var i = 0;
        for (; i + 2 <= space.Features; i += 2)
            Inactive<THidden, Two>(space, narrow, size, i, bound, withLoss, ref loss);
        for (; i < space.Features; i++)
            Inactive<THidden, One>(space, narrow, size, i, bound, withLoss, ref loss);
        return loss;
    }

    /// <summary>One feature or two, which read and write the same hidden layer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Inactive<THidden, TFeatures>(
        ToyWorkspace space,
        NarrowSpace narrow,
        int size,
        int feature,
        float lowest,
        bool withLoss,
        ref double lossSum
    )
        where THidden : struct, ICount
        where TFeatures : struct, ICount
    {
        nint stride = narrow.Samples;
        float* h0At = narrow.H,
            h1At = h0At + stride,
            h2At = h1At + stride,
            h3At = h2At + stride,
            g0At = narrow.Gradient,
            g1At = g0At + stride,
            g2At = g1At + stride,
            g3At = g2At + stride;
        // What a second feature would read where there is none is not used.
        float* weights = space.W + ((nint)feature * RowStride),
            others = TFeatures.Value > 1 ? weights + RowStride : weights;
        var other = TFeatures.Value > 1 ? feature + 1 : feature;
        var bound = TSimd.Broadcast(lowest);
        TVector b = TSimd.Broadcast(space.B[feature]),
            importance = TSimd.Broadcast(space.Importance[feature]),
            w0 = TSimd.Broadcast(weights[0]),
            w1 = TSimd.Broadcast(weights[1]),
            w2 = TSimd.Broadcast(weights[2]),
            w3 = TSimd.Broadcast(weights[3]),
            otherB = TSimd.Broadcast(space.B[other]),
            otherImportance = TSimd.Broadcast(space.Importance[other]),
            v0 = TSimd.Broadcast(others[0]),
            v1 = TSimd.Broadcast(others[1]),
            v2 = TSimd.Broadcast(others[2]),
            v3 = TSimd.Broadcast(others[3]);
        TVector sum = TSimd.Zero,
            s0 = TSimd.Zero,
            s1 = TSimd.Zero,
            s2 = TSimd.Zero,
            s3 = TSimd.Zero,
            loss = TSimd.Zero,
            otherSum = TSimd.Zero,
            t0 = TSimd.Zero,
            t1 = TSimd.Zero,
            t2 = TSimd.Zero,
            t3 = TSimd.Zero,
            otherLoss = TSimd.Zero;
        for (nint sample = 0; sample < size; sample += TSimd.Width)
        {
            TVector h0 = TSimd.Load(h0At + sample),
                h1 = THidden.Value > 1 ? TSimd.Load(h1At + sample) : TSimd.Zero,
                h2 = THidden.Value > 2 ? TSimd.Load(h2At + sample) : TSimd.Zero,
                h3 = THidden.Value > 3 ? TSimd.Load(h3At + sample) : TSimd.Zero;
            var output = TSimd.MultiplyAdd(w0, h0, b);
            if (THidden.Value > 1)
                output = TSimd.MultiplyAdd(w1, h1, output);
            if (THidden.Value > 2)
                output = TSimd.MultiplyAdd(w2, h2, output);
            if (THidden.Value > 3)
                output = TSimd.MultiplyAdd(w3, h3, output);
            output = TSimd.Max(output, bound);
            var e = TSimd.Multiply(importance, output);
            sum = TSimd.Add(sum, e);
            s0 = TSimd.MultiplyAdd(e, h0, s0);
            var g0 = TSimd.MultiplyAdd(w0, e, TSimd.Load(g0At + sample));
            TVector g1 = TSimd.Zero,
                g2 = TSimd.Zero,
                g3 = TSimd.Zero;
            if (THidden.Value > 1)
            {
                s1 = TSimd.MultiplyAdd(e, h1, s1);
                g1 = TSimd.MultiplyAdd(w1, e, TSimd.Load(g1At + sample));
            }
            if (THidden.Value > 2)
            {
                s2 = TSimd.MultiplyAdd(e, h2, s2);
                g2 = TSimd.MultiplyAdd(w2, e, TSimd.Load(g2At + sample));
            }
            if (THidden.Value > 3)
            {
                s3 = TSimd.MultiplyAdd(e, h3, s3);
                g3 = TSimd.MultiplyAdd(w3, e, TSimd.Load(g3At + sample));
            }
            if (withLoss)
                loss = TSimd.MultiplyAdd(e, output, loss);
            if (TFeatures.Value > 1)
            {
                output = TSimd.MultiplyAdd(v0, h0, otherB);
                if (THidden.Value > 1)
                    output = TSimd.MultiplyAdd(v1, h1, output);
                if (THidden.Value > 2)
                    output = TSimd.MultiplyAdd(v2, h2, output);
                if (THidden.Value > 3)
                    output = TSimd.MultiplyAdd(v3, h3, output);
                output = TSimd.Max(output, bound);
                e = TSimd.Multiply(otherImportance, output);
                otherSum = TSimd.Add(otherSum, e);
                t0 = TSimd.MultiplyAdd(e, h0, t0);
                g0 = TSimd.MultiplyAdd(v0, e, g0);
                if (THidden.Value > 1)
                {
                    t1 = TSimd.MultiplyAdd(e, h1, t1);
                    g1 = TSimd.MultiplyAdd(v1, e, g1);
                }
                if (THidden.Value > 2)
                {
                    t2 = TSimd.MultiplyAdd(e, h2, t2);
                    g2 = TSimd.MultiplyAdd(v2, e, g2);
                }
                if (THidden.Value > 3)
                {
                    t3 = TSimd.MultiplyAdd(e, h3, t3);
                    g3 = TSimd.MultiplyAdd(v3, e, g3);
                }
                if (withLoss)
                    otherLoss = TSimd.MultiplyAdd(e, output, otherLoss);
            }
            TSimd.Store(g0At + sample, g0);
            if (THidden.Value > 1)
                TSimd.Store(g1At + sample, g1);
            if (THidden.Value > 2)
                TSimd.Store(g2At + sample, g2);
            if (THidden.Value > 3)
                TSimd.Store(g3At + sample, g3);
        }
        Collect<THidden>(space, narrow, size, feature, lowest, sum, s0, s1, s2, s3, loss, withLoss, ref lossSum);
        if (TFeatures.Value > 1)
            Collect<THidden>(space, narrow, size, other, lowest, otherSum, t0, t1, t2, t3, otherLoss, withLoss, ref lossSum);
    }

    /// <summary>A feature's sums over samples, their lanes added up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Collect<THidden>(
        ToyWorkspace space,
        NarrowSpace narrow,
        int size,
        int feature,
        float lowest,
        TVector sum,
        TVector s0,
        TVector s1,
        TVector s2,
        TVector s3,
        TVector loss,
        bool withLoss,
        ref double lossSum
    )
        where THidden : struct, ICount
    {
        // Beyond the batch the hidden layer is zero, so that there the output is what the bias lets through.
        var idle = Math.Max(space.B[feature], lowest);
        var beyond = (((size + TSimd.Width - 1) / TSimd.Width) * TSimd.Width) - size;
        narrow.BiasSums[feature] = TSimd.Sum(sum) - (beyond * space.Importance[feature] * idle);
        var sums = space.SparseW + ((nint)feature * RowStride);
        sums[0] = TSimd.Sum(s0);
        if (THidden.Value > 1)
            sums[1] = TSimd.Sum(s1);
        if (THidden.Value > 2)
            sums[2] = TSimd.Sum(s2);
        if (THidden.Value > 3)
            sums[3] = TSimd.Sum(s3);
        if (withLoss)
            lossSum += TSimd.Sum(loss) - (beyond * space.Importance[feature] * idle * idle);
    }
}
