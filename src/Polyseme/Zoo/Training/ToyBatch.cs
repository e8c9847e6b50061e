using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
using Polyseme.Numerics;

namespace Polyseme.Zoo.Training;

/// <summary>
/// Makes batches of inputs. What a batch holds depends on the seed, the stream and the step only, never on how many models train
/// beside this one or on the machine.
/// </summary>
/// <remarks>
/// Sparse inputs cost what their active entries cost. Few equally dense groups are drawn by <see cref="ActiveSets"/>; of many, the gaps
/// between active ones are geometric, ⌊ln u / ln(1 − p)⌋, so that nothing is drawn for a zero; groups of unequal densities are found by a
/// <see cref="HazardWalk"/>. Dense inputs are made a tile at a time, where they are used. The words of a step come from
/// <see cref="XoshiroLanes"/> that start anew with it.
/// </remarks>
internal sealed class ToyBatch
{
    /// <summary>Samples that the kernel takes at a time.</summary>
    public const int Tile = 32;

    /// <summary>Above this density the kernel treats inputs as dense.</summary>
    public const double DenseFrom = 0.4;

    /// <summary>Up to so many features, drawing every entry costs less than finding the active ones …</summary>
    public const int FewFeatures = 3;

    /// <summary>… from this density on.</summary>
    private const double FewDenseFrom = 0.05;

    private const float Resolution = 1.0f / (1 << 24);
    private readonly uint[] _words = new uint[512];
    private readonly int[] _gaps = new int[512];
    private int[] _positions = [];
    private readonly ToyInputs _inputs;
    private readonly HazardWalk? _walk;
    private readonly ActiveSets _sets = new();
    private readonly bool _drawsSets;
    private readonly SparseRows _rows;
    private SparseRows? _current;
    private bool _sorted;
    private XoshiroLanes _words16;
    private int _nextTile;
    private readonly ulong _seed;
    private readonly ulong _lane;

    public ToyBatch(ToyInputs inputs, int nFeatures, int size, ulong seed, ulong lane)
    {
        inputs.Check(nFeatures);
        (_inputs, _seed, _lane, Size, _rows) = (inputs, seed, lane, size, new SparseRows(nFeatures));
        if (inputs is not ToyInputs.Fresh fresh)
        {
            var rows = ((ToyInputs.DataSet)inputs).Rows;
            MeanActive = (double)rows.Entries / rows.Count;
            return;
        }
        MeanActive = fresh.MeanDensity * nFeatures;
        if (fresh.Densities is not null)
            _walk = new HazardWalk(fresh.Densities, size);
        var independent = fresh.GroupSize == 1 || (fresh.Rule == GroupRule.Together && fresh.Density == 1);
        IsTiled = fresh.Densities is null && independent && fresh.Density >= (nFeatures <= FewFeatures ? FewDenseFrom : DenseFrom);
        IsDense = IsTiled || fresh.MeanDensity >= DenseFrom;
        _drawsSets =
            fresh.Densities is null
            && !IsDense
            && (fresh.Rule == GroupRule.Together || fresh.GroupSize == 1)
            && ActiveSets.CanMake(nFeatures / fresh.GroupSize, fresh.Density);
    }

    /// <summary>Samples in a batch.</summary>
    public int Size { get; }

    /// <summary>Active entries of a sample, on average.</summary>
    public double MeanActive { get; }

    /// <summary>The batch, unless it <see cref="IsTiled"/>.</summary>
    public SparseRows Rows
    {
        get
        {
            if (_current is null)
            {
                _sets.CopyTo(_rows, Size);
                _current = _rows;
            }
            return _current;
        }
    }

    /// <summary>The same sorted by how many entries of a sample are active.</summary>
    public ActiveSets Sets
    {
        get
        {
            if (!_sorted)
                _sets.Sort(Rows);
            _sorted = true;
            return _sets;
        }
    }

    /// <summary>There are no rows: <see cref="FillTile"/> makes the values where they are used.</summary>
    public bool IsTiled { get; }

    /// <summary>Whether the kernel should spread the entries out before it multiplies.</summary>
    public bool IsDense { get; }

    /// <summary>Makes the batch of a step.</summary>
    public void Make(int step)
    {
        if (_inputs is ToyInputs.DataSet { WholeSetEveryStep: true } whole)
        {
            _current = whole.Rows;
            return;
        }
        _words16 = XoshiroLanes.Of(_seed, _lane, (uint)step);
        _sorted = false;
        switch (_inputs)
        {
            case ToyInputs.Fresh when IsTiled:
                _nextTile = 0;
                break;
            case ToyInputs.Fresh fresh when _drawsSets:
                _sets.Make(Size, _rows.Width / fresh.GroupSize, fresh.GroupSize, fresh.Density, _words16);
                Stretch(fresh, _sets.Value.AsSpan(0, _sets.Length));
                (_current, _sorted) = (null, true);
                break;
            case ToyInputs.Fresh fresh:
                MakeFresh(fresh);
                _current = _rows;
                break;
            case ToyInputs.DataSet set:
                _rows.Clear();
                for (var sample = 0; sample < Size; sample++)
                {
                    if (sample % _words.Length == 0)
                        _words16.Fill(_words);
                    // Multiply and shift; the bias is below n/2³².
                    _rows.AppendRow(set.Rows, (int)(((ulong)_words[sample % _words.Length] * (ulong)set.Rows.Count) >> 32));
                }
                _current = _rows;
                break;
            default:
                throw new InvalidOperationException($"no batches are made of {_inputs}");
        }
    }

