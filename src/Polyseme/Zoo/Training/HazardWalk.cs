using System.Numerics.Tensors;

namespace Polyseme.Zoo.Training;

/// <summary>Walks over the active groups of a batch whose groups differ in density; what is not active costs nothing.</summary>
/// <remarks>
/// A group of density p is a stretch of length −ln(1 − p), and a row is its groups' stretches end to end. From the end of an active group the
/// next one lies where an exponential step ends: that passes over a stretch with probability 1 − p, whatever came before.
/// </remarks>
internal sealed class HazardWalk
{
    // The longest step of 32 bits is 32·ln 2 = 22.2: a group that is always active cannot be passed over.
    private const double AlwaysActive = 23;
    private readonly int _rows;
    private readonly double[] _ends; // where each group's stretch ends, [groups]
    private readonly int[] _guide; // the group that each equal part of the row begins in, [groups]
    private readonly double _total;
    private readonly double _partsPerLength;
    private double[] _steps = [];
    private long _row;
    private double _at;

    /// <summary>A walk over rows whose groups have these densities.</summary>
    public HazardWalk(IReadOnlyList<double> densities, int rows)
    {
        _rows = rows;
        _ends = new double[densities.Count];
        for (var group = 0; group < _ends.Length; group++)
            _ends[group] = _total += Math.Min(-Math.Log(1 - densities[group]), AlwaysActive);
        _partsPerLength = _ends.Length / _total;
        _guide = new int[_ends.Length];
        for (int part = 0, group = 0; part < _guide.Length; part++)
        {
            while (_ends[group] * _partsPerLength <= part)
                group++;
            _guide[part] = group;
        }
    }

    /// <summary>Back to the beginning of the first row.</summary>
    public void Restart() => (_row, _at) = (0, 0);

    /// <summary>Takes one step per word.</summary>
    /// <param name="words">Random words.</param>
    /// <param name="positions">The active groups found, row·groups + group, ascending. At least as long as <paramref name="words"/>.</param>
    /// <returns>How many were found: fewer than the words when the last row has ended.</returns>
    public int Advance(ReadOnlySpan<uint> words, Span<int> positions)
    {
        if (_steps.Length < words.Length)
            _steps = new double[words.Length];
        var steps = _steps.AsSpan(0, words.Length);
        for (var i = 0; i < words.Length; i++)
            steps[i] = (words[i] + 1.0) / (1ul << 32);
        TensorPrimitives.Log(steps, steps);
        for (var i = 0; i < words.Length; i++)
        {
            var at = _at - steps[i];
            if (at >= _total)
            {
                var rows = Math.Floor(at / _total);
                _row += (long)rows;
                // Rounding may leave a hair below zero, or the whole length.
                at = Math.Max(0, at - (rows * _total));
                if (at >= _total)
                    (_row, at) = (_row + 1, 0);
            }
            if (_row >= _rows)
                return i;
            var group = _guide[Math.Min((int)(at * _partsPerLength), _guide.Length - 1)];
            while (_ends[group] <= at)
                group++;
            positions[i] = ((int)_row * _ends.Length) + group;
            _at = _ends[group];
        }
        return words.Length;
    }
}
