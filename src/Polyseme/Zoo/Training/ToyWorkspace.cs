using System.Runtime.InteropServices;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>
/// The memory that one worker trains a model in: parameters, moments, gradients and the tiles of a chunk of the batch, in one block
/// aligned to 64 bytes that fits the second-level cache for the models this is meant for.
/// </summary>
internal sealed unsafe class ToyWorkspace : IDisposable
{
    private const int MaxWidth = 16;
    private float* _block;
    private readonly int _batch;
    private GramSpace? _gram;
    private NarrowSpace? _narrow;

    public ToyWorkspace(ToyShape shape, int batch)
    {
        (Features, Hidden, _batch) = (shape.Features, shape.Hidden, batch);
        PaddedFeatures = (Features + 3) / 4 * 4;
        RowStride =
            Hidden <= 4 ? 4
            : Hidden <= 8 ? 8
            : (Hidden + 15) / 16 * 16;
        var tiles = (batch + ToyBatch.Tile - 1) / ToyBatch.Tile;
        ChunkTiles = Math.Clamp(65_536 / (PaddedFeatures * ToyBatch.Tile), 1, tiles);

        long weights = (long)PaddedFeatures * RowStride,
            tileE = (long)PaddedFeatures * ToyBatch.Tile,
            tileH = (long)Hidden * ToyBatch.Tile;
        Span<long> sizes =
        [
            weights,
            weights,
            weights,
            weights,
            weights,
            PaddedFeatures,
            PaddedFeatures,
            PaddedFeatures,
            PaddedFeatures,
            PaddedFeatures,
            PaddedFeatures * Hidden * MaxWidth,
            PaddedFeatures * MaxWidth,
            ChunkTiles * tileE,
            ChunkTiles * tileE,
            ChunkTiles * tileH,
            ChunkTiles * tileH,
            ToyBatch.Tile * RowStride,
            ToyBatch.Tile,
        ];
        var total = 0L;
        foreach (var size in sizes)
            total += Aligned(size);
        _block = (float*)NativeMemory.AlignedAlloc((nuint)total * sizeof(float), 64);
        NativeMemory.Clear(_block, (nuint)total * sizeof(float));
        var at = _block;
        float* Take(long size)
        {
            var taken = at;
            at += Aligned(size);
            return taken;
        }
        W = Take(weights);
        FirstW = Take(weights);
        SecondW = Take(weights);
        GradientW = Take(weights);
        SparseW = Take(weights);
        B = Take(PaddedFeatures);
        FirstB = Take(PaddedFeatures);
        SecondB = Take(PaddedFeatures);
        GradientB = Take(PaddedFeatures);
        Importance = Take(PaddedFeatures);
        SumsW = Take(PaddedFeatures * Hidden * MaxWidth);
        SumsB = Take(PaddedFeatures * MaxWidth);
        X = Take(ChunkTiles * tileE);
        E = Take(ChunkTiles * tileE);
        H = Take(ChunkTiles * tileH);
        HiddenGradient = Take(ChunkTiles * tileH);
        HiddenRows = Take(ToyBatch.Tile * RowStride);
        Loss = Take(ToyBatch.Tile);
        shape.Importance.CopyTo(new Span<float>(Importance, Features));
    }

    public int Features { get; }
    public int Hidden { get; }

    /// <summary>Features rounded up to four: the rows beyond are zero and stay zero.</summary>
    public int PaddedFeatures { get; }

    /// <summary>Floats between two rows of W: 4, 8 or a multiple of 16, so that a row is a whole number of registers.</summary>
    public int RowStride { get; }

    /// <summary>What the Gram path works in; there from its first use.</summary>
    public GramSpace Gram => _gram ??= new GramSpace(Features, Hidden);

    /// <summary>What the narrow path works in; there from its first use.</summary>
    public NarrowSpace Narrow => _narrow ??= new NarrowSpace(Features, Hidden, _batch);

    /// <summary>Tiles that are worked on before their gradients are summed.</summary>
    public int ChunkTiles { get; }

