using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>
/// Makes batches of inputs. What a batch holds depends on the seed, the stream and the step only, never on how many models train
/// beside this one or on the machine.
/// </summary>
/// <remarks>
/// Sparse inputs cost what their active entries cost: the gaps between active groups are geometric, ⌊ln u / ln(1 − p)⌋, so that nothing
/// is drawn for a zero; groups of unequal densities are found by a <see cref="HazardWalk"/>. Stream layout: a step owns the counters
/// step·2³² …; the upper half of them draws values, the last quarter the members of anticorrelated groups.
/// </remarks>
internal sealed class ToyBatch
{
    /// <summary>Samples that the kernel takes at a time.</summary>
    public const int Tile = 32;

    /// <summary>Above this density the kernel treats inputs as dense.</summary>
    public const double DenseFrom = 0.4;

    private const ulong ValueCounters = 1ul << 31;
    private const ulong MemberCounters = 3ul << 30;
    private const float Resolution = 1.0f / (1 << 24);
    private readonly uint[] _words = new uint[512];
    private readonly int[] _gaps = new int[512];
    private int[] _positions = [];
    private readonly ToyInputs _inputs;
    private readonly HazardWalk? _walk;
    private readonly ulong _seed;
    private readonly ulong _lane;

    public ToyBatch(ToyInputs inputs, int nFeatures, int size, ulong seed, ulong lane)
    {
        inputs.Check(nFeatures);
        (_inputs, _seed, _lane, Size, Rows) = (inputs, seed, lane, size, new SparseRows(nFeatures));
        if (inputs is not ToyInputs.Fresh fresh)
            return;
        if (fresh.Densities is not null)
            _walk = new HazardWalk(fresh.Densities, size);
        IsFull = fresh is { Density: 1, Densities: null } && (fresh.Rule == GroupRule.Together || fresh.GroupSize == 1);
        IsDense = fresh.MeanDensity >= DenseFrom;
    }

    /// <summary>Samples in a batch.</summary>
    public int Size { get; }

    /// <summary>The batch, unless it is <see cref="IsFull"/>.</summary>
    public SparseRows Rows { get; private set; }

    /// <summary>Every entry is active: there are no rows, <see cref="FillTile"/> makes the values where they are used.</summary>
    public bool IsFull { get; }

    /// <summary>Whether the kernel should spread the entries out before it multiplies.</summary>
    public bool IsDense { get; }

    /// <summary>Makes the batch of a step.</summary>
    public void Make(int step)
    {
        switch (_inputs)
        {
            case ToyInputs.Fresh when IsFull:
                break;
            case ToyInputs.Fresh fresh:
                MakeFresh(fresh, (ulong)step << 32);
                break;
            case ToyInputs.DataSet { WholeSetEveryStep: true } set:
                Rows = set.Rows;
                break;
            case ToyInputs.DataSet set:
                Rows.Clear();
                for (var sample = 0; sample < Size; sample++)
                {
                    if (sample % _words.Length == 0)
                        PhiloxFill.Words(_words, ((ulong)step << 32) + ((ulong)sample / 4), _lane, _seed);
                    // Multiply and shift; the bias is below n/2³².
                    Rows.AppendRow(set.Rows, (int)(((ulong)_words[sample % _words.Length] * (ulong)set.Rows.Count) >> 32));
                }
                break;
            default:
                throw new InvalidOperationException($"no batches are made of {_inputs}");
        }
    }

    /// <summary>The values of one tile of a full batch. Shape: <c>[n_features, Tile]</c>.</summary>
    public unsafe void FillTile(int step, int tile, float* values)
    {
        var count = Rows.Width * Tile;
        var words = new Span<uint>(values, count);
        PhiloxFill.Words(words, ((ulong)step << 32) + ((ulong)tile * (ulong)count / 4), _lane, _seed);
        ToUniform(words, new Span<float>(values, count));
        Stretch((ToyInputs.Fresh)_inputs, new Span<float>(values, count));
    }

    /// <summary>The batch of a step with its zeros, for the plain version and for evaluation. Shape: <c>[size, n_features]</c>.</summary>
    public unsafe Matrix ToMatrix(int step)
    {
        Make(step);
        if (!IsFull)
            return Rows.ToMatrix();
        var matrix = new Matrix(Size, Rows.Width);
        var values = new float[Rows.Width * Tile];
        fixed (float* tileValues = values)
        {
            for (var sample = 0; sample < Size; sample++)
            {
                if (sample % Tile == 0)
                    FillTile(step, sample / Tile, tileValues);
                for (var i = 0; i < Rows.Width; i++)
                    matrix[sample, i] = values[(i * Tile) + (sample % Tile)];
            }
        }
        return matrix;
    }

    private void MakeFresh(ToyInputs.Fresh fresh, ulong counter)
    {
        int groups = Rows.Width / fresh.GroupSize,
            active = _walk is null ? Positions(fresh.Density, checked(Size * groups), counter) : Positions(_walk, counter),
            members = fresh.Rule == GroupRule.OneAtATime ? 1 : fresh.GroupSize,
            entries = active * members;
        var (rows, features, values) = Rows.ReserveEntries(entries);
        Locate(_positions.AsSpan(0, active), groups, members, rows.AsSpan(0, entries), features.AsSpan(0, entries));
        if (members < fresh.GroupSize)
            ChooseMembers(features.AsSpan(0, entries), fresh.GroupSize, counter + MemberCounters);
        FillValues(values.AsSpan(0, entries), counter + ValueCounters);
        Stretch(fresh, values.AsSpan(0, entries));
        Rows.Filled(Size, entries);
    }

