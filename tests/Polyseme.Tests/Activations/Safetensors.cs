using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Polyseme.Tests.Activations;

/// <summary>Safetensors bytes made by hand, independently of our writer.</summary>
internal static class Safetensors
{
    public static byte[] Bytes(string header, params byte[] data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + text.Length + data.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)text.Length);
        text.CopyTo(bytes, 8);
        data.CopyTo(bytes, 8 + text.Length);
        return bytes;
    }

    /// <summary>One 2-D F32 tensor, and I64 tensors behind it.</summary>
    public static byte[] Layer(float[,] values, params (string Name, long[] Values)[] rows)
    {
        var data = new List<byte>(MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref values[0, 0], values.Length)).ToArray());
        var header = new StringBuilder(
            $$"""{"activations":{"dtype":"F32","shape":[{{values.GetLength(0)}},{{values.GetLength(1)}}],"data_offsets":[0,{{data.Count}}]}"""
        );
        foreach (var (name, ids) in rows)
        {
            header.Append(
                $$""","{{name}}":{"dtype":"I64","shape":[{{ids.Length}}],"data_offsets":[{{data.Count}},{{data.Count + (8 * ids.Length)}}]}"""
            );
            data.AddRange(MemoryMarshal.AsBytes(ids.AsSpan()));
        }
        return Bytes(header.Append('}').ToString(), [.. data]);
    }
}
