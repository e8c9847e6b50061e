using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Polyseme.Numerics;
using Polyseme.Runs;

namespace Polyseme.Activations;

/// <summary>How activations are taken into memory.</summary>
public sealed record ActivationScanConfig
{
    private readonly int _maxSampleRows = 20_000;
    private readonly long _maxSampleValues = 1L << 26;

    /// <summary>The one seed; the sample takes the stream <c>activations/sample</c>.</summary>
    public ulong Seed { get; init; }

    /// <summary>Rows of the in-memory sample at most. At least 1.</summary>
    public int MaxSampleRows
    {
        get => _maxSampleRows;
        init => _maxSampleRows = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "at least 1 row");
    }

    /// <summary>Values of the in-memory sample at most (rows × neurons; 2^26 are 256 MiB), though at least one row. At least 1.</summary>
    public long MaxSampleValues
    {
        get => _maxSampleValues;
        init => _maxSampleValues = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "at least 1 value");
    }

    /// <summary>Drop rows that hold NaN or infinity and count them; otherwise they are an error.</summary>
    public bool AllowNan { get; init; }

    /// <summary>The unit that train/test splits keep together; <c>null</c> takes item, else document, else exact duplicates.</summary>
    public string? Groups { get; init; }

    /// <summary>Above this many neurons no covariance is kept (d² doubles).</summary>
    public int MaxCovarianceNeurons { get; init; } = 8192;
}

/// <summary>What one reading of an activation source gives.</summary>
public sealed record ActivationScanResult
{
    /// <summary>The configuration it came from.</summary>
    public required ActivationScanConfig Config { get; init; }

    /// <summary>Rows kept.</summary>
    public required int NSamples { get; init; }

    /// <summary>Rows dropped because they held NaN or infinity, ascending, as rows of the source.</summary>
    public required int[] DroppedRows { get; init; }

    /// <summary>How many rows were dropped.</summary>
    public int NDropped => DroppedRows.Length;

    /// <summary>The mean over all rows kept. Shape: <c>[n_neurons]</c>.</summary>
    public required double[] Mean { get; init; }

    /// <summary>The covariance over all rows kept, divided by n − 1. Shape: <c>[n_neurons, n_neurons]</c>. <c>null</c> for a single row or a very wide layer.</summary>
    public required Matrix? Covariance { get; init; }

    /// <summary>Neurons with one value in all rows kept, ascending.</summary>
    public required int[] ConstantNeurons { get; init; }

    /// <summary>The hash of what was read, see <see cref="ActivationSource.ComputeSha256"/>.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The groups of all rows kept.</summary>
    public required RowGroups Groups { get; init; }

    /// <summary>The rows to work with in memory: all rows kept, or the stated sample of them, with their identities.</summary>
    public required ActivationSet Sample { get; init; }

    /// <summary>The groups of the sample's rows.</summary>
    public required RowGroups SampleGroups { get; init; }

    /// <summary>Which row of the source each row of the sample is, ascending: what concepts and tokens are selected by. Shape: <c>[sample.n_samples]</c>.</summary>
    public required int[] SampleRows { get; init; }

    /// <summary>Whether the sample consists of whole groups. Groups too large for it are cut, and then it does not.</summary>
    public required bool SampleHasWholeGroups { get; init; }

    /// <summary>Whether the sample is all rows kept.</summary>
    public bool SampleIsComplete => Sample.NSamples == NSamples;

    /// <summary>The row of the source that the kept row <paramref name="kept"/> was.</summary>
    public int SourceRow(int kept)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)kept, (uint)NSamples);
        return ActivationScan.SourceRow(kept, DroppedRows);
    }
}

/// <summary>
/// Reads a source once: checks every value, takes mean, covariance and hash over all rows, finds the groups, and puts a sample into
/// memory. Memory stays bounded by the sample, two blocks and d², however large the file is.
/// </summary>
public static class ActivationScan
{
    /// <summary>A block is about this many values: enough rows for the matrix product to run at its speed.</summary>
    private const int BlockValues = 1 << 22;

