using System.Collections.Concurrent;
using Polyseme.Activations;

namespace Polyseme.Dictionaries.Training;

/// <summary>Rows of a store by their numbers, read by all cores.</summary>
/// <remarks>
/// Files that can be read in any order are opened once for each core and read row by row: what was read before comes from the page cache, which a
/// mapping would count as this process's memory. Others, such as compressed ones, are read from their beginning each time.
/// </remarks>
internal sealed class StoredRows(ActivationSource source)
{
    private readonly ConcurrentBag<RowReader> _idle = [];

    /// <summary>Reads rows.</summary>
    /// <param name="rows">Their numbers, ascending; one may come several times.</param>
    /// <param name="values">Shape: <c>[rows.Length, n_neurons]</c>.</param>
    /// <exception cref="InputException">A file cannot be read, or a value is not finite.</exception>
    public unsafe void Read(int[] rows, Span<float> values)
    {
        if (values.Length != (long)rows.Length * source.NNeurons)
            throw new ArgumentException($"{values.Length} values are not {rows.Length} rows of {source.NNeurons}", nameof(values));
        if (!_idle.TryTake(out var reader))
            reader = source.OpenRows();
        if (!reader.AnyOrder)
        {
            using (reader)
                Read(reader, rows, values);
            return;
        }
        _idle.Add(reader);
        fixed (float* pinned = values)
        {
            var start = (nint)pinned;
            ShuffledRows.InParts(
                rows.Length,
                (from, to) =>
                {
                    if (!_idle.TryTake(out var own))
                        own = source.OpenRows();
                    Read(
                        own,
                        rows.AsSpan(from..to),
                        new Span<float>((float*)start + ((long)from * source.NNeurons), (to - from) * source.NNeurons)
                    );
                    _idle.Add(own);
                }
            );
        }
    }

    private void Read(RowReader reader, ReadOnlySpan<int> rows, Span<float> values)
    {
        var width = source.NNeurons;
        for (var i = 0; i < rows.Length; )
        {
            var run = 1;
            if (i > 0 && rows[i] == rows[i - 1])
                values.Slice((i - 1) * width, width).CopyTo(values[(i * width)..]);
            else
            {
                while (i + run < rows.Length && rows[i + run] == rows[i] + run)
                    run++;
                var read = values.Slice(i * width, run * width);
                reader.Read(rows[i], read);
                FiniteRows.Require(source.Path, rows[i], width, read);
            }
            i += run;
        }
    }
}
