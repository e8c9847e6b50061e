using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Polyseme.Activations;
using Polyseme.Numerics;
using Polyseme.Zoo.Training;

namespace Polyseme.Zoo;

/// <summary>Models on their way as three rows of numbers, one model after the other.</summary>
/// <remarks>
/// Of each model: <c>integers</c> has its status (0 not begun, and nothing else; 1 in work; 2 finished), number, features, hidden units, steps
/// done, the step it diverged at or −1, the points of its curve and its snapshots, each counted and then by step; <c>singles</c> W and b, then in
/// work those of Adam's first and second moments, then those of each snapshot; <c>doubles</c> the losses of the curve.
/// </remarks>
internal sealed class PopulationNumbers
{
    private const int NotBegun = 0,
        InWork = 1,
        Finished = 2;
    private const int NotDiverged = -1;

    private readonly string _path = "";
    private readonly List<int> _integers = [];
    private readonly List<float> _singles = [];
    private readonly List<double> _doubles = [];
    private int _integer,
        _single,
        _double;

    /// <summary>No models yet.</summary>
    public PopulationNumbers() { }

    /// <summary>The models of a file.</summary>
    /// <exception cref="InputException">It lacks one of the rows.</exception>
    public PopulationNumbers(SafetensorsFile file)
    {
        _path = file.Path;
        _integers.AddRange(file.ReadIntegers(Find("integers", DType.I32)).Select(value => (int)value));
        _singles.AddRange(file.ReadSingles(Find("singles", DType.F32)));
        _doubles.AddRange(file.ReadDoubles(Find("doubles", DType.F64)));

        ArrayInfo Find(string name, DType type) =>
            file.Find(name) is { Shape.Length: 1 } array && array.Type == type
                ? array
                : throw Bad(string.Join(", ", file.Arrays.Select(array => $"{array.Name} {array.Type?.Name()} {array.ShapeText}")));
    }

    /// <summary>The rows as tensors.</summary>
    public SafetensorsTensor[] ToTensors() =>
        [
            SafetensorsTensor.Of("integers", _integers.ToArray()),
            SafetensorsTensor.Of("singles", _singles.ToArray()),
            SafetensorsTensor.Of("doubles", _doubles.ToArray()),
        ];

    /// <summary>SHA-256 over all numbers, in lower-case hex.</summary>
    public string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_integers)));
        hash.AppendData(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_singles)));
        hash.AppendData(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_doubles)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Adds a model.</summary>
    public void Append(ToyProgress? progress)
    {
        if (progress is null)
        {
            _integers.Add(NotBegun);
            return;
        }
        var model = progress.Model;
        _integers.AddRange([
            progress.Moments is null ? Finished : InWork,
            model.Model,
            model.Parameters.W.Rows,
            model.Parameters.W.Columns,
            progress.Step,
            model.DivergedAt ?? NotDiverged,
            model.Curve.Count,
            .. model.Curve.Select(point => point.Step),
            model.Snapshots.Count,
            .. model.Snapshots.Select(snapshot => snapshot.Step),
        ]);
        Append(model.Parameters);
        if (progress.Moments is { } moments)
        {
            Append(moments.First);
            Append(moments.Second);
        }
        foreach (var snapshot in model.Snapshots)
            Append(snapshot.Parameters);
        _doubles.AddRange(model.Curve.Select(point => point.Loss));
    }

    /// <summary>The next model.</summary>
    /// <exception cref="InputException">The numbers that follow are none.</exception>
    public ToyProgress? Take()
    {
        var status = Integer(NotBegun, Finished);
        if (status == NotBegun)
            return null;
        var number = Integer(0, int.MaxValue);
        var (features, hidden) = (Integer(1, 100_000), Integer(1, 4096));
        var step = Integer(0, int.MaxValue);
        var diverged = Integer(NotDiverged, int.MaxValue);
        var curve = Integers();
        var snapshots = Integers();
        var parameters = Parameters(features, hidden);
        var moments = status == InWork ? new ToyMoments(Parameters(features, hidden), Parameters(features, hidden)) : null;
        return new ToyProgress(
            step,
            new ToyModel(
                number,
                parameters,
                [.. curve.Select(at => new CurvePoint(at, Double()))],
                diverged == NotDiverged ? null : diverged
            )
            {
                Snapshots = [.. snapshots.Select(at => new ToySnapshot(at, Parameters(features, hidden)))],
            },
            moments
        );
    }

    /// <summary>Checks that every number was taken.</summary>
    /// <exception cref="InputException">Some are left.</exception>
    public void End()
    {
        if ((_integer, _single, _double) != (_integers.Count, _singles.Count, _doubles.Count))
            throw Bad("numbers of more models than there are");
    }

    private void Append(ToyParameters parameters)
    {
        // They were single precision before they were kept in double: nothing is lost.
        _singles.AddRange(parameters.W.Data.Select(value => (float)value));
        _singles.AddRange(parameters.B.Select(value => (float)value));
    }

    private int Integer(int low, int high)
    {
        if (_integer == _integers.Count)
            throw Bad("fewer numbers than its models have");
        var value = _integers[_integer++];
        return value >= low && value <= high ? value : throw Bad($"{value} where {low} to {high} can be");
    }

    private int[] Integers()
    {
        var count = Integer(0, _integers.Count - _integer);
        return [.. Enumerable.Range(0, count).Select(_ => Integer(0, int.MaxValue))];
    }

    private double Double() => _double < _doubles.Count ? _doubles[_double++] : throw Bad("fewer losses than its curves have");

    private ToyParameters Parameters(int features, int hidden)
    {
        if ((long)features * (hidden + 1) > _singles.Count - _single)
            throw Bad("fewer parameters than its models have");
        var w = new Matrix(features, hidden);
        for (var i = 0; i < w.Data.Length; i++)
            w.Data[i] = _singles[_single++];
        var b = new double[features];
        for (var i = 0; i < b.Length; i++)
            b[i] = _singles[_single++];
        return new ToyParameters(w, b);
    }

    private InputException Bad(string found) =>
        new(_path, "is not a checkpoint", found, "integers I32, singles F32 and doubles F64 of its models");
}