    /// <summary>Scans <paramref name="source"/>.</summary>
    /// <param name="source">The activations.</param>
    /// <param name="config">How they are taken in.</param>
    /// <param name="progress">Rows read.</param>
    /// <param name="cancellation">Checked at each block.</param>
    /// <param name="rows">Row identities to use instead of the source's own, for instance together with those of a concept file.</param>
    /// <exception cref="InputException">A value is not finite, every row is dropped, the unit of groups is unknown, or the file is damaged.</exception>
    public static ActivationScanResult Run(
        ActivationSource source,
        ActivationScanConfig config,
        IProgress<Step>? progress,
        CancellationToken cancellation,
        RowIdentities? rows = null
    )
    {
        var identities = rows ?? source.Rows;
        var unit = RowGroups.Unit(identities, config.Groups, source.Path);
        // The hash reads the file a second time, on another thread, out of the page cache.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var hashing = Task.Run(() => source.ComputeSha256(stop.Token), stop.Token);
        try
        {
            var pass = new Pass(source, config, unit == "duplicates");
            pass.Run(progress, cancellation);
            var dropped = pass.Dropped.ToArray();
            var nKept = (int)source.NSamples - dropped.Length;
            if (nKept == 0)
                throw new InputException(
                    source.Path,
                    "has no row left",
                    $"{dropped.Length} rows, each with NaN or infinity",
                    "at least one finite row"
                );

            var kept = dropped.Length == 0 ? identities : identities.Select(KeptRows(nKept, dropped));
            var groups = unit == "duplicates" ? Duplicates(source, config, pass, dropped, cancellation) : RowGroups.ByUnit(kept, unit);
            var (sample, whole) = ChooseSample(groups, source.NNeurons, config);
            int[] sampleRows = [.. sample.Select(row => SourceRow(row, dropped))];
            var values = pass.KeptValues is { } all && sample.Length == nKept ? all : source.ReadRows(sampleRows, cancellation);
            return new ActivationScanResult
            {
                Config = config,
                NSamples = nKept,
                DroppedRows = dropped,
                Mean = pass.Mean,
                Covariance = pass.Covariance,
                ConstantNeurons = pass.ConstantNeurons,
                Sha256 = hashing.GetAwaiter().GetResult(),
                Groups = groups,
                Sample = new ActivationSet
                {
                    NSamples = sample.Length,
                    NNeurons = source.NNeurons,
                    Values = values,
                    Rows = kept.Select(sample),
                },
                SampleGroups = sample.Length == nKept ? groups : groups.Select(sample),
                SampleRows = sampleRows,
                SampleHasWholeGroups = whole,
            };
        }
        finally
        {
            stop.Cancel();
            ((IAsyncResult)hashing).AsyncWaitHandle.WaitOne();
            _ = hashing.Exception;
        }
    }

