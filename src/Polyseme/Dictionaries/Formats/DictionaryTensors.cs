using Polyseme.Activations;
using Polyseme.Numerics;

namespace Polyseme.Dictionaries.Formats;

/// <summary>The weights in a file, read with checks: the shape that the configuration promises, no NaN, no infinity.</summary>
/// <param name="file">The file.</param>
/// <param name="prefix">What stands before each name in it.</param>
internal sealed class DictionaryTensors(ArrayFile file, string prefix = "")
{
    /// <summary>Whether there is such a tensor.</summary>
    public bool Has(string name) => file.Find(prefix + name) is not null;

    /// <summary>The shape of a tensor that has to be there.</summary>
    public long[] Shape(string name) => Find(name).Shape;

    /// <summary>The type of a tensor that has to be there.</summary>
    public DType Type(string name) => file.ReadableType(Find(name));

    /// <summary>A matrix of this shape, as it lies.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="rows">Rows it must have.</param>
    /// <param name="columns">Columns it must have.</param>
    /// <param name="reason">Who says so, for the message.</param>
    public FloatMatrix Matrix(string name, int rows, int columns, string reason) => new(rows, columns, Read(name, reason, rows, columns));

    /// <summary>A vector of this length.</summary>
    public float[] Vector(string name, int length, string reason) => Read(name, reason, length);

    /// <summary>A number: a tensor of no dimensions, or of one entry.</summary>
    public double Scalar(string name)
    {
        var array = Find(name);
        if (array.Count != 1)
            throw new InputException(file.Where(array), "is not a single number", $"shape {array.ShapeText}", "[]");
        var value = file.ReadDoubles(array)[0];
        return double.IsFinite(value) ? value : throw new InputException(file.Where(array), "is not finite", $"{value}");
    }

    /// <summary>A whole number in [1, most], in a tensor of one entry.</summary>
    public int Size(string name, int most)
    {
        var value = Scalar(name);
        return value >= 1 && value <= most && value == Math.Floor(value)
            ? (int)value
            : throw new InputException(file.Where(Find(name)), "is out of range", $"{value}", $"a whole number from 1 to {most}");
    }

    /// <summary>Rows and columns of a matrix that sizes are taken from.</summary>
    public (int Rows, int Columns) Sizes(string name)
    {
        var array = Find(name);
        return array.Shape is [>= 1 and <= int.MaxValue, >= 1 and <= int.MaxValue]
            ? ((int)array.Shape[0], (int)array.Shape[1])
            : throw new InputException(file.Where(array), "is not a matrix", $"shape {array.ShapeText}", "two sizes of at least 1");
    }

    private float[] Read(string name, string reason, params int[] shape)
    {
        var array = Find(name);
        if (!array.Shape.SequenceEqual(shape.Select(size => (long)size)))
            throw new InputException(
                file.Where(array),
                "has a shape that does not fit",
                array.ShapeText,
                $"[{string.Join(", ", shape)}], {reason}"
            );
        var values = file.ReadSingles(array);
        var bad = System.Array.FindIndex(values, value => !float.IsFinite(value));
        return bad < 0
            ? values
            : throw new InputException(
                file.Where(array),
                "holds a number that is not finite",
                $"{values[bad]} at {Place(bad, shape)}",
                "finite weights",
                "did its training diverge?"
            );
    }

    private static string Place(int index, int[] shape) => shape.Length == 2 ? $"[{index / shape[1]}, {index % shape[1]}]" : $"[{index}]";

    private ArrayInfo Find(string name) =>
        file.Find(prefix + name)
        ?? throw new InputException(
            file.Path,
            $"has no tensor {InputException.Quote(prefix + name)}",
            file.Arrays.Count == 0
                ? "no tensors"
                : string.Join(", ", file.Arrays.Take(12).Select(array => InputException.Quote(array.Name)))
                    + (file.Arrays.Count > 12 ? $" and {file.Arrays.Count - 12} more" : "")
        );
}