    /// <summary>W and its Adam moments, its gradient, and the part of the gradient that sparse inputs add. Shape each: <c>[padded n, row stride]</c>.</summary>
    public float* W { get; }
    public float* FirstW { get; }
    public float* SecondW { get; }
    public float* GradientW { get; }
    public float* SparseW { get; }

    /// <summary>b, its moments and gradient, and I. Shape each: <c>[padded n]</c>.</summary>
    public float* B { get; }
    public float* FirstB { get; }
    public float* SecondB { get; }
    public float* GradientB { get; }
    public float* Importance { get; }

    /// <summary>Gradient sums whose lanes are still apart. Shapes: <c>[padded n, m, width]</c>, <c>[padded n, width]</c>.</summary>
    public float* SumsW { get; }
    public float* SumsB { get; }

    /// <summary>Inputs (dense only) and I·(x' − x) behind the output's ReLU. Shape each: <c>[chunk tiles, padded n, Tile]</c>.</summary>
    public float* X { get; }
    public float* E { get; }

    /// <summary>Hidden layer and its gradient. Shape each: <c>[chunk tiles, m, Tile]</c>.</summary>
    public float* H { get; }
    public float* HiddenGradient { get; }

    /// <summary>One tile of the hidden layer, a row per sample. Shape: <c>[Tile, row stride]</c>.</summary>
    public float* HiddenRows { get; }

    /// <summary>The loss, samples still apart. Shape: <c>[Tile]</c>.</summary>
    public float* Loss { get; }

    /// <summary>Starts from these parameters, with the moments at zero.</summary>
    public void Load(ToyParameters parameters)
    {
        foreach (var (at, count) in Everything())
            new Span<float>((float*)at, count).Clear();
        Put(parameters, W, B);
    }

    /// <summary>Goes on from these parameters and moments.</summary>
    public void Load(ToyParameters parameters, ToyMoments moments)
    {
        Load(parameters);
        Put(moments.First, FirstW, FirstB);
        Put(moments.Second, SecondW, SecondB);
    }

    /// <summary>The parameters as they are.</summary>
    public ToyParameters Save() => new(Unpad(W), Biases(B));

    /// <summary>The moments as they are.</summary>
    public ToyMoments SaveMoments() => new(new(Unpad(FirstW), Biases(FirstB)), new(Unpad(SecondW), Biases(SecondB)));

    /// <summary>The gradient of the last batch.</summary>
    public (Matrix W, double[] B) Gradient() => (Unpad(GradientW), Biases(GradientB));

    public void Dispose()
    {
        NativeMemory.AlignedFree(_block);
        _block = null;
        _gram?.Dispose();
        _gram = null;
        _narrow?.Dispose();
        _narrow = null;
    }

    private (nint At, int Count)[] Everything()
    {
        var weights = PaddedFeatures * RowStride;
        return
        [
            ((nint)W, weights),
            ((nint)FirstW, weights),
            ((nint)SecondW, weights),
            ((nint)GradientW, weights),
            ((nint)B, PaddedFeatures),
            ((nint)FirstB, PaddedFeatures),
            ((nint)SecondB, PaddedFeatures),
            ((nint)GradientB, PaddedFeatures),
        ];
    }

    private void Put(ToyParameters parameters, float* weights, float* biases)
    {
        for (var i = 0; i < Features; i++)
        {
            for (var k = 0; k < Hidden; k++)
                weights[(i * RowStride) + k] = (float)parameters.W[i, k];
            biases[i] = (float)parameters.B[i];
        }
    }

    private Matrix Unpad(float* values)
    {
        var matrix = new Matrix(Features, Hidden);
        for (var i = 0; i < Features; i++)
        for (var k = 0; k < Hidden; k++)
            matrix[i, k] = values[(i * RowStride) + k];
        return matrix;
    }

    private double[] Biases(float* values)
    {
        var biases = new double[Features];
        for (var i = 0; i < Features; i++)
            biases[i] = values[i];
        return biases;
    }

    private static long Aligned(long floats) => (floats + 15) / 16 * 16;
}
