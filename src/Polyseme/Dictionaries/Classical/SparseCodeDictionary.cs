using System.Runtime.InteropServices;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Classical;

/// <summary>Directions with a code found for each row by a <see cref="CodeMethod"/>: x̂ = fᵀ·D + offset.</summary>
public sealed record SparseCodeDictionary : FeatureDictionary
{
    private readonly Lazy<SparseCoder> _coder;

    /// <summary>A dictionary whose codes are found row by row.</summary>
    /// <param name="directions">D. Shape: <c>[n_latents, d]</c>.</param>
    /// <param name="offset">Taken from rows before. Shape: <c>[d]</c>.</param>
    /// <param name="method">How codes are found.</param>
    /// <exception cref="ArgumentException">Shapes disagree, or a number of the method is out of range.</exception>
    public SparseCodeDictionary(FloatMatrix directions, float[] offset, CodeMethod method)
    {
        if (offset.Length != directions.Columns)
            throw new ArgumentException($"the offset has {offset.Length} columns, but the directions {directions.Columns}", nameof(offset));
        switch (method)
        {
            case CodeMethod.Omp { K: var k } when k < 1 || k > directions.Rows:
                throw new ArgumentException($"k is {k}, but there are {directions.Rows} latents", nameof(method));
            case CodeMethod.MatchingPursuit { K: < 1 } pursuit:
                throw new ArgumentException($"k is {pursuit.K}, but must be at least 1", nameof(method));
            case CodeMethod.Lasso { Lambda: var lambda } when !(lambda > 0):
                throw new ArgumentException($"lambda is {lambda}, but must be above 0", nameof(method));
        }
        (Directions, Offset, Method) = (directions, offset, method);
        _coder = new Lazy<SparseCoder>(() =>
            new SparseCoder(
                new Matrix(directions.Rows, directions.Columns, Array.ConvertAll(directions.Data, value => (double)value)),
                method
            )
        );
    }

    /// <inheritdoc/>
    public override FloatMatrix Directions { get; }

    /// <summary>Taken from rows before coding and added again after. Shape: <c>[d]</c>.</summary>
    public float[] Offset { get; }

    /// <summary>How codes are found.</summary>
    public CodeMethod Method { get; }

    /// <inheritdoc/>
    public override int DIn => Directions.Columns;

    /// <inheritdoc/>
    public override int DOut => Directions.Columns;

    /// <inheritdoc/>
    public override int NLatents => Directions.Rows;

    /// <inheritdoc/>
    public override torch.Tensor Encode(torch.Tensor rows)
    {
        CheckWidth(rows, DIn, nameof(rows));
        using var scope = torch.NewDisposeScope();
        var values = MemoryMarshal.Cast<byte, float>(rows.cpu().contiguous().bytes);
        var centred = new Matrix((int)rows.shape[0], DIn);
        for (var i = 0; i < values.Length; i++)
            centred.Data[i] = (double)values[i] - Offset[i % DIn];
        var codes = Array.ConvertAll(_coder.Value.Code(centred).Data, value => (float)value);
        return torch.tensor(codes, [rows.shape[0], NLatents]).to(rows.device).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override torch.Tensor Decode(torch.Tensor latents)
    {
        CheckWidth(latents, NLatents, nameof(latents));
        using var scope = torch.NewDisposeScope();
        var directions = torch.frombuffer(Directions.Data, torch.float32).reshape(NLatents, DOut).to(latents.device);
        return (torch.mm(latents, directions) + torch.frombuffer(Offset, torch.float32).to(latents.device)).MoveToOuterDisposeScope();
    }
}
