using System.Runtime.InteropServices;
using Polyseme.Numerics;
using TorchSharp;

namespace Polyseme.Dictionaries.Metrics;

/// <summary>The description lengths of one size of dictionary.</summary>
/// <param name="NLatents">Its latents.</param>
/// <param name="Train">On the rows it was fitted on.</param>
/// <param name="HeldOut">On other rows, the dictionary's cost shared by as many rows as in training.</param>
public sealed record DescriptionLengthPoint(int NLatents, DescriptionLength Train, DescriptionLength HeldOut);

/// <summary>Description length over the size of the dictionary: the least is the size that the data asks for.</summary>
/// <param name="Points">By size, ascending.</param>
/// <param name="TrainMinimum">The size of least description length on the rows fitted on.</param>
/// <param name="HeldOutMinimum">The same on held-out rows. Far below <paramref name="TrainMinimum"/>, the dictionary has learned its rows by heart.</param>
public sealed record DescriptionLengthCurve(IReadOnlyList<DescriptionLengthPoint> Points, int TrainMinimum, int HeldOutMinimum)
{
    private const int BlockRows = 1024;

    /// <summary>Fits one dictionary of each size and measures it on both sets of rows.</summary>
    /// <param name="train">Rows to fit on. Shape: <c>[n_train, d]</c>.</param>
    /// <param name="heldOut">Other rows of the same source. Shape: <c>[n_held_out, d]</c>.</param>
    /// <param name="sizes">Numbers of latents to try, at least one.</param>
    /// <param name="fit">Makes a dictionary of that many latents from the rows.</param>
    /// <param name="config">What is charged for.</param>
    /// <param name="cancellation">Checked before each fit.</param>
    public static DescriptionLengthCurve Measure(
        FloatMatrix train,
        FloatMatrix heldOut,
        IEnumerable<int> sizes,
        Func<FloatMatrix, int, FeatureDictionary> fit,
        DescriptionLengthConfig config,
        CancellationToken cancellation = default
    )
    {
        var points = new List<DescriptionLengthPoint>();
        foreach (var size in sizes.Order())
        {
            cancellation.ThrowIfCancellationRequested();
            var dictionary = fit(train, size);
            points.Add(
                new DescriptionLengthPoint(size, Of(dictionary, train, train.Rows, config), Of(dictionary, heldOut, train.Rows, config))
            );
        }
        if (points.Count == 0)
            throw new ArgumentException("there are no sizes to try", nameof(sizes));
        return new DescriptionLengthCurve(
            points,
            points.MinBy(point => point.Train.Total)!.NLatents,
            points.MinBy(point => point.HeldOut.Total)!.NLatents
        );
    }

    /// <summary>The description length of rows under a dictionary that <paramref name="sharedBy"/> rows pay for.</summary>
    public static DescriptionLength Of(FeatureDictionary dictionary, FloatMatrix rows, long sharedBy, DescriptionLengthConfig config)
    {
        var sums = new DescriptionLengthSums(dictionary.NLatents, dictionary.DOut);
        for (var first = 0; first < rows.Rows; first += BlockRows)
        {
            using var scope = torch.NewDisposeScope();
            var count = Math.Min(BlockRows, rows.Rows - first);
            var values = rows.Data.AsSpan(first * rows.Columns, count * rows.Columns).ToArray();
            var inputs = torch.frombuffer(values, torch.float32).reshape(count, rows.Columns);
            var latents = dictionary.Encode(inputs).contiguous();
            var back = dictionary.Reconstruct(inputs).contiguous();
            sums.Add(values, MemoryMarshal.Cast<byte, float>(back.bytes), MemoryMarshal.Cast<byte, float>(latents.bytes));
        }
        return sums.Result(sharedBy, config);
    }
}

/// <summary>Adds up what a <see cref="DescriptionLength"/> needs, block by block.</summary>
/// <param name="nLatents">Latents in a row.</param>
/// <param name="width">Columns of the targets.</param>
public sealed class DescriptionLengthSums(int nLatents, int width)
{
    private readonly double[] _error = new double[width];
    private readonly double[] _origin = new double[width];
    private readonly double[] _sum = new double[width];
    private double _square;
    private long _fires;
    private long _rows;

    /// <summary>Adds rows.</summary>
    /// <param name="targets">Shape: <c>[rows, width]</c>.</param>
    /// <param name="reconstructions">Shape: <c>[rows, width]</c>.</param>
    /// <param name="latents">Shape: <c>[rows, n_latents]</c>.</param>
    public void Add(ReadOnlySpan<float> targets, ReadOnlySpan<float> reconstructions, ReadOnlySpan<float> latents)
    {
        if (targets.Length != reconstructions.Length || (long)targets.Length * nLatents != (long)latents.Length * width)
            throw new ArgumentException(
                $"{targets.Length} targets, {reconstructions.Length} reconstructions and {latents.Length} latents are not the same number of rows",
                nameof(targets)
            );
        for (var i = 0; i < targets.Length; i++)
        {
            var column = i % width;
            if (_rows == 0 && i < width)
                _origin[column] = targets[i];
            var (shifted, error) = (targets[i] - _origin[column], (double)targets[i] - reconstructions[i]);
            _sum[column] += shifted;
            _square += shifted * shifted;
            _error[column] += error * error;
        }
        foreach (var value in latents)
        {
            if (value != 0)
                _fires++;
        }
        _rows += targets.Length / width;
    }

    /// <summary>The bits of a row.</summary>
    /// <param name="sharedBy">Rows that share the cost of the dictionary.</param>
    /// <param name="config">What is charged for.</param>
    public DescriptionLength Result(long sharedBy, DescriptionLengthConfig config)
    {
        double n = _rows;
        var variance = ((_square / n) - _sum.Sum(sum => sum / n * (sum / n))) / width;
        return DescriptionLength.Of(_fires / n, nLatents, Array.ConvertAll(_error, error => error / n), variance, sharedBy, config);
    }
}
