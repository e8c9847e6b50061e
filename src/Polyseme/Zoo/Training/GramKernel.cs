using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>
/// The gradient of a toy model with a linear hidden layer on sparse inputs. Its loss depends on W only through G = W·Wᵀ: a sample is b plus
/// a row of G per active entry, and adds its errors to a row of M = Xᵀ·E per active entry; ∂L/∂W = (M + Mᵀ)·W, once per step.
/// </summary>
/// <remarks>4·batch·active·n + 4·n²·m operations instead of 6·batch·n·m. Features lie along the registers.</remarks>
internal static unsafe class GramKernel<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int MaxRegisters = 8;

    /// <summary>The gradient of one batch, into the workspace.</summary>
    /// <returns>The loss, where it was asked for.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double? Gradient(ToyShape shape, ToyWorkspace space, ToyBatch batch, bool withLoss)
    {
        var gram = space.Gram;
        var sets = batch.Sets;
        Prepare(space, gram);
        var bound = shape.OutputRelu ? 0 : float.NegativeInfinity;
        fixed (int* feature = sets.Feature)
        fixed (float* value = sets.Value)
        {
            var pieces = new Pieces(feature, value, bound, withLoss);
            Span<Segment> segments = stackalloc Segment[Math.Min(gram.ChunkSamples, sets.Runs.Length)];
            int count = 0,
                rows = 0,
                entries = 0;
            foreach (var run in sets.Runs)
            {
                if (run.Entries == 0)
                {
                    AddEmpty(gram, run.Samples, bound, withLoss);
                    continue;
                }
                for (var sample = 0; sample < run.Samples; )
                {
                    if (entries + run.Entries > gram.ChunkEntries)
                    {
                        Pass(gram, space.Features, pieces, segments[..count]);
                        count = rows = entries = 0;
                    }
                    var taken = Math.Min(
                        run.Samples - sample,
                        Math.Min(gram.ChunkSamples - rows, (gram.ChunkEntries - entries) / run.Entries)
                    );
                    segments[count++] = new Segment(run, sample, sample + taken, rows, entries);
                    (sample, rows, entries) = (sample + taken, rows + taken, entries + (taken * run.Entries));
                    if (rows == gram.ChunkSamples)
                    {
                        Pass(gram, space.Features, pieces, segments[..count]);
                        count = rows = entries = 0;
                    }
                }
            }
            if (rows > 0)
                Pass(gram, space.Features, pieces, segments[..count]);
        }
        Collect(space, gram, 2f / batch.Size);
        if (!withLoss)
            return null;
        var loss = 0.0;
        for (var i = 0; i < space.Features; i++)
            loss += gram.Loss[i];
        return loss / batch.Size;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Segment(ActiveRun Run, int From, int To, int Row, int First);

    [StructLayout(LayoutKind.Auto)]
    private readonly struct Pieces(int* feature, float* value, float bound, bool withLoss)
    {
        public readonly int* Feature = feature;
        public readonly float* Value = value;
        public readonly float Bound = bound;
        public readonly bool WithLoss = withLoss;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Prepare(ToyWorkspace space, GramSpace gram)
    {
        int n = space.Features,
            stride = gram.Stride;
        for (var i = 0; i < n; i++)
        {
            for (var k = 0; k < space.Hidden; k++)
                gram.Directions[(k * stride) + i] = space.W[(i * space.RowStride) + k];
        }
        new ReadOnlySpan<float>(space.B, n).CopyTo(new Span<float>(gram.Bias, n));
        new ReadOnlySpan<float>(space.Importance, n).CopyTo(new Span<float>(gram.Importance, n));
        TileProduct<TSimd, TVector>.Multiply(
            space.W,
            space.RowStride,
            1,
            gram.Directions,
            stride,
            gram.G,
            stride,
            n,
            space.Hidden,
            gram.Columns
        );
        new Span<float>(gram.M, n * stride).Clear();
        new Span<float>(gram.BiasGradient, stride).Clear();
        new Span<float>(gram.Loss, stride).Clear();
    }

    /// <summary>Samples without an active entry are all alike.</summary>
    private static void AddEmpty(GramSpace gram, int samples, float bound, bool withLoss)
    {
        var (bounds, times) = (TSimd.Broadcast(bound), TSimd.Broadcast(samples));
        for (var i = 0; i < gram.Stride; i += TSimd.Width)
        {
            var before = TSimd.Load(gram.Bias + i);
            var e = TSimd.ZeroWhereAtMost(before, bounds, TSimd.Multiply(TSimd.Load(gram.Importance + i), before));
            TSimd.Store(gram.BiasGradient + i, TSimd.MultiplyAdd(times, e, TSimd.Load(gram.BiasGradient + i)));
            if (withLoss)
                TSimd.Store(gram.Loss + i, TSimd.MultiplyAdd(times, TSimd.Multiply(e, before), TSimd.Load(gram.Loss + i)));
        }
    }

    /// <summary>Both passes over a chunk, a panel of columns at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pass(GramSpace gram, int features, in Pieces pieces, ReadOnlySpan<Segment> segments)
    {
        Scatter(gram, pieces, segments);
        var registers = (features + TSimd.Width - 1) / TSimd.Width;
        var panels = (registers + MaxRegisters - 1) / MaxRegisters;
        for (int panel = 0, first = 0; panel < panels; panel++)
        {
            var count = (registers - first + (panels - panel) - 1) / (panels - panel);
            var column = first * TSimd.Width;
            switch (count)
            {
                case 1:
                    Both<One>(gram, pieces, segments, column);
                    break;
                case 2:
                    Both<Two>(gram, pieces, segments, column);
                    break;
                case 3:
                    Both<Three>(gram, pieces, segments, column);
                    break;
                case 4:
                    Both<Four>(gram, pieces, segments, column);
                    break;
                case 5:
                    Both<Five>(gram, pieces, segments, column);
                    break;
                case 6:
                    Both<Six>(gram, pieces, segments, column);
                    break;
                case 7:
                    Both<Seven>(gram, pieces, segments, column);
                    break;
                default:
                    Both<Eight>(gram, pieces, segments, column);
                    break;
            }
            first += count;
        }
    }

    /// <summary>x among its zeros, and the entries of a sample side by side; written so early that nothing waits for it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scatter(GramSpace gram, in Pieces pieces, ReadOnlySpan<Segment> segments)
    {
        foreach (ref readonly var segment in segments)
        {
            nint stride = gram.Stride,
                pitch = segment.Run.Pitch;
            var nEntries = segment.Run.Entries;
            var to = gram.Entries + segment.First;
            var row = gram.E + (segment.Row * stride);
            for (var sample = segment.From; sample < segment.To; sample++, row += stride)
            {
                var feature = pieces.Feature + segment.Run.Start + sample;
                var value = pieces.Value + segment.Run.Start + sample;
                for (var end = to + nEntries; to < end; to++, feature += pitch, value += pitch)
                {
                    *to = new GramEntry((int)(*feature * stride), *value);
                    row[*feature] = *value;
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Both<TRegisters>(GramSpace gram, in Pieces pieces, ReadOnlySpan<Segment> segments, int column)
        where TRegisters : struct, ICount
    {
        foreach (ref readonly var segment in segments)
            Forward<TRegisters>(gram, pieces, segment, column);
        foreach (ref readonly var segment in segments)
            Backward<TRegisters>(gram, segment, column);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Forward<TRegisters>(GramSpace gram, in Pieces pieces, in Segment segment, int column)
        where TRegisters : struct, ICount
    {
        var width = TSimd.Width;
        nint stride = gram.Stride;
        float* g = gram.G + column,
            bias = gram.Bias + column,
            importance = gram.Importance + column,
            e = gram.E + (segment.Row * stride) + column;
        var entry = gram.Entries + segment.First;
        var bound = TSimd.Broadcast(pieces.Bound);
        var withLoss = pieces.WithLoss;
        var nEntries = segment.Run.Entries;
        for (var samples = segment.To - segment.From; samples > 0; samples--, e += stride)
        {
            TVector a0 = TSimd.Load(bias),
                a1 = TRegisters.Value > 1 ? TSimd.Load(bias + width) : TSimd.Zero,
                a2 = TRegisters.Value > 2 ? TSimd.Load(bias + (2 * width)) : TSimd.Zero,
                a3 = TRegisters.Value > 3 ? TSimd.Load(bias + (3 * width)) : TSimd.Zero,
                a4 = TRegisters.Value > 4 ? TSimd.Load(bias + (4 * width)) : TSimd.Zero,
                a5 = TRegisters.Value > 5 ? TSimd.Load(bias + (5 * width)) : TSimd.Zero,
                a6 = TRegisters.Value > 6 ? TSimd.Load(bias + (6 * width)) : TSimd.Zero,
                a7 = TRegisters.Value > 7 ? TSimd.Load(bias + (7 * width)) : TSimd.Zero;
            for (var end = entry + nEntries; entry < end; entry++)
            {
                var x = TSimd.Broadcast(entry->Value);
                var row = g + entry->Offset;
                a0 = TSimd.MultiplyAdd(x, TSimd.Load(row), a0);
                if (TRegisters.Value > 1)
                    a1 = TSimd.MultiplyAdd(x, TSimd.Load(row + width), a1);
                if (TRegisters.Value > 2)
                    a2 = TSimd.MultiplyAdd(x, TSimd.Load(row + (2 * width)), a2);
                if (TRegisters.Value > 3)
                    a3 = TSimd.MultiplyAdd(x, TSimd.Load(row + (3 * width)), a3);
                if (TRegisters.Value > 4)
                    a4 = TSimd.MultiplyAdd(x, TSimd.Load(row + (4 * width)), a4);
                if (TRegisters.Value > 5)
                    a5 = TSimd.MultiplyAdd(x, TSimd.Load(row + (5 * width)), a5);
                if (TRegisters.Value > 6)
                    a6 = TSimd.MultiplyAdd(x, TSimd.Load(row + (6 * width)), a6);
                if (TRegisters.Value > 7)
                    a7 = TSimd.MultiplyAdd(x, TSimd.Load(row + (7 * width)), a7);
            }
            if (withLoss)
            {
                var loss = gram.Loss + column;
                AddLoss(a0, e, importance, bound, loss);
                if (TRegisters.Value > 1)
                    AddLoss(a1, e + width, importance + width, bound, loss + width);
                if (TRegisters.Value > 2)
                    AddLoss(a2, e + (2 * width), importance + (2 * width), bound, loss + (2 * width));
                if (TRegisters.Value > 3)
                    AddLoss(a3, e + (3 * width), importance + (3 * width), bound, loss + (3 * width));
                if (TRegisters.Value > 4)
                    AddLoss(a4, e + (4 * width), importance + (4 * width), bound, loss + (4 * width));
                if (TRegisters.Value > 5)
                    AddLoss(a5, e + (5 * width), importance + (5 * width), bound, loss + (5 * width));
                if (TRegisters.Value > 6)
                    AddLoss(a6, e + (6 * width), importance + (6 * width), bound, loss + (6 * width));
                if (TRegisters.Value > 7)
                    AddLoss(a7, e + (7 * width), importance + (7 * width), bound, loss + (7 * width));
            }
            Finish(a0, e, importance, bound);
            if (TRegisters.Value > 1)
                Finish(a1, e + width, importance + width, bound);
            if (TRegisters.Value > 2)
                Finish(a2, e + (2 * width), importance + (2 * width), bound);
            if (TRegisters.Value > 3)
                Finish(a3, e + (3 * width), importance + (3 * width), bound);
            if (TRegisters.Value > 4)
                Finish(a4, e + (4 * width), importance + (4 * width), bound);
            if (TRegisters.Value > 5)
                Finish(a5, e + (5 * width), importance + (5 * width), bound);
            if (TRegisters.Value > 6)
                Finish(a6, e + (6 * width), importance + (6 * width), bound);
            if (TRegisters.Value > 7)
                Finish(a7, e + (7 * width), importance + (7 * width), bound);
        }
    }

    /// <summary>I·(W·h + b − x), in the place of x; zero where the output's ReLU is shut. What is not a number stays one that is not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(TVector before, float* e, float* importance, TVector bound) =>
        TSimd.Store(e, TSimd.ZeroWhereAtMost(before, bound, TSimd.Multiply(TSimd.Load(importance), TSimd.Subtract(before, TSimd.Load(e)))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddLoss(TVector before, float* x, float* importance, TVector bound, float* loss)
    {
        var error = TSimd.Subtract(TSimd.Max(before, bound), TSimd.Load(x));
        TSimd.Store(loss, TSimd.MultiplyAdd(TSimd.Multiply(TSimd.Load(importance), error), error, TSimd.Load(loss)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Backward<TRegisters>(GramSpace gram, in Segment segment, int column)
        where TRegisters : struct, ICount
    {
        var width = TSimd.Width;
        nint stride = gram.Stride;
        float* m = gram.M + column,
            e = gram.E + (segment.Row * stride) + column,
            sums = gram.BiasGradient + column;
        var entry = gram.Entries + segment.First;
        var nEntries = segment.Run.Entries;
        TVector s0 = TSimd.Load(sums),
            s1 = TRegisters.Value > 1 ? TSimd.Load(sums + width) : TSimd.Zero,
            s2 = TRegisters.Value > 2 ? TSimd.Load(sums + (2 * width)) : TSimd.Zero,
            s3 = TRegisters.Value > 3 ? TSimd.Load(sums + (3 * width)) : TSimd.Zero,
            s4 = TRegisters.Value > 4 ? TSimd.Load(sums + (4 * width)) : TSimd.Zero,
            s5 = TRegisters.Value > 5 ? TSimd.Load(sums + (5 * width)) : TSimd.Zero,
            s6 = TRegisters.Value > 6 ? TSimd.Load(sums + (6 * width)) : TSimd.Zero,
            s7 = TRegisters.Value > 7 ? TSimd.Load(sums + (7 * width)) : TSimd.Zero;
        for (var samples = segment.To - segment.From; samples > 0; samples--, e += stride)
        {
            TVector e0 = TSimd.Load(e),
                e1 = TRegisters.Value > 1 ? TSimd.Load(e + width) : TSimd.Zero,
                e2 = TRegisters.Value > 2 ? TSimd.Load(e + (2 * width)) : TSimd.Zero,
                e3 = TRegisters.Value > 3 ? TSimd.Load(e + (3 * width)) : TSimd.Zero,
                e4 = TRegisters.Value > 4 ? TSimd.Load(e + (4 * width)) : TSimd.Zero,
                e5 = TRegisters.Value > 5 ? TSimd.Load(e + (5 * width)) : TSimd.Zero,
                e6 = TRegisters.Value > 6 ? TSimd.Load(e + (6 * width)) : TSimd.Zero,
                e7 = TRegisters.Value > 7 ? TSimd.Load(e + (7 * width)) : TSimd.Zero;
            TSimd.Store(e, TSimd.Zero);
            if (TRegisters.Value > 1)
                TSimd.Store(e + width, TSimd.Zero);
            if (TRegisters.Value > 2)
                TSimd.Store(e + (2 * width), TSimd.Zero);
            if (TRegisters.Value > 3)
                TSimd.Store(e + (3 * width), TSimd.Zero);
            if (TRegisters.Value > 4)
                TSimd.Store(e + (4 * width), TSimd.Zero);
            if (TRegisters.Value > 5)
                TSimd.Store(e + (5 * width), TSimd.Zero);
            if (TRegisters.Value > 6)
                TSimd.Store(e + (6 * width), TSimd.Zero);
            if (TRegisters.Value > 7)
                TSimd.Store(e + (7 * width), TSimd.Zero);
            s0 = TSimd.Add(s0, e0);
            if (TRegisters.Value > 1)
                s1 = TSimd.Add(s1, e1);
            if (TRegisters.Value > 2)
                s2 = TSimd.Add(s2, e2);
            if (TRegisters.Value > 3)
                s3 = TSimd.Add(s3, e3);
            if (TRegisters.Value > 4)
                s4 = TSimd.Add(s4, e4);
            if (TRegisters.Value > 5)
                s5 = TSimd.Add(s5, e5);
            if (TRegisters.Value > 6)
                s6 = TSimd.Add(s6, e6);
            if (TRegisters.Value > 7)
                s7 = TSimd.Add(s7, e7);
            for (var end = entry + nEntries; entry < end; entry++)
            {
                var x = TSimd.Broadcast(entry->Value);
                var row = m + entry->Offset;
                TSimd.Store(row, TSimd.MultiplyAdd(x, e0, TSimd.Load(row)));
                if (TRegisters.Value > 1)
                    TSimd.Store(row + width, TSimd.MultiplyAdd(x, e1, TSimd.Load(row + width)));
                if (TRegisters.Value > 2)
                    TSimd.Store(row + (2 * width), TSimd.MultiplyAdd(x, e2, TSimd.Load(row + (2 * width))));
                if (TRegisters.Value > 3)
                    TSimd.Store(row + (3 * width), TSimd.MultiplyAdd(x, e3, TSimd.Load(row + (3 * width))));
                if (TRegisters.Value > 4)
                    TSimd.Store(row + (4 * width), TSimd.MultiplyAdd(x, e4, TSimd.Load(row + (4 * width))));
                if (TRegisters.Value > 5)
                    TSimd.Store(row + (5 * width), TSimd.MultiplyAdd(x, e5, TSimd.Load(row + (5 * width))));
                if (TRegisters.Value > 6)
                    TSimd.Store(row + (6 * width), TSimd.MultiplyAdd(x, e6, TSimd.Load(row + (6 * width))));
                if (TRegisters.Value > 7)
                    TSimd.Store(row + (7 * width), TSimd.MultiplyAdd(x, e7, TSimd.Load(row + (7 * width))));
            }
        }
        TSimd.Store(sums, s0);
        if (TRegisters.Value > 1)
            TSimd.Store(sums + width, s1);
        if (TRegisters.Value > 2)
            TSimd.Store(sums + (2 * width), s2);
        if (TRegisters.Value > 3)
            TSimd.Store(sums + (3 * width), s3);
        if (TRegisters.Value > 4)
            TSimd.Store(sums + (4 * width), s4);
        if (TRegisters.Value > 5)
            TSimd.Store(sums + (5 * width), s5);
        if (TRegisters.Value > 6)
            TSimd.Store(sums + (6 * width), s6);
        if (TRegisters.Value > 7)
            TSimd.Store(sums + (7 * width), s7);
    }

    /// <summary>From M to the gradient: ∂L/∂Wᵀ = Wᵀ·(M + Mᵀ), scaled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Collect(ToyWorkspace space, GramSpace gram, float scale)
    {
        int n = space.Features,
            stride = gram.Stride;
        AddTransposed(gram.M, n, stride);
        TileProduct<TSimd, TVector>.Multiply(
            space.W,
            1,
            space.RowStride,
            gram.M,
            stride,
            gram.Gradient,
            stride,
            space.Hidden,
            n,
            gram.Columns
        );
        for (var i = 0; i < n; i++)
        {
            for (var k = 0; k < space.Hidden; k++)
                space.GradientW[(i * space.RowStride) + k] = scale * gram.Gradient[(k * stride) + i];
            space.GradientB[i] = scale * gram.BiasGradient[i];
        }
    }

    /// <summary>M + Mᵀ in place, a block and its mirror image at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTransposed(float* m, int n, nint stride)
    {
        const int block = 4;
        var top = 0;
        // Rows and columns beyond n are zero, as far as columns go: only rows end there.
        for (; top + block <= n; top += block)
        {
            for (var left = 0; left <= top; left += block)
                AddBlocks(m + (top * stride) + left, m + (left * stride) + top, stride);
        }
        for (var i = top; i < n; i++)
        {
            float* row = m + (i * stride),
                column = m + i;
            for (var j = 0; j <= i; j++)
                row[j] = column[j * stride] = row[j] + column[j * stride];
        }
    }

    /// <summary>Four rows and four columns: both blocks become their sum, one of them transposed. They may be the same.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddBlocks(float* first, float* second, nint stride)
    {
        var (t0, t1, t2, t3) = Transposed(second, stride);
        t0 += Vector128.Load(first);
        t1 += Vector128.Load(first + stride);
        t2 += Vector128.Load(first + (2 * stride));
        t3 += Vector128.Load(first + (3 * stride));
        Vector128.Store(t0, first);
        Vector128.Store(t1, first + stride);
        Vector128.Store(t2, first + (2 * stride));
        Vector128.Store(t3, first + (3 * stride));
        if (first == second)
            return;
        (t0, t1, t2, t3) = Transposed(first, stride);
        Vector128.Store(t0, second);
        Vector128.Store(t1, second + stride);
        Vector128.Store(t2, second + (2 * stride));
        Vector128.Store(t3, second + (3 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<float> R0, Vector128<float> R1, Vector128<float> R2, Vector128<float> R3) Transposed(float* m, nint stride)
    {
        Vector128<float> r0 = Vector128.Load(m),
            r1 = Vector128.Load(m + stride),
            r2 = Vector128.Load(m + (2 * stride)),
            r3 = Vector128.Load(m + (3 * stride));
        if (!Sse.IsSupported)
        {
            return (
                Vector128.Create(r0[0], r1[0], r2[0], r3[0]),
                Vector128.Create(r0[1], r1[1], r2[1], r3[1]),
                Vector128.Create(r0[2], r1[2], r2[2], r3[2]),
                Vector128.Create(r0[3], r1[3], r2[3], r3[3])
            );
        }
        Vector128<float> low01 = Sse.UnpackLow(r0, r1),
            low23 = Sse.UnpackLow(r2, r3),
            high01 = Sse.UnpackHigh(r0, r1),
            high23 = Sse.UnpackHigh(r2, r3);
        return (
            Sse.MoveLowToHigh(low01, low23),
            Sse.MoveHighToLow(low23, low01),
            Sse.MoveLowToHigh(high01, high23),
            Sse.MoveHighToLow(high23, high01)
        );
    }
}
