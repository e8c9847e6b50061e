using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>Samples that have the same number of active entries.</summary>
/// <param name="Samples">How many samples.</param>
/// <param name="Entries">Active entries of each.</param>
/// <param name="Start">Where the entries begin: entry j of sample s lies at <c>Start + j·Pitch + s</c>.</param>
/// <param name="Pitch">Samples rounded up to sixteen.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ActiveRun(int Samples, int Entries, int Start, int Pitch);

/// <summary>A sparse batch sorted by how many entries of a sample are active, so that a loop over the entries of a sample is as long as the one before it.</summary>
/// <remarks>
/// Where all groups of features are equally dense, the numbers of active groups are drawn first (binomial, by inversion) and then, sixteen
/// samples at a time, which groups they are: Floyd's algorithm (Bentley and Floyd 1987, "A sample of brilliance") needs no rejection.
/// </remarks>
internal sealed class ActiveSets
{
    /// <summary>The most groups whose choice from 24 random bits is even to within 2⁻¹².</summary>
    private const int MostGroups = 4096;

    /// <summary>Floyd's algorithm compares all pairs of a sample's entries: beyond so many, gaps are cheaper.</summary>
    private const double MostActive = 48;

    private readonly List<ActiveRun> _runs = [];
    private uint[] _thresholds = [];
    private int _fewest;
    private int[] _counts = [];
    private int[] _samplesByCount = [];
    private int[] _runByCount = [];
    private int[] _feature = [];
    private float[] _value = [];

    /// <summary>The runs, by ascending number of entries. None is empty.</summary>
    public ReadOnlySpan<ActiveRun> Runs => CollectionsMarshal.AsSpan(_runs);

    /// <summary>The columns of the entries.</summary>
    public int[] Feature => _feature;

    /// <summary>The values of the entries.</summary>
    public float[] Value => _value;

    /// <summary>How far the entries reach, unused ones between runs included.</summary>
    public int Length { get; private set; }

    /// <summary>Whether batches of so many equally dense groups are made here.</summary>
    public static bool CanMake(int groups, double density) => groups <= MostGroups && groups * density <= MostActive;

    /// <summary>Draws a batch.</summary>
    /// <param name="size">Samples.</param>
    /// <param name="groups">Groups of features.</param>
    /// <param name="groupSize">Features per group, all active when it is.</param>
    /// <param name="density">Probability that a group is active.</param>
    /// <param name="lanes">The source.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Make(int size, int groups, int groupSize, double density, XoshiroLanes lanes)
    {
        if (_thresholds.Length == 0)
            Prepare(size, groups, density);
        Count(size, ref lanes);
        _runs.Clear();
        var start = 0;
        for (var count = 0; count < _samplesByCount.Length; count++)
        {
            var samples = _samplesByCount[count];
            if (samples == 0)
                continue;
            var run = new ActiveRun(samples, count * groupSize, start, Padded(samples));
            _runByCount[count] = _runs.Count;
            _runs.Add(run);
            start += run.Entries * run.Pitch;
        }
        Reserve(start);
        foreach (var run in Runs)
        {
            Choose(run, groups, run.Entries / groupSize, ref lanes);
            if (groupSize > 1)
                Spread(run, groupSize);
        }
        for (var entry = 0; entry < start; entry += XoshiroLanes.Count)
            lanes.NextUniform().CopyTo(_value, entry);
    }

    /// <summary>Sorts a batch whose rows are there.</summary>
    public void Sort(SparseRows rows)
    {
        var starts = rows.Start;
        var most = 0;
        for (var row = 0; row < rows.Count; row++)
            most = Math.Max(most, starts[row + 1] - starts[row]);
        if (_samplesByCount.Length <= most)
            (_samplesByCount, _runByCount) = (new int[most + 1], new int[most + 1]);
        Array.Clear(_samplesByCount);
        for (var row = 0; row < rows.Count; row++)
            _samplesByCount[starts[row + 1] - starts[row]]++;
        _runs.Clear();
        var start = 0;
        for (var count = 0; count < _samplesByCount.Length; count++)
        {
            if (_samplesByCount[count] == 0)
                continue;
            var run = new ActiveRun(_samplesByCount[count], count, start, Padded(_samplesByCount[count]));
            // From here on: where the next sample of this length goes.
            _runByCount[count] = start;
            _samplesByCount[count] = run.Pitch;
            _runs.Add(run);
            start += run.Entries * run.Pitch;
        }
        Reserve(start);
        var feature = rows.Feature;
        var value = rows.Value;
        for (var row = 0; row < rows.Count; row++)
        {
            var count = starts[row + 1] - starts[row];
            var to = _runByCount[count]++;
            for (var entry = starts[row]; entry < starts[row + 1]; entry++)
            {
                (_feature[to], _value[to]) = (feature[entry], value[entry]);
                to += _samplesByCount[count];
            }
        }
    }

