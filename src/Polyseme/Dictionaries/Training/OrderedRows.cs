using Polyseme.Activations;

namespace Polyseme.Dictionaries.Training;

/// <summary>Rows of a store as they lie, such as those of a shuffled copy (<see cref="StoreShuffle"/>), every epoch in the same order.</summary>
/// <remarks>Memory: one batch, whatever the size of the store; its files stay open as long as this lives.</remarks>
public sealed class OrderedRows : RowStream
{
    private readonly ActivationSource _source;
    private readonly StoredRows _rows;
    private readonly StoredRows? _targets;

    /// <summary>Rows on disk.</summary>
    /// <param name="source">The rows, fewer than 2³¹.</param>
    /// <param name="targets">What a transcoder is to give for each row; <c>null</c> = the row.</param>
    /// <param name="identity">What they are, for a checkpoint: of a copy, the hash of what was copied.</param>
    /// <exception cref="ArgumentException">Too many rows, or not as many targets as rows.</exception>
    public OrderedRows(ActivationSource source, ActivationSource? targets, string identity)
    {
        RequireLengths(source, targets);
        (_source, _rows, Identity) = (source, new StoredRows(source), identity);
        (DOut, _targets) = (targets?.NNeurons ?? source.NNeurons, targets is null ? null : new StoredRows(targets));
    }

    /// <inheritdoc/>
    public override int DIn => _source.NNeurons;

    /// <inheritdoc/>
    public override int DOut { get; }

    /// <inheritdoc/>
    public override bool HasTargets => _targets is not null;

    /// <inheritdoc/>
    public override string Identity { get; }

    /// <inheritdoc/>
    public override void Fill(long step, Span<float> inputs, Span<float> targets)
    {
        var count = inputs.Length / DIn;
        for (var done = 0; done < count; )
        {
            var first = (int)((step * count + done) % _source.NSamples);
            int[] rows = [.. Enumerable.Range(first, (int)Math.Min(count - done, _source.NSamples - first))];
            _rows.Read(rows, inputs.Slice(done * DIn, rows.Length * DIn));
            _targets?.Read(rows, targets.Slice(done * DOut, rows.Length * DOut));
            done += rows.Length;
        }
    }

    /// <summary>Rows are counted in 31 bits, and every one has a target or none.</summary>
    internal static void RequireLengths(ActivationSource source, ActivationSource? targets)
    {
        if (source.NSamples > int.MaxValue)
            throw new ArgumentException($"there are {source.NSamples} rows, but at most {int.MaxValue} are trained on", nameof(source));
        if (targets is not null && targets.NSamples != source.NSamples)
            throw new ArgumentException($"there are {source.NSamples} rows and {targets.NSamples} targets", nameof(targets));
    }
}
