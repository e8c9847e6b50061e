using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Training;

/// <summary>Rows of a matrix or a store, each once an epoch, in an order that is random over all of them (<see cref="RowPermutation"/>).</summary>
/// <remarks>Memory: one batch, whatever the size of the store; its files stay open as long as this lives.</remarks>
public sealed class ShuffledRows : RowStream
{
    // Rows of a part that is worth a thread of its own.
    private const int LeastPart = 256;
    private readonly Gather _gather;
    private readonly Gather? _gatherTargets;
    private readonly int _nRows;
    private readonly ulong _seed;
    private RowPermutation _order;
    private long _epoch;

    private ShuffledRows(int nRows, (int Width, Gather Gather) inputs, (int Width, Gather Gather)? targets, string identity, ulong seed)
    {
        (_nRows, _seed, DIn, _gather) = (nRows, seed, inputs.Width, inputs.Gather);
        (DOut, _gatherTargets) = (targets?.Width ?? inputs.Width, targets?.Gather);
        Identity = identity;
        _order = new RowPermutation(nRows, seed, 0);
    }

    /// <summary>Writes rows, ascending, one after the other.</summary>
    private delegate void Gather(int[] rows, Span<float> values);

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
        return new ShuffledRows(
            rows.Rows,
            (rows.Columns, InMemory(rows)),
            targets is null ? null : (targets.Columns, InMemory(targets)),
            targets is null ? HashOf(rows) : $"{HashOf(rows)} {HashOf(targets)}",
            seed
        );
    }

    /// <summary>Rows on disk. They are hashed first.</summary>
    /// <param name="source">The rows, fewer than 2³¹.</param>
    /// <param name="targets">What a transcoder is to give for each row; <c>null</c> = the row.</param>
    /// <param name="seed">Orders them.</param>
    /// <param name="cancellation">Stops the hashing.</param>
    /// <exception cref="ArgumentException">Too many rows, or not as many targets as rows.</exception>
    public static ShuffledRows Of(ActivationSource source, ActivationSource? targets, ulong seed, CancellationToken cancellation = default)
    {
        OrderedRows.RequireLengths(source, targets);
        return Of(source, targets, seed, IdentityOf(source, targets, cancellation));
    }

    /// <summary>Rows on disk whose <see cref="RowStream.IdentityOf"/> is known.</summary>
    /// <param name="source">The rows, fewer than 2³¹.</param>
    /// <param name="targets">What a transcoder is to give for each row; <c>null</c> = the row.</param>
    /// <param name="seed">Orders them.</param>
    /// <param name="identity">Their identity.</param>
    /// <exception cref="ArgumentException">Too many rows, or not as many targets as rows.</exception>
    public static ShuffledRows Of(ActivationSource source, ActivationSource? targets, ulong seed, string identity)
    {
        OrderedRows.RequireLengths(source, targets);
        return new ShuffledRows(
            (int)source.NSamples,
            (source.NNeurons, new StoredRows(source).Read),
            targets is null ? null : (targets.NNeurons, new StoredRows(targets).Read),
            identity,
            seed
        );
    }

    /// <inheritdoc/>
    public override void Fill(long step, Span<float> inputs, Span<float> targets)
    {
        var rows = RowsOf(step * (inputs.Length / DIn), inputs.Length / DIn);
        _gather(rows, inputs);
        _gatherTargets?.Invoke(rows, targets);
    }

    /// <summary>The rows at some positions of the order, which begins again, differently, after each epoch; ascending.</summary>
    private int[] RowsOf(long first, int count)
    {
        var rows = new int[count];
        for (var i = 0; i < count; )
        {
            var (epoch, start) = Math.DivRem(first + i, _nRows);
            if (epoch != _epoch)
                (_epoch, _order) = (epoch, new RowPermutation(_nRows, _seed, epoch));
            var (order, at, length) = (_order, i, (int)Math.Min(count - i, _nRows - start));
            InParts(
                length,
                (from, to) =>
                {
                    for (var k = from; k < to; k++)
                        rows[at + k] = (int)order[start + k];
                }
            );
            i += length;
        }
        // Files are read forward; which place in the batch a row has does not matter to its gradient.
        Array.Sort(rows);
        return rows;
    }

    /// <summary>Splits 0 … count − 1 evenly over the cores.</summary>
    internal static void InParts(int count, Action<int, int> part)
    {
        var parts = Math.Min(Environment.ProcessorCount, 1 + (count / LeastPart));
        if (parts == 1)
        {
            part(0, count);
            return;
        }
        try
        {
            Parallel.For(0, parts, i => part((int)((long)count * i / parts), (int)((long)count * (i + 1) / parts)));
        }
        catch (AggregateException e)
        {
            // One clear error, as without threads.
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    private static Gather InMemory(FloatMatrix matrix) =>
        (rows, values) =>
        {
            for (var i = 0; i < rows.Length; i++)
                matrix.Row(rows[i]).CopyTo(values[(i * matrix.Columns)..]);
        };

    private static string HashOf(FloatMatrix matrix) =>
        Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(matrix.Data)));
}
