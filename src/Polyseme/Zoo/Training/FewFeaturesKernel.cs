using System.Runtime.CompilerServices;
using Polyseme.Numerics.Simd;

namespace Polyseme.Zoo.Training;

/// <summary>
/// The gradient of a toy model with up to three features and a linear hidden layer, through G = W·Wᵀ as in
/// <see cref="GramKernel{TSimd, TVector}"/>: all of it stays in registers, samples along them.
/// </summary>
internal static unsafe class FewFeaturesKernel<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int Tile = ToyBatch.Tile;

    /// <summary>The gradient of one batch that is made tile by tile, into the workspace.</summary>
    /// <returns>The loss, where it was asked for.</returns>
    public static double? Gradient(ToyShape shape, ToyWorkspace space, ToyBatch batch, bool withLoss) =>
        space.Features switch
        {
            1 => Gradient<One>(shape, space, batch, withLoss),
            2 => Gradient<Two>(shape, space, batch, withLoss),
            3 => Gradient<Three>(shape, space, batch, withLoss),
            _ => throw new ArgumentOutOfRangeException(nameof(shape), shape.Features, "features range from 1 to 3"),
        };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double? Gradient<TFeatures>(ToyShape shape, ToyWorkspace space, ToyBatch batch, bool withLoss)
        where TFeatures : struct, ICount
    {
        // Parameters are padded to four features: what is read beyond n is zero.
        TVector b0 = TSimd.Broadcast(space.B[0]),
            i0 = TSimd.Broadcast(space.Importance[0]);
        TVector b1 = TSimd.Broadcast(space.B[1]),
            i1 = TSimd.Broadcast(space.Importance[1]);
        TVector b2 = TSimd.Broadcast(space.B[2]),
            i2 = TSimd.Broadcast(space.Importance[2]);
        TVector g00 = TSimd.Broadcast(Product(space, 0, 0)),
            g01 = TSimd.Broadcast(Product(space, 0, 1)),
            g02 = TSimd.Broadcast(Product(space, 0, 2)),
            g11 = TSimd.Broadcast(Product(space, 1, 1)),
            g12 = TSimd.Broadcast(Product(space, 1, 2)),
            g22 = TSimd.Broadcast(Product(space, 2, 2));
        TVector m00 = TSimd.Zero,
            m01 = TSimd.Zero,
            m02 = TSimd.Zero,
            m10 = TSimd.Zero,
            m11 = TSimd.Zero,
            m12 = TSimd.Zero,
            m20 = TSimd.Zero,
            m21 = TSimd.Zero,
            m22 = TSimd.Zero,
            s0 = TSimd.Zero,
            s1 = TSimd.Zero,
            s2 = TSimd.Zero,
            loss = TSimd.Zero;
        var bound = TSimd.Broadcast(shape.OutputRelu ? 0 : float.NegativeInfinity);
        float* x = space.X,
            weights = space.Loss;
        new Span<float>(weights, Tile).Fill(1);
        var tiles = (batch.Size + Tile - 1) / Tile;
        for (var tile = 0; tile < tiles; tile++)
        {
            batch.FillTile(tile, x);
            // The last tile reaches beyond the batch: what lies there is no sample.
            var samples = batch.Size - (tile * Tile);
            if (samples < Tile)
                new Span<float>(weights + samples, Tile - samples).Clear();
            for (var sample = 0; sample < Tile; sample += TSimd.Width)
            {
                var x0 = TSimd.Load(x + sample);
                var x1 = TFeatures.Value > 1 ? TSimd.Load(x + Tile + sample) : TSimd.Zero;
                var x2 = TFeatures.Value > 2 ? TSimd.Load(x + (2 * Tile) + sample) : TSimd.Zero;
                var weight = TSimd.Load(weights + sample);
                TVector p0 = b0;
                p0 = TSimd.MultiplyAdd(g00, x0, p0);
                if (TFeatures.Value > 1)
                    p0 = TSimd.MultiplyAdd(g01, x1, p0);
                if (TFeatures.Value > 2)
                    p0 = TSimd.MultiplyAdd(g02, x2, p0);
                TVector p1 = b1;
                if (TFeatures.Value > 1)
                    p1 = TSimd.MultiplyAdd(g01, x0, p1);
                if (TFeatures.Value > 1)
                    p1 = TSimd.MultiplyAdd(g11, x1, p1);
                if (TFeatures.Value > 2)
                    p1 = TSimd.MultiplyAdd(g12, x2, p1);
                TVector p2 = b2;
                if (TFeatures.Value > 2)
                    p2 = TSimd.MultiplyAdd(g02, x0, p2);
                if (TFeatures.Value > 2)
                    p2 = TSimd.MultiplyAdd(g12, x1, p2);
                if (TFeatures.Value > 2)
                    p2 = TSimd.MultiplyAdd(g22, x2, p2);
                var e0 = TSimd.Zero;
                e0 = Error(p0, x0, TSimd.Multiply(weight, i0), bound);
                var e1 = TSimd.Zero;
                if (TFeatures.Value > 1)
                    e1 = Error(p1, x1, TSimd.Multiply(weight, i1), bound);
                var e2 = TSimd.Zero;
                if (TFeatures.Value > 2)
                    e2 = Error(p2, x2, TSimd.Multiply(weight, i2), bound);
                s0 = TSimd.Add(s0, e0);
                if (TFeatures.Value > 1)
                    s1 = TSimd.Add(s1, e1);
                if (TFeatures.Value > 2)
                    s2 = TSimd.Add(s2, e2);
                m00 = TSimd.MultiplyAdd(x0, e0, m00);
                if (TFeatures.Value > 1)
                    m01 = TSimd.MultiplyAdd(x0, e1, m01);
                if (TFeatures.Value > 2)
                    m02 = TSimd.MultiplyAdd(x0, e2, m02);
                if (TFeatures.Value > 1)
                    m10 = TSimd.MultiplyAdd(x1, e0, m10);
                if (TFeatures.Value > 1)
                    m11 = TSimd.MultiplyAdd(x1, e1, m11);
                if (TFeatures.Value > 2)
                    m12 = TSimd.MultiplyAdd(x1, e2, m12);
                if (TFeatures.Value > 2)
                    m20 = TSimd.MultiplyAdd(x2, e0, m20);
                if (TFeatures.Value > 2)
                    m21 = TSimd.MultiplyAdd(x2, e1, m21);
                if (TFeatures.Value > 2)
                    m22 = TSimd.MultiplyAdd(x2, e2, m22);
                if (withLoss)
                {
                    loss = AddLoss(p0, x0, TSimd.Multiply(weight, i0), bound, loss);
                    if (TFeatures.Value > 1)
                        loss = AddLoss(p1, x1, TSimd.Multiply(weight, i1), bound, loss);
                    if (TFeatures.Value > 2)
                        loss = AddLoss(p2, x2, TSimd.Multiply(weight, i2), bound, loss);
                }
            }
        }
        Span<float> m =
        [
            TSimd.Sum(m00),
            TSimd.Sum(m01),
            TSimd.Sum(m02),
            TSimd.Sum(m10),
            TSimd.Sum(m11),
            TSimd.Sum(m12),
            TSimd.Sum(m20),
            TSimd.Sum(m21),
            TSimd.Sum(m22),
        ];
        Span<float> s = [TSimd.Sum(s0), TSimd.Sum(s1), TSimd.Sum(s2)];
        var scale = 2f / batch.Size;
        for (var i = 0; i < TFeatures.Value; i++)
        {
            for (var k = 0; k < space.Hidden; k++)
            {
                var sum = 0f;
                for (var j = 0; j < TFeatures.Value; j++)
                    sum += (m[(i * 3) + j] + m[(j * 3) + i]) * space.W[(j * space.RowStride) + k];
                space.GradientW[(i * space.RowStride) + k] = scale * sum;
            }
            space.GradientB[i] = scale * s[i];
        }
        return withLoss ? (double)TSimd.Sum(loss) / batch.Size : null;
    }

    private static float Product(ToyWorkspace space, int i, int j)
    {
        var sum = 0f;
        for (var k = 0; k < space.Hidden; k++)
            sum += space.W[(i * space.RowStride) + k] * space.W[(j * space.RowStride) + k];
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Error(TVector before, TVector x, TVector importance, TVector bound) =>
        TSimd.ZeroWhereAtMost(before, bound, TSimd.Multiply(importance, TSimd.Subtract(before, x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector AddLoss(TVector before, TVector x, TVector importance, TVector bound, TVector loss)
    {
        var error = TSimd.Subtract(TSimd.Max(before, bound), x);
        return TSimd.MultiplyAdd(TSimd.Multiply(importance, error), error, loss);
    }
}
