using System.Runtime.CompilerServices;

namespace Polyseme.Numerics.Simd;

/// <summary>Sums and products over a few rows of a large matrix, named by their index: what a sparse product is made of.</summary>
internal static unsafe class RowKernels<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>into += Σ scale_i·matrix[row_i]. The sum of a stretch of columns stays in registers while the rows go by.</summary>
    /// <param name="into">Shape: <c>[width]</c>.</param>
    /// <param name="matrix">Shape: <c>[n_rows, width]</c>.</param>
    /// <param name="rows">Which rows. Shape: <c>[count]</c>.</param>
    /// <param name="scales">Shape: <c>[count]</c>.</param>
    /// <param name="count">How many.</param>
    /// <param name="width">Columns.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRows(float* into, float* matrix, int* rows, float* scales, int count, nint width)
    {
        nint w = TSimd.Width,
            column = 0;
        for (; column + (8 * w) <= width; column += 8 * w)
        {
            var at = into + column;
            var (s0, s1, s2, s3) = (TSimd.Load(at), TSimd.Load(at + w), TSimd.Load(at + (2 * w)), TSimd.Load(at + (3 * w)));
            var (s4, s5, s6, s7) = (TSimd.Load(at + (4 * w)), TSimd.Load(at + (5 * w)), TSimd.Load(at + (6 * w)), TSimd.Load(at + (7 * w)));
            for (var i = 0; i < count; i++)
            {
                var row = matrix + (rows[i] * width) + column;
                var scale = TSimd.Broadcast(scales[i]);
                s0 = TSimd.MultiplyAdd(scale, TSimd.Load(row), s0);
                s1 = TSimd.MultiplyAdd(scale, TSimd.Load(row + w), s1);
                s2 = TSimd.MultiplyAdd(scale, TSimd.Load(row + (2 * w)), s2);
                s3 = TSimd.MultiplyAdd(scale, TSimd.Load(row + (3 * w)), s3);
                s4 = TSimd.MultiplyAdd(scale, TSimd.Load(row + (4 * w)), s4);
                s5 = TSimd.MultiplyAdd(scale, TSimd.Load(row + (5 * w)), s5);
                s6 = TSimd.MultiplyAdd(scale, TSimd.Load(row + (6 * w)), s6);
                s7 = TSimd.MultiplyAdd(scale, TSimd.Load(row + (7 * w)), s7);
            }
            TSimd.Store(at, s0);
            TSimd.Store(at + w, s1);
            TSimd.Store(at + (2 * w), s2);
            TSimd.Store(at + (3 * w), s3);
            TSimd.Store(at + (4 * w), s4);
            TSimd.Store(at + (5 * w), s5);
            TSimd.Store(at + (6 * w), s6);
            TSimd.Store(at + (7 * w), s7);
        }
        for (; column + w <= width; column += w)
        {
            var sum = TSimd.Load(into + column);
            for (var i = 0; i < count; i++)
                sum = TSimd.MultiplyAdd(TSimd.Broadcast(scales[i]), TSimd.Load(matrix + (rows[i] * width) + column), sum);
            TSimd.Store(into + column, sum);
        }
        for (; column < width; column++)
        {
            for (var i = 0; i < count; i++)
                into[column] = MathF.FusedMultiplyAdd(scales[i], matrix[(rows[i] * width) + column], into[column]);
        }
    }

    /// <summary>products_i = scale·⟨row, matrix[row_i]⟩.</summary>
    /// <param name="row">Shape: <c>[width]</c>.</param>
    /// <param name="matrix">Shape: <c>[n_rows, width]</c>.</param>
    /// <param name="rows">Which rows. Shape: <c>[count]</c>.</param>
    /// <param name="scale">What each product is multiplied by.</param>
    /// <param name="products">Shape: <c>[count]</c>.</param>
    /// <param name="count">How many.</param>
    /// <param name="width">Columns.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dots(float* row, float* matrix, int* rows, float scale, float* products, int count, nint width)
    {
        nint w = TSimd.Width;
        var i = 0;
        for (; i + 4 <= count; i += 4)
        {
            float* a = matrix + (rows[i] * width),
                b = matrix + (rows[i + 1] * width),
                c = matrix + (rows[i + 2] * width),
                d = matrix + (rows[i + 3] * width);
            var (sa, sb, sc, sd) = (TSimd.Zero, TSimd.Zero, TSimd.Zero, TSimd.Zero);
            nint column = 0;
            for (; column + w <= width; column += w)
            {
                var x = TSimd.Load(row + column);
                sa = TSimd.MultiplyAdd(x, TSimd.Load(a + column), sa);
                sb = TSimd.MultiplyAdd(x, TSimd.Load(b + column), sb);
                sc = TSimd.MultiplyAdd(x, TSimd.Load(c + column), sc);
                sd = TSimd.MultiplyAdd(x, TSimd.Load(d + column), sd);
            }
            var (ra, rb, rc, rd) = (TSimd.Sum(sa), TSimd.Sum(sb), TSimd.Sum(sc), TSimd.Sum(sd));
            for (; column < width; column++)
            {
                ra = MathF.FusedMultiplyAdd(row[column], a[column], ra);
                rb = MathF.FusedMultiplyAdd(row[column], b[column], rb);
                rc = MathF.FusedMultiplyAdd(row[column], c[column], rc);
                rd = MathF.FusedMultiplyAdd(row[column], d[column], rd);
            }
            (products[i], products[i + 1], products[i + 2], products[i + 3]) = (scale * ra, scale * rb, scale * rc, scale * rd);
        }
        for (; i < count; i++)
            products[i] = scale * Dot(row, matrix + (rows[i] * width), width);
    }

    /// <summary>⟨a, b⟩.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot(float* a, float* b, nint width)
    {
        nint w = TSimd.Width,
            column = 0;
        var (first, second) = (TSimd.Zero, TSimd.Zero);
        for (; column + (2 * w) <= width; column += 2 * w)
        {
            first = TSimd.MultiplyAdd(TSimd.Load(a + column), TSimd.Load(b + column), first);
            second = TSimd.MultiplyAdd(TSimd.Load(a + column + w), TSimd.Load(b + column + w), second);
        }
        for (; column + w <= width; column += w)
            first = TSimd.MultiplyAdd(TSimd.Load(a + column), TSimd.Load(b + column), first);
        var sum = TSimd.Sum(TSimd.Add(first, second));
        for (; column < width; column++)
            sum = MathF.FusedMultiplyAdd(a[column], b[column], sum);
        return sum;
    }

    /// <summary>into = scale·a + b. <paramref name="into"/> may be either.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScaleAdd(float* into, float scale, float* a, float* b, nint width)
    {
        nint w = TSimd.Width,
            column = 0;
        var all = TSimd.Broadcast(scale);
        for (; column + w <= width; column += w)
            TSimd.Store(into + column, TSimd.MultiplyAdd(all, TSimd.Load(a + column), TSimd.Load(b + column)));
        for (; column < width; column++)
            into[column] = MathF.FusedMultiplyAdd(scale, a[column], b[column]);
    }

    /// <summary>row *= scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(float* row, float scale, nint width)
    {
        nint w = TSimd.Width,
            column = 0;
        var all = TSimd.Broadcast(scale);
        for (; column + w <= width; column += w)
            TSimd.Store(row + column, TSimd.Multiply(all, TSimd.Load(row + column)));
        for (; column < width; column++)
            row[column] *= scale;
    }

    /// <summary>Where scale·(value + bias) is above a bound: places, and those sums before scaling and after. Returns how many.</summary>
    /// <param name="values">Shape: <c>[n]</c>.</param>
    /// <param name="bias">Shape: <c>[n]</c>.</param>
    /// <param name="scale">1 throughout where <c>null</c>. Shape: <c>[n]</c>.</param>
    /// <param name="n">How many values.</param>
    /// <param name="bound">The bound.</param>
    /// <param name="places">In rising order. Shape: <c>[n]</c>, as far as used.</param>
    /// <param name="found">scale·(value + bias) there. Shape: <c>[n]</c>, as far as used.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Above(float* values, float* bias, float* scale, nint n, float bound, int* places, float* found)
    {
        nint w = TSimd.Width,
            i = 0;
        var count = 0;
        var limit = TSimd.Broadcast(bound);
        for (; i + w <= n; i += w)
        {
            var value = TSimd.Add(TSimd.Load(values + i), TSimd.Load(bias + i));
            if (scale != null)
                value = TSimd.Multiply(value, TSimd.Load(scale + i));
            for (var bits = TSimd.Above(value, limit); bits != 0; bits &= bits - 1)
            {
                var at = (int)i + System.Numerics.BitOperations.TrailingZeroCount(bits);
                places[count] = at;
                found[count++] = (values[at] + bias[at]) * (scale == null ? 1 : scale[at]);
            }
        }
        for (; i < n; i++)
        {
            var value = (values[i] + bias[i]) * (scale == null ? 1 : scale[i]);
            if (!(value > bound))
                continue;
            places[count] = (int)i;
            found[count++] = value;
        }
        return count;
    }
}
