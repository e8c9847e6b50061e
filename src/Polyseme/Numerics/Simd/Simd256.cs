using System.Runtime.Intrinsics;

namespace Polyseme.Numerics.Simd;

/// <summary>Eight floats at a time (AVX2 with fused multiply-add, or two NEON registers).</summary>
internal readonly struct Simd256 : ISimd<Vector256<float>>
{
    public static int Width => 8;

    public static Vector256<float> Zero => Vector256<float>.Zero;

    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    public static unsafe Vector256<float> Load(float* source) => Vector256.Load(source);

    public static unsafe void Store(float* destination, Vector256<float> value) => Vector256.Store(value, destination);

    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Vector256.FusedMultiplyAdd(a, b, c);

    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    public static Vector256<float> Subtract(Vector256<float> a, Vector256<float> b) => a - b;

    public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;

    public static Vector256<float> Divide(Vector256<float> a, Vector256<float> b) => a / b;

    public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => Vector256.MaxNative(a, b);

    public static Vector256<float> Sqrt(Vector256<float> a) => Vector256.Sqrt(a);

    public static Vector256<float> WherePositive(Vector256<float> gate, Vector256<float> value) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(gate, Vector256<float>.Zero), value, Vector256<float>.Zero);

    public static Vector256<float> ZeroWhereAtMost(Vector256<float> gate, Vector256<float> bound, Vector256<float> value) =>
        Vector256.ConditionalSelect(Vector256.LessThanOrEqual(gate, bound), Vector256<float>.Zero, value);

    public static float Sum(Vector256<float> a) => Vector256.Sum(a);

    public static uint Above(Vector256<float> a, Vector256<float> bound) => Vector256.GreaterThan(a, bound).ExtractMostSignificantBits();
}
