using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Training;

/// <summary>Rows of a matrix or a store, each once an epoch, in an order that is random over all of them (<see cref="RowPermutation"/>).</summary>
/// <remarks>Memory: one batch, whatever the size of the store.</remarks>
public sealed class ShuffledRows : RowStream
{
    private readonly Action<int[], float[]> _gather;
    private readonly Action<int[], float[]>? _gatherTargets;
    private readonly int _nRows;
    private readonly ulong _seed;
    private RowPermutation _order;
    private long _epoch;

    private ShuffledRows(
        int nRows,
        (int Width, string Hash, Action<int[], float[]> Gather) inputs,
        (int Width, string Hash, Action<int[], float[]> Gather)? targets,
        ulong seed
    )
    {
        (_nRows, _seed, DIn, _gather) = (nRows, seed, inputs.Width, inputs.Gather);
        (DOut, _gatherTargets) = (targets?.Width ?? inputs.Width, targets?.Gather);
        Identity = targets is { } t ? $"{inputs.Hash} {t.Hash}" : inputs.Hash;
        _order = new RowPermutation(nRows, seed, 0);
    }

    /// <inheritdoc/>
    public override int DIn { get; }

    /// <inheritdoc/>
    public override int DOut { get; }

    /// <inheritdoc/>
    public override bool HasTargets => _gatherTargets is not null;

    /// <summary>The hashes of what is read.</summary>
    public override string Identity { get; }

    /// <summary>Rows in memory.</summary>
    /// <param name="rows">Shape: <c>[n_samples, d_in]</c>.</param>
    /// <param name="targets">What a transcoder is to give for each row; <c>null</c> = the row. Shape: <c>[n_samples, d_out]</c>.</param>
    /// <param name="seed">Orders them.</param>
    /// <exception cref="ArgumentException">There are no rows, or not as many targets as rows.</exception>
    public static ShuffledRows Of(FloatMatrix rows, FloatMatrix? targets, ulong seed)
    {
        if (rows.Rows == 0 || (targets is not null && targets.Rows != rows.Rows))
            throw new ArgumentException($"there are {rows.Rows} rows and {targets?.Rows ?? rows.Rows} targets", nameof(targets));
        return new ShuffledRows(rows.Rows, InMemory(rows), targets is null ? null : InMemory(targets), seed);
    }

    /// <summary>Rows on disk. They are hashed first.</summary>
    /// <param name="source">The rows, fewer than 2³¹.</param>
    /// <param name="targets">What a transcoder is to give for each row; <c>null</c> = the row.</param>
    /// <param name="seed">Orders them.</param>
    /// <param name="cancellation">Stops the hashing.</param>
    /// <exception cref="ArgumentException">Too many rows, or not as many targets as rows.</exception>
    public static ShuffledRows Of(ActivationSource source, ActivationSource? targets, ulong seed, CancellationToken cancellation = default)
    {
        if (source.NSamples > int.MaxValue)
            throw new ArgumentException($"there are {source.NSamples} rows, but at most {int.MaxValue} are trained on", nameof(source));
        if (targets is not null && targets.NSamples != source.NSamples)
            throw new ArgumentException($"there are {source.NSamples} rows and {targets.NSamples} targets", nameof(targets));
        return new ShuffledRows(
            (int)source.NSamples,
            OnDisk(source, cancellation),
            targets is null ? null : OnDisk(targets, cancellation),
            seed
        );
    }

    /// <inheritdoc/>
    public override void Fill(long step, Span<float> inputs, Span<float> targets)
    {
        var batch = inputs.Length / DIn;
        var rows = new int[batch];
        for (var i = 0; i < batch; i++)
        {
            var position = (step * batch) + i;
            if (position / _nRows != _epoch)
                (_epoch, _order) = (position / _nRows, new RowPermutation(_nRows, _seed, position / _nRows));
            rows[i] = (int)_order[position % _nRows];
        }
        // Files are read forward; which place in the batch a row has does not matter to its gradient.
        Array.Sort(rows);
        var values = new float[inputs.Length];
        _gather(rows, values);
        values.CopyTo(inputs);
        if (_gatherTargets is null)
            return;
        values = new float[targets.Length];
        _gatherTargets(rows, values);
        values.CopyTo(targets);
    }

    private static (int, string, Action<int[], float[]>) InMemory(FloatMatrix matrix) =>
        (
            matrix.Columns,
            Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(matrix.Data))),
            (rows, values) =>
            {
                for (var i = 0; i < rows.Length; i++)
                    matrix.Row(rows[i]).CopyTo(values.AsSpan(i * matrix.Columns));
            }
        );

    private static (int, string, Action<int[], float[]>) OnDisk(ActivationSource source, CancellationToken cancellation) =>
        (
            source.NNeurons,
            source.ComputeSha256(cancellation),
            (rows, values) =>
            {
                // A batch larger than the store, or across the end of an epoch, holds a row twice; readers go forward only.
                var distinct = rows.Distinct().ToArray();
                var read = source.ReadRows(distinct, CancellationToken.None);
                for (int i = 0, at = 0; i < rows.Length; i++)
                {
                    at += distinct[at] == rows[i] ? 0 : 1;
                    read.AsSpan(at * source.NNeurons, source.NNeurons).CopyTo(values.AsSpan(i * source.NNeurons));
                }
            }
        );
}
