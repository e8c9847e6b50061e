using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polyseme.Numerics.Simd;

/// <summary>Which registers a kernel uses.</summary>
public enum InstructionSet
{
    /// <summary>One float at a time: any machine, and the plainest to read in a debugger.</summary>
    Scalar,

    /// <summary>Eight floats at a time.</summary>
    Vector256,

    /// <summary>Sixteen floats at a time.</summary>
    Vector512,
}

/// <summary>What this machine offers.</summary>
public static class InstructionSets
{
    /// <summary>
    /// The widest that this machine has. .NET calls 512 bits unaccelerated on processors that lower their clock for them; kernels that do
    /// little else than multiply and add still gain there (the benchmark prints both peaks). Sums depend on the width, so results agree between machines within rounding only.
    /// </summary>
    public static InstructionSet Widest { get; } =
        Vector512.IsHardwareAccelerated || Avx512F.IsSupported ? InstructionSet.Vector512
        : Vector256.IsHardwareAccelerated ? InstructionSet.Vector256
        : InstructionSet.Scalar;
}
