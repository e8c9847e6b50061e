using System.Runtime.InteropServices;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>The memory that one worker trains a two-layer network in, one block aligned to 64 bytes.</summary>
/// <remarks>All parameters lie in one array, W₁, b₁, W₂, b₂, each beginning at a multiple of 16 floats; so do moments and gradients.</remarks>
internal sealed unsafe class LayerNetWorkspace : IDisposable
{
    /// <summary>Floats of a chunk's tiles: what the second-level cache holds beside the parameters.</summary>
    private const int ChunkFloats = 200_000;

    private const int Tile = LayerNetBatch.Tile;
    private float* _block;

    public LayerNetWorkspace(LayerNetShape shape, int batch)
    {
        (Width, Hidden, Outputs) = (shape.Width, shape.Hidden, shape.Outputs);
        (PaddedHidden, PaddedOutputs) = ((Hidden + 3) / 4 * 4, (Outputs + 3) / 4 * 4);
        var tiles = (batch + Tile - 1) / Tile;
        ChunkTiles = Math.Clamp(ChunkFloats / ((Width + Hidden + PaddedHidden + PaddedOutputs) * Tile), 1, tiles);
        long w1 = (long)Hidden * Width,
            w2 = (long)Outputs * Hidden;
        (AtB1, AtW2) = ((nint)Aligned(w1), (nint)(Aligned(w1) + Aligned(Hidden)));
        AtB2 = AtW2 + (nint)Aligned(w2);
        Parameters = AtB2 + (nint)Aligned(Outputs);
        Span<long> sizes =
        [
            Parameters,
            Parameters,
            Parameters,
            // Gradient rows come in blocks of four; what the last block writes beyond its matrix lands in scratch.
            (long)PaddedHidden * Width,
            (long)PaddedOutputs * Hidden,
            PaddedHidden,
            PaddedOutputs,
            Parameters,
            Outputs,
            shape.Projection is null ? 0 : (long)Width * shape.Inputs,
            (long)shape.Inputs * Tile,
            (long)Outputs * Tile,
            (long)ChunkTiles * Width * Tile,
            (long)ChunkTiles * Hidden * Tile,
            (long)ChunkTiles * PaddedHidden * Tile,
            (long)ChunkTiles * PaddedOutputs * Tile,
            Tile,
        ];
        var total = 0L;
        foreach (var size in sizes)
            total += Aligned(size);
        _block = (float*)NativeMemory.AlignedAlloc((nuint)total * sizeof(float), 64);
        NativeMemory.Clear(_block, (nuint)total * sizeof(float));
        var next = _block;
        var index = 0;
        float* Take(long size)
        {
            var taken = next;
            next += Aligned(size);
            index++;
            return taken;
        }
        Values = Take(sizes[index]);
        First = Take(sizes[index]);
        Second = Take(sizes[index]);
        SumsW1 = Take(sizes[index]);
        SumsW2 = Take(sizes[index]);
        SumsB1 = Take(sizes[index]);
        SumsB2 = Take(sizes[index]);
        Gradient = Take(sizes[index]);
        Importance = Take(sizes[index]);
        Projection = Take(sizes[index]);
        X = Take(sizes[index]);
        Y = Take(sizes[index]);
        Z = Take(sizes[index]);
        H = Take(sizes[index]);
        HiddenGradient = Take(sizes[index]);
        E = Take(sizes[index]);
        Loss = Take(sizes[index]);
        for (var i = 0; i < Outputs; i++)
            Importance[i] = shape.Importance?[i] ?? 1;
        for (var i = 0; i < (shape.Projection?.Data.Length ?? 0); i++)
            Projection[i] = (float)shape.Projection!.Data[i];
    }

    public int Width { get; }
    public int Hidden { get; }
    public int Outputs { get; }

    /// <summary>Rounded up to four; the rows beyond are zero and stay zero.</summary>
    public int PaddedHidden { get; }
    public int PaddedOutputs { get; }

    /// <summary>Tiles that are worked on before their gradients are summed.</summary>
    public int ChunkTiles { get; }

    /// <summary>Floats of the parameters with their padding, and where each begins; W₁ begins at 0.</summary>
    public nint Parameters { get; }
    public nint AtB1 { get; }
    public nint AtW2 { get; }
    public nint AtB2 { get; }

    /// <summary>Parameters, their moments and their gradient. Shape each: <c>[Parameters]</c>.</summary>
    public float* Values { get; }
    public float* First { get; }
    public float* Second { get; }
    public float* Gradient { get; }

    /// <summary>Sums over the batch so far. Shapes: <c>[padded k, d]</c>, <c>[padded o, k]</c>, <c>[padded k]</c>, <c>[padded o]</c>.</summary>
    public float* SumsW1 { get; }
    public float* SumsW2 { get; }
    public float* SumsB1 { get; }
    public float* SumsB2 { get; }

    /// <summary>I. Shape: <c>[o]</c>.</summary>
    public float* Importance { get; }

    /// <summary>P, where there is one. Shape: <c>[d, n]</c>.</summary>
    public float* Projection { get; }

    /// <summary>Inputs and targets of one tile. Shapes: <c>[n, Tile]</c>, <c>[o, Tile]</c>.</summary>
    public float* X { get; }
    public float* Y { get; }

    /// <summary>What W₁ reads and h. Shapes: <c>[chunk tiles, d, Tile]</c>, <c>[chunk tiles, k, Tile]</c>.</summary>
    public float* Z { get; }
    public float* H { get; }

    /// <summary>The loss's derivatives, halved, before the ReLUs. Shapes: <c>[chunk tiles, padded k, Tile]</c>, <c>[chunk tiles, padded o, Tile]</c>.</summary>
    public float* HiddenGradient { get; }
    public float* E { get; }

    /// <summary>The loss, samples still apart. Shape: <c>[Tile]</c>.</summary>
    public float* Loss { get; }

    /// <summary>Starts from these parameters, with the moments at zero.</summary>
    public void Load(LayerNetParameters parameters)
    {
        new Span<float>(First, (int)Parameters).Clear();
        new Span<float>(Second, (int)Parameters).Clear();
        new Span<float>(Gradient, (int)Parameters).Clear();
        new Span<float>(Values, (int)Parameters).Clear();
        Put(parameters.W1.Data, Values);
        Put(parameters.B1, Values + AtB1);
        Put(parameters.W2.Data, Values + AtW2);
        Put(parameters.B2, Values + AtB2);
    }

    /// <summary>The parameters as they are.</summary>
    public LayerNetParameters Save() => Read(Values);

    /// <summary>The gradient of the last batch.</summary>
    public LayerNetParameters SaveGradient() => Read(Gradient);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_block);
        _block = null;
    }

    private LayerNetParameters Read(float* at) =>
        new(
            new Matrix(Hidden, Width, Get(at, Hidden * Width)),
            Get(at + AtB1, Hidden),
            new Matrix(Outputs, Hidden, Get(at + AtW2, Outputs * Hidden)),
            Get(at + AtB2, Outputs)
        );

    private static void Put(double[] values, float* to)
    {
        for (var i = 0; i < values.Length; i++)
            to[i] = (float)values[i];
    }

    private static double[] Get(float* from, int count)
    {
        var values = new double[count];
        for (var i = 0; i < count; i++)
            values[i] = from[i];
        return values;
    }

    private static long Aligned(long floats) => (floats + 15) / 16 * 16;
}