    /// <summary>The row of the source that a kept row was, by counting the dropped rows before it.</summary>
    internal static int SourceRow(int kept, int[] dropped)
    {
        // dropped[k] − k rows are kept before dropped[k]: the first k for which that exceeds kept counts the drops before this row.
        int low = 0,
            high = dropped.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (dropped[middle] - middle > kept)
                high = middle;
            else
                low = middle + 1;
        }
        return kept + low;
    }

    private static int[] KeptRows(int count, int[] dropped)
    {
        var rows = new int[count];
        int next = 0,
            row = 0;
        for (var i = 0; i < count; i++, row++)
        {
            for (; next < dropped.Length && dropped[next] == row; next++)
                row++;
            rows[i] = row;
        }
        return rows;
    }

    private static RowGroups Duplicates(
        ActivationSource source,
        ActivationScanConfig config,
        Pass pass,
        int[] dropped,
        CancellationToken cancellation
    ) =>
        RowGroups.ByDuplicates(
            pass.RowHashes,
            config.Groups is not null,
            shared =>
            {
                var scratch = new float[source.NNeurons];
                var digests = new UInt128[shared.Length];
                if (pass.KeptValues is { } all)
                {
                    for (var k = 0; k < shared.Length; k++)
                        digests[k] = RowGroups.Digest(all.AsSpan(shared[k] * source.NNeurons, source.NNeurons), scratch);
                    return digests;
                }
                // A second pass, for the rows in question only; a few thousand at a time.
                var rowsAtOnce = Math.Max(1, BlockValues / source.NNeurons);
                using var reader = source.OpenRows();
                var values = new float[rowsAtOnce * source.NNeurons];
                for (var k = 0; k < shared.Length; )
                {
                    cancellation.ThrowIfCancellationRequested();
                    var first = SourceRow(shared[k], dropped);
                    var run = 1;
                    while (run < rowsAtOnce && k + run < shared.Length && SourceRow(shared[k + run], dropped) == first + run)
                        run++;
                    reader.Read(first, values.AsSpan(0, run * source.NNeurons));
                    for (var i = 0; i < run; i++)
                        digests[k + i] = RowGroups.Digest(values.AsSpan(i * source.NNeurons, source.NNeurons), scratch);
                    k += run;
                }
                return digests;
            }
        );

    /// <summary>
    /// Rows for the sample, ascending, among the rows kept. Groups are drawn in random order until one does not fit. Where that leaves less
    /// than half of the room used, groups are too large to be kept whole, and rows are drawn instead.
    /// </summary>
    private static (int[] Rows, bool WholeGroups) ChooseSample(RowGroups groups, int nNeurons, ActivationScanConfig config)
    {
        var room = (int)Math.Min(config.MaxSampleRows, Math.Max(1, config.MaxSampleValues / nNeurons));
        if (groups.Ids.Length <= room)
            return ([.. Enumerable.Range(0, groups.Ids.Length)], true);
        var random = new RandomStream(config.Seed, "activations/sample");
        var sizes = new int[groups.Count];
        foreach (var group in groups.Ids)
            sizes[group]++;
        var chosen = new bool[groups.Count];
        var used = 0;
        foreach (var group in random.Permutation(groups.Count))
        {
            if (used + sizes[group] > room)
                break;
            chosen[group] = true;
            used += sizes[group];
        }
        if (used >= (room + 1) / 2)
            return ([.. Enumerable.Range(0, groups.Ids.Length).Where(row => chosen[groups.Ids[row]])], true);
        var rows = random.Permutation(groups.Ids.Length)[..room];
        Array.Sort(rows);
        return (rows, false);
    }

    /// <summary>The pass over all rows.</summary>
    private sealed class Pass
    {
        private readonly ActivationSource _source;
        private readonly ActivationScanConfig _config;
        private readonly float[] _scratch;
        private readonly int[] _differs; // not 0 where a neuron has shown two values
        private float[]? _first;
        private int _kept;

        public Pass(ActivationSource source, ActivationScanConfig config, bool hashRows)
        {
            (_source, _config) = (source, config);
            _scratch = new float[source.NNeurons];
            _differs = new int[source.NNeurons];
            var values = source.NSamples * source.NNeurons;
            KeptValues = source.NSamples <= config.MaxSampleRows && values <= config.MaxSampleValues ? new float[values] : null;
            RowHashes = hashRows ? new ulong[source.NSamples] : [];
        }

        public List<int> Dropped { get; } = [];
        public float[]? KeptValues { get; private set; }
        public ulong[] RowHashes { get; private set; }
        public double[] Mean { get; private set; } = [];
        public Matrix? Covariance { get; private set; }
        public int[] ConstantNeurons { get; private set; } = [];

        public void Run(IProgress<Step>? progress, CancellationToken cancellation)
        {
            var d = _source.NNeurons;
            using var moments = new RunningMoments(d, d <= _config.MaxCovarianceNeurons);
            var notFinite = 0L;
            (long Row, int Column, float Value)? first = null;
            foreach (var block in _source.ReadBlocks(Math.Clamp(BlockValues / d, 1, 8192), cancellation))
            {
                var values = block.Values.Span;
                var bad = TensorPrimitives.IsFiniteAll<float>(values) ? 0 : DropRows(block, ref values, ref first);
                notFinite += bad;
                if (notFinite == 0 || _config.AllowNan)
                    Use(values, moments);
                progress?.Report(new Step("reading activations", block.FirstRow + block.Rows, _source.NSamples));
            }
            if (first is { } found && !_config.AllowNan)
                throw new InputException(
                    _source.Path,
                    $"holds {notFinite} values that are not finite, in {Dropped.Count} of {_source.NSamples} rows",
                    $"{Shown(found.Value)} first at row {found.Row}, column {found.Column}{(_source.DType == DType.F64 ? " (or beyond single precision)" : "")}",
                    "finite values",
                    "--allow-nan drops these rows"
                );
            Mean = moments.Mean();
            Covariance = moments.Covariance();
            ConstantNeurons = [.. Enumerable.Range(0, d).Where(j => _differs[j] == 0)];
            if (Dropped.Count == 0)
                return;
            RowHashes = RowHashes.Length == 0 ? [] : RowHashes[.._kept];
            KeptValues = KeptValues?[..(_kept * d)];
        }

        /// <summary>Closes the gaps that rows with values that are not finite leave in a block, and returns the count of such values.</summary>
        private long DropRows(RowBlock block, ref Span<float> values, ref (long, int, float)? first)
        {
            var bad = 0L;
            var kept = 0;
            for (var i = 0; i < block.Rows; i++)
            {
                var row = block.Row(i);
                if (TensorPrimitives.IsFiniteAll<float>(row))
                {
                    row.CopyTo(block.Row(kept++));
                    continue;
                }
                for (var j = 0; j < row.Length; j++)
                {
                    if (float.IsFinite(row[j]))
                        continue;
                    bad++;
                    first ??= (block.FirstRow + i, j, row[j]);
                }
                Dropped.Add((int)block.FirstRow + i);
            }
            values = values[..(kept * block.Columns)];
            return bad;
        }

        private void Use(ReadOnlySpan<float> values, RunningMoments moments)
        {
            var d = _source.NNeurons;
            if (values.Length == 0)
                return;
            _first ??= values[..d].ToArray();
            for (var at = 0; at < values.Length; at += d)
            {
                var row = values.Slice(at, d);
                MarkDifferences(row);
                if (RowHashes.Length > 0)
                    RowHashes[_kept + (at / d)] = RowGroups.Hash(row, _scratch);
            }
            if (KeptValues is not null)
                values.CopyTo(KeptValues.AsSpan(_kept * d));
            moments.Add(values);
            _kept += values.Length / d;
        }

        private void MarkDifferences(ReadOnlySpan<float> row)
        {
            ref var x = ref MemoryMarshal.GetReference(row);
            ref var x0 = ref MemoryMarshal.GetArrayDataReference(_first!);
            ref var differs = ref MemoryMarshal.GetArrayDataReference(_differs);
            var j = 0;
            for (; j <= row.Length - Vector256<float>.Count; j += Vector256<float>.Count)
            {
                var same = Vector256.Equals(Vector256.LoadUnsafe(ref x, (nuint)j), Vector256.LoadUnsafe(ref x0, (nuint)j));
                (Vector256.LoadUnsafe(ref differs, (nuint)j) | ~same.AsInt32()).StoreUnsafe(ref differs, (nuint)j);
            }
            for (; j < row.Length; j++)
                _differs[j] |= row[j] == _first![j] ? 0 : 1;
        }

        private static string Shown(float value) =>
            float.IsNaN(value) ? "NaN"
            : value > 0 ? "infinity"
            : "-infinity";
    }
}