    /// <summary>The values of one tile; tiles follow each other. Shape: <c>[n_features, Tile]</c>.</summary>
    public unsafe void FillTile(int tile, float* values)
    {
        if (tile != _nextTile)
            throw new InvalidOperationException($"tile {tile} was asked for, but the next one is {_nextTile}");
        _nextTile++;
        var fresh = (ToyInputs.Fresh)_inputs;
        var span = new Span<float>(values, _rows.Width * Tile);
        if (fresh.Density < 1)
            FillThinned(span, (float)fresh.Density);
        else
            _words16.Fill(span);
        if (fresh is not { Low: 0, High: 1 })
            StretchActive(fresh, span);
    }

    /// <summary>The batch of a step with its zeros, for the plain version and for evaluation. Shape: <c>[size, n_features]</c>.</summary>
    public unsafe Matrix ToMatrix(int step)
    {
        Make(step);
        if (!IsTiled)
            return Rows.ToMatrix();
        var matrix = new Matrix(Size, _rows.Width);
        var values = new float[_rows.Width * Tile];
        fixed (float* tileValues = values)
        {
            for (var sample = 0; sample < Size; sample++)
            {
                if (sample % Tile == 0)
                    FillTile(sample / Tile, tileValues);
                for (var i = 0; i < _rows.Width; i++)
                    matrix[sample, i] = values[(i * Tile) + (sample % Tile)];
            }
        }
        return matrix;
    }

    /// <summary>One word per entry: u below p is active, and u/p is uniform then.</summary>
    private void FillThinned(Span<float> values, float density)
    {
        var words = _words16;
        var (limit, scale, below) = (Vector512.Create(density), Vector512.Create(1 / density), Vector512.Create(MathF.BitDecrement(1)));
        for (var i = 0; i < values.Length; i += XoshiroLanes.Count)
        {
            var uniform = words.NextUniform();
            var value = Vector512.Min(uniform * scale, below);
            Vector512.ConditionalSelect(Vector512.LessThan(uniform, limit), value, Vector512<float>.Zero).CopyTo(values[i..]);
        }
        _words16 = words;
    }

    private void MakeFresh(ToyInputs.Fresh fresh)
    {
        int groups = _rows.Width / fresh.GroupSize,
            active = _walk is null ? Positions(fresh.Density, checked(Size * groups)) : Positions(_walk),
            members = fresh.Rule == GroupRule.OneAtATime ? 1 : fresh.GroupSize,
            entries = active * members;
        var (rows, features, values) = _rows.ReserveEntries(entries);
        Locate(_positions.AsSpan(0, active), groups, members, rows.AsSpan(0, entries), features.AsSpan(0, entries));
        if (members < fresh.GroupSize)
            ChooseMembers(features.AsSpan(0, entries), fresh.GroupSize);
        _words16.Fill(values.AsSpan(0, entries));
        Stretch(fresh, values.AsSpan(0, entries));
        _rows.Filled(Size, entries);
    }

    /// <summary>The active groups where all are equally dense.</summary>
    private int Positions(double density, int total)
    {
        var expected = total * density;
        var room = (int)(expected + (8 * Math.Sqrt(expected)) + 1024);
        if (_positions.Length < room)
            _positions = new int[room];
        var active = 0;
        var position = -1;
        var inverseLog = (float)(1 / Math.Log(1 - density));
        while (position < total)
        {
            _words16.Fill(_words);
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
    private int Positions(HazardWalk walk)
    {
        walk.Restart();
        var active = 0;
        while (true)
        {
            _words16.Fill(_words);
            if (active + _words.Length > _positions.Length)
                Array.Resize(ref _positions, (_positions.Length * 2) + _words.Length);
            var found = walk.Advance(_words, _positions.AsSpan(active, _words.Length));
            active += found;
            if (found < _words.Length)
                return active;
        }
    }

    /// <summary>From groups to one feature of each, all equally likely.</summary>
    private void ChooseMembers(Span<int> features, int groupSize)
    {
        for (var first = 0; first < features.Length; first += _words.Length)
        {
            var part = features.Slice(first, Math.Min(_words.Length, features.Length - first));
            _words16.Fill(_words);
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

    /// <summary>From [0, 1) to the range of the values. Rounding may not reach its end.</summary>
    private static void Stretch(ToyInputs.Fresh fresh, Span<float> values)
    {
        if (fresh is { Low: 0, High: 1 })
            return;
        TensorPrimitives.Multiply(values, fresh.High - fresh.Low, values);
        TensorPrimitives.Add(values, fresh.Low, values);
        TensorPrimitives.Min(values, MathF.BitDecrement(fresh.High), values);
    }

    /// <summary>As <see cref="Stretch"/>, but what is not active stays zero.</summary>
    private static void StretchActive(ToyInputs.Fresh fresh, Span<float> values)
    {
        if (fresh.Density == 1)
        {
            Stretch(fresh, values);
            return;
        }
        var (scale, low, below) = (fresh.High - fresh.Low, fresh.Low, MathF.BitDecrement(fresh.High));
        foreach (ref var value in values)
            value = value == 0 ? 0 : Math.Min((value * scale) + low, below);
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
}
