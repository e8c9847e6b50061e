namespace Polyseme.Numerics.Simd;

/// <summary>
/// The vector operations that our kernels are written in, once for every instruction set: a kernel takes one of these as a type
/// argument and the compiler makes a version of its own for each, without a branch or a call inside.
/// </summary>
/// <typeparam name="TVector">A register: <c>Vector512&lt;float&gt;</c>, <c>Vector256&lt;float&gt;</c> or a plain <c>float</c>.</typeparam>
internal interface ISimd<TVector>
    where TVector : struct
{
    /// <summary>Floats in a register.</summary>
    static abstract int Width { get; }

    static abstract TVector Zero { get; }

    static abstract TVector Broadcast(float value);

    static abstract unsafe TVector Load(float* source);

    static abstract unsafe void Store(float* destination, TVector value);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    static abstract TVector Add(TVector a, TVector b);

    static abstract TVector Subtract(TVector a, TVector b);

    static abstract TVector Multiply(TVector a, TVector b);

    static abstract TVector Divide(TVector a, TVector b);

    static abstract TVector Max(TVector a, TVector b);

    static abstract TVector Sqrt(TVector a);

    /// <summary><paramref name="value"/> where <paramref name="gate"/> is above zero, else zero.</summary>
    static abstract TVector WherePositive(TVector gate, TVector value);

    /// <summary>Zero where <paramref name="gate"/> is at most <paramref name="bound"/>, else <paramref name="value"/>; a gate that is not a number lets it through.</summary>
    static abstract TVector ZeroWhereAtMost(TVector gate, TVector bound, TVector value);

    /// <summary>The sum of the register's floats.</summary>
    static abstract float Sum(TVector a);

    /// <summary>A bit for each float above <paramref name="bound"/>, the first float's lowest.</summary>
    static abstract uint Above(TVector a, TVector bound);
}
