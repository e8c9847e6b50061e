namespace Polyseme.Activations;

/// <summary>The element types that arrays in files may have, in the order that safetensors writes them last to first.</summary>
public enum DType
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,

    /// <summary>Signed 8-bit integer.</summary>
    I8,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>IEEE half precision.</summary>
    F16,

    /// <summary>The upper half of an IEEE single.</summary>
    BF16,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>IEEE single precision.</summary>
    F32,

    /// <summary>IEEE double precision.</summary>
    F64,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,
}

/// <summary>Sizes and names of element types.</summary>
public static class DTypes
{
    /// <summary>Every name that a safetensors header may use, for messages.</summary>
    public static string Known { get; } = string.Join(' ', Enum.GetValues<DType>().Select(Name));

    /// <summary>Bytes of one element.</summary>
    public static int Size(this DType type) =>
        type switch
        {
            DType.Bool or DType.U8 or DType.I8 => 1,
            DType.I16 or DType.U16 or DType.F16 or DType.BF16 => 2,
            DType.I32 or DType.U32 or DType.F32 => 4,
            DType.F64 or DType.I64 or DType.U64 => 8,
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no such element type"),
        };

    /// <summary>Whether the elements are floating-point numbers.</summary>
    public static bool IsFloat(this DType type) => type is DType.F16 or DType.BF16 or DType.F32 or DType.F64;

    /// <summary>The name in files and messages, as safetensors spells it: <c>F32</c>, <c>BOOL</c>.</summary>
    public static string Name(this DType type) => type == DType.Bool ? "BOOL" : type.ToString();

    /// <summary>The type called <paramref name="name"/>, or <c>null</c>.</summary>
    public static DType? Parse(string name)
    {
        foreach (var type in Enum.GetValues<DType>())
            if (string.Equals(type.Name(), name, StringComparison.Ordinal))
                return type;
        return null;
    }
}
