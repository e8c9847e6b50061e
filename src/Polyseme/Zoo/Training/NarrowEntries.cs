using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polyseme.Zoo.Training;

/// <summary>What the few active entries add to the gradient of <see cref="NarrowKernel{TSimd, TVector}"/>, a sample at a time.</summary>
/// <remarks>A sample's hidden units stay in a register over its entries: consecutive entries would wait for each other through memory.</remarks>
internal static unsafe class NarrowEntries
{
    /// <summary>Floats of a row of W for up to four hidden units; those beyond the last are zero.</summary>
    public const int RowStride = 4;

    /// <summary>h = Wᵀx.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Encode<THidden>(ToyWorkspace space, NarrowSpace narrow, SparseRows rows)
        where THidden : struct, ICount
    {
        var start = rows.Start;
        var w = space.W;
        fixed (int* feature = rows.Feature)
        fixed (float* value = rows.Value)
        {
            for (var row = 0; row < rows.Count; row++)
            {
                var sum = Vector128<float>.Zero;
                var end = start[row + 1];
                for (var entry = start[row]; entry < end; entry++)
                    sum += value[entry] * Vector128.Load(w + (feature[entry] * RowStride));
                Put<THidden>(narrow.H + row, narrow.Samples, sum);
            }
        }
    }

    /// <summary>What active inputs change: e loses I·x where the output lets it through.</summary>
    /// <returns>What that changes in the summed loss, I·(x² − 2·x·x'), where it was asked for.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Active<THidden>(ToyShape shape, ToyWorkspace space, NarrowSpace narrow, SparseRows rows, bool withLoss)
        where THidden : struct, ICount
    {
        var loss = 0.0;
        var everywhere = shape.OutputRelu ? 0 : 1;
        var start = rows.Start;
        float* w = space.W,
            b = space.B,
            importance = space.Importance,
            sparse = space.SparseW,
            biasSums = narrow.BiasSums;
        fixed (int* feature = rows.Feature)
        fixed (float* value = rows.Value)
        {
            for (var row = 0; row < rows.Count; row++)
            {
                var h = Get<THidden>(narrow.H + row, narrow.Samples);
                var gradient = Get<THidden>(narrow.Gradient + row, narrow.Samples);
                float h0 = h[0],
                    h1 = h[1],
                    h2 = h[2],
                    h3 = h[3];
                var end = start[row + 1];
                for (var entry = start[row]; entry < end; entry++)
                {
                    nint i = feature[entry];
                    var x = value[entry];
                    float* weights = w + (i * RowStride),
                        sums = sparse + (i * RowStride);
                    // The same order of rounding as above, or the two would disagree on which side of the ReLU an output lies.
                    var output = MathF.FusedMultiplyAdd(weights[0], h0, b[i]);
                    if (THidden.Value > 1)
                        output = MathF.FusedMultiplyAdd(weights[1], h1, output);
                    if (THidden.Value > 2)
                        output = MathF.FusedMultiplyAdd(weights[2], h2, output);
                    if (THidden.Value > 3)
                        output = MathF.FusedMultiplyAdd(weights[3], h3, output);
                    // Masked, not a branch: which outputs are let through cannot be foreseen.
                    var lets = everywhere | Unsafe.BitCast<bool, byte>(output > 0);
                    var change = BitConverter.Int32BitsToSingle(-lets & BitConverter.SingleToInt32Bits(-importance[i] * x));
                    biasSums[i] += change;
                    (Vector128.Load(sums) + (change * h)).Store(sums);
                    gradient += change * Vector128.Load(weights);
                    if (withLoss)
                        loss += (importance[i] * x * x) - (lets != 0 ? 2 * importance[i] * x * output : 0);
                }
                Put<THidden>(narrow.Gradient + row, narrow.Samples, gradient);
            }
        }
        return loss;
    }

    /// <summary>The encoder's half of the weight gradient: row i gains x_i times the hidden gradient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ThroughEncoder<THidden>(ToyWorkspace space, NarrowSpace narrow, SparseRows rows)
        where THidden : struct, ICount
    {
        var start = rows.Start;
        var sparse = space.SparseW;
        fixed (int* feature = rows.Feature)
        fixed (float* value = rows.Value)
        {
            for (var row = 0; row < rows.Count; row++)
            {
                var gradient = Get<THidden>(narrow.Gradient + row, narrow.Samples);
                var end = start[row + 1];
                for (var entry = start[row]; entry < end; entry++)
                {
                    var sums = sparse + (feature[entry] * RowStride);
                    (Vector128.Load(sums) + (value[entry] * gradient)).Store(sums);
                }
            }
        }
    }

    /// <summary>A sample's hidden units side by side, zero beyond the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Get<THidden>(float* at, nint stride)
        where THidden : struct, ICount =>
        Vector128.Create(
            at[0],
            THidden.Value > 1 ? at[stride] : 0,
            THidden.Value > 2 ? at[2 * stride] : 0,
            THidden.Value > 3 ? at[3 * stride] : 0
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<THidden>(float* at, nint stride, Vector128<float> values)
        where THidden : struct, ICount
    {
        at[0] = values[0];
        if (THidden.Value > 1)
            at[stride] = values[1];
        if (THidden.Value > 2)
            at[2 * stride] = values[2];
        if (THidden.Value > 3)
            at[3 * stride] = values[3];
    }
}
