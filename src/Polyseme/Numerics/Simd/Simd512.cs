using System.Runtime.Intrinsics;

namespace Polyseme.Numerics.Simd;

/// <summary>Sixteen floats at a time (AVX-512).</summary>
internal readonly struct Simd512 : ISimd<Vector512<float>>
{
    public static int Width => 16;

    public static Vector512<float> Zero => Vector512<float>.Zero;

    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    public static unsafe Vector512<float> Load(float* source) => Vector512.Load(source);

    public static unsafe void Store(float* destination, Vector512<float> value) => Vector512.Store(value, destination);

    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Vector512.FusedMultiplyAdd(a, b, c);

    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => a - b;

    public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;

    public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => a / b;

    public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => Vector512.MaxNative(a, b);

    public static Vector512<float> Sqrt(Vector512<float> a) => Vector512.Sqrt(a);

    public static Vector512<float> WherePositive(Vector512<float> gate, Vector512<float> value) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(gate, Vector512<float>.Zero), value, Vector512<float>.Zero);

    public static Vector512<float> ZeroWhereAtMost(Vector512<float> gate, Vector512<float> bound, Vector512<float> value) =>
        Vector512.ConditionalSelect(Vector512.LessThanOrEqual(gate, bound), Vector512<float>.Zero, value);

    public static float Sum(Vector512<float> a) => Vector512.Sum(a);

    public static uint Above(Vector512<float> a, Vector512<float> bound) =>
        (uint)Vector512.GreaterThan(a, bound).ExtractMostSignificantBits();
}