    /// <summary>The active groups where all are equally dense.</summary>
    private int Positions(double density, int total, ulong counter)
    {
        var expected = total * density;
        var room = (int)(expected + (8 * Math.Sqrt(expected)) + 1024);
        if (_positions.Length < room)
            _positions = new int[room];
        var active = 0;
        var position = -1;
        var inverseLog = (float)(1 / Math.Log(1 - density));
        for (ulong block = 0; position < total; block += (ulong)_gaps.Length / 4)
        {
            PhiloxFill.Words(_words, counter + block, _lane, _seed);
            ToGaps(_words, inverseLog, _gaps);
            if (active + _gaps.Length > _positions.Length)
                Array.Resize(ref _positions, _positions.Length * 2);
            var positions = _positions.AsSpan(active, _gaps.Length);
            for (var i = 0; i < positions.Length; i++)
            {
                // A gap may be large, but a block of them stays far below the range of an int: each is capped.
                position += _gaps[i];
                positions[i] = position;
                if (position >= total)
                    break;
                active++;
            }
        }
        return active;
    }

    /// <summary>The active groups where they differ in density.</summary>
    private int Positions(HazardWalk walk, ulong counter)
    {
        walk.Restart();
        var active = 0;
        while (true)
        {
            PhiloxFill.Words(_words, counter, _lane, _seed);
            counter += (ulong)_words.Length / 4;
            if (active + _words.Length > _positions.Length)
                Array.Resize(ref _positions, (_positions.Length * 2) + _words.Length);
            var found = walk.Advance(_words, _positions.AsSpan(active, _words.Length));
            active += found;
            if (found < _words.Length)
                return active;
        }
    }

    /// <summary>From groups to one feature of each, all equally likely.</summary>
    private void ChooseMembers(Span<int> features, int groupSize, ulong counter)
    {
        for (var first = 0; first < features.Length; first += _words.Length)
        {
            var part = features.Slice(first, Math.Min(_words.Length, features.Length - first));
            PhiloxFill.Words(_words, counter + ((ulong)first / 4), _lane, _seed);
            for (var i = 0; i < part.Length; i++)
                part[i] = (part[i] * groupSize) + (int)(((ulong)_words[i] * (ulong)groupSize) >> 32);
        }
    }

    /// <summary>From positions in the batch, sample by sample, to rows and features.</summary>
    private static void Locate(ReadOnlySpan<int> positions, int groups, int groupSize, Span<int> rows, Span<int> features)
    {
        // Exact division: the error of 1/groups at 2⁴⁰ times a position stays below one.
        var reciprocal = ((1ul << 40) / (ulong)groups) + 1;
        if (groupSize == 1)
        {
            rows = rows[..positions.Length];
            features = features[..positions.Length];
            for (var i = 0; i < positions.Length; i++)
            {
                var row = (int)(((ulong)(uint)positions[i] * reciprocal) >> 40);
                rows[i] = row;
                features[i] = positions[i] - (row * groups);
            }
            return;
        }
        for (var i = 0; i < positions.Length; i++)
        {
            var row = (int)(((ulong)(uint)positions[i] * reciprocal) >> 40);
            for (var member = 0; member < groupSize; member++)
            {
                rows[(i * groupSize) + member] = row;
                features[(i * groupSize) + member] = ((positions[i] - (row * groups)) * groupSize) + member;
            }
        }
    }

    private void FillValues(Span<float> values, ulong counter)
    {
        var words = System.Runtime.InteropServices.MemoryMarshal.Cast<float, uint>(values);
        PhiloxFill.Words(words, counter, _lane, _seed);
        ToUniform(words, values);
    }

    /// <summary>From [0, 1) to the range of the values. Rounding may not reach its end.</summary>
    private static void Stretch(ToyInputs.Fresh fresh, Span<float> values)
    {
        if (fresh is { Low: 0, High: 1 })
            return;
        TensorPrimitives.Multiply(values, fresh.High - fresh.Low, values);
        TensorPrimitives.Add(values, fresh.Low, values);
        TensorPrimitives.Min(values, MathF.BitDecrement(fresh.High), values);
    }

    /// <summary>Geometric gaps, at least 1: 1 + ⌊ln u / ln(1 − p)⌋ with u in (0, 1], capped at a million.</summary>
    private static void ToGaps(ReadOnlySpan<uint> words, float inverseLog, Span<int> gaps)
    {
        for (var i = 0; i < words.Length; i += 16)
        {
            var bits = Vector512.ShiftRightLogical(Vector512.Create(words[i..]), 8) + Vector512<uint>.One;
            var uniform = Vector512.ConvertToSingle(bits.AsInt32()) * Resolution;
            var gap = Vector512.Min(Vector512.Log(uniform) * inverseLog, Vector512.Create(1e6f));
            (Vector512.ConvertToInt32(gap) + Vector512<int>.One).CopyTo(gaps[i..]);
        }
    }

    /// <summary>Uniform in [0, 1), 24 bits; the two spans may be the same memory.</summary>
    private static void ToUniform(ReadOnlySpan<uint> words, Span<float> values)
    {
        var i = 0;
        for (; i + 16 <= words.Length; i += 16)
            (Vector512.ConvertToSingle(Vector512.ShiftRightLogical(Vector512.Create(words[i..]), 8).AsInt32()) * Resolution).CopyTo(
                values[i..]
            );
        for (; i < words.Length; i++)
            values[i] = (words[i] >> 8) * Resolution;
    }
}
