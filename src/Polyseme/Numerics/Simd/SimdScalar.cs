namespace Polyseme.Numerics.Simd;

/// <summary>One float at a time: any machine.</summary>
internal readonly struct SimdScalar : ISimd<float>
{
    public static int Width => 1;

    public static float Zero => 0;

    public static float Broadcast(float value) => value;

    public static unsafe float Load(float* source) => *source;

    public static unsafe void Store(float* destination, float value) => *destination = value;

    public static float MultiplyAdd(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    public static float Add(float a, float b) => a + b;

    public static float Subtract(float a, float b) => a - b;

    public static float Multiply(float a, float b) => a * b;

    public static float Divide(float a, float b) => a / b;

    public static float Max(float a, float b) => a > b ? a : b;

    public static float Sqrt(float a) => MathF.Sqrt(a);

    public static float WherePositive(float gate, float value) => gate > 0 ? value : 0;

    public static float ZeroWhereAtMost(float gate, float bound, float value) => gate <= bound ? 0 : value;

    public static float Sum(float a) => a;

    public static uint Above(float a, float bound) => a > bound ? 1u : 0u;
}