    /// <summary>The drawn batch in the order in which its samples were drawn, which their lengths say nothing about.</summary>
    public void CopyTo(SparseRows rows, int size)
    {
        rows.Clear();
        Span<int> next = new int[_runs.Count];
        for (var sample = 0; sample < size; sample++)
        {
            var number = _runByCount[_counts[sample]];
            var run = _runs[number];
            var at = run.Start + next[number]++;
            rows.AppendSorted(_feature, _value, at, run.Pitch, run.Entries);
        }
    }

    private static int Padded(int samples) => (samples + XoshiroLanes.Count - 1) / XoshiroLanes.Count * XoshiroLanes.Count;

    private void Reserve(int entries)
    {
        Length = entries;
        if (_feature.Length < entries)
            (_feature, _value) = (new int[entries + (entries / 4)], new float[entries + (entries / 4)]);
    }

    /// <summary>The binomial distribution function as thresholds for 32-bit words: the count is the number of thresholds that a word reaches.</summary>
    private void Prepare(int size, int groups, double density)
    {
        var thresholds = new List<uint>();
        var (below, log) = (0.0, groups * double.LogP1(-density));
        for (var count = 0; count < groups; count++)
        {
            below += Math.Exp(log);
            log += Math.Log((groups - count) / (count + 1.0) * density / (1 - density));
            var threshold = Math.Round(below * (1L << 32));
            if (threshold >= 1L << 32)
                break;
            // What has no chance in 2³² is left out: a threshold of zero is reached by every word.
            if (threshold == 0)
                _fewest++;
            else
                thresholds.Add((uint)threshold);
        }
        if (thresholds.Count == 0)
            thresholds.Add(uint.MaxValue);
        _thresholds = [.. thresholds];
        _counts = new int[Padded(size)];
        _samplesByCount = new int[_fewest + _thresholds.Length + 1];
        _runByCount = new int[_samplesByCount.Length];
    }

    /// <summary>How many groups of each sample are active, and how many samples have how many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Count(int size, ref XoshiroLanes source)
    {
        var lanes = source;
        var thresholds = _thresholds;
        for (var sample = 0; sample < size; sample += XoshiroLanes.Count)
        {
            var words = lanes.Next();
            var counts = Vector512.Create(_fewest);
            foreach (var threshold in thresholds)
                counts -= Vector512.GreaterThanOrEqual(words, Vector512.Create(threshold)).AsInt32();
            counts.CopyTo(_counts, sample);
        }
        source = lanes;
        // Four counters each: one that has just been written cannot be read again at once.
        var width = _samplesByCount.Length;
        Span<int> apart = stackalloc int[4 * width];
        var whole = size / 4 * 4;
        for (var sample = 0; sample < whole; sample += 4)
        {
            apart[_counts[sample]]++;
            apart[width + _counts[sample + 1]]++;
            apart[(2 * width) + _counts[sample + 2]]++;
            apart[(3 * width) + _counts[sample + 3]]++;
        }
        for (var sample = whole; sample < size; sample++)
            apart[_counts[sample]]++;
        for (var count = 0; count < width; count++)
            _samplesByCount[count] = apart[count] + apart[width + count] + apart[(2 * width) + count] + apart[(3 * width) + count];
    }

    /// <summary>Which groups are active, one row of numbers per active group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Choose(ActiveRun run, int groups, int active, ref XoshiroLanes source)
    {
        var lanes = source;
        for (var sample = 0; sample < run.Pitch; sample += XoshiroLanes.Count)
        {
            ref var chosen = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_feature), run.Start + sample);
            for (var j = 0; j < active; j++)
            {
                // Floyd: one of 0 … last; if that has been chosen before, last itself, which cannot have been.
                var last = Vector512.Create(groups - active + j);
                var one = Vector512.ConvertToInt32Native(lanes.NextUniform() * (groups - active + j + 1f));
                one = Vector512.Min(one, last);
                var before = Vector512<int>.Zero;
                for (var i = 0; i < j; i++)
                    before |= Vector512.Equals(one, Vector512.LoadUnsafe(ref chosen, (nuint)(i * run.Pitch)));
                Vector512.ConditionalSelect(before, last, one).StoreUnsafe(ref chosen, (nuint)(j * run.Pitch));
            }
        }
        source = lanes;
    }

    /// <summary>From groups to their features, from the last group to the first, so that none is written over before it is read.</summary>
    private void Spread(ActiveRun run, int groupSize)
    {
        for (var group = (run.Entries / groupSize) - 1; group >= 0; group--)
        {
            for (var sample = 0; sample < run.Pitch; sample++)
            {
                var first = _feature[run.Start + (group * run.Pitch) + sample] * groupSize;
                for (var member = 0; member < groupSize; member++)
                    _feature[run.Start + (((group * groupSize) + member) * run.Pitch) + sample] = first + member;
            }
        }
    }
}
